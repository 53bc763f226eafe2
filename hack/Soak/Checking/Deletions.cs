namespace McpOperator.Soak.Checking;

/// <summary>
/// Whether an operator deletes nothing but what one has written, by the audit log: an object that somebody else made under a name of ours,
/// a copy or a restored one, stays until an operator has made it its own.
/// </summary>
internal sealed class Deletions(IReadOnlyCollection<string> operators)
{
    /// <summary>Since when each is there.</summary>
    private readonly Dictionary<string, DateTimeOffset> _madeByOthers = [];

    /// <summary>What was deleted all the same.</summary>
    public string? Fault { get; private set; }

    public void Observe(AuditEvent request)
    {
        if (request.Code is < 200 or > 299 || request.Subresource.Length > 0 || Snapshot.Children.All(kind => kind.Plural != request.Resource))
            return;
        var key = $"{request.Resource}/{request.Namespace}/{request.Name}";
        if (!operators.Contains(request.User))
        {
            if (request.Verb == "create")
                _madeByOthers[key] = request.StageTime;
            else if (request.Verb == "delete")
                _madeByOthers.Remove(key);
            return;
        }

        // The log has its lines in the order of the answers: one that was asked for before is about what was there before.
        if (request.Verb == "delete" && _madeByOthers.TryGetValue(key, out var since) && request.Received >= since)
            Fault ??= $"{request}, although somebody else had made it and no operator had written it";
        if (request.IsWrite)
            _madeByOthers.Remove(key);
    }

    /// <summary>Whether it can tell at all.</summary>
    public static bool CanTell()
    {
        var now = DateTimeOffset.UtcNow;
        AuditEvent Request(string user, string verb, int second) => new(
            "ResponseComplete", user, "", verb, "apps", "deployments", "", "a", "b", "", 200, false, "", now.AddSeconds(second), now.AddSeconds(second));
        string? FaultAfter(params IReadOnlyList<AuditEvent> requests)
        {
            var deletions = new Deletions(["operator"]);
            foreach (var request in requests)
                deletions.Observe(request);
            return deletions.Fault;
        }

        return FaultAfter(Request("user", "create", 0), Request("operator", "delete", 1)) is not null
            && FaultAfter(Request("user", "create", 0), Request("operator", "patch", 1), Request("operator", "delete", 2)) is null;
    }
}
