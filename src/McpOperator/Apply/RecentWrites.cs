namespace McpOperator.Apply;

/// <summary>
/// The writes of the last minute. The same write twice means that somebody else wrote in between. Nothing is kept of the
/// thousands where nobody does. Safe for any number of threads.
/// </summary>
internal sealed class RecentWrites(TimeProvider time)
{
    private static readonly TimeSpan Recent = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<ObjectKey, (ulong What, long At)> _writes = [];
    private readonly Queue<(ObjectKey Key, long At)> _order = new();

    /// <returns>Whether the last write of the key, within a minute, was the same.</returns>
    public bool Wrote(ObjectKey key, ulong what)
    {
        var now = time.GetTimestamp();
        lock (_lock)
        {
            while (_order.TryPeek(out var oldest) && time.GetElapsedTime(oldest.At, now) > Recent)
            {
                _order.Dequeue();
                if (_writes.TryGetValue(oldest.Key, out var last) && last.At == oldest.At)
                    _writes.Remove(oldest.Key);
            }

            var isSame = _writes.TryGetValue(key, out var before) && before.What == what;
            _writes[key] = (what, now);
            _order.Enqueue((key, now));
            return isSame;
        }
    }
}
