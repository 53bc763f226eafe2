namespace McpOperator.Reconciliation;

/// <summary>What the operator has done. Safe for any number of threads.</summary>
public sealed class OperatorCounters
{
    private long _judged;

    /// <summary>Grants and sessions looked at, each as often as it was.</summary>
    public long Judged => Interlocked.Read(ref _judged);

    internal void Judge(int members) => Interlocked.Add(ref _judged, members);
}
