using McpOperator.Api;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using McpOperator.Mirror;
using McpOperator.Servers.Readiness;
using McpOperator.Unit.Controller;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Servers.Readiness;

[Collection(nameof(Alone))]
public sealed class McpProberTests : IDisposable
{
    private static readonly McpAnswer Answer = new(Reasons.McpAnswered, Info: new McpInfo { Name = "n", Version = "1" }, Tools: new McpTools(["a"]), Way: new McpWay("/mcp", false));
    private static readonly McpAnswer Miss = new(Reasons.McpNotAnswering, "was not answered", "POST http://10.0.0.1:8088/mcp");

    private readonly FakeTimeProvider _time = new(SampleServers.Epoch);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Random _random = new(7);
    private readonly List<ObjectKey> _told = [];
    private readonly Line _line;
    private readonly McpStates _states;
    private readonly List<(McpTarget Target, McpWay? Way, TimeSpan At)> _asked = [];
    private readonly McpProber _prober;
    private Func<McpTarget, CancellationToken, Task<McpAnswer>> _answer = static (_, _) => Task.FromResult(Answer);
    private string _pod = "pod-1";
    private string? _hash;

    public McpProberTests()
    {
        _line = new Line(_time);
        _states = new McpStates(_told.Add);
        _prober = new McpProber(_line, _states, AskAsync, _time, _random.NextDouble, _stopping.Token);
        _line.Reconcile = _prober.ReconcileAsync;

        async Task<McpAnswer> AskAsync(McpTarget target, McpWay? way, CancellationToken stop)
        {
            _asked.Add((target, way, _line.Now));
            return await _answer(target, stop) with { Pod = _pod, PodHash = _hash };
        }
    }

    public void Dispose() => _stopping.Dispose();

    [Fact]
    public void ANewRevisionIsAskedAtOnceAndThenEveryTenMinutes()
    {
        _prober.Want(Target("web"), isKnown: false, isUrgent: false);
        _line.RunFor(TimeSpan.Zero);

        Assert.Equal(
            new McpState("uid", "r1", IsAnswering: true, Reasons.McpAnswered, "the server has answered initialize", Answer.Info! with { Revision = "r1" }, Answer.Tools),
            _states.Get(Key("web")));
        Assert.Equal([Key("web")], _told);

        _line.RunFor(TimeSpan.FromHours(2));
        Assert.Equal(13, _asked.Count - 1, tolerance: 1);
        Assert.InRange(_asked[1].At.TotalMinutes, 1, 11);
        Assert.All(_asked.Skip(1).Zip(_asked.Skip(2), (one, next) => next.At - one.At), pause => Assert.InRange(pause.TotalMinutes, 9, 11));
        // The way that answered is taken again, and the same answer is no news.
        Assert.All(_asked.Skip(1), asked => Assert.Equal(Answer.Way, asked.Way));
        Assert.Single(_told);
        Assert.Equal((_asked.Count, 0), ((int)_states.Count(McpResult.Answered), _states.InFlight));

        _prober.Want(Target("web", "r2"), isKnown: false, isUrgent: false);
        _line.RunFor(TimeSpan.Zero);
        Assert.Equal(("r2", _line.Now, null), (_asked[^1].Target.Revision, _asked[^1].At, _asked[^1].Way));
        Assert.Equal(("r2", "r2"), (_states.Get(Key("web"))!.Revision, _states.Get(Key("web"))!.Info!.Revision));
    }

    [Fact]
    public void APassThatWantsTheSameAgainChangesNothing()
    {
        for (var i = 0; i < 3; i++)
        {
            _prober.Want(Target("web"), isKnown: i > 0, isUrgent: false);
            _line.RunFor(TimeSpan.FromSeconds(1));
        }

        Assert.Single(_asked);
        _prober.Want(Target("web") with { Port = 9000 }, isKnown: true, isUrgent: false);
        _line.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal((2, 9000), (_asked.Count, _asked[^1].Target.Port));
    }

