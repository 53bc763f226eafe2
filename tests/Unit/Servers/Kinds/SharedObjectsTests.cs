using System.Text;
using System.Text.Json;
using McpOperator.Api;
using McpOperator.Kubernetes.Types;
using McpOperator.Servers.Kinds;

namespace McpOperator.Unit.Servers.Kinds;

public sealed class SharedObjectsTests
{
    private static readonly ProvisionedRegistry Registry = new()
    {
        Url = "registry.example.org",
        Username = "robot",
        Password = "p\"a\\s</>s é\n",
    };

    [Fact]
    public void ThePullSecretIsValidJsonWhateverThePasswordContains()
    {
        var secret = PullSecretKind.Build("team", Registry);

        var auth = JsonDocument.Parse(secret.Data[".dockerconfigjson"]).RootElement
            .GetProperty("auths").GetProperty("registry.example.org");
        Assert.Equal("robot", auth.GetProperty("username").GetString());
        Assert.Equal(Registry.Password, auth.GetProperty("password").GetString());
        Assert.Equal($"robot:{Registry.Password}", Encoding.UTF8.GetString(auth.GetProperty("auth").GetBytesFromBase64()));
    }

    [Fact]
    public void ThePullSecretHasNoOwnerAndTheRegistrysName()
    {
        var json = JsonSerializer.SerializeToElement(
            PullSecretKind.Build("team", Registry), ManifestJsonContext.Default.Secret);

        Assert.Equal("kubernetes.io/dockerconfigjson", json.GetProperty("type").GetString());
        Assert.Equal("mcp-runtime-registry-pull", json.GetProperty("metadata").GetProperty("name").GetString());
        Assert.False(json.GetProperty("metadata").TryGetProperty("ownerReferences", out _));
        Assert.Equal(JsonValueKind.String, json.GetProperty("data").GetProperty(".dockerconfigjson").ValueKind);
    }

    [Fact]
    public void ThePasswordIsInNoTextOfTheObjectsThatCarryIt()
    {
        var texts = new[]
        {
            Registry.ToString(),
            new OperatorSettings { ProvisionedRegistry = Registry }.ToString(),
            PullSecretKind.Build("team", Registry).ToString(),
            new DockerAuth { Username = "robot", Password = Registry.Password!, Auth = "x" }.ToString(),
        };

        Assert.All(texts, text => Assert.DoesNotContain("s</>s", text, StringComparison.Ordinal));
    }

    [Fact]
    public void WithoutCredentialsThereIsNoPullSecret() =>
        Assert.Throws<InvalidOperationException>(() => PullSecretKind.Build("team", new ProvisionedRegistry()));

    [Fact]
    public void TheServiceAccountMountsNoToken() =>
        Json.AssertEqual(
            """
            {
              "apiVersion": "v1", "kind": "ServiceAccount", "automountServiceAccountToken": false,
              "metadata": {
                "name": "mcp-workload", "namespace": "team", "labels": { "app.kubernetes.io/managed-by": "mcp-runtime" }
              }
            }
            """,
            JsonSerializer.SerializeToUtf8Bytes(
                ServiceAccountKind.Build("team"), ManifestJsonContext.Default.ServiceAccount));
}
