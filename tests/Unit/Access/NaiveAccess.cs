using System.Text;
using System.Text.Json.Nodes;
using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Access;

/// <summary>
/// Which grants and sessions a document holds, and what is said of each, a second time: docs/policy.md sentence by sentence, with no
/// eye to cost. Each size is the difference of two whole texts.
/// </summary>
internal sealed class NaiveAccess
{
    private readonly List<(AccessObject Member, string? Reason)> _said = [];

    /// <summary>Null when there is to be no document.</summary>
    public JsonObject? Head { get; private set; }

    public List<MCPAccessGrant> Grants { get; private set; } = [];

    public List<MCPAgentSession> Sessions { get; private set; } = [];

    /// <summary>The reason for each; none for those of which nothing is said.</summary>
    public IEnumerable<(AccessObject Member, string Reason)> Said => _said.Where(entry => entry.Reason is not null).Select(entry => (entry.Member, entry.Reason!));

    public string Revision => NaivePolicy.Of(Head!, Grants, Sessions, null).Revision;

    /// <param name="key">Of the server.</param>
    /// <param name="server">Null when there is none.</param>
    /// <param name="head">What the document says of the server (<see cref="NaivePolicy.Head"/>); null for no document.</param>
    /// <param name="frozen">The document that stands there, when only what it holds may stay; null else.</param>
    /// <param name="grants">All that name the server.</param>
    /// <param name="sessions">Likewise.</param>
    /// <param name="now">Decides what has expired.</param>
    /// <param name="room">For the text.</param>
    /// <param name="budget">Of each.</param>
    public static NaiveAccess Of(
        ObjectKey key, MCPServer? server, JsonObject? head, JsonObject? frozen, IEnumerable<MCPAccessGrant> grants,
        IEnumerable<MCPAgentSession> sessions, DateTimeOffset now, int room = 1024 * 1024, int budget = 32 * 1024)
    {
        var access = new NaiveAccess { Head = head };
        access.Grants = access.Judge(grants, key, server, frozen is null ? null : Keys(frozen, "grants"), budget, grant => Validation.Validate(grant).Count > 0,
            grant => grant.Spec.Disabled == true ? "Disabled" : "Accepted");
        access.Sessions = access.Judge(sessions, key, server, frozen is null ? null : Keys(frozen, "sessions"), budget, session => Validation.Validate(session).Count > 0,
            session => session.Spec.Revoked == true ? "Revoked" : session.ExpiresAt <= now ? "Expired" : "Accepted");
        if (head is null)
            (access.Grants, access.Sessions) = ([], []);
        else
            access.LeaveOut(key, now, room);
        return access;
    }

    private static bool OnlyDenies(AccessObject member) =>
        member is MCPAccessGrant { Spec: { Disabled: not true, ToolRules: { Count: > 0 } rules } } && rules.All(rule => rule.Decision?.Trim() == "deny");

    private List<T> Judge<T>(
        IEnumerable<T> all, ObjectKey key, MCPServer? server, HashSet<ObjectKey>? stood, int budget, Func<T, bool> isInvalid, Func<T, string> otherwise)
        where T : AccessObject
    {
        var held = new List<T>();
        // The server's own namespace first, then the older, then by the alphabet.
        foreach (var member in all.OrderBy(member => member.Metadata.Namespace != key.Namespace)
            .ThenBy(member => member.Metadata.CreationTimestamp).ThenBy(member => member.Metadata.Namespace, StringComparer.Ordinal).ThenBy(member => member.Metadata.Name, StringComparer.Ordinal))
        {
            var ns = member.Metadata.Namespace;
            var consents = server is not null
                && (ns == key.Namespace || (server.AllowAccessFrom ?? "").Split(',').Select(name => name.Trim()).Any(name => name == "*" || name == ns));
            var refusal = isInvalid(member) ? "Invalid"
                : server is null ? "ServerNotFound"
                : !consents ? "NamespaceNotAllowed"
                : member.Metadata.DeletionTimestamp is not null ? "Terminating"
                : Head is not null && SizeOf(member) > budget ? "TooLarge"
                : null;
            if (stood?.Contains(member.Key) == false && !OnlyDenies(member))
            {
                _said.Add((member, refusal == "Terminating" ? null : refusal));
                continue;
            }

            if (refusal is null && held.Any(other => other.Metadata.Name == member.Metadata.Name))
                refusal = "DuplicateName";
            if (refusal is null)
                held.Add(member);
            _said.Add((member, refusal ?? otherwise(member)));
        }

        return [.. held.OrderBy(member => member.Metadata.Namespace, StringComparer.Ordinal).ThenBy(member => member.Metadata.Name, StringComparer.Ordinal)];
    }