    [Fact]
    public void AServerThatHasAnsweredLosesItsReadinessWithTheThirdMiss()
    {
        _prober.Want(Target("web"), isKnown: false, isUrgent: false);
        _line.RunFor(TimeSpan.Zero);
        _answer = static (_, _) => Task.FromResult(Miss);
        _line.RunFor(McpProber.Period * 1.1);
        _asked.RemoveAt(0);
        Assert.NotEmpty(_asked);

        _line.RunFor(TimeSpan.FromHours(1));
        var pauses = _asked.Zip(_asked.Skip(1), (one, next) => (next.At - one.At).TotalSeconds).ToList();
        Assert.InRange(pauses[0], 5, 6);
        Assert.InRange(pauses[1], 10, 12);
        Assert.InRange(pauses[2], 20, 24);
        Assert.All(pauses.Skip(6), pause => Assert.InRange(pause, 300, 360));
        // One word of the answer, one of the loss; the same failure again is no news, of another pod neither.
        Assert.Equal(2, _told.Count);
        _pod = "pod-2";
        _line.RunFor(TimeSpan.FromHours(1));
        Assert.Equal(2, _told.Count);
        var state = _states.Get(Key("web"))!;
        Assert.Equal((false, Reasons.McpNotAnswering, "n"), (state.IsAnswering, state.Reason, state.Info!.Name));
        Assert.Equal("POST http://10.0.0.1:8088/mcp (pod pod-1) was not answered; see what the server logs (kubectl logs pod-1), and whether a NetworkPolicy keeps the operator from it", state.Message);
        Assert.Equal(["a"], state.Tools!.Names!);

        _answer = static (_, _) => Task.FromResult(Answer);
        _line.RunFor(TimeSpan.FromMinutes(6));
        Assert.True(_states.Get(Key("web"))!.IsAnswering);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(3, false)]
    public void FewerMissesAreForgotten(int misses, bool keeps)
    {
        var left = 0;
        _answer = (_, _) => Task.FromResult(left-- > 0 ? Miss : Answer);
        _prober.Want(Target("web"), isKnown: false, isUrgent: false);
        for (var i = 0; i < 3; i++)
        {
            _line.RunFor(TimeSpan.Zero);
            left = misses;
            _line.RunFor(McpProber.Period * 1.1 + TimeSpan.FromSeconds(40));
        }

        Assert.True(_states.Get(Key("web"))!.IsAnswering);
        Assert.Equal(keeps, _told.Count == 1);
    }

    [Fact]
    public void AServerThatHasNotAnsweredIsToldAtOnceAndAskedWithoutEnd()
    {
        _answer = static (_, _) => Task.FromResult(Miss);
        _prober.Want(Target("web"), isKnown: false, isUrgent: false);
        _line.RunFor(TimeSpan.Zero);
        Assert.Equal((false, Reasons.McpNotAnswering), (_states.Get(Key("web"))!.IsAnswering, _states.Get(Key("web"))!.Reason));

        _line.RunFor(TimeSpan.FromHours(4));
        var pauses = _asked.Zip(_asked.Skip(1), (one, next) => (next.At - one.At).TotalSeconds).ToList();
        foreach (var (pause, least) in pauses.Zip([1.0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]))
            Assert.InRange(pause, least, least * 1.2);
        Assert.InRange(pauses.Count, 40, 60);
        Assert.Single(_told);

        // Another failure is news.
        _answer = static (_, _) => Task.FromResult(Miss with { Reason = Reasons.McpProtocolError, Detail = "answered 404" });
        _line.RunFor(TimeSpan.FromMinutes(6));
        Assert.Equal((2, Reasons.McpProtocolError), (_told.Count, _states.Get(Key("web"))!.Reason));
    }

    [Fact]
    public void NoPodToAskIsNoMiss()
    {
        _answer = static (_, _) => Task.FromResult(new McpAnswer(Reasons.McpPending, "no pod of the current revision is ready"));
        _prober.Want(Target("web"), isKnown: false, isUrgent: false);
        _line.RunFor(TimeSpan.FromHours(1));
        var state = _states.Get(Key("web"))!;
        Assert.Equal((false, Reasons.McpPending, "no pod of the current revision is ready"), (state.IsAnswering, state.Reason, state.Message));
        Assert.Single(_told);

        _prober.Want(Target("known"), isKnown: true, isUrgent: true);
        _line.RunFor(TimeSpan.FromHours(1));
        Assert.Null(_states.Get(Key("known")));
    }

