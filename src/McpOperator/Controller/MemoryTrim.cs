namespace McpOperator.Controller;

/// <summary>
/// Gives memory back to the system when there is nothing to do. The garbage collector only runs when something is allocated. So
/// the memory of a list of a thousand objects, or of a thousand reconciles, would stay until the next such burst, and an
/// operator mostly waits.
/// </summary>
/// <param name="isIdle">Asked right before it collects.</param>
internal sealed class MemoryTrim(Func<bool> isIdle, TimeProvider time) : IDisposable
{
    /// <summary>How long it waits first: a burst that has only paused goes on within this time.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(2);

    /// <summary>It collects again after so many bytes were allocated: a collection takes some ten milliseconds.</summary>
    private const long Worthwhile = 16 * 1024 * 1024;

    private readonly Lock _lock = new();
    private ITimer? _timer;
    private long _next;
    private bool _isSet;

    /// <summary>To be called when there is nothing to do. Cheap.</summary>
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
        // When there is something to do again, the next call of Idle sets the timer anew.
        if (!isIdle())
            return;
        // Aggressive compacts, and gives the pages back to the system.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        Interlocked.Exchange(ref _next, GC.GetTotalAllocatedBytes() + Worthwhile);
    }
}
