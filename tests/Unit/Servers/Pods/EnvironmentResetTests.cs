using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Api;
using McpOperator.Kubernetes;
using McpOperator.Servers.Pods;

namespace McpOperator.Unit.Servers.Pods;

public class EnvironmentResetTests
{
    private static readonly MCPServer Server = SampleServers.Effective(
        new MCPServerSpec { Image = "i:1", EnvVars = [new() { Name = "A", Value = "1" }, new() { Name = "B" }] });

    private static readonly byte[] Deployment = BodyOf(Server);

    private static byte[] BodyOf(MCPServer server) => DeploymentManifest.Body(DeploymentManifest.Build(server, SampleServers.Settings), server);

    [Fact]
    public void TheDeploymentIsPausedAndElseOnlyLacksItsVariables()
    {
        var paused = JsonNode.Parse(EnvironmentReset.WithoutVariables(Deployment))!.AsObject();

        Assert.True(paused["spec"]!.AsObject().Remove("paused", out var isPaused) && (bool)isPaused!);
        Json.AssertEqual(paused.ToJsonString(), BodyOf(SampleServers.Effective(new MCPServerSpec { Image = "i:1" })));
    }

    /// <summary>What a template adds to the variables goes, too, and what it adds besides stays.</summary>
    [Fact]
    public void TheVariablesOfATemplateAreReset()
    {
        var server = Server with
        {
            Spec = Server.Spec with
            {
                PodTemplate = JsonElement.Parse(
            """{"spec": {"containers": [{"name": "demo", "env": [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]}, {"name": "side", "env": [{"name": "S", "value": "1"}]}]}}""")
            }
        };
        var body = BodyOf(server);
        var paused = JsonNode.Parse(EnvironmentReset.WithoutVariables(body))!;

        Assert.All(paused["spec"]!["template"]!["spec"]!["containers"]!.AsArray(), container => Assert.Null(container!["env"]));
        Assert.Equal(2, paused["spec"]!["template"]!["spec"]!["containers"]!.AsArray().Count);
        Json.AssertEqual(
            """{"spec": {"template": {"spec": {"containers": [{"name": "demo", "env": [{"name": "IP", "$patch": "delete"}]}, {"name": "side", "env": [{"name": "S", "$patch": "delete"}]}]}}}}""",
            EnvironmentReset.DeletePatch(body, Live("""{"name": "demo", "env": [{"name": "IP"}]}, {"name": "side", "env": [{"name": "S"}]}""")));
    }

    [Fact]
    public void TheRemovalNamesEachVariableInItsContainer() => Json.AssertEqual(
        """
        {"spec": {"template": {"spec": {"containers": [
          {"name": "demo", "env": [{"name": "A", "$patch": "delete"}, {"name": "B", "$patch": "delete"}]}
        ]}}}}
        """,
        EnvironmentReset.DeletePatch(Deployment, Live("""{"name": "demo", "env": [{"name": "B"}, {"name": "A"}]}""")));

    /// <summary>API servers before 1.28 add what they are told to delete where there is no list.</summary>
    [Fact]
    public void TheRemovalNamesNothingThatIsNotThere()
    {
        var live = Live("""{"name": "sidecar", "env": [{"name": "B"}]}, {"name": "demo", "env": [{"name": "A"}, {"name": "C"}]}, {"name": "mcp-gateway"}""");
        Json.AssertEqual(
            """{"spec": {"template": {"spec": {"containers": [{"name": "demo", "env": [{"name": "A", "$patch": "delete"}]}]}}}}""",
            EnvironmentReset.DeletePatch(BodyOf(SampleServers.WithGateway(new MCPServerSpec { EnvVars = [new() { Name = "A", Value = "1" }, new() { Name = "B" }] })), live));
        Assert.Empty(EnvironmentReset.DeletePatch(Deployment, Live("""{"name": "demo"}""")));
    }

    private static JsonElement Live(string containers) =>
        JsonElement.Parse($$"""{"spec": {"template": {"spec": {"containers": [{{containers}}]} } } }""");

    [Theory]
    [InlineData(422, "spec.template.spec.containers[0].env[1].valueFrom", true)]
    [InlineData(422, "spec.template.spec.containers[0].image", false)]
    [InlineData(403, "spec.template.spec.containers[0].env[1].valueFrom", false)]
    public void ItHelpsWhereAReferenceIsRefused(int code, string field, bool helps) =>
        Assert.Equal(helps, EnvironmentReset.Handles(new ApiException(
            new Status { Code = code, Details = new StatusDetails { Causes = [new StatusCause { Field = field }] } }, "PATCH x")));
}
