namespace McpOperator.Reconciliation;

/// <summary>What the operator has done. Safe for any number of threads.</summary>
public sealed class OperatorCounters
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Kind, string Reason), long> _writes = [];
    private long _judged;

    /// <summary>Grants and sessions looked at, each as often as it was.</summary>
    public long Judged => Interlocked.Read(ref _judged);

    /// <summary>Writes that the API server took, in the order of kind and reason.</summary>
    public IReadOnlyList<(string Kind, string Reason, long Count)> Writes()
    {
        lock (_lock)
        {
            return
            [
                .. _writes
                    .OrderBy(entry => entry.Key.Kind, StringComparer.Ordinal)
                    .ThenBy(entry => entry.Key.Reason, StringComparer.Ordinal)
                    .Select(entry => (entry.Key.Kind, entry.Key.Reason, entry.Value)),
            ];
        }
    }

    internal void Judge(int members) => Interlocked.Add(ref _judged, members);

    internal void Write(string kind, Change change) => Write(kind, change switch
    {
        Change.Created => "created",
        Change.Repaired => "repaired",
        Change.Deleted => "deleted",
        _ => "updated",
    });

    /// <summary>Of a custom resource: its defaults, which we write into the spec.</summary>
    internal void WriteDefaults(string kind) => Write(kind, "defaults");

    /// <summary>What the operator before us owned of it became ours.</summary>
    internal void Migrate(string kind) => Write(kind, "migrated");

    /// <summary>So that a kubelet looks at a policy that changed.</summary>
    internal void WriteRefresh(string kind) => Write(kind, "refreshed");

    internal void WriteStatus(string kind) => Write(kind, "status");

    private void Write(string kind, string reason)
    {
        lock (_lock)
            _writes[(kind, reason)] = _writes.GetValueOrDefault((kind, reason)) + 1;
    }
}
