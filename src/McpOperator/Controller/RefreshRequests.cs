namespace McpOperator.Controller;

/// <summary>
/// The callers that wait for a list from etcd. A list serves the callers that asked before it began, and none that asked later.
/// </summary>
#pragma warning disable CA1001 // The token source has no timer and no handle, and a caller may just be cancelling it.
internal sealed class RefreshRequests
#pragma warning restore CA1001
{
    private readonly Lock _lock = new();

    // In the order of asking, so that a list serves the first ones.
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
            // Not Cancel, which would run the callbacks of the token on this thread, under the lock.
            _ = _news.CancelAsync();
        }

        return served.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Whether somebody has asked since the last call.</summary>
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

    /// <summary>Ends the wait of the first <paramref name="count"/> callers.</summary>
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
