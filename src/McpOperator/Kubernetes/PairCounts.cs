namespace McpOperator.Kubernetes;

/// <summary>Counts by two labels. Safe for any number of threads.</summary>
/// <remarks>Nested, since a dictionary by a pair, and LINQ over it, weigh 20 kB in the binary.</remarks>
internal sealed class PairCounts
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, SortedDictionary<string, long>> _counts = new(StringComparer.Ordinal);

    public void Count(string first, string second)
    {
        lock (_lock)
        {
            if (!_counts.TryGetValue(first, out var counts))
                _counts[first] = counts = new(StringComparer.Ordinal);
            counts[second] = counts.GetValueOrDefault(second) + 1;
        }
    }

    /// <summary>A copy, in the order of the labels.</summary>
    public IReadOnlyList<(string First, string Second, long Count)> Snapshot()
    {
        var all = new List<(string, string, long)>();
        lock (_lock)
        {
            foreach (var (first, counts) in _counts)
            {
                foreach (var (second, count) in counts)
                    all.Add((first, second, count));
            }
        }

        return all;
    }
}
