namespace McpOperator.Controller;

/// <summary>What a reflector does next.</summary>
public enum ReflectorVerb
{
    List,
    Watch,
}

/// <summary>One action of a reflector.</summary>
/// <param name="Verb">What.</param>
/// <param name="Version">The resource version to do it at; "" is etcd's latest.</param>
/// <param name="Delay">How long to wait first.</param>
public readonly record struct ReflectorStep(ReflectorVerb Verb, string Version, TimeSpan Delay);

/// <summary>What became of a step.</summary>
/// <param name="Verb">The step's.</param>
/// <param name="Version">How far it came: the list's version, or the last one that the watch delivered.</param>
/// <param name="Fault">Why it ended.</param>
/// <param name="Lasted">How long the watch was open.</param>
/// <param name="SawEvents">Whether the watch delivered anything, were it a bookmark.</param>
/// <param name="RetryAfter">What the server asks for; zero when it does not.</param>
public readonly record struct ReflectorInput(
    ReflectorVerb Verb, string Version, WatchFault Fault, TimeSpan Lasted, bool SawEvents, TimeSpan RetryAfter);

/// <summary>What a reflector remembers between steps. The default value is the beginning.</summary>
/// <param name="Version">The last version seen; null before the first list.</param>
/// <param name="AskEtcd">Its cache will not do, or could not: list at "" until a list succeeds.</param>
/// <param name="Relisted">The last watch was sent back to the list by its version, and none did better since.</param>
/// <param name="ServerErrors">Watches in a row that ended with a server error.</param>
/// <param name="Backoff">Failures of lists and watches together.</param>
public readonly record struct ReflectorState(
    string? Version, bool AskEtcd, bool Relisted, int ServerErrors, BackoffProgress Backoff);

/// <summary>
/// The rules of list and watch, as a function of what happened (client-go tools/cache/reflector.go; the shape is
/// kube-rs's watcher::step). No I/O, no clock.
/// </summary>
public static class ReflectorMachine
{
    /// <summary>
    /// Some failures of a watch are bound to its version (a damaged history in etcd); a list gets past them.
    /// </summary>
    private const int ServerErrorsBeforeRelist = 5;

    // A proxy that accepts watches and closes them at once would have us spin (client-go: VeryShortWatchError).
    private static readonly TimeSpan ShortestWatch = TimeSpan.FromSeconds(1);

    /// <summary>
    /// "0" is whatever the API server's cache holds: a restart of many operators must not go to etcd.
    /// </summary>
    public static ReflectorStep Start { get; } = new(ReflectorVerb.List, "0", TimeSpan.Zero);

    /// <summary>
    /// A list from etcd at once, whatever would have been next; in the beginning, too. The backoff of what failed before is
    /// cut short, but not forgotten.
    /// </summary>
    public static (ReflectorState State, ReflectorStep Step) Refresh(in ReflectorState state) =>
        List(state with { AskEtcd = true });

    public static (ReflectorState State, ReflectorStep Step) Next(
        in ReflectorState state, in ReflectorInput input, TimeSpan now, double random) =>
        input.Verb == ReflectorVerb.List
            ? AfterList(state, input, now, random)
            : AfterWatch(state with { Version = input.Version }, input, now, random);

    private static (ReflectorState, ReflectorStep) AfterList(
        ReflectorState state, in ReflectorInput input, TimeSpan now, double random)
    {
        switch (input.Fault)
        {
            case WatchFault.None:
                state = state with { Version = input.Version, AskEtcd = false };
                return (state, new(ReflectorVerb.Watch, input.Version, TimeSpan.Zero));

            // The server cannot list at that version, but it can at its latest. There and then, and only once.
            case WatchFault.Expired or WatchFault.TooLargeVersion when !state.AskEtcd:
                return List(state with { AskEtcd = true });

            default:
                return BackOff(List(state), input, now, random);
        }
    }

    private static (ReflectorState, ReflectorStep) AfterWatch(
        ReflectorState state, in ReflectorInput input, TimeSpan now, double random)
    {
        var useful = input.SawEvents || input.Lasted >= ShortestWatch;
        if (useful)
            state = state with { Relisted = false, ServerErrors = 0 };

        switch (input.Fault)
        {
            // Nothing is lost when a watch that worked ends, even if it broke: go on from the last version, at once.
            case WatchFault.None or WatchFault.Overdue or WatchFault.Unreachable:
                return useful ? Watch(state) : BackOff(Watch(state), input, now, random);

            case WatchFault.RefreshWanted:
                return Refresh(state);

            // Not a relist: an API server that is down or busy would get the most expensive request from all its
            // clients.
            case WatchFault.TooManyRequests:
                return BackOff(Watch(state), input, now, random);

            case WatchFault.ServerError when state.ServerErrors + 1 < ServerErrorsBeforeRelist:
                return BackOff(Watch(state with { ServerErrors = state.ServerErrors + 1 }), input, now, random);

            // A list at a version means "at least as new", so the version is good for a list even when a watch cannot
            // begin there any more.
            case WatchFault.Expired or WatchFault.TooLargeVersion:
                var again = state.Relisted;
                var list = List(state with
                {
                    AskEtcd = state.AskEtcd || input.Fault == WatchFault.TooLargeVersion,
                    Relisted = true,
                });
                return again ? BackOff(list, input, now, random) : list;

            default:
                return BackOff(List(state with { ServerErrors = 0 }), input, now, random);
        }
    }

    private static (ReflectorState, ReflectorStep) List(ReflectorState state) =>
        (state, new(ReflectorVerb.List, state.AskEtcd ? "" : state.Version ?? Start.Version, TimeSpan.Zero));

    private static (ReflectorState, ReflectorStep) Watch(ReflectorState state) =>
        (state, new(ReflectorVerb.Watch, state.Version!, TimeSpan.Zero));

    private static (ReflectorState, ReflectorStep) BackOff(
        (ReflectorState State, ReflectorStep Step) next, in ReflectorInput input, TimeSpan now, double random)
    {
        var (delay, progress) = Backoff.Watch.Next(next.State.Backoff, now, random);
        if (input.RetryAfter > delay)
            delay = input.RetryAfter;
        return (next.State with { Backoff = progress }, next.Step with { Delay = delay });
    }
}
