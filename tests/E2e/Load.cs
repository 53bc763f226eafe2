using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace McpOperator.E2e;

/// <summary>One call, in the order in which they ended.</summary>
/// <param name="After">How many had ended when it began.</param>
/// <param name="Version">Of the server that answered; null when none did.</param>
public sealed record Call(int After, string? Version, string? Pod, string? Failure);

/// <summary>Calls a tool again and again, by several clients, until it is disposed.</summary>
public sealed partial class Load : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<Call> _calls = new();
    private readonly List<Task> _clients = [];

    public IReadOnlyList<Call> Calls => [.. _calls];

    public static async Task<Load> StartAsync(Hello hello, string? human = null, int clients = 3)
    {
        var load = new Load();
        for (var i = 0; i < clients; i++)
        {
            var caller = await hello.ConnectAsync(human);
            load._clients.Add(Task.Run(() => load.CallAsync(caller)));
        }
        return load;
    }

    /// <summary>Waits until so many more calls have ended.</summary>
    public async Task MoreAsync(int calls)
    {
        var before = _calls.Count;
        await Eventually.TrueAsync($"{calls} more calls had ended", () => _calls.Count >= before + calls, Cluster.Limit);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_clients);
        _stop.Dispose();
    }

    private async Task CallAsync(ToolCaller caller)
    {
        await using var _ = caller;
        while (!_stop.IsCancellationRequested)
        {
            var after = _calls.Count;
            try
            {
                var match = Answer().Match(await caller.CallAsync("time"));
                _calls.Enqueue(new(after, match.Groups[1].Value, match.Groups[2].Value, null));
            }
            catch (CallException e)
            {
                _calls.Enqueue(new(after, null, null, e.Message));
            }
            await Task.Delay(Pause);
        }
    }

    [GeneratedRegex(@"by hello-mcp (\S+) on (\S+)$")]
    private static partial Regex Answer();
}
