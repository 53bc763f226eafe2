namespace McpOperator.Controller;

/// <summary>
/// Who waits for a list from etcd. A list serves those who asked before it began, and nobody who asked later.
/// </summary>
#pragma warning disable CA1001 // The token source has no timer and no handle, and whoever asks may still be cancelling it.
internal sealed class RefreshRequests
#pragma warning restore CA1001
{
    private readonly Lock _lock = new();

    // In the order of asking, so that those whom a list serves are the first so many.
    private readonly List<TaskCompletionSource> _waiting = [];

    private CancellationTokenSource _news = new();

    /// <summary>Cancelled when somebody has asked since the last <see cref="Take"/>.</summary>
    public CancellationToken News
    {
        get
        {
            lock (_lock)
                return _news.Token;
        }
    }

    public int Count
    {
        get
        {
            lock (_lock)
                return _waiting.Count;
        }
    }

    /// <summary>Completes when a list serves the caller. The list is asked for even if the caller does not wait for it.</summary>
    public Task AskAsync(CancellationToken cancellationToken)
    {
        var served = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _waiting.Add(served);
            // Not Cancel, which would run here what waits for it.
            _ = _news.CancelAsync();
        }

        return served.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Whether somebody has asked since it was called last.</summary>
    public bool Take()
    {
        lock (_lock)
        {
            if (!_news.IsCancellationRequested)
                return false;
            _news = new();
            return true;
        }
    }

    /// <summary>The first so many have been served.</summary>
    public void Complete(int count)
    {
        lock (_lock)
        {
            for (var i = 0; i < count; i++)
                _waiting[i].TrySetResult();
            _waiting.RemoveRange(0, count);
        }
    }
}
