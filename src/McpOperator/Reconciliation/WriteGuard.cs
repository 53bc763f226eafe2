using McpOperator.Controller;
using McpOperator.Kubernetes;

namespace McpOperator.Reconciliation;

/// <summary>
/// Keeps the operator from writing the same thing again and again to a server that makes something else of it: a
/// webhook that rewrites our field, an API server that normalises a value or cannot reorder a list, a CRD that prunes
/// a field. What came of an intent is noted when it differs from the intent; as long as that is what stands there,
/// the intent is not sent again. Anybody else's change looks different, and is put right as ever. One for each kind of
/// thing that is written.
/// </summary>
public sealed class WriteGuard
{
    private readonly KeyMap<Result> _results = new();

    /// <summary>True when this intent was sent before, and what stands there is what the API server made of it.</summary>
    public bool IsSettled(ObjectKey key, ulong intent, ulong observed) =>
        intent == observed || (_results.Get(key) is { } result && result.Intent == intent && result.Observed == observed);

    /// <summary>Notes what came of an intent. Returns false when it is not what was sent.</summary>
    public bool Note(ObjectKey key, ulong intent, ulong observed)
    {
        if (intent == observed)
        {
            _results.Remove(key);
            return true;
        }

        _results.Set(key, new Result(intent, observed));
        return false;
    }

    public void Forget(ObjectKey key) => _results.Remove(key);

    private sealed class Result(ulong intent, ulong observed)
    {
        public ulong Intent => intent;

        public ulong Observed => observed;
    }
}
