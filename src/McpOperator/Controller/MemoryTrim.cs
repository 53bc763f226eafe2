namespace McpOperator.Controller;

/// <summary>
/// Gives memory back when there is nothing to do. The garbage collector runs when something is allocated: after a list
/// of a thousand objects, or a thousand reconciles, it would keep what they took until the next such time, and an
/// operator mostly waits.
/// </summary>
/// <param name="isIdle">Asked before it collects.</param>
/// <param name="time">The clock of the pause before.</param>
internal sealed class MemoryTrim(Func<bool> isIdle, TimeProvider time) : IDisposable
{
    /// <summary>Long enough for a burst that has only paused to go on.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(2);

    /// <summary>Such a collection takes some ten milliseconds: it has to be worth them. The first one always is.</summary>
    private const long Worthwhile = 16 * 1024 * 1024;

    private readonly Lock _lock = new();
    private ITimer? _timer;
    private long _next;
    private bool _isSet;

    /// <summary>There is nothing to do just now. Cheap.</summary>
    public void Idle()
    {
        if (GC.GetTotalAllocatedBytes() < Interlocked.Read(ref _next))
            return;
        lock (_lock)
        {
            if (_isSet)
                return;
            _isSet = true;
            _timer ??= time.CreateTimer(
                static trim => ((MemoryTrim)trim!).Collect(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer.Change(Rest, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isSet = true;
            _timer?.Dispose();
        }
    }

    private void Collect()
    {
        lock (_lock)
            _isSet = false;
        // Else the next pause is a reason to try again.
        if (!isIdle())
            return;
        // Aggressive: compacts, and hands the pages back to the system.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        Interlocked.Exchange(ref _next, GC.GetTotalAllocatedBytes() + Worthwhile);
    }
}
