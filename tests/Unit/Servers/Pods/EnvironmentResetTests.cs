using System.Text.Json;
using McpOperator.Api;
using McpOperator.Kubernetes;
using McpOperator.Kubernetes.Types;
using McpOperator.Servers.Pods;

namespace McpOperator.Unit.Servers.Pods;

public class EnvironmentResetTests
{
    private static readonly Deployment Deployment = DeploymentManifest.Build(
        SampleServers.Effective(new MCPServerSpec { Image = "i:1", EnvVars = [new() { Name = "A", Value = "1" }, new() { Name = "B" }] }),
        SampleServers.Settings);

    [Fact]
    public void TheDeploymentIsPausedAndElseOnlyLacksItsVariables()
    {
        var paused = EnvironmentReset.WithoutVariables(Deployment);

        Assert.True(paused.Spec.Paused);
        Assert.Null(paused.Spec.Template.Spec.Containers.Single().Env);
        Json.AssertEqual(
            JsonSerializer.Serialize(
                DeploymentManifest.Build(SampleServers.Effective(new MCPServerSpec { Image = "i:1" }), SampleServers.Settings),
                ManifestJsonContext.Default.Deployment),
            JsonSerializer.SerializeToUtf8Bytes(
                paused with { Spec = paused.Spec with { Paused = null } }, ManifestJsonContext.Default.Deployment));
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
            EnvironmentReset.DeletePatch(DeploymentManifest.Build(SampleServers.WithGateway(new MCPServerSpec { EnvVars = [new() { Name = "A", Value = "1" }, new() { Name = "B" }] }), SampleServers.Settings), live));
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
