namespace McpOperator.Soak;

/// <summary>What goes wrong: the operators end or freeze, the API server and etcd go away. One thing at a time, beside the users' changes.</summary>
internal sealed class Faults(ControlPlane controlPlane, IReadOnlyList<Replica> replicas, Dice dice)
{
    private Task _current = Task.CompletedTask;

    /// <summary>How often the API server came back. It answers before it has read all roles, and denies what it will grant.</summary>
    public int ApiServerStarts { get; private set; }

    public SortedDictionary<string, int> Injected { get; } = new(StringComparer.Ordinal);

    public bool IsUnderWay => !_current.IsCompleted;

    /// <summary>Begins another fault, if none is under way.</summary>
    public void Next()
    {
        if (IsUnderWay)
            return;
        if (_current.IsFaulted)
            _current.GetAwaiter().GetResult();
        var leader = replicas.FirstOrDefault(replica => replica is { Leads: true, IsRunning: true }) ?? replicas[0];
        var victim = dice.Chance(0.65) ? leader : replicas.First(replica => replica != leader);
        var who = victim == leader ? "leader" : "standby";
        var (name, fault) = dice.Draw<(string, Func<TimeSpan, Task>)>(
        [
            (4, ($"{who} killed", time => EndAsync(victim, victim.Kill, time / 2))),
            (3, ($"{who} stopped", time => EndAsync(victim, victim.Terminate, time / 2))),
            (3, ($"{who} frozen", time => FreezeAsync(victim, time))),
            (2, ("API server killed", ApiServerAsync)),
            (1, ("API server frozen", FreezeApiServerAsync)),
            (2, ("etcd killed", EtcdAsync)),
        ]);
        var time = dice.Seconds(0.2, 9);
        Injected[name] = Injected.GetValueOrDefault(name) + 1;
        _current = fault(time);
    }

    public async Task UntilOverAsync()
    {
        await _current;
        foreach (var replica in replicas)
            await replica.EnsureRunningAsync();
    }

    private static async Task EndAsync(Replica victim, Action end, TimeSpan time)
    {
        end();
        await victim.UntilEndedAsync();
        await Task.Delay(time);
        await victim.EnsureRunningAsync();
    }

    private static async Task FreezeAsync(Replica victim, TimeSpan time)
    {
        victim.Pause();
        await Task.Delay(time);
        victim.Resume();
    }

    private async Task ApiServerAsync(TimeSpan time)
    {
        await controlPlane.StopApiServerAsync();
        await Task.Delay(time / 2);
        await controlPlane.StartApiServerAsync();
        ApiServerStarts++;
    }

    private async Task FreezeApiServerAsync(TimeSpan time)
    {
        controlPlane.PauseApiServer();
        await Task.Delay(time / 2);
        controlPlane.ResumeApiServer();
    }

    private async Task EtcdAsync(TimeSpan time)
    {
        await controlPlane.StopEtcdAsync();
        await Task.Delay(time / 2);
        await controlPlane.StartEtcdAsync();
    }
}
