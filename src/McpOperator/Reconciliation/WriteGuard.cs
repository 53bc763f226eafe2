using System.Collections.Concurrent;
using McpOperator.Kubernetes;

namespace McpOperator.Reconciliation;

/// <summary>
/// Keeps the operator from writing the same thing again and again to a server that makes something else of it: a
/// webhook that rewrites our field, an API server that normalises a value or cannot reorder a list, a CRD that prunes
/// a field. What came of an intent is noted when it differs from the intent; as long as that is what stands there,
/// the intent is not sent again. Anybody else's change looks different, and is put right as ever.
/// </summary>
public sealed class WriteGuard
{
    private readonly ConcurrentDictionary<(string Kind, ObjectKey Key), (ulong Intent, ulong Result)> _results = new();

    /// <summary>True when this intent was sent before, and what stands there is what the API server made of it.</summary>
    public bool IsSettled(string kind, ObjectKey key, ulong intent, ulong observed) =>
        intent == observed || (_results.TryGetValue((kind, key), out var result) && result == (intent, observed));

    /// <summary>Notes what came of an intent. Returns false when it is not what was sent.</summary>
    public bool Note(string kind, ObjectKey key, ulong intent, ulong result)
    {
        if (intent == result)
        {
            _results.TryRemove((kind, key), out _);
            return true;
        }

        _results[(kind, key)] = (intent, result);
        return false;
    }

    public void Forget(string kind, ObjectKey key) => _results.TryRemove((kind, key), out _);
}
