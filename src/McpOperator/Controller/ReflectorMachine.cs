namespace McpOperator.Controller;

/// <summary>What a reflector does next.</summary>
internal enum ReflectorVerb
{
    List,
    Watch,
}

/// <summary>One action of a reflector.</summary>
/// <param name="Version">The resource version to list or watch at; "" is the latest of etcd.</param>
/// <param name="Delay">How long to wait before it.</param>
internal readonly record struct ReflectorStep(ReflectorVerb Verb, string Version, TimeSpan Delay);

/// <summary>What became of a step.</summary>
/// <param name="Version">The version of the list, or the last one that the watch delivered.</param>
/// <param name="Fault">Why it ended.</param>
/// <param name="SawEvents">Whether the watch delivered anything, a bookmark included.</param>
/// <param name="RetryAfter">The delay that the server asks for; zero when it asks for none.</param>
internal readonly record struct ReflectorInput(
    ReflectorVerb Verb, string Version, WatchFault Fault, TimeSpan Lasted, bool SawEvents, TimeSpan RetryAfter);

/// <summary>What a reflector remembers between steps. It begins with the default value.</summary>
/// <param name="Version">The last version seen; null before the first list.</param>
/// <param name="AskEtcd">
/// Whether to list from etcd (at ""), because the server's cache could not, or must not, answer. Until a list succeeds.
/// </param>
/// <param name="Relisted">Whether the last watch failed because of its version, so that another such failure needs a delay.</param>
/// <param name="ServerErrors">How many watches in a row ended with a server error.</param>
/// <param name="Backoff">Failures of lists and watches together.</param>
internal readonly record struct ReflectorState(
    string? Version, bool AskEtcd, bool Relisted, int ServerErrors, BackoffProgress Backoff);

/// <summary>
/// The rules of list and watch, as a function of what happened (client-go tools/cache/reflector.go, in the form of kube-rs's
/// watcher::step). No I/O, no clock.
/// </summary>
internal static class ReflectorMachine
{
    /// <summary>
    /// Some failures of a watch come from its version (a damaged history in etcd), and a list helps.
    /// </summary>
    private const int ServerErrorsBeforeRelist = 5;

    // A watch that is closed at once, as by some proxies, must not be begun again without a delay (client-go:
    // VeryShortWatchError).
    private static readonly TimeSpan ShortestWatch = TimeSpan.FromSeconds(1);

    // At least; at most twice as long. A kind is seldom installed while an operator runs, and most clusters never do.
    private static readonly TimeSpan LookForKind = TimeSpan.FromSeconds(30);

    /// <summary>
    /// "0" is whatever the API server's cache holds, so that a restart of many operators is no load for etcd.
    /// </summary>
    public static ReflectorStep Start { get; } = new(ReflectorVerb.List, "0", TimeSpan.Zero);

    /// <summary>
    /// A list from etcd at once, whatever would have been next, also in the beginning. A delay is cut short, but the failures
    /// before still count for the next one.
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

            // The server cannot list at that version, but at its latest one. Tried at once, and only once.
            case WatchFault.Expired or WatchFault.TooLargeVersion when !state.AskEtcd:
                return List(state with { AskEtcd = true });

            // Once it is installed, everything begins anew.
            case WatchFault.NotInstalled:
                return (default, Start with { Delay = LookForKind * (1 + random) });

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
            // When a watch that worked ends, even by a broken connection, nothing is lost: it goes on from the last version at
            // once.
            case WatchFault.None or WatchFault.Overdue or WatchFault.Unreachable:
                return useful ? Watch(state) : BackOff(Watch(state), input, now, random);

            case WatchFault.RefreshWanted or WatchFault.Rewound:
                return Refresh(state);

            // No new list, which is the most expensive request, and would come from all clients of a busy API server.
            case WatchFault.TooManyRequests:
                return BackOff(Watch(state), input, now, random);

            case WatchFault.ServerError when state.ServerErrors + 1 < ServerErrorsBeforeRelist:
                return BackOff(Watch(state with { ServerErrors = state.ServerErrors + 1 }), input, now, random);

            // A list at a version means "at least as new", so that it is possible at a version where no watch can begin any more.
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
