using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Controller;
using McpOperator.Mirror;
using McpOperator.Servers;
using McpOperator.Servers.Kinds;

namespace McpOperator.Commands.Manifests;

/// <summary>
/// The pass that the operator would make over a server, with nobody to send anything to: the rows of the same table, and the same
/// policy.
/// </summary>
/// <param name="now">Decides which sessions are expired: they are the first that a full policy does without.</param>
internal sealed class ServerPlan(
    IReadOnlyList<StoredAccess> grants, IReadOnlyList<StoredAccess> sessions, OperatorSettings settings, DateTimeOffset now)
{
    private readonly RouteTable _routes = new(settings);
    private readonly Stores _stores = new(new Nobody(), new Nobody(), settings);

    public ServerKinds Kinds => field ??= new(_stores, Product.Identity.OwnedFields, TimeProvider.System);

    /// <summary>Takes in a server that asks for routes or optional kinds, planned or not.</summary>
    public void Add(MCPServer server)
    {
        _routes.Update(server.Key, server);
        _stores.Optional.Note(server);
    }

    /// <param name="policy">The ConfigMap that is there; null for none.</param>
    /// <param name="mayRunGateway">Whether a policy would stand there: gateways run with no other (<see cref="PolicyState.MayRunGateway"/>).</param>
    public Pass PassOver(MCPServer server, ObservedConfigMap? policy, bool mayRunGateway) => new(
        server,
        new PolicyState(
            server.Metadata.Uid, server.Metadata.Generation, Condition: null, mayRunGateway, policy is { NeedsNewPods: true } ? policy.Uid : null),
        () => _routes.ConflictOf(server.Key), settings, new ServerMemory(Kinds))
    {
        IsPlan = true,
    };

    /// <summary>With the defaults filled in.</summary>
    public MCPServer InEffect(MCPServer server) => server with { Spec = Defaults.Apply(server.Metadata.Name, server.Spec, settings) };

    /// <summary>The ConfigMap with the policy; null without a gateway, and of a policy that fits into none.</summary>
    /// <param name="server">With the defaults filled in, and valid.</param>
    /// <param name="live">The one that is there: the time in it stays, which no rendered one has.</param>
    /// <param name="tell">Told what would be said of each grant and session.</param>
    public byte[]? PolicyOf(MCPServer server, ObservedConfigMap? live = null, Action<AccessObject, Verdict>? tell = null)
    {
        if (!server.Spec.HasGateway() || PolicyHead.Of(server, settings) is not { IsTooLarge: false } head)
            return null;
        var judged = AccessJudgement.Of(
            server.Key, server, head,
            grants.Where(grant => grant.Server == server.Key).Select(grant => grant.ReadGrant()),
            sessions.Where(session => session.Server == server.Key).Select(session => session.ReadSession()),
            now);
        foreach (var (member, verdict) in judged.Verdicts)
            tell?.Invoke(member, verdict);
        var document = new PolicyDocument(judged.Head!, judged.Grants, judged.Sessions);
        return PolicyConfigMapBuilder.Build(server, document, live?.Policy?.GeneratedAt, found: null, needsNewPods: live is { NeedsNewPods: true });
    }

    /// <summary>Where nothing changes, nobody is asked to look.</summary>
    private sealed class Nobody : IEnqueuer
    {
        public void Add(ObjectKey key, Priority priority = Priority.Changed)
        {
        }

        public void AddAfter(ObjectKey key, TimeSpan delay)
        {
        }
    }
}
