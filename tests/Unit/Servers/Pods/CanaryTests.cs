using System.Text;
using McpOperator.Api;
using McpOperator.Kubernetes.Types;
using McpOperator.Servers.Kinds;
using McpOperator.Servers.Pods;

namespace McpOperator.Unit.Servers.Pods;

public sealed class CanaryTests
{
    private static readonly MCPServerSpec Canary = new()
    {
        Image = "example.org/demo:1",
        Replicas = 4,
        Rollout = new RolloutConfig { Strategy = "Canary", CanaryReplicas = 1, CanaryImage = "example.org/demo:2", MaxSurge = "1" },
    };

    [Fact]
    public void TheCanaryHasItsReplicasItsTrackAndItsImageAndIsElseTheStableOne()
    {
        var (stable, canary) = Build(Canary with { EnvVars = [new EnvVar { Name = "A", Value = "1" }] });

        Assert.Equal((3, 1), (stable.Spec.Replicas, canary.Spec.Replicas));
        Json.AssertEqual(
            Encoding.UTF8.GetString(ApplyConfiguration.Of(stable))
                .Replace("\"metadata\":{\"name\":\"demo\"", "\"metadata\":{\"name\":\"demo-canary\"", StringComparison.Ordinal)
                .Replace("\"replicas\":3", "\"replicas\":1", StringComparison.Ordinal)
                .Replace("\"mcpruntime.org/rollout-track\":\"stable\"", "\"mcpruntime.org/rollout-track\":\"canary\"", StringComparison.Ordinal)
                .Replace("example.org/demo:1", "example.org/demo:2", StringComparison.Ordinal),
            ApplyConfiguration.Of(canary));
    }

    [Fact]
    public void TheTracksShareNoPodAndTheServiceCoversBoth()
    {
        var (stable, canary) = Build(Canary);
        var service = ServiceKind.Build(SampleServers.Effective(Canary));

        Assert.True(Selects(stable.Spec.Selector.MatchLabels, stable) && Selects(canary.Spec.Selector.MatchLabels, canary));
        Assert.False(Selects(stable.Spec.Selector.MatchLabels, canary) || Selects(canary.Spec.Selector.MatchLabels, stable));
        Assert.True(Selects(service.Spec.Selector, stable) && Selects(service.Spec.Selector, canary));

        static bool Selects(IReadOnlyDictionary<string, string> selector, Deployment deployment) =>
            selector.All(label => deployment.Spec.Template.Metadata.Labels.Contains(label));
    }

    [Fact]
    public void BothAreRolledOutByReplacingPodsOneAfterTheOther()
    {
        var (stable, canary) = Build(Canary);

        Assert.Equal(
            new DeploymentStrategy
            {
                Type = "RollingUpdate",
                RollingUpdate = new RollingUpdate { MaxUnavailable = new IntOrString("25%"), MaxSurge = new IntOrString("1") },
            },
            stable.Spec.Strategy);
        Assert.Equal(stable.Spec.Strategy, canary.Spec.Strategy);
    }

    [Theory]
    [InlineData("Canary", 4, 1, 3, 1)]
    [InlineData("Canary", 4, 3, 1, 3)]
    // Where there is no room the canary shrinks.
    [InlineData("Canary", 4, 4, 1, 3)]
    [InlineData("Canary", 2, 3, 1, 1)]
    [InlineData("Canary", 1, 3, 1, 0)]
    [InlineData("Canary", 0, 3, 0, 0)]
    // Left from a canary that is over.
    [InlineData("RollingUpdate", 4, 1, 4, 0)]
    [InlineData("Recreate", 4, 1, 4, 0)]
    public void TheStableTrackHasTheRestOfTheReplicasAndOneAtLeast(string strategy, int replicas, int canaryReplicas, int stable, int canary)
    {
        var built = Build(Canary with { Replicas = replicas, Rollout = new RolloutConfig { Strategy = strategy, CanaryReplicas = canaryReplicas } });

        Assert.Equal((stable, canary), (built.Stable.Spec.Replicas, built.Canary.Spec.Replicas));
    }

    [Fact]
    public void WithoutAnImageOfItsOwnItRunsTheServers() =>
        Assert.Equal("example.org/demo:1", Build(Canary with { Rollout = Canary.Rollout! with { CanaryImage = null } })
            .Canary.Spec.Template.Spec.Containers.Single().Image);

    [Fact]
    public void ItHasTheSameGatewayWithTheSamePolicy()
    {
        var server = SampleServers.WithGateway(Canary);
        var stable = DeploymentManifest.Build(server, SampleServers.Settings).Spec.Template.Spec;
        var canary = DeploymentManifest.BuildCanary(server, SampleServers.Settings).Spec.Template.Spec;

        Assert.Equal(["demo", "mcp-gateway"], canary.Containers.Select(container => container.Name));
        Assert.Equal("example.org/gateway:1", canary.Containers[1].Image);
        Assert.Equal(
            stable.Containers[1].Env!.Select(variable => (variable.Name, variable.Value)),
            canary.Containers[1].Env!.Select(variable => (variable.Name, variable.Value)));
        Assert.Equal("demo-gateway-policy", canary.Volumes!.Single().ConfigMap!.Name);
    }

    private static (Deployment Stable, Deployment Canary) Build(MCPServerSpec spec)
    {
        var server = SampleServers.Effective(spec);
        return (DeploymentManifest.Build(server, SampleServers.Settings), DeploymentManifest.BuildCanary(server, SampleServers.Settings));
    }
}
