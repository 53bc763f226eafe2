using System.Text;
using System.Text.Json.Nodes;

namespace McpOperator.Soak.Checking;

/// <summary>Who has room in a document, by the limits of docs/policy.md.</summary>
internal static class Room
{
    public const int OfOne = 32 * 1024;

    public const int OfAll = 1024 * 1024;

    private const string AnyTime = "2020-01-02T03:04:05Z";

    /// <summary>From the comma before it to the bracket that closes it, as it is stored.</summary>
    public static int Of(JsonObject member)
    {
        var text = GoJson.Indented(member);
        return Encoding.UTF8.GetByteCount(text) + ",\n".Length + (4 * (1 + text.Count(c => c == '\n')));
    }

    /// <param name="head">Of the document.</param>
    /// <param name="all">All that would be in it.</param>
    /// <param name="own">The server's namespace.</param>
    /// <param name="now">Decides which sessions have expired.</param>
    public static IReadOnlySet<JsonObject> LeftOut(JsonObject head, IReadOnlyList<Verdict> all, string own, DateTimeOffset now)
    {
        var inTurn = all
            .OrderBy(one => TurnOf(one.Subject, own, now))
            .ThenBy(one => one.Subject.Raw("metadata", "creationTimestamp"), StringComparer.Ordinal)
            .ThenBy(one => one.Subject.Namespace(), StringComparer.Ordinal)
            .ThenBy(one => one.Subject.Name(), StringComparer.Ordinal)
            .ToList();
        var left = OfAll - Encoding.UTF8.GetByteCount(PolicyDocument.WithTime(PolicyDocument.Of(head, [], []), AnyTime)!);
        var begun = new HashSet<string>();
        for (var i = 0; i < inTurn.Count; i++)
        {
            var list = IsGrant(inTurn[i].Subject) ? "grants" : "sessions";
            // The first one has no comma before it, but the list around it.
            if (begun.Add(list))
                left -= $",\n  \"{list}\": [".Length + "\n  ]".Length - ",".Length;
            left -= Of(inTurn[i].Entry!);
            if (left < 0)
                return inTurn.Skip(TurnOf(inTurn[i].Subject, own, now) == 0 ? 0 : i)
                    .Select(one => one.Subject).ToHashSet<JsonObject>(ReferenceEqualityComparer.Instance);
        }
        return new HashSet<JsonObject>();
    }

    private static int TurnOf(JsonObject subject, string own, DateTimeOffset now) =>
        TakesAway(subject) ? 0 : (subject.Namespace() == own ? 1 : 2) + (Access.HasExpired(subject, now) ? 2 : 0);

    private static bool TakesAway(JsonObject subject) => !subject.Flag("spec", "disabled") && subject.Items("spec", "toolRules").Any(rule =>
        rule.Text("decision") is "deny" || rule.Text("requiredTrust") is not (null or "low"));

    private static bool IsGrant(JsonObject subject) => subject.Raw("kind") == "MCPAccessGrant";
}
