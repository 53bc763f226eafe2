namespace McpOperator.Controller;

/// <summary>
/// A map from keys to what is remembered of their objects. Safe for any number of threads. Not a ConcurrentDictionary, whose code
/// would be in the binary once more: this one shares the code of the dictionaries that the stores have anyway.
/// </summary>
internal sealed class KeyMap<T>
    where T : class
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ObjectKey, T> _values = [];

    public T? Get(ObjectKey key)
    {
        lock (_lock)
            return _values.GetValueOrDefault(key);
    }

    public void Set(ObjectKey key, T value)
    {
        lock (_lock)
            _values[key] = value;
    }

    public void Remove(ObjectKey key)
    {
        lock (_lock)
            _values.Remove(key);
    }
}
