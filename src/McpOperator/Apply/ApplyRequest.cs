namespace McpOperator.Apply;

/// <summary>The desired state of an object, and what is known of it.</summary>
/// <param name="Body">
/// Builds the apply configuration for the live object (null for none): every field that we own, and no other. It may name uid and
/// resourceVersion as preconditions; fingerprints ignore them.
/// </param>
/// <param name="IsRepair">Whether the desired state is that of the last report, so that a difference is drift.</param>
/// <param name="WasThere">Whether the object existed at the last report, so that creating it is a repair.</param>
/// <param name="RemedyFor">Asked for a remedy when the API server refuses it as invalid.</param>
/// <param name="Removal">
/// Builds a strategic merge patch, with the resourceVersion, that deletes what is under our names and not wanted, whoever owns
/// it; null when there is nothing.
/// </param>
/// <param name="HadNameConflict">Whether somebody else had the name at the last report: it is read first then.</param>
/// <param name="IsAfterPredecessor">Whether the predecessor was at work again since our last report, and may have written here, too.</param>
/// <param name="Removed">The object that was just deleted to make room. The store may still hold it.</param>
internal sealed record ApplyRequest<T>(
    Func<T?, byte[]> Body, bool IsRepair, bool WasThere, Func<RefusedApply, Remedy?>? RemedyFor = null, T? Removed = null,
    Func<T, byte[]?>? Removal = null, bool HadNameConflict = false, bool IsAfterPredecessor = false)
    where T : Observed
{
    /// <summary>The live fingerprint, changed by what is to be removed: else nobody would see that it is there.</summary>
    public ulong Fingerprint(T live) =>
        Removal?.Invoke(live) is { } removal ? live.Fingerprint ^ OwnedFields.FingerprintOf(removal) : live.Fingerprint;

    /// <summary>How an apply that changed something is reported.</summary>
    public Change ChangeOf(bool isNew) =>
        isNew && !WasThere ? Change.Created
        : IsRepair ? Change.Repaired
        : isNew ? Change.Created
        : Change.Updated;
}
