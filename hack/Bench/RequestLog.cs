using System.Diagnostics;

namespace McpOperator.Bench;

/// <summary>One answered request (or one open watch) as the API server's audit log tells it.</summary>
/// <param name="What">As in <c>patch mcpservers/status</c>; a get from the API server's cache is <c>get(cached) …</c>.</param>
/// <param name="Object">namespace/name; empty for lists and watches.</param>
internal readonly record struct Request(
    string User, string What, string Object, bool IsWrite, int Code, DateTimeOffset Received, DateTimeOffset Completed)
{
    /// <summary>Written beside the work, and at its own pace: no figure of the work counts it.</summary>
    public bool IsEvent => What.EndsWith(" events", StringComparison.Ordinal);
}

/// <summary>
/// The requests of everybody to one API server, read from its audit log as that grows. Of each line it keeps some hundred
/// bytes, so that 5,000 servers fit; every time in it is the API server's clock, so that how often it is read changes no
/// figure.
/// </summary>
internal sealed class RequestLog(ControlPlane controlPlane)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan SayInterval = TimeSpan.FromSeconds(5);

    private readonly AuditTail _tail = controlPlane.FollowAudit();
    private readonly List<Request> _requests = [];
    private readonly Dictionary<string, string> _interned = [];

    public IReadOnlyList<Request> All => _requests;

    public IEnumerable<Request> Of(string user, int since = 0) => _requests.Skip(since).Where(request => request.User == user);

    /// <summary>Reads on. The count is a mark for <see cref="Of"/>.</summary>
    public int Poll()
    {
        foreach (var e in _tail.Next())
            if (e.IsRequest)
                _requests.Add(new(
                    Intern(e.User), Intern(Describe(e)), Intern($"{e.Namespace}/{e.Name}".Trim('/')), e.IsWrite, e.Code,
                    e.Received, e.StageTime));
        return _requests.Count;
    }

    /// <summary>
    /// Reads until everything that was answered before the call is there. A line is written just after its answer, so a
    /// request of our own goes last, and reading waits until that one is seen.
    /// </summary>
    public async Task<int> CatchUpAsync()
    {
        var mark = Guid.NewGuid().ToString("N");
        await controlPlane.Client.FindAsync(Resource.Namespaces, null, mark);
        bool IsMark(Request request) => request.Object.EndsWith(mark, StringComparison.Ordinal);
        await UntilAsync("the audit log reached the present", () => _requests.Exists(IsMark));
        _requests.RemoveAll(IsMark);
        return _requests.Count;
    }

    /// <summary>Reads on until the condition holds.</summary>
    /// <param name="what">Completes the sentence "it never happened that …".</param>
    /// <param name="progress">Said every five seconds.</param>
    public async Task UntilAsync(string what, Func<bool> condition, Func<string>? progress = null)
    {
        var clock = Stopwatch.StartNew();
        var said = TimeSpan.Zero;
        while (true)
        {
            Poll();
            if (condition())
                return;
            if (clock.Elapsed > Limit)
                throw new TimeoutException($"In {Limit.TotalMinutes} minutes it never happened that {what}");
            if (progress is not null && clock.Elapsed - said > SayInterval)
            {
                said = clock.Elapsed;
                Progress.Say(progress());
            }
            await Task.Delay(Interval);
        }
    }

    private static string Describe(AuditEvent e)
    {
        var cached = e.Verb == "get" && e.RequestUri.Contains("resourceVersion=0", StringComparison.Ordinal);
        return $"{e.Verb}{(cached ? "(cached)" : "")} {e.Resource}{(e.Subresource.Length > 0 ? "/" : "")}{e.Subresource}";
    }

    private string Intern(string text) => _interned.TryGetValue(text, out var known) ? known : _interned[text] = text;
}
