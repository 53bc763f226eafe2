using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Commands;
using McpOperator.Kubernetes;
using McpOperator.Servers;
using McpOperator.Servers.Kinds;

namespace McpOperator.Unit.Servers;

public sealed class StatusReportTests
{
    private static readonly DateTimeOffset Now = new DateTimeOffset(2026, 5, 6, 7, 8, 9, TimeSpan.Zero).AddMilliseconds(321);

    private static readonly ComponentCondition Deployment = new(
        ConditionTypes.DeploymentReady, "Deployment", true, Reasons.DeploymentAvailable, "1 of 1 replicas are available");

    private static readonly ComponentCondition Service = new(
        ConditionTypes.ServiceReady, "Service", true, Reasons.ClusterIPAssigned, "the Service has its cluster IP");

    private static readonly ComponentCondition Ingress = new(
        ConditionTypes.IngressReady, "Ingress", true, Reasons.IngressCreated, "the Ingress exists");

    [Fact]
    public void ReadyMeansThatEverySurfaceIs()
    {
        var status = Compose([Deployment, Service, Ingress]);

        Assert.Equal(("Ready", "All resources are ready"), (status.Phase, status.Message));
        Assert.Equal((true, true, true), (status.DeploymentReady, status.ServiceReady, status.IngressReady));
        Assert.Equal(["Ready", "DeploymentReady", "ServiceReady", "IngressReady"], status.Conditions!.Select(condition => condition.Type));
        Assert.Equal(Reasons.AllResourcesReady, status.Conditions![0].Reason);
        Assert.Equal(3, status.ObservedGeneration);
        Assert.All(status.Conditions!, condition => Assert.Equal(3, condition.ObservedGeneration));
    }

    [Fact]
    public void ASuspendedServerIsReadyAndSaysSo()
    {
        var status = Compose([Deployment with { Reason = Reasons.Suspended }, Service, Ingress]);

        Assert.Equal((Phase.Suspended, Reasons.Suspended, true), (status.Phase, status.Conditions![0].Reason, status.IsReady()));
        Assert.StartsWith("Suspended: ", status.Message, StringComparison.Ordinal);
        Assert.Equal(Phase.PartiallyReady, Compose([Deployment with { Reason = Reasons.Suspended }, Service, Ingress with { IsReady = false }]).Phase);
    }

    [Theory]
    [InlineData(null, false, "Ready", "True AllResourcesReady", "All resources are ready")]
    [InlineData(false, false, "Ready", "True AllResourcesReady", "All resources are ready")]
    [InlineData(true, false, "Ready", "True Paused", "All resources are ready; hands off")]
    [InlineData(true, true, "PartiallyReady", "False Paused", "hands off")]
    public void APausedServerIsReadyWhileNothingWouldChange(bool? isPaused, bool isDifferent, string phase, string ready, string message)
    {
        var report = isPaused is not { } paused ? null : new PauseReport(new ComponentCondition(
            ConditionTypes.Paused, "pause", paused, paused ? Reasons.Paused : Reasons.InvalidAnnotation, "hands off"), isDifferent);

        var status = StatusReport.Compose(SampleServers.Effective(), [Deployment, Service, Ingress], null, [], doubts: "", "/u", "i", Now, report);

        Assert.Equal((phase, ready, message), (status.Phase, $"{status.Conditions![0].Status} {status.Conditions![0].Reason}", status.Message));
        Assert.Equal(isPaused is not null, status.Conditions!.Any(condition => condition.Type == ConditionTypes.Paused));
    }

    /// <summary>What failed is told before the pause, and that before what is waited for.</summary>
    [Fact]
    public void ThePauseComesAfterFailures()
    {
        var report = new PauseReport(new ComponentCondition(ConditionTypes.Paused, "pause", true, Reasons.Paused, "hands off"), IsDifferent: true);

        var status = StatusReport.Compose(
            SampleServers.Effective(),
            [Deployment with { IsReady = false, Reason = Reasons.DeploymentProgressing, Message = "0 of 1" }, Service.With(new Problem(Problem.NameConflict, "taken")), Ingress],
            null, [], doubts: "", "/u", "i", Now, report);

        Assert.Equal(("Error", "taken; hands off; Deployment not ready: 0 of 1"), (status.Phase, status.Message));
    }

    [Theory]
    [InlineData(false, true, true, "PartiallyReady")]
    [InlineData(false, true, false, "PartiallyReady")]
    [InlineData(false, false, false, "Pending")]
    public void SomeReadySurfacesMakeItPartiallyReady(bool deployment, bool service, bool ingress, string phase) =>
        Assert.Equal(phase, Compose(
            [Deployment with { IsReady = deployment }, Service with { IsReady = service }, Ingress with { IsReady = ingress }]).Phase);