    /// <summary>
    /// After a restart what a status says is taken: no word is told, and the first questions come evenly over the period. Of those that come up
    /// together, the second ones do.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AThousandServersAreAskedEvenly(bool isKnown)
    {
        for (var i = 0; i < 1000; i++)
            _prober.Want(Target($"s{i}"), isKnown, isUrgent: false);
        _line.RunFor(isKnown ? McpProber.Period : McpProber.Period * 2);

        Assert.Equal(1000, _asked.Select(asked => asked.Target.Server).Distinct().Count());
        for (var hour = 0; hour < 3; hour++)
        {
            var begin = _line.Now;
            _asked.Clear();
            _line.RunFor(McpProber.Period);
            var minutes = _asked.GroupBy(asked => (int)(asked.At - begin).TotalMinutes).Where(minute => minute.Key < 10).ToList();
            Assert.Equal(10, minutes.Count);
            Assert.All(minutes, minute => Assert.InRange(minute.Count(), 60, 145));
        }
    }

    [Fact]
    public void NothingGrowsWithTime()
    {
        const int count = 200;
        var round = 0;
        _answer = (target, _) => Task.FromResult((target.GetHashCode() + round++) % 3 == 0 ? Miss : Answer with { Info = new McpInfo { Name = "n", Version = "1" } });
        for (var i = 0; i < count; i++)
            _prober.Want(Target($"s{i}", ns: $"ns-{i % 20}"), isKnown: false, isUrgent: false);
        Live(TimeSpan.FromHours(4));
        var before = Live(TimeSpan.FromHours(4));

        Assert.InRange(Live(TimeSpan.FromHours(24)) - before, long.MinValue, count * 100);

        long Live(TimeSpan after)
        {
            _line.RunFor(after);
            _asked.Clear();
            _asked.TrimExcess();
            _told.Clear();
            _told.TrimExcess();
            return GC.GetTotalMemory(forceFullCollection: true);
        }
    }

    [Fact]
    public async Task OneNamespaceHasHalfOfTheRoom()
    {
        var hanging = new List<TaskCompletionSource<McpAnswer>>();
        _answer = (target, _) =>
        {
            if (target.Server.Namespace != "stuck")
                return Task.FromResult(Answer);
            hanging.Add(new());
            return hanging[^1].Task;
        };
        for (var i = 0; i < 1000; i++)
            _prober.Want(Target($"s{i}", ns: "stuck"), isKnown: false, isUrgent: false);
        _prober.Want(Target("other"), isKnown: false, isUrgent: false);
        _line.RunFor(TimeSpan.Zero);

        // Those that wait take no worker, and cost nothing while they do.
        Assert.Equal((McpProber.WorkersPerNamespace, McpProber.WorkersPerNamespace), (hanging.Count, _states.InFlight));
        Assert.True(_states.Get(Key("other"))!.IsAnswering);
        var looks = _line.Runs;
        _line.RunFor(TimeSpan.FromMinutes(1));
        Assert.Equal(looks, _line.Runs);

        // Each has its turn, in the order in which they came.
        for (var i = 0; i < 1000; i++)
        {
            hanging[i].SetResult(Answer);
            await _line.Ended(hanging[i].Task);
            _line.RunFor(TimeSpan.Zero);
        }

        Assert.Equal(
            Enumerable.Range(0, 1000).Select(i => $"s{i}"), _asked.Where(asked => asked.Target.Server.Namespace == "stuck").Select(asked => asked.Target.Server.Name));
        Assert.Equal(0, _states.InFlight);
    }

