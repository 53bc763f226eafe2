namespace McpOperator.Apply;

/// <summary>The result of applying or deleting one object.</summary>
/// <param name="Live">The object as last observed, when it is there and ours.</param>
/// <param name="Problem">Why it is not as it should be; null when it is.</param>
/// <param name="IsConflict">A 409: somebody else wrote at the same time. Reconcile again, report nothing.</param>
/// <param name="PutOff">How long until a contested object is repaired; null when no repair is put off.</param>
internal readonly record struct ApplyResult<T>(T? Live, Problem? Problem = null, bool IsConflict = false, Change Change = Change.None, TimeSpan? PutOff = null)
    where T : Observed
{
    /// <summary>Whether the object exists as desired, as far as is known.</summary>
    public bool Stands => Live is not null && !IsConflict && PutOff is null && Problem is null or { Reason: Problem.Contested };
}
