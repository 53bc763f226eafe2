using System.Security.Cryptography;
using System.Text.Json;
using McpOperator.Api;
using McpOperator.Commands;
using McpOperator.Commands.Manifests;
using McpOperator.Hosting;
using McpOperator.Kubernetes;
using McpOperator.Servers;

namespace McpOperator.Unit.Servers.Pods;

/// <summary>
/// What the operator applied before a server could say more of its pods (0.9, before podTemplate, probes and the like): to the byte, so
/// that an upgrade replaces nobody's pods. The hashes in Data/golden were taken from that version.
/// </summary>
public sealed class GoldenDeploymentTests
{
    private static readonly OperatorSettings AsTheGoOperator = SettingsReader.Read(name => name switch
    {
        "MCP_INGRESS_READINESS_MODE" => "permissive",
        "MCP_CLUSTER_NAME" => "edge-1",
        "MCP_DEFAULT_INGRESS_ENTRYPOINTS" => "web,websecure",
        "MCP_GATEWAY_OTEL_EXPORTER_OTLP_ENDPOINT" => "http://otel:4318",
        "MCP_SENTINEL_INGEST_URL" => "http://sentinel:8080/ingest",
        "PROVISIONED_REGISTRY_URL" => "prov.example.com:5000",
        "PROVISIONED_REGISTRY_USERNAME" => "u",
        "PROVISIONED_REGISTRY_PASSWORD" => "p\"q",
        "MCP_GATEWAY_PROXY_IMAGE" => "gateway.example.com/proxy:2",
        _ => null,
    }).Settings;

    [Fact]
    public async Task ADeploymentOfASpecWithoutTheNewFieldsIsWhatItWas()
    {
        var lines = new List<string>();
        foreach (var file in Directory.EnumerateFiles(RepositoryRoot.File("config/samples"), "mcpserver_*.yaml").Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(file);
            using var json = JsonDocument.Parse(YamlJson.Of(YamlReader.Read(reader)!));
            lines.AddRange(await HashesAsync(json.RootElement));
        }

        using var recorded = JsonDocument.Parse(File.ReadAllText(RepositoryRoot.File("tests/Envtest/Data/go-operator/objects.json")));
        foreach (var server in recorded.RootElement.EnumerateArray().Where(item => item.Is("kind"u8, "MCPServer")))
            lines.AddRange(await HashesAsync(server));

        var golden = RepositoryRoot.File("tests/Unit/Data/golden/deployments.txt");
        Assert.Equal(File.ReadAllLines(golden), lines);
    }

    private static async Task<IReadOnlyList<string>> HashesAsync(JsonElement json)
    {
        var lines = new List<string>();
        foreach (var (which, settings) in new[] { ("default", new OperatorSettings()), ("configured", AsTheGoOperator) })
        {
            var plan = new ServerPlan([], [], settings, DateTimeOffset.MinValue);
            var server = StoredServer.Decode(json, Product.Identity.OwnedFields).Read();
            // A recorded server with a gateway names no image of it, which the operator has to bring.
            var pass = plan.PassOver(server, policy: null, mayRunGateway: true);
            if (!pass.IsValid)
            {
                lines.Add($"{server.Metadata.Name} {which} invalid: {pass.Faults[0].Field}");
                continue;
            }

            await pass.RunAsync(plan.Kinds, (kind, wanted) =>
            {
                if (wanted is DesiredState.Apply apply && kind.Type == ResourceTypes.Deployment)
                    lines.Add($"{server.Metadata.Name} {which} {kind.Name} {Convert.ToHexStringLower(SHA256.HashData(apply.Body()))}");
                return Task.FromResult<McpOperator.Apply.ApplyResult>(default);
            });
        }

        return lines;
    }
}
