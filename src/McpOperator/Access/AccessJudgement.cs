using System.Globalization;
using McpOperator.Api;

namespace McpOperator.Access;

/// <summary>
/// Which grants and sessions of a server its policy holds, and the verdict on each. Each is judged on its own, so that a bad one
/// never keeps the others out.
/// </summary>
internal sealed class AccessJudgement
{
    private readonly List<MCPAccessGrant> _grants = [];
    private readonly List<MCPAgentSession> _sessions = [];
    private readonly List<(AccessObject Member, Verdict Verdict)> _verdicts = [];

    private AccessJudgement()
    {
    }

    /// <summary>In the document, by namespace and name, disabled ones included. None without a document.</summary>
    public IReadOnlyList<MCPAccessGrant> Grants => _grants;

    /// <summary>In the document, by namespace and name, revoked and expired ones included.</summary>
    public IReadOnlyList<MCPAgentSession> Sessions => _sessions;

    /// <summary>
    /// At most one for each grant and session. None for one that a frozen document keeps out (<see cref="PolicyHead.IsFrozen"/>).
    /// </summary>
    public IReadOnlyList<(AccessObject Member, Verdict Verdict)> Verdicts => _verdicts;

    /// <summary>
    /// When the next session expires, and its verdict changes. The document stays the same, unless it is full. Null when none
    /// does.
    /// </summary>
    public DateTimeOffset? NextExpiry { get; private set; }

    /// <summary>
    /// The head of the document with <see cref="Grants"/> and <see cref="Sessions"/>: the given one. Or, when grants had to be
    /// left out that would deny what the default allows, the same with <c>deny</c> as the default.
    /// </summary>
    public PolicyHead? Head { get; private set; }

    /// <summary>How many grants and sessions are left out for want of room, expired ones included.</summary>
    public int LeftOut { get; private set; }

    /// <param name="key">Of the server; its name is blank for those that name none.</param>
    /// <param name="server">Null when it does not exist. Consent counts even if its spec cannot be read.</param>
    /// <param name="head">The head of the document; null for none, without a server or a gateway.</param>
    /// <param name="grants">All that name it (<see cref="StoredAccess.Server"/>), in any order.</param>
    /// <param name="now">Decides which sessions are expired.</param>
    public static AccessJudgement Of(
        ObjectKey key, MCPServer? server, PolicyHead? head, IEnumerable<MCPAccessGrant> grants, IEnumerable<MCPAgentSession> sessions,
        DateTimeOffset now) => Of(key, server, head, grants, sessions, now, PolicyConfigMapBuilder.MaxBytes);

    /// <summary>The same with another <paramref name="room"/> for the text of the document, in bytes.</summary>
    internal static AccessJudgement Of(
        ObjectKey key, MCPServer? server, PolicyHead? head, IEnumerable<MCPAccessGrant> grants, IEnumerable<MCPAgentSession> sessions,
        DateTimeOffset now, int room)
    {
        var judgement = new AccessJudgement { Head = head };
        var size = new AccessObjectSize(head?.Team);
        var holders = new Dictionary<string, string>(StringComparer.Ordinal);
        var isFrozen = head is { IsFrozen: true };
        foreach (var grant in InTurn(grants, key.Namespace))
        {
            // What only denies gives nothing, and takes away.
            var mayComeIn = !isFrozen || head!.HadGrant(grant.Key) || OnlyDenies(grant);
            var refusal = Refusal(grant, Validation.Validate(grant), key, server)
                ?? (head is not null && size.AtMost(grant) > AccessObjectSize.Limit ? TooLarge(size.Of(grant)) : null)
                ?? (mayComeIn ? Duplicate(grant, holders, key) : null);
            if (refusal is null && mayComeIn && head is not null)
                judgement._grants.Add(grant);
            judgement.Add(grant, refusal ?? VerdictOn(grant, key, head), mayComeIn);
        }

        holders.Clear();
        foreach (var session in InTurn(sessions, key.Namespace))
        {
            var mayComeIn = !isFrozen || head!.HadSession(session.Key);
            var refusal = Refusal(session, Validation.Validate(session), key, server)
                ?? (head is not null && size.AtMost(session) > AccessObjectSize.Limit ? TooLarge(size.Of(session)) : null)
                ?? (mayComeIn ? Duplicate(session, holders, key) : null);
            if (refusal is null && mayComeIn && head is not null)
                judgement._sessions.Add(session);
            if (refusal is null && mayComeIn && session.ExpiresAt is { } time && time > now && !(judgement.NextExpiry <= time))
                judgement.NextExpiry = time;
            judgement.Add(session, refusal ?? VerdictOn(session, key, head, now), mayComeIn);
        }

        if (head is not null && PolicyFit.Of(head, judgement._grants, judgement._sessions, key.Namespace, now, room) is { } fit)
            judgement.LeaveOut(fit, key, now);
        judgement._grants.Sort(InOrder);
        judgement._sessions.Sort(InOrder);
        return judgement;
    }

