namespace McpOperator.Soak;

/// <summary>Counts the operators' requests out of the audit log as it grows.</summary>
internal sealed class Traffic(ControlPlane controlPlane, IReadOnlyCollection<string> users)
{
    private const int Kept = 50;

    private readonly AuditTail _tail = controlPlane.FollowAudit();
    private readonly Queue<string> _writes = new();

    public long Requests { get; private set; }

    /// <summary>Renewals of leases aside.</summary>
    public long Writes { get; private set; }

    /// <summary>
    /// Of those, all but what a new leader does once without being able to know whether it is needed: in each namespace, and to
    /// the Deployments that are <see cref="OutOfOrder"/>.
    /// </summary>
    public long WritesOfServers { get; private set; }

    /// <summary>The keys of Deployments that only look as if there was something to put right.</summary>
    public IReadOnlySet<string> OutOfOrder { get; set; } = new HashSet<string>();

    /// <summary>What a role should have granted.</summary>
    public string? Denied { get; private set; }

    /// <summary>What was denied until now was so for a reason that is over.</summary>
    public async Task ForgetDenialsAsync()
    {
        await CatchUpAsync();
        Denied = null;
    }

    public IEnumerable<string> LastWrites(long count) => _writes.TakeLast((int)Math.Min(count, Kept));

    /// <summary>Reads until a request of our own is seen, so that everything answered before is counted.</summary>
    public async Task CatchUpAsync()
    {
        var mark = $"version?audit-mark={Guid.NewGuid():N}";
        await controlPlane.Client.SendAsync(HttpMethod.Get, mark);
        await Eventually.TrueAsync("the audit log reached the present", () => Read(mark));
    }

    private bool Read(string mark)
    {
        var seen = false;
        foreach (var request in _tail.Next())
        {
            seen |= request.RequestUri.EndsWith(mark, StringComparison.Ordinal);
            if (!users.Contains(request.User) || !request.IsRequest)
                continue;
            Requests++;
            if (request.IsDenied)
                Denied = request.ToString();
            if (!request.IsWrite || request.Resource == "leases")
                continue;
            Writes++;
            if (request.Resource is not ("secrets" or "serviceaccounts")
                && !(request.Resource == "deployments" && OutOfOrder.Contains(Json.Key(request.Namespace, request.Name))))
                WritesOfServers++;
            _writes.Enqueue($"{request.Received:HH:mm:ss.fff} {request}");
            while (_writes.Count > Kept)
                _writes.Dequeue();
        }
        return seen;
    }
}
