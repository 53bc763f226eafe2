using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using McpOperator.Servers;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Servers;

public sealed class ServerEventsTests
{
    private readonly List<ClusterEvent> _recorded = [];
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 5, 6, 7, 8, 9, TimeSpan.Zero));
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
    [InlineData(Reasons.DeploymentProgressing, 3, Phase.PartiallyReady, Reasons.ImagePullFailed, "Warning ImagePullFailed Observe")]
    [InlineData(Reasons.CrashLoop, 3, Phase.PartiallyReady, Reasons.OutOfMemory, "Warning OutOfMemory Observe")]
    [InlineData(Reasons.CrashLoop, 3, Phase.PartiallyReady, Reasons.CrashLoop, null, "restarts: 4")]
    // What is waited for as a matter of course is told when it lasts.
    [InlineData(Reasons.AllResourcesReady, 3, Phase.PartiallyReady, Reasons.DeploymentProgressing, null)]
    [InlineData(Reasons.DeploymentProgressing, 3, Phase.PartiallyReady, Reasons.LoadBalancerPending, null)]
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

        _events.Reported(server, Status(phase, reason), new Quiet(_time), _time.GetUtcNow());

        Assert.Equal(told is null ? [] : [told + " why"], _recorded.Select(
            recorded => $"{(recorded.IsWarning ? "Warning" : "Normal")} {recorded.Reason} {recorded.Action} {recorded.Note}"));
    }

    [Theory]
    [InlineData(29, Reasons.DeploymentProgressing, false, false)]
    [InlineData(31, Reasons.DeploymentProgressing, false, true)]
    [InlineData(1, Reasons.DeploymentProgressing, true, true)] // the server's cause was told before
    [InlineData(1, Reasons.CrashLoop, false, true)]
    public void ThatAServerIsReadyIsToldWhenItWasToldThatItIsNot(int seconds, string before, bool isTold, bool isNews)
    {
        var since = KubernetesTime.Format(_time.GetUtcNow() - TimeSpan.FromSeconds(seconds));
        var quiet = new Quiet(_time);
        if (isTold)
            quiet.Told();

        _events.Reported(Server(before, since), Status(Phase.Ready, Reasons.AllResourcesReady), quiet, _time.GetUtcNow());

        Assert.Equal(isNews ? ["Ready"] : [], _recorded.Select(recorded => recorded.Reason));
    }

    [Fact]
    public void AWaitIsToldOnceAfterHalfAMinute()
    {
        var quiet = new Quiet(_time);
        var server = Server(Reasons.DeploymentProgressing, KubernetesTime.Format(_time.GetUtcNow()));
        var status = Status(Phase.PartiallyReady, Reasons.DeploymentProgressing);

        Tell();
        Assert.Equal(_time.GetTimestamp() + (30 * _time.TimestampFrequency), quiet.DueAt);
        _time.Advance(TimeSpan.FromSeconds(29));
        Tell();
        Assert.Empty(_recorded);
        _time.Advance(TimeSpan.FromSeconds(1));
        Tell();
        Tell();

        Assert.Equal("DeploymentProgressing why", _recorded.Select(recorded => $"{recorded.Reason} {recorded.Note}").Single());
        Assert.Equal((true, long.MaxValue), (quiet.IsTold, quiet.DueAt));

        void Tell() => _events.Waiting(server, status, quiet);
    }

    [Theory]
    [InlineData(60, 0)] // the process before this one has told it
    [InlineData(20, 1)]
    public void AWaitGoesOnInTheNextProcess(int seconds, int expected)
    {
        var quiet = new Quiet(_time);
        var server = Server(Reasons.LoadBalancerPending, KubernetesTime.Format(_time.GetUtcNow() - TimeSpan.FromSeconds(seconds)));
        var status = Status(Phase.PartiallyReady, Reasons.LoadBalancerPending);

        _events.Waiting(server, status, quiet);
        Assert.Empty(_recorded);
        _time.Advance(TimeSpan.FromSeconds(15));
        _events.Waiting(server, status, quiet);

        Assert.Equal(expected, _recorded.Count);
    }

    private static MCPServer Server(string before, string since) => SampleServers.Of() with
    {
        Reported = new LastReport { ObservedGeneration = 3, Conditions = [new LastCondition(ConditionTypes.Ready, "False", since, before)] },
    };

    private static MCPServerStatus Status(string phase, string reason) => new()
    {
        Phase = phase,
        ObservedGeneration = 3,
        Message = "why",
        Conditions =
        [
            new Condition
            {
                Type = ConditionTypes.Ready, Status = phase == Phase.Ready ? "True" : "False", LastTransitionTime = "", Reason = reason, Message = "why",
            },
        ],
    };
}
