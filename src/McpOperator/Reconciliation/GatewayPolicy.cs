using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using McpOperator.Resources;
using Microsoft.Extensions.Logging;

namespace McpOperator.Reconciliation;

/// <summary>Keeps the ConfigMap in which a server's gateway finds its policy.</summary>
public sealed class GatewayPolicy(
    Stores stores, ApiClient api, OperatorSettings settings, OperatorCounters counters, TimeProvider time, ILogger logger)
{
    private readonly OwnedObjects<ObservedConfigMap> _configMaps =
        new(Kinds.ConfigMap, ConditionTypes.PolicyReady, ObservedConfigMap.Decode, stores.ConfigMaps, api, counters, logger, PolicyConfigMapBuilder.NameOf);

    // So that a policy which somebody makes something else of, each time, has one text, and is not written again with
    // every second that passes.
    private readonly KeyMap<StoredPolicy> _written = new();

    /// <summary>What stands there, whoever's it is.</summary>
    public ObservedConfigMap? Get(ObjectKey server) => _configMaps.Get(server);

    /// <summary>What stands there of it, without changing anything.</summary>
    public Ensured<ObservedConfigMap> Look(MCPServer server) => _configMaps.Look(server);

    /// <summary>The revision that should stand there, of a server whose spec may be invalid: nothing is written for that one.</summary>
    public string RevisionOf(MCPServer server, PolicyMembers members) => Document(server, members).Revision;

    /// <summary>Writes the policy, unless it stands there already: then its text stays, time and all.</summary>
    /// <param name="server">With its spec in effect, valid, and with a gateway.</param>
    /// <param name="members">The grants and sessions for it.</param>
    /// <param name="cancellationToken">Ends it; what was sent may or may not have happened.</param>
    /// <returns>What stands there now, and the revision that should.</returns>
    public async Task<(Ensured<ObservedConfigMap> ConfigMap, string Revision)> EnsureAsync(
        MCPServer server, PolicyMembers members, CancellationToken cancellationToken)
    {
        var document = Document(server, members);
        var stored = new[] { Look(server).Live?.Policy, _written.Get(server.Key) }
            .FirstOrDefault(policy => policy?.Revision == document.Revision) ?? new StoredPolicy(document.Revision, time.GetUtcNow());
        var text = document.ToText(stored.GeneratedAt);
        if (PolicyConfigMapBuilder.TooLarge(text) is { } reason)
            return (new(Look(server).Live, new Problem(Reasons.PolicyTooLarge, reason)), document.Revision);

        _written.Set(server.Key, stored);
        var intent = Intent.Of(PolicyConfigMapBuilder.Build(server, text));
        var live = Look(server).Live;
        // A grant that is taken back must reach the gateways all the same. They keep what they have while it is away.
        if (live is { IsImmutable: true } && live.Policy?.Revision != document.Revision
            && await RemoveAsync(server, cancellationToken).ConfigureAwait(false) is { Problem: not null } stuck)
            return (stuck, document.Revision);
        // A grant that changes makes another policy, though not another generation of the server.
        bool? isRepair = live?.Policy is { } policy ? policy.Revision == document.Revision : null;
        var ensured = await _configMaps.EnsureAsync(server, intent, cancellationToken, Detours.OfConfigMap, isRepair).ConfigureAwait(false);
        return (ensured, document.Revision);
    }

    private PolicyDocument Document(MCPServer server, PolicyMembers members) =>
        new(PolicyHead.Of(server, settings), members.Grants, members.Sessions);

    public Task<Ensured<ObservedConfigMap>> RemoveAsync(MCPServer server, CancellationToken cancellationToken) =>
        _configMaps.RemoveAsync(server, cancellationToken);

    public void Forget(ObjectKey server)
    {
        _configMaps.Forget(server);
        _written.Remove(server);
    }
}
