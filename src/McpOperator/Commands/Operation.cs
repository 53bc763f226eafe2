using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Hosting;
using McpOperator.Mirror;
using McpOperator.Servers;
using McpOperator.Servers.Kinds;
using McpOperator.Servers.Readiness;
using Microsoft.Extensions.Logging;

namespace McpOperator.Commands;

/// <summary>
/// The controllers, put together. The policies have a lane of their own, so that a revocation waits for nothing that is done
/// for a server's objects, and reports and refreshes have theirs, so that it does not wait for those.
/// </summary>
internal sealed class Operation : IDisposable
{
    private readonly RunContext _context;
    private readonly AccessController _access;
    private readonly List<Lane> _lanes = [];

    /// <param name="ending">Shared with whoever writes what is recorded.</param>
    public Operation(RunContext context, ApiClient api, Action<ClusterEvent> record, EndingNamespaces ending)
    {
        _context = context;
        var (settings, time, workers) = (context.Settings, context.Time, context.Options.Workers);
        var servers = Queue();
        var policies = Queue();
        Stores = new Stores(servers, policies, settings, ending);
        Access = new AccessStores(policies, Stores.ImmutablePolicies);
        Kinds = new ServerKinds(Stores, api.Identity.OwnedFields, time);

        var reconciler = new Reconciler(
            Stores, Kinds, Prober(), api, settings, isClusterWide: context.Options.WatchNamespaces.Count == 0, Counters, record, time, context.LoggerFactory.CreateLogger<Reconciler>());
        AddLane("mcpserver", servers, reconciler.ReconcileAsync, workers);

        var logger = context.LoggerFactory.CreateLogger<AccessController>();
        var grants = Reporter(MCPAccessGrant.Type, Access.Grants);
        var sessions = Reporter(MCPAgentSession.Type, Access.Sessions);
        _access = new AccessController(
            Stores, Access, policies, grants, sessions, context.Options.PolicyRefresh ? Refresh() : null, api, settings, Counters,
            Kinds.PodsOf, time, logger);
        // More than a namespace may have: what hangs in one keeps no other waiting.
        AddLane("policy", policies, _access.ReconcileAsync, workers == 1 ? 1 : 4 * workers);

        AccessReporter Reporter(ResourceType type, AccessByServer members)
        {
            var queue = Queue();
            var reporter = new AccessReporter(type, members, queue, ending, api, Counters, time, logger);
            AddLane(type.Kind.ToLowerInvariant(), queue, reporter.ReconcileAsync, workers: 1);
            return reporter;
        }

        McpProber Prober()
        {
            var queue = Queue();
            var pods = new McpPods(api, Random.Shared.NextDouble, context.LoggerFactory.CreateLogger<McpProber>());
            var probe = new McpProbe(new McpClient(Product.Identity.UserAgent, BuildInfo.Version), time);
            var prober = new McpProber(queue, Stores.Mcp, (target, way, stop) => probe.AskAsync(pods, target, way, stop), time, Random.Shared.NextDouble, context.Stopping);
            AddLane("mcp-readiness", queue, prober.ReconcileAsync, McpProber.Workers);
            return prober;
        }

        PolicyRefresh Refresh()
        {
            var queue = Queue();
            var refresh = new PolicyRefresh(queue, api, Counters, time, logger);
            AddLane("policy-refresh", queue, refresh.ReconcileAsync, workers: 1);
            return refresh;
        }
    }

    public Stores Stores { get; }

    public AccessStores Access { get; }

    public ServerKinds Kinds { get; }

    public IReadOnlyList<Lane> Lanes => _lanes;

    public WriteCounters Counters { get; } = new();

    /// <inheritdoc cref="AccessController.Judged"/>
    public long Judged => _access.Judged;

    public void Dispose()
    {
        foreach (var lane in _lanes)
            lane.Queue.Dispose();
    }

    private WorkQueue Queue() => new(_context.Time, Random.Shared.NextDouble);

    private void AddLane(string name, WorkQueue queue, Reconcile reconcile, int workers) =>
        _lanes.Add(new Lane(name, queue, reconcile, workers, _context.Time));
}