    [Fact]
    public void TheMessageNamesWhatFailedBeforeWhatIsWaitedFor()
    {
        var status = Compose(
        [
            Deployment with { IsReady = false, Reason = Reasons.DeploymentProgressing, Message = "0 of 1 replicas are available" },
            Service.With(new Problem(Problem.NameConflict, "Service team/demo was not made by this operator")),
            Ingress,
        ]);

        Assert.Equal("Error", status.Phase);
        Assert.Equal(
            "Service team/demo was not made by this operator; Deployment not ready: 0 of 1 replicas are available", status.Message);
        Assert.Equal(Problem.NameConflict, status.Conditions![0].Reason);
    }

    [Fact]
    public void AFailureKeepsTheReadinessThatWasObserved()
    {
        var status = Compose([Deployment.With(new Problem(Problem.ApplyFailed, "refused")), Service, Ingress]);

        Assert.Equal(("Error", true), (status.Phase, status.DeploymentReady));
        Assert.Equal(("True", Problem.ApplyFailed), (status.Conditions![1].Status, status.Conditions[1].Reason));
        Assert.Equal("False", status.Conditions[0].Status);
    }

    [Fact]
    public void AFaultOfTheWholeServerIsTheMessage()
    {
        var status = Compose([Deployment, Service, Ingress], new Problem(Reasons.InvalidSpec, "spec.image: is required"));

        Assert.Equal(("Error", "spec.image: is required"), (status.Phase, status.Message));
        Assert.True(status.DeploymentReady);
    }

    [Fact]
    public void TheTransitionTimeMovesOnlyWhenTheStatusFlips()
    {
        var first = Compose([Deployment with { IsReady = false }, Service, Ingress]);
        var server = SampleServers.Effective() with
        {
            Reported = new LastReport
            {
                Conditions = [.. first.Conditions!.Select(condition =>
                    new LastCondition(condition.Type, condition.Status, condition.LastTransitionTime))],
            },
        };
        var later = Now.AddHours(1);

        var second = StatusReport.Compose(server, [Deployment, Service, Ingress], null, [], "", "/u", "i", later);

        Assert.Equal("2026-05-06T08:08:09Z", Of(second, "Ready"));
        Assert.Equal("2026-05-06T08:08:09Z", Of(second, "DeploymentReady"));
        Assert.Equal(Of(first, "ServiceReady"), Of(second, "ServiceReady"));

        static string Of(MCPServerStatus status, string type) =>
            status.Conditions!.Single(condition => condition.Type == type).LastTransitionTime;
    }

    [Fact]
    public void TheSurfacesOfAGatewayAndACanaryAreReportedWhileTheyAreOn()
    {
        ComponentCondition[] components =
        [
            Deployment, Service, Ingress,
            new(ConditionTypes.GatewayReady, "gateway", true, Reasons.GatewayAvailable, "every pod has its gateway"),
            new(ConditionTypes.PolicyReady, "policy", true, Reasons.PolicyCurrent, "the ConfigMap holds the current policy"),
            new(ConditionTypes.CanaryReady, "canary Deployment", false, Reasons.DeploymentProgressing, "0 of 1 replicas are available"),
        ];

        var status = Compose(components);

        Assert.Equal((true, true, false), (status.GatewayReady, status.PolicyReady, status.CanaryReady));
        Assert.Equal(
            ["Ready", "DeploymentReady", "ServiceReady", "IngressReady", "GatewayReady", "PolicyReady", "CanaryReady"],
            status.Conditions!.Select(condition => condition.Type));
        Assert.Equal(("PartiallyReady", "canary Deployment not ready: 0 of 1 replicas are available"), (status.Phase, status.Message));
        Assert.Equal((false, false, false), (Compose(components[..3]).GatewayReady, Compose(components[..3]).PolicyReady, Compose(components[..3]).CanaryReady));
    }

    [Fact]
    public void ThePodsOfBothTracksAreCounted()
    {
        var status = Compose([Deployment, Service, Ingress], tracks: [Track(3, 2), Track(1, 1)]);

        Assert.Equal((4, 3), (status.Replicas, status.ReadyReplicas));

        static ObservedDeployment Track(int replicas, int ready)
        {
            using var json = JsonDocument.Parse($$"""{"metadata":{},"status":{"replicas":{{replicas}},"readyReplicas":{{ready}} } }""");
            return new ObservedDeployment(json.RootElement, Product.Identity.OwnedFields);
        }
    }

    [Fact]
    public void ALongMessageIsCut()
    {
        var status = Compose([Deployment, Service, Ingress], new Problem(Reasons.InvalidSpec, new string('x', 10_000)));

        Assert.Equal(4096, status.Message!.Length);
    }

    private static MCPServerStatus Compose(
        ComponentCondition[] components, Problem? fault = null, IReadOnlyList<ObservedDeployment>? tracks = null) =>
        StatusReport.Compose(SampleServers.Effective(), components, fault, tracks ?? [], doubts: "", "/demo/mcp", "example.org/demo:1", Now);
}
