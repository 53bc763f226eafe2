using System.Globalization;
using System.Text.Json.Nodes;

namespace McpOperator.Soak.Checking;

/// <summary>What docs/policy.md says becomes of a grant or a session.</summary>
/// <param name="IsUntold">The server's policy is not written at present, so that those which it would hold are told nothing.</param>
internal sealed record Verdict(JsonObject Subject, string Phase, string Reason, bool IsInDocument, bool IsUntold);

/// <summary>Judges all grants, or all sessions, at once.</summary>
internal sealed class Access(IReadOnlyDictionary<string, Wanted> servers, Func<Wanted, bool> isFrozen, DateTimeOffset now)
{
    public IReadOnlyList<Verdict> Judge(IEnumerable<JsonObject> all, bool sessions)
    {
        var verdicts = new List<Verdict>();
        foreach (var group in all.GroupBy(TargetOf))
        {
            servers.TryGetValue(group.Key, out var server);
            var taken = new HashSet<string>(StringComparer.Ordinal);
            // The server's own namespace first, then the others in the alphabet.
            foreach (var subject in group
                .OrderBy(subject => subject.Namespace() != server?.Namespace)
                .ThenBy(subject => subject.Namespace(), StringComparer.Ordinal))
            {
                var verdict = Judge(subject, server, sessions, taken);
                if (verdict.IsInDocument)
                    taken.Add(subject.Name());
                verdicts.Add(verdict);
            }
        }
        return verdicts;
    }

    public static string TargetOf(JsonObject subject) => Json.Key(
        subject.Text("spec", "serverRef", "namespace") ?? subject.Namespace(), subject.Text("spec", "serverRef", "name")!);

    public static DateTimeOffset? ExpiryOf(JsonObject session) => session.Text("spec", "expiresAt") is { } text
        ? DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)
        : null;

    private Verdict Judge(JsonObject subject, Wanted? server, bool sessions, HashSet<string> taken)
    {
        var frozen = server is not null && isFrozen(server);
        Verdict Rejected(string reason, bool untold = false) => new(subject, "Rejected", reason, false, untold);
        if (IsInvalid(subject, sessions))
            return Rejected("Invalid");
        if (server is null)
            return Rejected("ServerNotFound");
        if (subject.Namespace() != server.Namespace && !Consents(server.Consent, subject.Namespace()))
            return Rejected("NamespaceNotAllowed");
        var revoked = sessions && subject.Flag("spec", "revoked");
        if (sessions && ExpiryOf(subject) is { } expiry && CutToSecond(expiry) <= now)
            return revoked
                ? new(subject, "Revoked", "Revoked", false, frozen)
                : new(subject, "Expired", "Expired", false, frozen);
        if (taken.Contains(subject.Name()))
            return Rejected("DuplicateName", frozen);
        if (revoked)
            return new(subject, "Revoked", "Revoked", true, frozen);
        return !sessions && subject.Flag("spec", "disabled")
            ? new(subject, "Disabled", "Disabled", true, frozen)
            : new(subject, "Accepted", "Accepted", true, frozen);
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

    private static DateTimeOffset CutToSecond(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());
}
