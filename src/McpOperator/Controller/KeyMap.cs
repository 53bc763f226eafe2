using McpOperator.Kubernetes;

namespace McpOperator.Controller;

/// <summary>
/// What is remembered of an object, by its key. Safe for any number of threads. Not a ConcurrentDictionary: each type of
/// value would add its own copy of that code to the binary, and references share the stores'.
/// </summary>
public sealed class KeyMap<T>
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