    private static bool OnlyDenies(MCPAccessGrant grant)
    {
        if (grant.Spec.Disabled is true || grant.Spec.ToolRules is not { Count: > 0 } rules)
            return false;
        foreach (var rule in rules)
        {
            if (!rule.Denies())
                return false;
        }

        return true;
    }

    private void LeaveOut(PolicyFit fit, ObjectKey key, DateTimeOffset now)
    {
        LeftOut = fit.Count;
        if (fit.LosesGrant)
            Head = Head!.DenyingByDefault();
        _grants.RemoveAll(fit.LeavesOut);
        _sessions.RemoveAll(fit.LeavesOut);
        var full = Rejected(AccessReasons.PolicyFull, $"The policy of MCPServer {key} is full, and has no room for it: " +
            "delete grants and sessions of that server that nobody needs, or shorten their toolRules");
        for (var i = 0; i < _verdicts.Count; i++)
        {
            // An expired one does not need room.
            if (fit.LeavesOut(_verdicts[i].Member) && !(_verdicts[i].Member is MCPAgentSession { ExpiresAt: { } time } && time <= now))
                _verdicts[i] = (_verdicts[i].Member, full);
        }
    }

    /// <summary>For one that a frozen document keeps out, no verdict that the document would have to make true.</summary>
    private void Add(AccessObject member, Verdict verdict, bool mayComeIn)
    {
        if (mayComeIn || !verdict.TakesPolicy)
            _verdicts.Add((member, verdict));
    }

    /// <summary>
    /// Who has a name first: the server's own namespace, then the older one. A grant from another namespace must not be able to
    /// push one out of the policy, and with it what it denies, by taking its name.
    /// </summary>
    private static List<T> InTurn<T>(IEnumerable<T> members, string own)
        where T : AccessObject
    {
        List<T> sorted = [.. members];
        sorted.Sort((left, right) =>
        {
            if ((left.Metadata.Namespace == own) != (right.Metadata.Namespace == own))
                return left.Metadata.Namespace == own ? -1 : 1;
            var order = left.Metadata.CreationTimestamp.CompareTo(right.Metadata.CreationTimestamp);
            return order != 0 ? order : InOrder(left, right);
        });
        return sorted;
    }

    private static int InOrder(AccessObject left, AccessObject right)
    {
        var order = string.CompareOrdinal(left.Metadata.Namespace, right.Metadata.Namespace);
        return order != 0 ? order : string.CompareOrdinal(left.Metadata.Name, right.Metadata.Name);
    }

    private static Verdict? Refusal(AccessObject member, IReadOnlyList<SpecFault> faults, ObjectKey key, MCPServer? server)
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

        return member.Metadata.DeletionTimestamp is null
            ? null
            : Rejected(AccessReasons.Terminating, "It is being deleted: the policy leaves it out already");
    }

    /// <summary>A gateway refuses a policy in which a name comes twice. The first one in turn keeps it.</summary>
    private static Verdict? Duplicate(AccessObject member, Dictionary<string, string> holders, ObjectKey key) =>
        holders.TryAdd(member.Metadata.Name, member.Metadata.Namespace)
            ? null
            : Rejected(AccessReasons.DuplicateName, $"MCPServer {key} already has one of this name, " +
                $"from namespace {holders[member.Metadata.Name]}: rename one of the two");

    private static Verdict VerdictOn(MCPAccessGrant grant, ObjectKey key, PolicyHead? head) => grant.Spec.Disabled is true
        ? new Verdict(AccessPhase.Disabled, AccessReasons.Disabled, $"Accepted for MCPServer {key}, and disabled: it grants nothing")
        : Accepted(key, head);

    private static Verdict VerdictOn(MCPAgentSession session, ObjectKey key, PolicyHead? head, DateTimeOffset now) =>
        session.Spec.Revoked is true ? Revoked
        : session.ExpiresAt is { } time && time <= now ? Expired(time)
        : Accepted(key, head);

    private static Verdict Accepted(ObjectKey key, PolicyHead? head) => new(
        AccessPhase.Accepted, AccessReasons.Accepted,
        $"Accepted for MCPServer {key}" + (head is null ? ", whose gateway is off: nothing enforces it" : ""));

    private static Verdict Revoked { get; } = new(AccessPhase.Revoked, AccessReasons.Revoked, "Revoked");

    private static Verdict Expired(DateTimeOffset time) =>
        new(AccessPhase.Expired, AccessReasons.Expired, $"Expired at {KubernetesTime.Format(time)}");

    private static Verdict? TooLarge(int size) => size <= AccessObjectSize.Limit ? null : Rejected(
        AccessReasons.TooLarge, string.Create(CultureInfo.InvariantCulture,
            $"It would take {size:N0} bytes of the policy, and one may take {AccessObjectSize.Limit:N0}: shorten spec.toolRules and the ids of spec.subject, " +
            $"or spread the rules over several grants"));

    private static Verdict Invalid(IReadOnlyList<SpecFault> faults) =>
        Rejected(AccessReasons.Invalid, string.Join("; ", faults));

    private static Verdict Rejected(string reason, string message) => new(AccessPhase.Rejected, reason, message);
}
