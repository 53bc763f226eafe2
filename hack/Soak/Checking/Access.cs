using System.Globalization;
using System.Text.Json.Nodes;

namespace McpOperator.Soak.Checking;

/// <summary>What docs/policy.md says becomes of a grant or a session.</summary>
/// <param name="Subject">The object.</param>
/// <param name="Phase">Of its status.</param>
/// <param name="Reason">Of its condition.</param>
/// <param name="Entry">What stands of it in the document; null: nothing.</param>
/// <param name="IsUntold">Its status need not say so: the document that would make it true is not there.</param>
internal sealed record Verdict(JsonObject Subject, string Phase, string Reason, JsonObject? Entry, bool IsUntold);

/// <param name="Document">What is to stand there; null: nothing, or nobody knows.</param>
/// <param name="Verdicts">Of each that names the server.</param>
internal sealed record Judgement(JsonObject? Document, IReadOnlyList<Verdict> Verdicts);

/// <summary>Judges all grants and sessions that name one server.</summary>
/// <param name="server">Null: there is none of that name.</param>
/// <param name="policy">Of that server.</param>
/// <param name="now">Decides which sessions have expired.</param>
internal sealed class Access(Wanted? server, PolicyState? policy, DateTimeOffset now)
{
    private readonly JsonObject? _head = server is null ? null : policy?.Kind switch
    {
        PolicyKind.Current => PolicyDocument.Head(server),
        PolicyKind.Frozen => PolicyDocument.HeadOf(server, policy.Stored),
        _ => null,
    };

    public Judgement Judge(IEnumerable<JsonObject> grants, IEnumerable<JsonObject> sessions)
    {
        var verdicts = Judge(grants, "grants").Concat(Judge(sessions, "sessions")).ToList();
        if (_head is null)
            return new(null, verdicts);
        var held = verdicts.Where(verdict => verdict.Entry is not null).ToList();
        var leftOut = Room.LeftOut(_head, held, server!.Namespace, now);
        // What it withheld must not become open to all.
        if (held.Any(one => leftOut.Contains(one.Subject) && one.Subject.Raw("kind") == "MCPAccessGrant" && !one.Subject.Flag("spec", "disabled")))
            _head["policy"]!["default_decision"] = "deny";
        for (var i = 0; i < verdicts.Count; i++)
            if (leftOut.Contains(verdicts[i].Subject))
                verdicts[i] = HasExpired(verdicts[i].Subject, now)
                    ? verdicts[i] with { Entry = null }
                    : verdicts[i] with { Entry = null, Phase = "Rejected", Reason = "PolicyFull" };
        IEnumerable<Verdict> Of(string kind) => verdicts.Where(verdict => verdict.Entry is not null && verdict.Subject.Raw("kind") == kind);
        return new(PolicyDocument.Of(_head, Of("MCPAccessGrant"), Of("MCPAgentSession")), verdicts);
    }

    public static string TargetOf(JsonObject subject) => Json.Key(
        subject.Text("spec", "serverRef", "namespace") ?? subject.Namespace(), subject.Text("spec", "serverRef", "name")!);

    public static DateTimeOffset? ExpiryOf(JsonObject session) => session.Text("spec", "expiresAt") is { } text
        ? DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)
        : null;

    public static bool HasExpired(JsonObject session, DateTimeOffset now) =>
        ExpiryOf(session) is { } expiry && DateTimeOffset.FromUnixTimeSeconds(expiry.ToUnixTimeSeconds()) <= now;

    private IEnumerable<Verdict> Judge(IEnumerable<JsonObject> all, string list)
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        var stood = PolicyDocument.KeysOf(policy?.Stored, list);
        // The server's own namespace first, then the older ones, then by the alphabet.
        foreach (var subject in all
            .OrderBy(subject => subject.Namespace() != server?.Namespace)
            .ThenBy(subject => subject.Raw("metadata", "creationTimestamp"), StringComparer.Ordinal)
            .ThenBy(subject => subject.Namespace(), StringComparer.Ordinal))
        {
            var verdict = Judge(subject, list, taken, mayComeIn: policy?.Kind != PolicyKind.Frozen || stood.Contains(subject.Key()));
            if (verdict.Entry is not null || (_head is null && verdict.Phase != "Rejected"))
                taken.Add(subject.Name());
            yield return verdict;
        }
    }

    private Verdict Judge(JsonObject subject, string list, HashSet<string> taken, bool mayComeIn)
    {
        var sessions = list == "sessions";
        var isUntold = policy is { IsInForce: false } || !mayComeIn;
        Verdict Rejected(string reason, bool untold = false) => new(subject, "Rejected", reason, null, untold);
        if (IsInvalid(subject, sessions))
            return Rejected("Invalid");
        if (server is null)
            return Rejected("ServerNotFound");
        if (subject.Namespace() != server.Namespace && !Consents(server.Consent, subject.Namespace()))
            return Rejected("NamespaceNotAllowed");
        if (subject.Raw("metadata", "deletionTimestamp") is not null)
            return Rejected("Terminating", isUntold);
        var entry = _head is null ? null
            : sessions ? PolicyDocument.Session(subject, PolicyDocument.TeamOf(_head))
            : PolicyDocument.Grant(subject, PolicyDocument.TeamOf(_head));
        // Where there is no document nobody has a share of it.
        if (entry is not null && Room.Of(entry) > Room.OfOne)
            return Rejected("TooLarge");
        if (taken.Contains(subject.Name()))
            return Rejected("DuplicateName", isUntold);
        var word = sessions
            ? subject.Flag("spec", "revoked") ? "Revoked" : HasExpired(subject, now) ? "Expired" : "Accepted"
            : subject.Flag("spec", "disabled") ? "Disabled" : "Accepted";
        // A policy that is not there may be one that cannot hold it.
        return new(subject, word, word, mayComeIn ? entry : null, isUntold);
    }

    private static bool Consents(string? annotation, string @namespace) =>
        (annotation ?? "").Split(',', StringSplitOptions.TrimEntries).Any(entry => entry == "*" || entry == @namespace);

    // Of the rules of docs/api.md, those that a schema lets through.
    private static bool IsInvalid(JsonObject subject, bool session)
    {
        string[] ids = ["humanID", "agentID", "teamID"];
        var given = ids.Select(id => subject.Raw("spec", "subject", id)).OfType<string>().Where(id => id.Trim().Length > 0).ToList();
        return given.Any(id => id.Any(char.IsControl)) || (session && given.Count == 0);
    }
}
