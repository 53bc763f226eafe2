using System.Net;
using Microsoft.Extensions.Logging;

namespace McpOperator.Controller;

/// <summary>
/// Keeps a store equal to what the API server has. <see cref="ReflectorMachine"/> decides what to do next; this
/// class does it.
/// </summary>
/// <param name="logger">Gets a fault when its text changes, and the recovery. Repetitions are logged as Debug.</param>
/// <param name="timeout">
/// How long a watch lasts at least. A random time up to the same again is added, so that the watches of many clients do not end
/// together.
/// </param>
/// <param name="random">In [0, 1); for jitter.</param>
/// <param name="fromEtcd">
/// Whether the first list comes from etcd as well, and not from the API server's cache, which may lag behind.
/// </param>
/// <param name="isOptional">
/// Whether the kind need not be installed. Nobody waits for it then, and the store is empty (<see cref="Store{T}.IsInstalled"/>).
/// </param>
/// <param name="wanted">Nothing is asked for before it completes; null for at once.</param>
/// <param name="known">
/// When it completes, <paramref name="wanted"/> has, too, if what is there by then wants the kind: then the first list is waited for. Null where
/// nobody waits for it.
/// </param>
internal sealed class Reflector(
    IListWatch source, IStore store, ILogger logger, TimeSpan timeout, TimeProvider time, Func<double> random,
    bool fromEtcd = false, bool isOptional = false, Task? wanted = null, Task? known = null)
    : IReflector
{
    // The server ends a watch at its time-out. When this time has passed after it as well, the connection is dead (kube-rs
    // watcher.rs has 5 s). It is a deadline and not an idle timer, which each event would have to reset; a new watch is cheap.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    // With the look at the version before it.
    private readonly TimeSpan _longestWatch = (2 * timeout) + Grace + ListLimits.Page;

    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly RefreshRequests _refreshes = new();
    private readonly long _epoch = time.GetTimestamp();
    private (ReflectorVerb Verb, string Message)? _fault;
    private long _dueTicks = long.MaxValue;

    // Whether the last watch did not last as long as it was to: API servers that restart may do so with another history.
    private bool _isCutShort;

    // The latest change known, which the API server's history must hold: versions alone go back for a moment only, since all that
    // is written after the snapshot counts on from there.
    private Change? _newest;
    private volatile bool _isRewound;
    private long _lists;
    private long _watches;

    public string Name => source.Name;

    public Task Synced => wanted is null ? _synced.Task : known is null ? Task.CompletedTask : field ??= SyncedAsync(wanted, known);

    public long WatchRestarts => Math.Max(0, Interlocked.Read(ref _watches) - 1);

    public long Relists => Math.Max(0, Interlocked.Read(ref _lists) - 1);

    /// <inheritdoc/>
    public bool Hangs => Now.Ticks > Interlocked.Read(ref _dueTicks);

    private TimeSpan Now => time.GetElapsedTime(_epoch);

    /// <inheritdoc/>
    public void Rewound()
    {
        _isRewound = true;
        _ = RefreshAsync(CancellationToken.None);
    }

    /// <inheritdoc/>
    public Task RefreshAsync(CancellationToken cancellationToken) => _refreshes.AskAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (wanted is not null)
            await wanted.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var (state, step) = fromEtcd ? ReflectorMachine.Refresh(default) : (default, ReflectorMachine.Start);
        while (!cancellationToken.IsCancellationRequested)
        {
            if (_refreshes.Take())
                (state, step) = ReflectorMachine.Refresh(state);
            Interlocked.Exchange(ref _dueTicks, (Now + step.Delay + (step.Verb == ReflectorVerb.List ? ListLimits.Longest : _longestWatch)).Ticks);
            if (step.Delay > TimeSpan.Zero && !await DelayAsync(step.Delay, cancellationToken))
                continue;

            var (input, exception) = step.Verb == ReflectorVerb.List
                ? await ListAsync(step.Version, cancellationToken)
                : await WatchAsync(step.Version, cancellationToken);
            if (cancellationToken.IsCancellationRequested)
                return;

            (state, step) = ReflectorMachine.Next(state, input, Now, random());
            if (step.Delay > TimeSpan.Zero)
                LogFault(input, exception, step.Delay);
            else if (exception is null)
                Recovered(input.Verb);
            else
                // This is normal: the history is compacted, API servers restart, watches are cut.
                Log.WatchInterrupted(logger, Name, input.Fault, exception.Message);
        }
    }

    private async Task SyncedAsync(Task wanted, Task known)
    {
        await known.ConfigureAwait(false);
        if (wanted.IsCompleted)
            await _synced.Task.ConfigureAwait(false);
    }

    /// <summary>False when a cancellation or a refresh cut it short.</summary>
    private async Task<bool> DelayAsync(TimeSpan delay, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _refreshes.News);
        await Task.Delay(delay, time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !either.IsCancellationRequested;
    }

    private async Task<(ReflectorInput, Exception?)> ListAsync(string version, CancellationToken cancellationToken)
    {
        ListResult list;
        var served = version.Length == 0 ? _refreshes.Count : 0;
        try
        {
            if (_isCutShort && version.Length > 0 && version != ReflectorMachine.Start.Version && !await IsHistoryKnownAsync(version, cancellationToken))
                (version, _isRewound) = ("", true);
            list = await source.ListAsync(version, cancellationToken);
        }
#pragma warning disable CA1031 // Whatever it is, the reflector goes on, and RunAsync logs it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            var fault = WatchFaults.Of(exception);
            if (isOptional && exception is ApiException { Code: HttpStatusCode.NotFound or HttpStatusCode.Forbidden } refusal)
            {
                // Nobody waits for what is not there, or may not be seen.
                if (refusal.IsNotFound)
                {
                    fault = WatchFault.NotInstalled;
                    Fill(() => store.Clear(source.Namespace));
                }
                else
                {
                    store.Deny(source.Namespace);
                }

                _synced.TrySetResult();
                _refreshes.Complete(served);
            }

            return Failed(ReflectorVerb.List, version, fault, exception, TimeSpan.Zero, false);
        }

        var reached = store.Version(source.Namespace) ?? "";
        var isRewound = _isRewound;
        Fill(() => isRewound = store.Replace(source.Namespace, list.Items, list.ResourceVersion, isRewound));
        if (isRewound)
            Log.HistoryRewound(logger, Name, reached, list.ResourceVersion);
        _newest = Newest(isRewound ? null : _newest, list);
        _isRewound = false;
        Interlocked.Increment(ref _lists);
        _isCutShort = false;
        Log.Listed(logger, Name, list.Items.Count, list.ResourceVersion);
        _synced.TrySetResult();
        _refreshes.Complete(served);
        return (new(ReflectorVerb.List, list.ResourceVersion, WatchFault.None, TimeSpan.Zero, false, TimeSpan.Zero), null);
    }

    private void Fill(Action fill)
    {
        try
        {
            fill();
        }
#pragma warning disable CA1031
        catch (Exception exception)
#pragma warning restore CA1031
        {
            // The store holds the whole list, and the handler was called for every object. Another list would only fail for the
            // same object again, while the others wait. So the watch begins.
            Log.ChangeHandlerFailed(logger, Name, exception);
        }
    }

    private async Task<(ReflectorInput, Exception?)> WatchAsync(string version, CancellationToken cancellationToken)
    {
        var lasting = timeout * (1 + random());
        using var deadline = new CancellationTokenSource(lasting + Grace, time);
        var refresh = _refreshes.News;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token, refresh);
        Interlocked.Increment(ref _watches);

        // Taken before the request, since some proxies hold back the headers until the first event.
        var begun = Now;
        var sawEvents = false;
        var applying = false;
        try
        {
            if (_isCutShort)
                await CheckHistoryAsync(version, either.Token);
            _isCutShort = false;
            await foreach (var line in source.WatchAsync(version, lasting, either.Token))
            {
                if (line.Type == WatchEventType.Error)
                    throw new ApiException(line.Error ?? new Status { Message = "no status" }, $"watch {Name}");
                var reached = line.ResourceVersion ?? line.Object?.ResourceVersion ?? version;
                NotBefore(version, reached);

                if (!sawEvents)
                {
                    sawEvents = true;
                    Recovered(ReflectorVerb.Watch);
                }

                applying = true;
                store.Apply(source.Namespace, line);
                applying = false;
                version = reached;
                if (line.Object is { } changed)
                    _newest = new(changed.Key, reached, line.Type == WatchEventType.Deleted, line.Print);
            }

            // A cancelled stream may also end without an exception.
            refresh.ThrowIfCancellationRequested();
        }
