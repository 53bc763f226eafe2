using McpOperator.Api;
using McpOperator.Controller;
using McpOperator.Kubernetes;

namespace McpOperator.Reconciliation;

/// <summary>
/// Which statuses we wrote, so that one of them that comes back by the watch is not taken for news. Another look would be
/// another try of what just failed, past its backoff, and without end where the message of the failure is never the same.
/// </summary>
public sealed class OwnReports
{
    private readonly KeyMap<object> _written = new();

    /// <summary>Before the write: the watch may be faster than the answer.</summary>
    /// <param name="key">Whose status it is.</param>
    /// <param name="fingerprint">Of the status.</param>
    public void Writing(ObjectKey key, ulong fingerprint) => _written.Set(key, fingerprint);

    public void Forget(ObjectKey key) => _written.Remove(key);

    /// <summary>True when nothing but the status changed, and it is the one that we wrote.</summary>
    public bool IsEcho(IReportedObject? before, IReportedObject? after) =>
        before is not null && after is not null && _written.Get(after.Key) is ulong written && IsSame(before.Metadata, after.Metadata)
        && after.Reported?.Fingerprint == written && before.Reported?.Fingerprint != written;

    /// <summary>True when spec and metadata are the same: the generation counts the edits of the spec, and every write has a version.</summary>
    public static bool IsSame(ObjectMeta left, ObjectMeta right) =>
        left with { ResourceVersion = "" } == right with { ResourceVersion = "" };
}
