namespace McpOperator.Apply;

/// <summary>What came of bringing an object to what is wanted.</summary>
/// <param name="Live">The object as last observed, when it is there and ours.</param>
/// <param name="Problem">Why it is not as it should be; null when it is.</param>
/// <param name="IsRaced">Somebody else wrote at the same time: look again, and say nothing of it.</param>
/// <param name="Change">What was done.</param>
/// <param name="PutOff">How long until what differs is put right, for somebody else keeps changing it back; null when nothing is put off.</param>
internal readonly record struct ApplyResult<T>(T? Live, Problem? Problem = null, bool IsRaced = false, Change Change = Change.None, TimeSpan? PutOff = null)
    where T : Observed
{
    /// <summary>Whether it stands there as it should, as far as is known.</summary>
    public bool Stands => Live is not null && !IsRaced && PutOff is null && Problem is null or { Reason: Problem.Contested };
}