#pragma warning disable CA1031 // Whatever it is, the reflector goes on, and RunAsync logs it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            var fault = applying ? WatchFault.Unexpected
                : refresh.IsCancellationRequested ? WatchFault.RefreshWanted
                : deadline.IsCancellationRequested ? WatchFault.Overdue
                : WatchFaults.Of(exception);
            _isCutShort = true;
            _isRewound |= fault == WatchFault.Rewound;
            return Failed(ReflectorVerb.Watch, version, fault, exception, Now - begun, sawEvents);
        }

        var lasted = Now - begun;
        _isCutShort = lasted < timeout;
        Log.WatchEnded(logger, Name, version, lasted.TotalSeconds);
        return (new(ReflectorVerb.Watch, version, WatchFault.None, lasted, sawEvents, TimeSpan.Zero), null);
    }

    /// <summary>
    /// Before a list that follows a watch which was refused: once versions have caught up, a list of another history looks like
    /// one of this history.
    /// </summary>
    private async Task<bool> IsHistoryKnownAsync(string version, CancellationToken cancellationToken)
    {
        try
        {
            await CheckHistoryAsync(version, cancellationToken);
        }
        catch (ApiException exception) when (exception.Code != HttpStatusCode.Forbidden)
        {
            // Where nothing can be looked up, as when the history does not reach back that far, the list has to do.
        }
        catch (HistoryRewoundException)
        {
            return false;
        }

        return true;
    }

    /// <summary>Whether the watch may go on at <paramref name="version"/>: the API server's history has been there, and is the one known.</summary>
    /// <exception cref="HistoryRewoundException">It is not.</exception>
    private async Task CheckHistoryAsync(string version, CancellationToken cancellationToken)
    {
        ListResult then;
        try
        {
            then = await source.LookBackAsync(version, _newest?.Key, cancellationToken);
        }
        catch (ApiException exception) when (exception.IsFutureVersion)
        {
            throw new HistoryRewoundException(version, exception);
        }

        NotBefore(version, then.ResourceVersion);
        if (_newest is not { } newest)
            return;
        var held = then.Items.Count == 0 ? null : then.Items[0].ResourceVersion;
        // What is newer than was asked for is the answer of a server that does not look back.
        var isKnown = newest.IsGone ? held is null : held == newest.Version && then.Print == newest.Print;
        if (!isKnown && !(held is not null && ResourceVersion.IsNewer(held, version)))
            throw new HistoryRewoundException(newest.Version);
    }

    /// <summary>The latest change known after a list: one that it tells of, or the last one before it, whose object is gone.</summary>
    private static Change? Newest(Change? before, ListResult list)
    {
        var newest = before is { } known ? known with { IsGone = true } : null;
        foreach (var item in list.Items)
        {
            if (newest is null || newest.Key == item.Key || ResourceVersion.IsNewer(item.ResourceVersion, newest.Version))
                newest = new(item.Key, item.ResourceVersion, false, list.Print);
        }

        return newest;
    }

    /// <summary>One that the API server's history must hold.</summary>
    private sealed record Change(ObjectKey Key, string Version, bool IsGone, ulong Print);

    /// <exception cref="HistoryRewoundException">It is.</exception>
    private static void NotBefore(string seen, string version)
    {
        if (ResourceVersion.IsNewer(seen, version))
            throw new HistoryRewoundException(seen);
    }

    private static (ReflectorInput, Exception?) Failed(
        ReflectorVerb verb, string version, WatchFault fault, Exception exception, TimeSpan lasted, bool sawEvents)
    {
        var retryAfter = (exception as ApiException)?.Status.Details?.RetryAfterSeconds ?? 0;
        return (new(verb, version, fault, lasted, sawEvents, TimeSpan.FromSeconds(retryAfter)), exception);
    }

    private void LogFault(in ReflectorInput input, Exception? exception, TimeSpan delay)
    {
        // Without the request, which the exception's message names: the same fault with another query is the same.
        var status = (exception as ApiException)?.Status;
        var message = status?.Message ?? exception?.Message ?? "it ended at once, and without an event";
        // One fault, such as an expired token, can end a watch and then the list after it. It is logged once.
        var level = _fault?.Message == message ? LogLevel.Debug
            : input.Fault == WatchFault.Unexpected ? LogLevel.Error
            : LogLevel.Warning;
        _fault = (input.Verb, message);
        var verb = input.Verb == ReflectorVerb.List ? "list" : "watch";
        switch (status?.Code)
        {
            case 403:
                Log.NotAllowed(logger, level, verb, Name, delay.TotalSeconds, message);
                break;
            case 404 when isOptional:
                Log.NotInstalled(logger, level == LogLevel.Debug ? level : LogLevel.Information, Name, delay.TotalSeconds);
                break;
            case 404:
                Log.NotServed(logger, level, verb, Name, delay.TotalSeconds, message);
                break;
            default:
                // The stack is useful only when the fault is in this program.
                var detail = input.Fault == WatchFault.Unexpected ? exception : null;
                Log.ReflectorFailed(logger, level, verb, Name, delay.TotalSeconds, message, detail);
                break;
        }
    }

    // Only a success of the same verb counts. Where lists work and watches do not, fault and recovery would alternate for ever.
    private void Recovered(ReflectorVerb verb)
    {
        if (_fault is not { } fault || fault.Verb != verb)
            return;

        _fault = null;
        Log.ReflectorRecovered(logger, Name);
    }
}
