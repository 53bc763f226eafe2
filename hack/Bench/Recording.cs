using System.Text.Json;

namespace McpOperator.Bench;

/// <summary>One request of the operator about one server, as sent.</summary>
internal sealed record RecordedRequest(HttpMethod Method, string Uri, string MediaType, string Body)
{
    public bool IsWrite => Method != HttpMethod.Get;
}

/// <summary>
/// Everything that the operator sends to bring up one server: recorded from the API server's audit log, which for this one
/// user holds the bodies too. So the limit is what the operator of today sends, and nobody has to write it down a second time.
/// </summary>
/// <param name="Server">Whose names and versions stand in the requests.</param>
/// <param name="Steps">One after the other; the requests of a step were in flight at the same time.</param>
internal sealed record Recording(Server Server, IReadOnlyList<IReadOnlyList<RecordedRequest>> Steps)
{
    private const string User = "recorded";

    public static readonly string AuditPolicy = AuditLog.Policy.Replace(
        "rules:\n",
        $"rules:\n- level: Request\n  users: [{User}]\n  omitStages: [RequestReceived]\n",
        StringComparison.Ordinal);

    public int Writes => Steps.Sum(step => step.Count(request => request.IsWrite));

    public int Requests => Steps.Sum(step => step.Count);

    /// <param name="controlPlane">With <see cref="AuditPolicy"/>, and with our CRDs.</param>
    public static async Task<Recording> TakeAsync(ControlPlane controlPlane)
    {
        // The second one of its namespace is recorded: the first also makes what the namespace's servers share.
        var fleet = new Fleet(controlPlane.Client, "recorded", namespaces: 1);
        await fleet.CreateAsync(1);
        await using var run = await OperatorRun.StartAsync(controlPlane, User, group: null, "--workers", "1");
        await ConvergedAsync();
        var server = await fleet.CreateOneAsync();
        await ConvergedAsync();
        await run.StopAsync();
        // Else it would hold the route of the next server of its name.
        await fleet.DeleteAsync();

        var about = (await controlPlane.AuditEventsAsync())
            .Where(e => e.User == User && e.IsRequest && e.Name == server.Name)
            .OrderBy(e => e.Received).ToList();
        return new(server, Group(about));

        Task ConvergedAsync() => Eventually.TrueAsync(
            "the recorded server converged", () => fleet.UnconvergedAsync(), left => left.Count == 0);
    }

    /// <summary>
    /// Requests were in flight together when one arrived while another was in its first half. (Not: before its end. The API
    /// server stamps the end after the answer is out, and the next request may be faster than the stamp.)
    /// </summary>
    internal static IReadOnlyList<IReadOnlyList<RecordedRequest>> Group(IReadOnlyList<AuditEvent> events)
    {
        var steps = new List<List<RecordedRequest>>();
        var half = DateTimeOffset.MinValue;
        foreach (var e in events)
        {
            if (e.Received >= half)
                steps.Add([]);
            steps[^1].Add(new(Method(e.Verb), e.RequestUri.TrimStart('/'), MediaType(e), e.RequestObject));
            var itsHalf = e.Received + (e.StageTime - e.Received) / 2;
            half = itsHalf > half ? itsHalf : half;
        }
        return steps;
    }

    private static HttpMethod Method(string verb) => verb switch
    {
        "get" => HttpMethod.Get,
        "create" => HttpMethod.Post,
        "patch" => HttpMethod.Patch,
        "update" => HttpMethod.Put,
        _ => throw new NotSupportedException($"nobody has taught the load generator to {verb}"),
    };

    // The audit log does not say it. An apply names its kind, a JSON patch is a list, the rest are merge patches.
    private static string MediaType(AuditEvent e)
    {
        if (e.Verb != "patch")
            return "application/json";
        using var body = JsonDocument.Parse(e.RequestObject);
        return body.RootElement.ValueKind == JsonValueKind.Array ? "application/json-patch+json"
            : body.RootElement.TryGetProperty("kind", out _) ? "application/apply-patch+yaml"
            : "application/merge-patch+json";
    }
}
