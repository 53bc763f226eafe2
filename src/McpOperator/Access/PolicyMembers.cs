using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Access;

/// <summary>
/// Which of the grants and sessions that name a server its policy holds, and what is said of each. Each one is judged on
/// its own, so that a bad one never keeps the others from the gateway.
/// </summary>
public sealed class PolicyMembers
{
    private readonly List<MCPAccessGrant> _grants = [];
    private readonly List<MCPAgentSession> _sessions = [];
    private readonly List<(PolicyMember Member, Verdict Verdict)> _verdicts = [];

    private PolicyMembers()
    {
    }

    /// <summary>Those that the policy holds, by namespace, then name; the disabled ones are among them.</summary>
    public IReadOnlyList<MCPAccessGrant> Grants => _grants;

    /// <summary>Those that the policy holds, by namespace, then name; the revoked ones are among them.</summary>
    public IReadOnlyList<MCPAgentSession> Sessions => _sessions;

    /// <summary>One for each grant and session that was given.</summary>
    public IReadOnlyList<(PolicyMember Member, Verdict Verdict)> Verdicts => _verdicts;

    /// <summary>When the next session expires, and this is to be asked again; null when none ever does.</summary>
    public DateTimeOffset? NextExpiry { get; private set; }

    /// <param name="key">Of the server; its name is blank for those that name none.</param>
    /// <param name="server">Null when there is none of that name.</param>
    /// <param name="grants">All that name it (<see cref="StoredMember.Server"/>), in any order.</param>
    /// <param name="sessions">Likewise.</param>
    /// <param name="now">Decides which sessions are expired.</param>
    public static PolicyMembers Of(
        ObjectKey key, MCPServer? server, IEnumerable<MCPAccessGrant> grants, IEnumerable<MCPAgentSession> sessions, DateTimeOffset now)
    {
        var members = new PolicyMembers();
        var holders = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var grant in InTurn(grants, key.Namespace))
        {
            var verdict = Refusal(grant, Validation.Validate(grant), key, server) ?? Duplicate(grant, holders, key);
            if (verdict is null)
                members._grants.Add(grant);
            members._verdicts.Add((grant, verdict ?? Taken(grant, key, server!)));
        }

        holders.Clear();
        foreach (var session in InTurn(sessions, key.Namespace))
        {
            var verdict = Refusal(session, Validation.Validate(session), key, server);
            if (verdict is null && session.ExpiresAt is { } time)
            {
                if (time <= now)
                    verdict = session.Spec.Revoked is true ? Revoked : Expired(time);
                else if (members.NextExpiry is null || time < members.NextExpiry)
                    members.NextExpiry = time;
            }

            verdict ??= Duplicate(session, holders, key);
            if (verdict is null)
                members._sessions.Add(session);
            members._verdicts.Add((session, verdict ?? Taken(session, key, server!)));
        }

        members._grants.Sort(InOrder);
        members._sessions.Sort(InOrder);
        return members;
    }

    /// <summary>
    /// The server's own namespace comes first: whoever may write into another one must not be able to push a grant of the
    /// server's own out of the policy by its name.
    /// </summary>
    private static List<T> InTurn<T>(IEnumerable<T> members, string own)
        where T : PolicyMember
    {
        List<T> sorted = [.. members];
        sorted.Sort((left, right) => left.Metadata.Namespace == right.Metadata.Namespace ? InOrder(left, right)
            : left.Metadata.Namespace == own ? -1
            : right.Metadata.Namespace == own ? 1
            : InOrder(left, right));
        return sorted;
    }

    private static int InOrder(PolicyMember left, PolicyMember right)
    {
        var order = string.CompareOrdinal(left.Metadata.Namespace, right.Metadata.Namespace);
        return order != 0 ? order : string.CompareOrdinal(left.Metadata.Name, right.Metadata.Name);
    }

    private static Verdict? Refusal(PolicyMember member, IReadOnlyList<SpecFault> faults, ObjectKey key, MCPServer? server)
    {
        if (faults.Count > 0)
            return Invalid(faults);
        if (server is null)
        {
            return Rejected(AccessReasons.ServerNotFound, $"MCPServer {key} does not exist"
                + (key.Namespace == member.Metadata.Namespace ? "" : ", or this operator does not watch its namespace"));
        }

        if (!server.AllowsAccessFrom(member.Metadata.Namespace))
        {
            return Rejected(AccessReasons.NamespaceNotAllowed, $"MCPServer {key} takes nothing from namespace {member.Metadata.Namespace}: " +
                "its annotation mcpruntime.org/allow-access-from does not list it");
        }

        return null;
    }

    /// <summary>A gateway refuses a policy in which a name comes twice. The first one in turn keeps it.</summary>
    private static Verdict? Duplicate(PolicyMember member, Dictionary<string, string> holders, ObjectKey key) =>
        holders.TryAdd(member.Metadata.Name, member.Metadata.Namespace)
            ? null
            : Rejected(AccessReasons.DuplicateName, $"MCPServer {key} already has one of this name, " +
                $"from namespace {holders[member.Metadata.Name]}: rename one of the two");

    private static Verdict Taken(MCPAccessGrant grant, ObjectKey key, MCPServer server) => grant.Spec.Disabled is true
        ? new Verdict(AccessPhase.Disabled, AccessReasons.Disabled, $"Accepted for MCPServer {key}, and disabled: it grants nothing")
        : Accepted(key, server);

    private static Verdict Taken(MCPAgentSession session, ObjectKey key, MCPServer server) =>
        session.Spec.Revoked is true ? Revoked : Accepted(key, server);

    private static Verdict Accepted(ObjectKey key, MCPServer server) => new(
        AccessPhase.Accepted, AccessReasons.Accepted,
        $"Accepted for MCPServer {key}" + (server.Spec.HasGateway() ? "" : ", whose gateway is off: nothing enforces it"));

    private static Verdict Revoked { get; } = new(AccessPhase.Revoked, AccessReasons.Revoked, "Revoked");

    private static Verdict Expired(DateTimeOffset time) =>
        new(AccessPhase.Expired, AccessReasons.Expired, $"Expired at {KubernetesTime.Format(time)}");

    private static Verdict Invalid(IReadOnlyList<SpecFault> faults) =>
        Rejected(AccessReasons.Invalid, string.Join("; ", faults));

    private static Verdict Rejected(string reason, string message) => new(AccessPhase.Rejected, reason, message);
}