    private void LeaveOut(ObjectKey key, DateTimeOffset now, int room)
    {
        if (Size(Grants, Sessions) <= room)
            return;
        var turns = Grants.Cast<AccessObject>().Concat(Sessions)
            .OrderBy(member => !Denies(member)).ThenBy(Expired).ThenBy(member => !Denies(member) && member.Metadata.Namespace != key.Namespace)
            .ThenBy(member => member.Metadata.CreationTimestamp).ThenBy(member => member.Metadata.Namespace, StringComparer.Ordinal)
            .ThenBy(member => member.Metadata.Name, StringComparer.Ordinal).ThenBy(member => member is MCPAgentSession).ToList();
        var count = 0;
        while (count < turns.Count && Size([.. turns.Take(count + 1).OfType<MCPAccessGrant>()], [.. turns.Take(count + 1).OfType<MCPAgentSession>()]) <= room)
            count++;
        if (count < turns.Count && Denies(turns[count]))
            count = 0;

        var out_ = turns.Skip(count).ToHashSet<AccessObject>(ReferenceEqualityComparer.Instance);
        Grants.RemoveAll(out_.Contains);
        Sessions.RemoveAll(out_.Contains);
        for (var i = 0; i < _said.Count; i++)
        {
            if (out_.Contains(_said[i].Member) && !Expired(_said[i].Member))
                _said[i] = (_said[i].Member, "PolicyFull");
        }

        if (out_.OfType<MCPAccessGrant>().Any(grant => grant.Spec.Disabled != true) && Head!["policy"] is JsonObject policy && policy.ContainsKey("default_decision"))
        {
            Head = Head.DeepClone().AsObject();
            Head["policy"]!["default_decision"] = "deny";
        }

        bool Expired(AccessObject member) => member is MCPAgentSession session && session.ExpiresAt <= now;

        static bool Denies(AccessObject member) => member is MCPAccessGrant { Spec.Disabled: not true } grant
            && (grant.Spec.ToolRules ?? []).Any(rule => rule.Decision?.Trim() == "deny" || rule.RequiredTrust?.Trim() is "medium" or "high");
    }

    private int SizeOf(AccessObject member) => member is MCPAccessGrant grant
        ? Size([Another, grant], []) - Size([Another], [])
        : Size([], [AnotherSession, (MCPAgentSession)member]) - Size([], [AnotherSession]);

    private static readonly MCPAccessGrant Another = AccessObjects.Grant("another");
    private static readonly MCPAgentSession AnotherSession = AccessObjects.Session("another");

    private int Size(List<MCPAccessGrant> grants, List<MCPAgentSession> sessions) =>
        Encoding.UTF8.GetByteCount(NaivePolicy.Of(Head!, grants, sessions, "2026-01-02T03:04:05Z").Text);

    private static HashSet<ObjectKey> Keys(JsonObject document, string list) =>
        [.. (document[list] as JsonArray ?? []).Select(member => new ObjectKey(member!["namespace"]?.GetValue<string>() ?? "", member["name"]!.GetValue<string>()))];
}
