using System.Diagnostics;
using System.Globalization;
using System.Net;
using McpOperator.Soak.Checking;

namespace McpOperator.Soak;

/// <summary>
/// Rounds of random changes and faults. After each there is quiet; then every object has to be as the documents say, and the
/// operators have to have nothing left to write.
/// </summary>
internal sealed class LongRun : IAsyncDisposable
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(3);

    /// <summary>For the longest requeue, and for what backoff has come to in an outage.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <summary>Besides, for the longest pause before something contested is put right.</summary>
    private static readonly TimeSpan PatienceWithContests = TimeSpan.FromMinutes(5);

    /// <summary>In one round of so many an operator with other settings runs as well.</summary>
    private const int VisitEach = 5;
    private const int VisitFirst = 3;

    /// <summary>A run of fewer rounds need not have seen each neighbour.</summary>
    private const int EnoughRounds = VisitFirst + 1;

    /// <summary>What a process may have grown between the first rounds and the last, which differ by what was asked of it.</summary>
    private const long Growth = 8 << 20;

    /// <summary>In one round of so many a policy overflows: a document of 1 MiB is much to check.</summary>
    private const int CrowdEach = 12;
    private const int CrowdFirst = 2;

    private readonly SoakOptions _options;
    private readonly ControlPlane _controlPlane;
    private readonly Dice _dice;
    private readonly Settings _settings;
    private readonly Users _users;
    private readonly IReadOnlyList<Replica> _replicas;
    private readonly Replica _visitor;
    private readonly Faults _faults;
    private readonly Traffic _traffic;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly List<long> _resident = [];
    private readonly SortedDictionary<string, int> _broken = new(StringComparer.Ordinal);
    private int _rounds;
    private int _changes;
    private int _refused;
    private int _unreachable;
    private int _handovers;
    private long _objects;
    private int _forged;
    private TimeSpan _slowest;
    private Snapshot? _last;

    private LongRun(SoakOptions options, ControlPlane controlPlane)
    {
        _options = options;
        _controlPlane = controlPlane;
        _dice = new(options.Seed);
        _settings = Settings.Random(_dice);
        _users = new(controlPlane.Client, _dice);
        _replicas = [new(controlPlane, "operator-a", _settings, options.Logs), new(controlPlane, "operator-b", _settings, options.Logs)];
        _visitor = new(controlPlane, "operator-c", _settings.Other(), options.Logs, isElected: false);
        _faults = new(controlPlane, _replicas, _dice);
        _traffic = new(controlPlane, [.. _replicas.Select(replica => replica.User)], _visitor.User);
    }

    private bool IsCrowded => _rounds % CrowdEach is CrowdFirst or CrowdFirst + 1;

    private int Restarts => _replicas.Sum(replica => replica.Starts) - _replicas.Count;

    public static async Task<LongRun> StartAsync(SoakOptions options)
    {
        Directory.CreateDirectory(options.Logs);
        foreach (var old in Directory.EnumerateFiles(options.Logs, "*.log"))
            File.Delete(old);
        var controlPlane = await ControlPlane.StartAsync(new() { UseExistingCluster = false });
        var run = new LongRun(options, controlPlane);
        try
        {
            await controlPlane.InstallCrdsAsync(Repository.PathTo("config", "crd"));
            foreach (var name in Users.Namespaces)
                await controlPlane.Client.ApplyAsync($"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}");
            foreach (var replica in run._replicas)
            {
                await OperatorRole.GrantAsync(controlPlane, replica.User);
                await OperatorRole.GrantLeaseAsync(controlPlane, replica.User, "default");
                await replica.EnsureRunningAsync();
            }
            await OperatorRole.GrantAsync(controlPlane, run._visitor.User);
            return run;
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    /// <exception cref="SoakFailedException"/>
    public async Task RunAsync()
    {
        Say($"operators with {_settings}");
        foreach (var create in _users.Beginnings())
            await TryAsync(create);
        do
            await RoundAsync();
        while (_clock.Elapsed < _options.Time);
        CheckMemory();
        CheckNeighbours();
        Say($"the checker noticed each of {_forged} forged values, and each broken rule of access: "
            + string.Join(", ", _broken.Select(rule => $"{rule.Value} × {rule.Key}")));
    }

    public string Summary() => string.Create(CultureInfo.InvariantCulture, $"""
        | seed | time | rounds | changes (refused) | faults | restarts, handovers | objects checked | requests (writes) | slowest quiet | leader's memory |
        |---|---|---|---|---|---|---|---|---|---|
        | {_options.Seed} | {_clock.Elapsed.TotalMinutes:0.0} min | {_rounds} | {_changes:N0} ({_refused + _unreachable:N0}) | {_faults.Injected.Values.Sum()} | {Restarts}, {_handovers} | {_objects:N0} | {_traffic.Requests:N0} ({_traffic.Writes:N0}) | {_slowest.TotalSeconds:0.0} s | {Megabytes(_resident.FirstOrDefault())} to {Megabytes(_resident.LastOrDefault())} MB |

        Neighbours: {string.Join(", ", _users.Neighbours.Acts.Select(act => $"{act.Value} × {act.Key}"))}, {_visitor.Starts} × another operator ({_traffic.VisitorsWrites:N0} writes).
        Faults: {string.Join(", ", _faults.Injected.Select(fault => $"{fault.Value} × {fault.Key}"))}; {_replicas.Sum(replica => replica.LostLeases)} leases lost.
        """);

    /// <summary>What the operators said last, for a run that failed.</summary>
    public string LastLines()
    {
        File.WriteAllText(Path.Combine(_options.Logs, "objects.log"), _last?.ToString());
        return string.Join('\n', _replicas.Select(replica =>
            $"--- the last lines of {replica.User} (all, and all objects: {_options.Logs})\n{string.Join('\n', replica.LastLines)}"));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var replica in _replicas)
            await replica.DisposeAsync();
        await _visitor.DisposeAsync();
        await _controlPlane.DisposeAsync();
    }

    private async Task RoundAsync()
    {
        _rounds++;
        var changes = _changes;
        var refused = _refused;
        var unreachable = _unreachable;
        var faults = _faults.Injected.Values.Sum();
        var starts = _faults.ApiServerStarts;
        IReadOnlyList<Func<Task>> crowd = _rounds % CrowdEach == CrowdFirst ? [.. _users.Crowd()]
            : _rounds % CrowdEach == CrowdFirst + 1 ? [.. _users.CrowdGoes()]
            : [];
        await InviteAsync(crowd);
        _users.Neighbours.IsVisited = HasVisits && _rounds % VisitEach == VisitFirst;
        var visit = _users.Neighbours.IsVisited ? VisitAsync(_dice.Seconds(5, 60)) : Task.CompletedTask;
        await BurstAsync();
        await InviteAsync(_users.NeighboursCome());
        await visit;
        // Whom the faults, and the other users, have kept away.
        await InviteAsync(crowd);
        if (_faults.ApiServerStarts > starts)
            await _traffic.ForgetDenialsAsync();

        var settling = Stopwatch.StartNew();
        var snapshot = await SettleAsync();
        settling.Stop();
        _slowest = settling.Elapsed > _slowest ? settling.Elapsed : _slowest;
        _objects += snapshot.Count;
        CheckTheChecker(snapshot);
        _users.Neighbours.Remember(snapshot);
        await NothingIsWrittenAsync("although all is as it should be", Watched, () => _traffic.WritesAtRest);
        // A leader that comes anew does not know what the one before it left alone because it is contested.
        if (_dice.Chance(0.5) && !_users.Neighbours.IsVisited && _traffic.Contested.Count == 0)
            await HandOverAsync();
        // A full policy takes memory, as long as it is there and until it has been collected.
        if (!IsCrowded && _replicas.FirstOrDefault(replica => replica is { Leads: true, IsRunning: true }) is { } leader && leader.ResidentBytes() is { } bytes)
            _resident.Add(bytes);
        if (_traffic.Denied is { } denied)
            throw new SoakFailedException($"the role does not suffice: {denied}");

        if (_traffic.Deletions.Fault is { } fault)
            throw new SoakFailedException(fault);

        Say($"round {_rounds}: {_changes - changes} changes ({_refused - refused} refused, {_unreachable - unreachable} unreachable), "
            + $"{_faults.Injected.Values.Sum() - faults} faults; {snapshot.Count} objects of {snapshot.Of(Resource.MCPServers).Count} servers as they "
            + $"should be after {settling.Elapsed.TotalSeconds:0.0} s; {_traffic.Writes} writes so far; leader {Megabytes(_resident.LastOrDefault())} MB");
    }

    /// <summary>Not in a short run, as that of CI: what a foreign operator wrote, and a tool restores as its own, stays (a known gap).</summary>
    private bool HasVisits => _options.Time >= TimeSpan.FromMinutes(5);

    private async Task VisitAsync(TimeSpan time)
    {
        await _visitor.EnsureRunningAsync();
        await Task.Delay(time);
        if (!_visitor.IsRunning)
            throw new SoakFailedException($"{_visitor.User} ended, which nobody had asked for");
        _visitor.Terminate();
        await _visitor.UntilEndedAsync();
    }

    // An actor who is never heard of tests nothing.
    private void CheckNeighbours()
    {
        var idle = _users.Neighbours.Acts.Where(act => act.Value == 0).Select(act => act.Key).ToList();
        if (HasVisits && _traffic.VisitorsWrites == 0)
            idle.Add("another operator");
        if (idle.Count > 0 && _rounds >= EnoughRounds)
            throw new SoakFailedException($"nobody was seen to do this: {string.Join(", ", idle)}");
    }

    private void CheckTheChecker(Snapshot snapshot)
    {
        if (!Deletions.CanTell())
            throw new SoakFailedException("the checker did not notice that an operator deletes what others made");
        var (tried, missed) = Sabotage.Run(snapshot, _settings, new Dice(_options.Seed + _rounds), 100);
        _forged += tried;
        if (missed.Count > 0)
            throw new SoakFailedException($"the checker did not notice {missed.Count} of {tried} forged values:\n{string.Join('\n', missed)}");

        var (broken, unnoticed) = Sabotage.BreakRules(snapshot, _settings, new Dice(_options.Seed + _rounds));
        foreach (var rule in broken)
            _broken[rule] = _broken.GetValueOrDefault(rule) + 1;
        if (unnoticed.Count > 0)
            throw new SoakFailedException($"the checker did not notice {unnoticed.Count} of {broken.Count} broken rules:\n{string.Join('\n', unnoticed)}");
    }

    private async Task InviteAsync(IEnumerable<Func<Task>> acts)
    {
        foreach (var act in acts)
        {
            _changes++;
            await TryAsync(act);
        }
    }

    private async Task BurstAsync()
    {
        for (var left = _dice.Between(30, 120); left > 0; left--)
        {
            if (_dice.Chance(0.05))
                _faults.Next();
            if (!_faults.IsUnderWay)
                foreach (var replica in _replicas)
                    await replica.EnsureRunningAsync();
            if (_dice.Chance(0.1))
                await TryAsync(async () => _ = await Controllers.PlayAsync(_controlPlane.Client, await Snapshot.TakeAsync(_controlPlane.Client)));
            _changes++;
            await TryAsync(_users.Next().Act);
            await Task.Delay(_dice.Chance(0.7) ? TimeSpan.Zero : _dice.Seconds(0, 0.3));
        }
        await _faults.UntilOverAsync();
    }

    // Users meet objects that are gone, and an API server that is.
    private async Task TryAsync(Func<Task> act)
    {
        var acting = act();
        try
        {
            await acting.WaitAsync(TimeSpan.FromSeconds(3));
        }
        catch (KubeException e) when (e.Code is HttpStatusCode.NotFound or HttpStatusCode.Conflict or HttpStatusCode.UnprocessableEntity)
        {
            _refused++;
            // A user of this run may be late, but writes nothing that a schema refuses.
            if (e.Code == HttpStatusCode.UnprocessableEntity && !e.Message.Contains("immutable", StringComparison.Ordinal))
                Say($"refused: {e.Message}");
        }
        catch (Exception e) when (IsOutage(e))
        {
            _unreachable++;
            _ = acting.ContinueWith(late => late.Exception, TaskScheduler.Default);
        }
    }

    private static bool IsOutage(Exception e) =>
        e is HttpRequestException or TimeoutException or IOException || (e is KubeException { Code: var code } && code >= HttpStatusCode.InternalServerError)
        || e is KubeException { Code: HttpStatusCode.TooManyRequests or HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized };

    /// <summary>Plays the controllers until nothing changes any more, and everything is as it should be.</summary>
    private async Task<Snapshot> SettleAsync()
    {
        var patience = Stopwatch.StartNew();
        var quiet = Stopwatch.StartNew();
        var writes = -1L;
        var (limit, told) = (Patience, Patience / 3);
        while (true)
        {
            foreach (var replica in _replicas)
                await replica.EnsureRunningAsync();
            IReadOnlyList<Finding> findings = [];
            try
            {
                var snapshot = await Snapshot.TakeAsync(_controlPlane.Client);
                var done = await Controllers.PlayAsync(_controlPlane.Client, snapshot);
                await _traffic.CatchUpAsync();
                if (done > 0 || writes != _traffic.Writes)
                    (writes, quiet) = (_traffic.Writes, Stopwatch.StartNew());
                snapshot = snapshot with { Changes = _traffic.Changes };
                _last = snapshot;
                var result = Checker.Check(snapshot, _settings);
                (findings, _traffic.OutOfOrder, _traffic.Contested) = (result.Findings, result.OutOfOrder, result.Contested);
                if (result.Contested.Count > 0 || _visitor.Starts > 0)
                    limit = Patience + PatienceWithContests;
                if (findings.Count == 0 && quiet.Elapsed > Quiet && _replicas.Any(replica => replica.Leads) && !Expires(snapshot))
                    return snapshot;
            }
            catch (Exception e) when (IsOutage(e) && patience.Elapsed < limit)
            {
                Say($"not yet: {e.Message}");
            }
            if (patience.Elapsed > told)
            {
                Say($"after {told.TotalSeconds:0} s {findings.Count} things are not as they should be yet{(findings.Count > 0 ? $", such as {findings[0]}" : "")}");
                told += Patience / 3;
            }
            if (patience.Elapsed > limit)
                throw new SoakFailedException(
                    $"after {limit.TotalSeconds} s of quiet {findings.Count} things are not as they should be, "
                    + $"and the operators' last write was {quiet.Elapsed.TotalSeconds:0} s ago:\n{string.Join('\n', findings)}");
            await Task.Delay(300);
        }
    }

    // A session that ends while we watch is written about, as it should be.
    private static bool Expires(Snapshot snapshot) => snapshot.Of(Resource.MCPAgentSessions)
        .Select(Access.ExpiryOf)
        .Any(expiry => expiry is { } at && at > snapshot.Taken.AddSeconds(-1) && at < snapshot.Taken.AddMinutes(1));

    private async Task HandOverAsync()
    {
        var leader = _replicas.First(replica => replica.Leads);
        var heir = _replicas.First(replica => replica != leader);
        await NothingIsWrittenAsync(
            "although only the leader has changed",
            async () =>
            {
                leader.Terminate();
                await leader.UntilEndedAsync();
                await Eventually.TrueAsync($"{heir.User} led", () => heir.Leads);
                await leader.EnsureRunningAsync();
                await Task.Delay(Watched);
            },
            () => _traffic.WritesOfServers);
        _handovers++;
    }

    private Task NothingIsWrittenAsync(string why, TimeSpan time, Func<long> writes) => NothingIsWrittenAsync(why, () => Task.Delay(time), writes);

    private async Task NothingIsWrittenAsync(string why, Func<Task> during, Func<long> writes)
    {
        var snapshot = await Snapshot.TakeAsync(_controlPlane.Client);
        await _traffic.CatchUpAsync();
        var (before, all) = (writes(), _traffic.Writes);
        await during();
        await _traffic.CatchUpAsync();
        if (writes() == before)
            return;
        var after = await Snapshot.TakeAsync(_controlPlane.Client);
        _last = after;
        throw new SoakFailedException(
            $"{writes() - before} writes, {why}:\n{string.Join('\n', _traffic.LastWrites(_traffic.Writes - all))}\n"
            + $"What they have changed:\n{string.Join('\n', after.ChangesSince(snapshot))}");
    }

    private void CheckMemory()
    {
        var third = _resident.Count / 3;
        if (third == 0)
            return;
        var (first, last) = (_resident.Take(third + 1).Max(), _resident.TakeLast(third).Max());
        if (last > first + Growth)
            throw new SoakFailedException($"the leader's memory has grown from {Megabytes(first)} to {Megabytes(last)} MB: {string.Join(", ", _resident.Select(Megabytes))}");
    }

    private static string Megabytes(long bytes) => (bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture);

    private void Say(string what) => Console.WriteLine($"{_clock.Elapsed:hh\\:mm\\:ss} {what}");
}
