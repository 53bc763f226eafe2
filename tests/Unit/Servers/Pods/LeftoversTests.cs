using System.Text.Json;
using McpOperator.Commands;
using McpOperator.Servers.Pods;

namespace McpOperator.Unit.Servers.Pods;

public sealed class LeftoversTests
{
    private const string Ours = """{"manager": "mcp-runtime-operator", "operation": "Apply", "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"demo\"}": {"f:startupProbe": {}}}}}}}}""";

    private const string Theirs = """{"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"demo\"}": {"f:lifecycle": {}}}}}}}}""";

    [Theory]
    [InlineData("""{"startupProbe": {"httpGet": {"scheme": "HTTP"}}}""", "{}", """{"name": "demo", "startupProbe": null}""")]
    [InlineData("""{"livenessProbe": {"exec": {"command": ["x"]}}}""", """{"livenessProbe": {"tcpSocket": {"port": 1}}}""", """{"name": "demo", "livenessProbe": {"exec": null, "tcpSocket": {"port": 1}}}""")]
    [InlineData("""{"lifecycle": {"preStop": {}}}""", "{}", null)]
    [InlineData("""{"securityContext": {}, "startupProbe": {"exec": {}}}""", """{"startupProbe": {"exec": {}}}""", null)]
    public void OfAContainerGoesWhatIsNobodys(string live, string wanted, string? expected) => AssertPatch(
        $$"""{"containers": [{{Named("demo", live)}}, {"name": "other", "startupProbe": {} }] }""", $$"""{"containers": [{{Named("demo", wanted)}}]}""",
        expected is null ? null : $$"""{"containers": [{{expected}}], "initContainers": [], "volumes": []}""");

    [Fact]
    public void AVolumeGetsItsNewSource() => AssertPatch(
        """{"volumes": [{"name": "v", "configMap": {"defaultMode": 420}, "emptyDir": {}}, {"name": "theirs", "emptyDir": {}}]}""", """{"volumes": [{"name": "v", "emptyDir": {}}]}""",
        """{"containers": [], "initContainers": [], "volumes": [{"name": "v", "configMap": null, "emptyDir": {}}]}""");

    private static string Named(string name, string container) => container == "{}" ? $$"""{"name": "{{name}}"}""" : $$"""{"name": "{{name}}", {{container[1..]}}""";

    private static void AssertPatch(string live, string wanted, string? expected)
    {
        var patch = Leftovers.Patch(
            System.Text.Encoding.UTF8.GetBytes($$"""{"spec": {"template": {"spec": {{wanted}} } } }"""),
            JsonElement.Parse($$"""{"metadata": {"managedFields": [{{Ours}}, {{Theirs}}]}, "spec": {"template": {"spec": {{live}} } } }"""), Product.Identity.OwnedFields);
        if (expected is null)
            Assert.Empty(patch);
        else
            Json.AssertEqual($$"""{"spec": {"template": {"spec": {{expected}} } } }""", patch);
    }
}
