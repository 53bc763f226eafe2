using System.Text.Json.Nodes;

namespace McpOperator.Apply;

/// <summary>
/// The fields of a status that the CRD of an older version does not have. An API server refuses an apply that names one; the rest is
/// written without them. After a while it is tried with all of them again: the CRD may have been replaced. Safe for any number of threads.
/// </summary>
internal sealed class UndeclaredFields(TimeProvider time)
{
    private const string Refusal = ": field not declared in schema";

    /// <summary>So begins what an API server says of the body itself. Other refusals quote what users wrote.</summary>
    private const string OfTheBody = "failed to create typed patch object";

    /// <summary>More than any status has.</summary>
    private const int Most = 50;

    private static readonly TimeSpan Retry = TimeSpan.FromMinutes(10);

    private volatile Learned? _learned;
    private Learned? _told;

    public IReadOnlyList<string> Paths => _learned is { } learned && time.GetUtcNow() - learned.At < Retry ? learned.Paths : [];

    /// <summary>Takes in what a refusal names, such as <c>.status.url: field not declared in schema</c>.</summary>
    /// <returns>Whether that is anything new.</returns>
    public bool Learn(ApiException refusal)
    {
        var known = Paths;
        if (refusal.IsDenied || refusal.Status.Message?.StartsWith(OfTheBody, StringComparison.Ordinal) != true)
            return false;
        var paths = new SortedSet<string>(known, StringComparer.Ordinal);
        var message = refusal.Status.Message ?? "";
        for (var end = message.IndexOf(Refusal, StringComparison.Ordinal); end >= 0; end = message.IndexOf(Refusal, end + 1, StringComparison.Ordinal))
        {
            var path = WithoutKeys(message[(message.LastIndexOf(' ', end - 1) + 1)..end]).TrimStart('.');
            if (path.StartsWith("status.", StringComparison.Ordinal) && paths.Count < Most)
                paths.Add(path);
        }

        if (paths.Count == known.Count)
            return false;
        _learned = new Learned([.. paths], time.GetUtcNow());
        return true;
    }

    /// <summary>Whether there are some that were not told yet. Once true for each time that something was learned.</summary>
    public bool IsNews() => Paths.Count > 0 && Interlocked.Exchange(ref _told, _learned) != _learned;

    /// <summary>Takes them out of the body of an apply.</summary>
    public void RemoveFrom(JsonObject body)
    {
        foreach (var path in Paths)
            Remove(body, path.Split('.'));
    }

    private static void Remove(JsonNode? node, ReadOnlySpan<string> path)
    {
        if (node is JsonArray items)
        {
            foreach (var item in items)
                Remove(item, path);
        }
        else if (node is JsonObject members && path.Length == 1)
        {
            members.Remove(path[0]);
        }
        else if (node is JsonObject parents)
        {
            Remove(parents[path[0]], path[1..]);
        }
    }

    /// <summary><c>.status.conditions[type="Ready"].reason</c> as <c>.status.conditions.reason</c>.</summary>
    private static string WithoutKeys(string path)
    {
        for (var start = path.IndexOf('['); start >= 0; start = path.IndexOf('['))
        {
            var end = path.IndexOf(']', start);
            if (end < 0)
                return path[..start];
            path = path.Remove(start, end - start + 1);
        }

        return path;
    }

    private sealed record Learned(IReadOnlyList<string> Paths, DateTimeOffset At);
}
