namespace McpOperator.Apply;

/// <summary>What came of bringing an object to what is wanted.</summary>
/// <param name="Live">The object as last observed, when it is there and ours.</param>
/// <param name="Problem">Why it is not as it should be; null when it is.</param>
/// <param name="IsRaced">Somebody else wrote at the same time: look again, and say nothing of it.</param>
/// <param name="Change">What was done.</param>
internal readonly record struct ApplyResult<T>(T? Live, Problem? Problem = null, bool IsRaced = false, Change Change = Change.None)
    where T : Observed;
