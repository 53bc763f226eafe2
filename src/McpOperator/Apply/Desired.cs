namespace McpOperator.Apply;

/// <summary>What is wanted of an object.</summary>
/// <param name="Manifest">
/// Makes the apply configuration for what was found (null where there is nothing): every field that we own, and no other.
/// Preconditions in it make no difference to what is wanted.
/// </param>
/// <param name="IsRepair">Whether nothing else is wanted than before, so that a difference is somebody else's doing.</param>
/// <param name="WasThere">Whether it is known that there was one.</param>
/// <param name="Recover">Asked when the API server finds the manifest invalid.</param>
/// <param name="Removal">
/// Makes a strategic merge patch that takes out what stands under a name of the owner's and is not wanted, whoever put it there and
/// owns it; null when there is nothing of the kind. It names the version of what was found.
/// </param>
/// <param name="WasTaken">Whether somebody else was last seen to have the name.</param>
/// <param name="Removed">An object that was just deleted to make room. The store may still hold it.</param>
internal sealed record Desired<T>(
    Func<T?, byte[]> Manifest, bool IsRepair, bool WasThere, Recovery? Recover = null, T? Removed = null,
    Func<T, byte[]?>? Removal = null, bool WasTaken = false)
    where T : Observed
{
    /// <summary>
    /// Of what was found: as <see cref="Observed.Fingerprint"/>, and another one for what is to be taken out. Without it nobody would
    /// see that it is there.
    /// </summary>
    public ulong Fingerprint(T live) =>
        Removal?.Invoke(live) is { } removal ? live.Fingerprint ^ OwnedFields.FingerprintOf(removal) : live.Fingerprint;

    /// <summary>What an apply that made a difference is told as.</summary>
    public Change ChangeOf(bool isNew) =>
        isNew && !WasThere ? Change.Created
        : IsRepair ? Change.Repaired
        : isNew ? Change.Created
        : Change.Updated;
}
