using System.Net;
using McpOperator.Soak.Checking;

namespace McpOperator.Soak;

/// <summary>Counts the operators' requests, and what others do to their objects, out of the audit log as it grows.</summary>
/// <param name="visitor">The user of the other operator, whose requests are counted apart.</param>
internal sealed class Traffic(ControlPlane controlPlane, IReadOnlyCollection<string> users, string visitor)
{
    private const int Kept = 50;

    private readonly AuditTail _tail = controlPlane.FollowAudit();
    private readonly Queue<string> _writes = new();
    private readonly Dictionary<string, int> _changes = [];

    public long Requests { get; private set; }

    /// <summary>Renewals of leases aside.</summary>
    public long Writes { get; private set; }

    /// <summary>
    /// Of those, all but what a new leader does once without being able to know whether it is needed: in each namespace, and to
    /// the Deployments that are <see cref="OutOfOrder"/>. Nor does it know of a quarrel before its time.
    /// </summary>
    public long WritesOfServers { get; private set; }

    /// <summary>Of those, all but the reports of quarrels that are over.</summary>
    public long WritesAtRest { get; private set; }

    /// <summary>The keys of servers whose status tells of a quarrel.</summary>
    public IReadOnlySet<string> Contested { get; set; } = new HashSet<string>();

    public long VisitorsWrites { get; private set; }

    /// <inheritdoc cref="Snapshot.Changes"/>
    public IReadOnlyDictionary<string, int> Changes => new Dictionary<string, int>(_changes);

    public Deletions Deletions { get; } = new([.. users, visitor]);

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
            if (!request.IsRequest)
                continue;
            Deletions.Observe(request);
            if (!users.Contains(request.User))
            {
                CountOthers(request);
                continue;
            }

            Requests++;
            if (request.IsDenied)
                Denied = request.ToString();
            if (!request.IsWrite || request.Resource == "leases")
                continue;
            Writes++;
            var isReportOfContest = Contested.Count > 0
                && (request.Resource == "events" || (request.Resource == "mcpservers" && Contested.Contains(Json.Key(request.Namespace, request.Name))));
            // What cannot be applied is tried again, ever more rarely.
            var isRefused = request.Code == (int)HttpStatusCode.UnprocessableEntity;
            if (!isReportOfContest && !isRefused)
                WritesAtRest++;
            if (!isReportOfContest && !isRefused && request.Resource is not ("secrets" or "serviceaccounts")
                && !(request.Resource == "deployments" && OutOfOrder.Contains(Json.Key(request.Namespace, request.Name))))
                WritesOfServers++;
            _writes.Enqueue($"{request.Received:HH:mm:ss.fff} {request}");
            while (_writes.Count > Kept)
                _writes.Dequeue();
        }
        return seen;
    }

    private void CountOthers(AuditEvent request)
    {
        if (!request.IsWrite || request.Code is < 200 or > 299)
            return;
        VisitorsWrites += request.User == visitor ? 1 : 0;
        if (request.Verb == "create" || request.Subresource.Length > 0)
            return;
        var key = $"{request.Resource}/{Json.Key(request.Namespace, request.Name)}";
        _changes[key] = _changes.GetValueOrDefault(key) + 1;
    }
}
