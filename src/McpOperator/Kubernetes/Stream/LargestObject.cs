namespace McpOperator.Kubernetes;

/// <summary>The largest object that was read, for whoever has to say what took the memory. Safe for any number of threads.</summary>
internal sealed class LargestObject
{
    private readonly Lock _lock = new();
    private ResourceType? _type;
    private ObjectKey _key;
    private int _bytes;

    /// <summary>Called when it is another one, or has another size.</summary>
    public event Action<string, int>? Changed;

    /// <param name="bytes">Of its JSON.</param>
    public void Note(ResourceType type, ObjectKey key, int bytes)
    {
        // Most are smaller, and it is not among them: nobody waits for another one.
        if (bytes <= Volatile.Read(ref _bytes) && !(key == _key && type == _type))
            return;
        lock (_lock)
        {
            var isIt = key == _key && type == _type;
            if (isIt ? bytes == _bytes : bytes <= _bytes)
                return;
            (_type, _key, _bytes) = (type, key, bytes);
            Changed?.Invoke($"{type.Kind} {key}", bytes);
        }
    }
}