    /// <summary>Who waits for room may be held or forgotten meanwhile: then the next one is called.</summary>
    [Fact]
    public async Task WhoIsNotWantedAnyMoreKeepsNobodyWaiting()
    {
        var hanging = new List<TaskCompletionSource<McpAnswer>>();
        _answer = (_, _) =>
        {
            hanging.Add(new());
            return hanging[^1].Task;
        };
        for (var i = 0; i < 8; i++)
        {
            _prober.Want(Target($"s{i}"), isKnown: false, isUrgent: false);
            _line.RunFor(TimeSpan.Zero);
        }

        _prober.Hold(Key("s4"));
        _prober.Forget(Key("s5"));
        _prober.Want(Target("s6", "r2"), isKnown: false, isUrgent: false);
        foreach (var one in hanging.ToList())
        {
            one.SetResult(Answer);
            await _line.Ended(one.Task);
        }

        _line.RunFor(TimeSpan.Zero);
        Assert.Equal(["s0", "s1", "s2", "s3", "s6", "s7"], _asked.Select(asked => asked.Target.Server.Name).Order());
        foreach (var one in hanging.Skip(4))
        {
            one.SetResult(Answer);
            await _line.Ended(one.Task);
        }

        _line.RunFor(TimeSpan.Zero);
        Assert.Equal((6, null, null), (_asked.Count, _states.Get(Key("s4")), _states.Get(Key("s5"))));
    }

    [Fact]
    public async Task AnAnswerToAFormerQuestionIsDropped()
    {
        var first = new TaskCompletionSource<McpAnswer>();
        _answer = (target, _) => target.Revision == "r1" ? first.Task : Task.FromResult(Miss);
        _prober.Want(Target("web"), isKnown: false, isUrgent: false);
        _line.RunFor(TimeSpan.Zero);
        _prober.Want(Target("web", "r2"), isKnown: false, isUrgent: false);
        first.SetResult(Answer);
        await _line.Ended(first.Task);
        Assert.Null(_states.Get(Key("web")));

        _line.RunFor(TimeSpan.Zero);
        Assert.Equal(("r2", false), (_states.Get(Key("web"))!.Revision, _states.Get(Key("web"))!.IsAnswering));
    }

    [Fact]
    public void WhatIsHeldIsNotAskedAndIsKnownAfterwards()
    {
        _prober.Want(Target("web"), isKnown: false, isUrgent: false);
        _line.RunFor(TimeSpan.Zero);
        _prober.Hold(Key("web"));
        _line.RunFor(TimeSpan.FromHours(3));
        Assert.Single(_asked);

        _prober.Want(Target("web"), isKnown: true, isUrgent: false);
        _line.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(2, _asked.Count);
        Assert.Single(_told);
    }

    /// <summary>A crash took its readiness, and another process of its pod may answer.</summary>
    [Fact]
    public void WhatWasHeldAndDidNotAnswerIsAskedAtOnce()
    {
        _answer = static (_, _) => Task.FromResult(Miss);
        _prober.Want(Target("web"), isKnown: false, isUrgent: false);
        _line.RunFor(TimeSpan.FromHours(1));
        _prober.Hold(Key("web"));
        _answer = static (_, _) => Task.FromResult(Answer);
        var asked = _asked.Count;
        _prober.Want(Target("web"), isKnown: false, isUrgent: false);
        _line.RunFor(TimeSpan.Zero);

        Assert.Equal(asked + 1, _asked.Count);
        Assert.True(_states.Get(Key("web"))!.IsAnswering);
    }

    /// <summary>A list of pods may lag, and a Deployment's next revision is never of the same template. One after that may be: it was rolled back.</summary>
    [Theory]
    [InlineData("12345678-1", "12345678-2", "hash")]
    [InlineData("12345678-9", "12345678-10", "hash")]
    [InlineData("12345678-1", "12345678-3", null)]
    [InlineData("12345678-2", "12345678-1", null)]
    [InlineData("12345678-1", "87654321-2", null)]
    [InlineData("12345678-", "12345678-1", null)]
    public void ThePodsOfTheRevisionBeforeAreNotAsked(string before, string now, string? former)
    {
        _hash = "hash";
        _prober.Want(Target("web", before), isKnown: false, isUrgent: false);
        _line.RunFor(TimeSpan.Zero);
        Assert.Null(_asked[^1].Target.FormerHash);

        _hash = null;
        _prober.Want(Target("web", now), isKnown: false, isUrgent: false);
        _line.RunFor(TimeSpan.FromMinutes(20));
        Assert.All(_asked.Skip(1), asked => Assert.Equal((now, former), (asked.Target.Revision, asked.Target.FormerHash)));
    }

