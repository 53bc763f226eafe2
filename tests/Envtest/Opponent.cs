using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>Somebody who changes an object back each time that it is not as he wants it: an autoscaler, another operator, a cleaning job.</summary>
internal sealed class Opponent : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    private readonly CancellationTokenSource _end = new();
    private readonly Task _running;
    private int _changes;

    /// <param name="isHis">Whether the object is as he wants it.</param>
    /// <param name="patch">Makes it so.</param>
    public Opponent(
        KubeClient client, Resource resource, string ns, string name, Func<JsonObject, bool> isHis, string patch, string manager, TimeSpan? interval = null) =>
        _running = RunAsync(async () =>
        {
            if (await client.FindAsync(resource, ns, name) is not { } live || isHis(live))
                return;
            await client.PatchAsync(resource, ns, name, JsonNode.Parse(patch)!, PatchKind.Strategic, fieldManager: manager);
            Interlocked.Increment(ref _changes);
        }, interval ?? Interval);

    public Task ChangesAsync(int count) => Eventually.TrueAsync(
        $"it was changed back {count} times", () => Task.FromResult(Volatile.Read(ref _changes)), seen => seen >= count, TimeSpan.FromMinutes(3));

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running;
        _end.Dispose();
    }

    private async Task RunAsync(Func<Task> look, TimeSpan interval)
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                await look();
            }
            catch (KubeException)
            {
                // Changed since it was read: at the next look.
            }

            await Task.Delay(interval, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
