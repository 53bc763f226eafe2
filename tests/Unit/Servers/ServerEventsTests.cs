using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using McpOperator.Servers;

namespace McpOperator.Unit.Servers;

public sealed class ServerEventsTests
{
    private readonly List<ClusterEvent> _recorded = [];
    private readonly ServerEvents _events;

    public ServerEventsTests() => _events = new ServerEvents(_recorded.Add);

    [Fact]
    public void OneEventNamesAllThatAPassDidOfAKind()
    {
        _events.Changed(
            SampleServers.Of(),
            [(Change.Created, "ConfigMap"), (Change.None, "canary Deployment"), (Change.Created, "Deployment"), (Change.Repaired, "Service")]);

        Assert.Equal(
            [("Created", "Apply", "Created ConfigMap, Deployment"), ("Repaired", "Apply", "Repaired Service")],
            _recorded.Select(recorded => (recorded.Reason, recorded.Action, recorded.Note)));
        Assert.All(_recorded, recorded => Assert.Equal((new("team", "demo"), "uid-of-demo", false), (recorded.Object, recorded.Uid, recorded.IsWarning)));
    }

    [Fact]
    public void APassThatDidNothingTellsNothing()
    {
        _events.Changed(SampleServers.Of(), [(Change.None, "Deployment")]);

        Assert.Empty(_recorded);
    }

    [Theory]
    // Nothing reported before.
    [InlineData(null, 0, Phase.PartiallyReady, Reasons.DeploymentProgressing, null)]
    [InlineData(null, 0, Phase.Pending, Reasons.NotCreated, null)]
    [InlineData(null, 0, Phase.Error, Reasons.InvalidSpec, "Warning InvalidSpec Validate")]
    [InlineData(null, 0, Phase.Ready, Reasons.AllResourcesReady, "Normal Ready Observe")]
    // Another cause.
    [InlineData(Reasons.DeploymentProgressing, 3, Phase.Ready, Reasons.AllResourcesReady, "Normal Ready Observe")]
    [InlineData(Reasons.AllResourcesReady, 3, Phase.PartiallyReady, Reasons.DeploymentProgressing, "Normal DeploymentProgressing Observe")]
    [InlineData(Reasons.DeploymentProgressing, 3, Phase.PartiallyReady, Reasons.LoadBalancerPending, "Normal LoadBalancerPending Observe")]
    [InlineData(Reasons.AllResourcesReady, 3, Phase.Error, Problem.NameConflict, "Warning NameConflict Observe")]
    // The same cause.
    [InlineData(Reasons.DeploymentProgressing, 3, Phase.PartiallyReady, Reasons.DeploymentProgressing, null)]
    [InlineData(Reasons.DeploymentProgressing, 2, Phase.PartiallyReady, Reasons.DeploymentProgressing, null)]
    [InlineData(Reasons.InvalidSpec, 3, Phase.Error, Reasons.InvalidSpec, null)]
    [InlineData(Reasons.InvalidSpec, 2, Phase.Error, Reasons.InvalidSpec, "Warning InvalidSpec Validate")]
    // Another cause of the same kind; of what is waited for each step would be one.
    [InlineData(Problem.ApplyFailed, 3, Phase.Error, Problem.ApplyFailed, "Warning ApplyFailed Observe", "over quota")]
    [InlineData(Reasons.DeploymentProgressing, 3, Phase.PartiallyReady, Reasons.DeploymentProgressing, null, "0 of 2")]
    public void AReportIsNewsWhenItsCauseIs(
        string? before, long generationBefore, string phase, string reason, string? told, string messageBefore = "why")
    {
        var server = SampleServers.Of() with
        {
            Reported = before is null ? null : new LastReport
            {
                ObservedGeneration = generationBefore,
                Message = JsonHash.OfString(messageBefore),
                Conditions = [new LastCondition(ConditionTypes.Ready, "False", null, before)],
            },
        };

        _events.Reported(server, new MCPServerStatus
        {
            Phase = phase,
            ObservedGeneration = 3,
            Message = "why",
            Conditions = [new Condition { Type = ConditionTypes.Ready, Status = "False", LastTransitionTime = "", Reason = reason, Message = "why" }],
        });

        Assert.Equal(told is null ? [] : [told + " why"], _recorded.Select(
            recorded => $"{(recorded.IsWarning ? "Warning" : "Normal")} {recorded.Reason} {recorded.Action} {recorded.Note}"));
    }
}
