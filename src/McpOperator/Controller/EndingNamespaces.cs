namespace McpOperator.Controller;

/// <summary>
/// Namespaces that are being deleted, as a refusal to create something there has told: whatever else would be created is refused as
/// well. Safe for any number of threads.
/// </summary>
internal sealed class EndingNamespaces
{
    private readonly Lock _lock = new();
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    public bool Contains(string ns)
    {
        lock (_lock)
            return _names.Contains(ns);
    }

    /// <returns>False when it was known.</returns>
    public bool Add(string ns)
    {
        lock (_lock)
            return _names.Add(ns);
    }

    /// <summary>It is gone, and may be made anew.</summary>
    public void Remove(string ns)
    {
        lock (_lock)
            _names.Remove(ns);
    }
}
