namespace McpOperator.Controller;

/// <summary>
/// Keys in the order of their time. A key has one entry, that with the earliest time (client-go
/// util/workqueue/delaying_queue.go). A sorted set and not a heap, because an entry that an earlier one replaces must be removed:
/// such entries would pile up for a server whose requeues alternate between short and long ones. Not thread-safe.
/// </summary>
internal sealed class DelayedKeys
{
    private readonly Dictionary<ObjectKey, Entry> _byKey = [];
    private readonly SortedSet<Entry> _byTime = [];
    private long _order;

    public int Count => _byKey.Count;

    /// <summary>The earliest time; null when nothing waits.</summary>
    public TimeSpan? Next => _byTime.Count == 0 ? null : _byTime.Min.ReadyAt;

    /// <returns>Whether the entry is the first one now, so that the timer must be set.</returns>
    public bool Add(ObjectKey key, TimeSpan readyAt)
    {
        if (_byKey.TryGetValue(key, out var held))
        {
            if (held.ReadyAt <= readyAt)
                return false;

            _byTime.Remove(held);
        }

        var entry = new Entry(readyAt, _order++, key);
        _byKey[key] = entry;
        _byTime.Add(entry);
        return _byTime.Min.Order == entry.Order;
    }

    /// <summary>Takes out the first key whose time has come.</summary>
    public bool TryTake(TimeSpan now, out ObjectKey key)
    {
        if (_byTime.Count == 0 || _byTime.Min.ReadyAt > now)
        {
            key = default;
            return false;
        }

        var entry = _byTime.Min;
        _byTime.Remove(entry);
        _byKey.Remove(entry.Key);
        key = entry.Key;
        return true;
    }

    public void Clear()
    {
        _byKey.Clear();
        _byTime.Clear();
    }

    /// <summary>Order tells entries of the same moment apart: the one that was added first comes first.</summary>
    private readonly record struct Entry(TimeSpan ReadyAt, long Order, ObjectKey Key) : IComparable<Entry>
    {
        public int CompareTo(Entry other)
        {
            var byTime = ReadyAt.CompareTo(other.ReadyAt);
            return byTime != 0 ? byTime : Order.CompareTo(other.Order);
        }
    }
}
