using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Commands.Manifests;
using McpOperator.Hosting;
using McpOperator.Servers;

namespace McpOperator.Commands;

/// <summary>
/// <c>render</c>: the objects that the operator would apply for the servers among manifests, without a cluster. Exit code 1, and
/// nothing on standard output, when one of them is invalid.
/// </summary>
internal static class RenderCommand
{
    public static IReadOnlyList<Flag<ManifestOptions>> Flags { get; } = ManifestFlags.Common("yaml", "json");

    /// <param name="error">What is wrong with the manifests, or the call; and what the operator would report.</param>
    public static async Task<int> ExecuteAsync(IReadOnlyList<string> arguments, Func<Stream> input, TextWriter output, TextWriter error)
    {
        if (ManifestInput.Read(arguments, Flags, "render", input, output, error, out var exitCode) is not { } given)
            return exitCode;
        if (given.IsRefused(error, reports: true))
            return 1;
        var objects = await ObjectsAsync(given, error).ConfigureAwait(false);
        if (given.Options.Output == "json")
            ManifestReport.WriteList(output, objects);
        else
            output.Write(string.Join("---\n", objects.Select(YamlWriter.Document)));
        return 0;
    }

    /// <summary>
    /// In the order in which they would be applied; what the servers of a namespace share stands there once. Owners are named where a
    /// manifest has the uid that only an API server gives. What is secret stays so: it would end up in logs and repositories.
    /// </summary>
    private static async Task<IReadOnlyList<JsonElement>> ObjectsAsync(ManifestInput given, TextWriter error)
    {
        var objects = new List<JsonElement>();
        var shared = new HashSet<string>(StringComparer.Ordinal);
        var servers = given.Manifests.Servers();
        // No session is expired: the same input gives the same bytes at any time.
        var plan = new ServerPlan(
            given.Manifests.Access(MCPAccessGrant.Type), given.Manifests.Access(MCPAgentSession.Type), given.Settings, now: DateTimeOffset.MinValue);
        servers.ForEach(plan.Add);
        foreach (var server in servers)
        {
            if (PauseRequests.Note(server) is { } paused)
                error.WriteLine($"note: {paused}");
            var policy = plan.PolicyOf(plan.InEffect(server));
            if (policy is not null)
                objects.Add(Read(policy));
            await plan.PassOver(server, policy: null, mayRunGateway: policy is not null).RunAsync(plan.Kinds, (kind, wanted) =>
            {
                if (wanted is not DesiredState.Apply apply || (kind.IsShared && !shared.Add($"{kind.Type} {server.Metadata.Namespace}")))
                    return Task.FromResult<ApplyResult>(default);
                if (kind.Type == ResourceTypes.Secret)
                    error.WriteLine($"note: Secret {server.Metadata.Namespace}/{given.Settings.ProvisionedRegistry.SecretName} is left out: secrets are not printed");
                else
                    objects.Add(Read(apply.Body()));
                return Task.FromResult<ApplyResult>(default);
            }).ConfigureAwait(false);
        }

        return objects;
    }

    private static JsonElement Read(byte[] manifest) => PrintedObject.Of(JsonElement.Parse(manifest));
}
