namespace McpOperator.Apply;

/// <summary>
/// What was written within the last minute. To write the very same again means that somebody else has written in between; and nothing
/// has to be kept of the thousands where nobody does. Safe for any number of threads.
/// </summary>
internal sealed class RecentWrites(TimeProvider time)
{
    private static readonly TimeSpan Recent = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<ObjectKey, (ulong What, long At)> _writes = [];
    private readonly Queue<(ObjectKey Key, long At)> _order = new();

    /// <returns>Whether the same was written last.</returns>
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
