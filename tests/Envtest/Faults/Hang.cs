namespace McpOperator.Envtest.Faults;

/// <summary>Requests that get no answer until it is disposed, and are then answered.</summary>
internal sealed class Hang : IDisposable
{
    private readonly Fault _fault;
    private int _ended;

    public Hang(FaultyApiServer front, Func<FrontRequest, bool> meets, Func<Exchange, Task> then, int times = int.MaxValue)
    {
        _fault = front.Fail(meets, HangAsync, times);

        async Task HangAsync(Exchange exchange)
        {
            try
            {
                await _fault!.Over.WaitAsync(exchange.Cancellation);
            }
            finally
            {
                Interlocked.Increment(ref _ended);
            }

            await then(exchange);
        }
    }

    /// <summary>One of them was answered, or given up by the operator.</summary>
    public bool HasEnded => Volatile.Read(ref _ended) > 0;

    public Task WaitAsync() => _fault.WaitAsync();

    public void Dispose() => _fault.Dispose();
}
