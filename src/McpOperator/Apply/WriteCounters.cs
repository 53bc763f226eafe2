namespace McpOperator.Apply;

/// <summary>The accepted writes. Safe for any number of threads.</summary>
internal sealed class WriteCounters
{
    private readonly Lock _lock = new();
    private readonly PairCounts _writes = new();
    private readonly SortedDictionary<string, long> _contested = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> _undeclared = new(StringComparer.Ordinal);

    /// <summary>Sorted by kind and reason.</summary>
    public IReadOnlyList<(string Kind, string Reason, long Count)> Writes() => _writes.Snapshot();

    /// <summary>By kind.</summary>
    public IReadOnlyList<(string Kind, long Count)> ContestedRepairs()
    {
        lock (_lock)
            return [.. _contested.Select(entry => (entry.Key, entry.Value))];
    }

    /// <summary>How many fields of its status the CRD of a kind lacks.</summary>
    public IReadOnlyList<(string Kind, int Count)> UndeclaredStatusFields()
    {
        lock (_lock)
            return [.. _undeclared.Select(entry => (entry.Key, entry.Value))];
    }

    public void UndeclaredStatusFields(string kind, int count)
    {
        lock (_lock)
        {
            if (count > 0 || _undeclared.ContainsKey(kind))
                _undeclared[kind] = count;
        }
    }

    public void ContestedRepair(string kind)
    {
        lock (_lock)
            _contested[kind] = _contested.GetValueOrDefault(kind) + 1;
    }

    public void Write(string kind, Change change) => Write(kind, change switch
    {
        Change.Created => "created",
        Change.Repaired => "repaired",
        Change.Deleted => "deleted",
        _ => "updated",
    });

    /// <summary>Defaults were written into the spec of a custom resource.</summary>
    public void Defaults(string kind) => Write(kind, "defaults");

    /// <summary>The fields of the predecessor, or of a copy, were taken over.</summary>
    public void Migrated(string kind) => Write(kind, "migrated");

    /// <summary>A pod was annotated, so that its kubelet refreshes its volumes.</summary>
    public void Refreshed(string kind) => Write(kind, "refreshed");

    public void Status(string kind) => Write(kind, "status");

    private void Write(string kind, string reason) => _writes.Count(kind, reason);
}