    /// <summary>What was asked for a revision may have been of the next one already, whose pods would be refused for ever.</summary>
    [Fact]
    public void AfterHalfAMinuteAllAreAsked()
    {
        _hash = "hash";
        _prober.Want(Target("web", "12345678-1"), isKnown: false, isUrgent: false);
        _line.RunFor(TimeSpan.Zero);
        _answer = static (target, _) => Task.FromResult(target.FormerHash is null ? Answer : new McpAnswer(Reasons.McpPending, "pods of a former revision are still there"));
        _hash = null;
        _prober.Want(Target("web", "12345678-2"), isKnown: false, isUrgent: false);

        _line.RunFor(TimeSpan.FromSeconds(20));
        Assert.False(_states.Get(Key("web"))!.IsAnswering);
        _line.RunFor(TimeSpan.FromSeconds(20));
        Assert.True(_states.Get(Key("web"))!.IsAnswering);
    }

    [Fact]
    public async Task TheEndOfTheProcessBreaksOffWhatIsUnderWay()
    {
        _answer = static async (_, stop) =>
        {
            await Task.Delay(Timeout.Infinite, stop);
            return Answer;
        };
        _prober.Want(Target("web"), isKnown: false, isUrgent: false);
        var asking = _prober.ReconcileAsync(Key("web"), TestContext.Current.CancellationToken);
        await _stopping.CancelAsync();

        Assert.Equal(Outcome.Done, await asking.WaitAsync(Limit.OfATest, TestContext.Current.CancellationToken));
        Assert.Equal((0, 1L, null), (_states.InFlight, _states.Count(McpResult.NotAsked), _states.Get(Key("web"))));
    }

    private static ObjectKey Key(string name, string ns = "team") => new(ns, name);

    private static McpTarget Target(string name, string revision = "r1", string ns = "team") => new(Key(name, ns), "uid", revision, name, 8088, $"/{name}/mcp");

    /// <summary>A queue with one worker that never waits: it runs whatever is due, and moves the clock on to what comes next.</summary>
    private sealed class Line(FakeTimeProvider time) : IEnqueuer
    {
        private readonly PriorityQueue<ObjectKey, (TimeSpan Due, int Order)> _queue = new();
        private readonly Dictionary<ObjectKey, TimeSpan> _due = [];
        private readonly List<Task> _running = [];
        private int _order;

        public Reconcile Reconcile { private get; set; } = null!;

        public TimeSpan Now => time.GetUtcNow() - SampleServers.Epoch;

        public int Runs { get; private set; }

        public void Add(ObjectKey key, Priority priority = Priority.Changed) => AddAfter(key, TimeSpan.Zero);

        public void AddAfter(ObjectKey key, TimeSpan delay)
        {
            var due = Now + delay;
            if (_due.TryGetValue(key, out var before) && before <= due)
                return;
            _due[key] = due;
            _queue.Enqueue(key, (due, _order++));
        }

        public void RunFor(TimeSpan span)
        {
            var end = Now + span;
            while (_queue.TryPeek(out var key, out var next) && next.Due <= end)
            {
                _queue.Dequeue();
                if (!_due.TryGetValue(key, out var due) || due != next.Due)
                    continue;
                _due.Remove(key);
                if (due > Now)
                    time.Advance(due - Now);
                Runs++;
                var running = RunAsync(key);
                if (!running.IsCompleted)
                    _running.Add(running);
            }

            time.Advance(end - Now);
        }

        /// <summary>Waits until whatever hung on this has gone on.</summary>
        public async Task Ended(Task hanging)
        {
            await hanging;
            await Task.WhenAny(_running).WaitAsync(Limit.OfATest);
            _running.RemoveAll(running => running.IsCompleted);
        }

        private async Task RunAsync(ObjectKey key)
        {
            var outcome = await Reconcile(key, CancellationToken.None);
            if (outcome.Kind == OutcomeKind.RequeueAfter)
                AddAfter(key, outcome.Delay);
        }
    }
}
