namespace McpOperator.Apply;

/// <summary>The result of applying or deleting one object; the default is that of an object that does not exist, and need not.</summary>
/// <param name="Live">The object as last observed, when it exists and is ours.</param>
/// <param name="Problem">Why it is not as it should be; null when it is.</param>
/// <param name="IsConflict">A 409: somebody else wrote at the same time. Reconcile again, report nothing.</param>
/// <param name="PutOff">How long until a contested object is repaired; null when no repair is put off.</param>
internal readonly record struct ApplyResult(
    Observed? Live, Problem? Problem = null, bool IsConflict = false, Change Change = Change.None, TimeSpan? PutOff = null)
{
    /// <summary>Whether the object exists as desired, as far as is known.</summary>
    public bool Stands => Live is not null && !IsConflict && PutOff is null && Problem is null or { Reason: Problem.Contested };

    public static ApplyResult Unchanged(Observed? live, Problem? problem = null) => new(live, problem);

    public static ApplyResult Done(Observed? live, Change change, Problem? problem = null) => new(live, problem, Change: change);

    public static ApplyResult Refused(Observed? live, Problem problem) => new(live, problem);

    public static ApplyResult Conflict(Observed? live) => new(live, IsConflict: true);

    public static ApplyResult Waiting(Observed? live, Problem? problem, TimeSpan pause) => new(live, problem, PutOff: pause);
}
