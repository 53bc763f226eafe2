using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Controller;
using McpOperator.Hosting;
using Microsoft.Extensions.Logging;

namespace McpOperator.Commands;

/// <summary>The operator itself: connects, and runs the controller until it is told to stop.</summary>
internal static class OperatorService
{
    /// <exception cref="ConnectionException">It is not said how to reach the cluster.</exception>
    public static async Task RunAsync(RunContext context)
    {
        var (options, settings, time) = (context.Options, context.Settings, context.Time);
        var access = new ConnectionSource().Find(options.Kubeconfig);
        CertificateStores.OpenOnlyWhatIsNeeded(access);
        using var connection = new Connection(access, time);
        var requests = new RequestCounter();
        using var leases = new ApiClient(Product.Identity, connection, time, requests);
        // As in client-go: the host's name, and something unique. (Not a Guid: it takes a /dev/urandom, which an empty root has not.)
        var identity = $"{Environment.MachineName}_{Random.Shared.NextInt64():x16}";
        var elector = Elector(context, leases, access, identity);
        using var api = new ApiClient(Product.Identity, connection, time, requests, elector is null ? null : () => elector.Leads);
        OutOfMemory.EndsTheProcess(options.LogFormat, api.Largest);
        var ending = new EndingNamespaces();
        using var recorder = new EventRecorder(api, Product.EventReporter, identity, ending, time, context.LoggerFactory.CreateLogger<EventRecorder>());
        using var operation = new Operation(context, api, recorder.Record, ending);
        var lanes = operation.Lanes;
        var (reflectors, ofAccess) = Reflectors(context, api, operation);
        var loop = new ControllerLoop(
            lanes, reflectors, context.LoggerFactory.CreateLogger<ControllerLoop>(), time, elector is null ? null : LeadAsync);

        context.Liveness.Add("reconcile", loop.StuckReconcile);
        context.Liveness.Add("watches", loop.StuckWatch);
        context.Readiness.Add("caches", () => loop.HasSynced
            ? null
            : $"not listed yet: {string.Join(", ", reflectors.Where(r => !r.Synced.IsCompleted).Select(r => r.Name))}");
        context.Metrics.Add(new ControllerMetrics(lanes, reflectors).Write);
        context.Metrics.Add(new ClientMetrics(requests, access.Server).Write);
        context.Metrics.Add(new OperatorMetrics(operation.Counters, () => operation.Judged, operation.Stores, recorder).Write);
        context.LoggerFactory.CreateLogger(nameof(OperatorService)).Connecting(
            access.Server, access.Origin,
            options.WatchNamespaces.Count == 0 ? "all namespaces" : string.Join(", ", options.WatchNamespaces));
        if (elector is null)
        {
            await loop.RunAsync(context.Stopping);
            return;
        }

        elector.Rewound += () => reflectors.ForEach(reflector => reflector.Rewound());
        context.Liveness.Add("leaderElection", elector.StuckLeader);
        context.Metrics.Add(new ElectionMetrics(elector).Write);
        await elector.RunAsync(loop.RunAsync, context.Stopping);

        // What was watched while another process led may lag behind, and what that one has taken away must not come back.
        async Task LeadAsync(CancellationToken stop)
        {
            await elector.AcquireAsync(stop);
            await Task.WhenAll(ofAccess.Select(reflector => reflector.RefreshAsync(stop)));
        }
    }

    /// <summary>Null without --leader-elect.</summary>
    private static LeaderElector? Elector(RunContext context, ApiClient leases, ClusterAccess access, string identity) =>
        !context.Options.LeaderElect ? null : new LeaderElector(
            leases,
            new ObjectKey(context.Options.LeaseNamespace ?? access.Namespace, Product.Lease),
            identity,
            context.Options.LeaseTiming,
            context.LoggerFactory.CreateLogger<LeaderElector>(),
            context.Time,
            Random.Shared.NextDouble);

    /// <summary>
    /// One for each kind and scope: the cluster, or every watched namespace on its own. And those of them from which follows who
    /// may call a server: whoever acts on them begins with what etcd says.
    /// </summary>
    private static (List<IReflector> All, List<IReflector> OfAccess) Reflectors(
        RunContext context, ApiClient api, Operation operation)
    {
        var (reflectors, ofAccess) = (new List<IReflector>(), new List<IReflector>());
        var factory = Factory();
        var (access, ours) = (operation.Access, api.Identity.OwnedFields);
        IReadOnlyList<string?> scopes = context.Options.WatchNamespaces is { Count: > 0 } some ? [.. some] : [null];
        foreach (var ns in scopes)
        {
            // A standby lists from the cache, and once more when it leads.
            var fromEtcd = !context.Options.LeaderElect;
            ofAccess.Add(factory.Create(MCPServer.Type, ns, null, json => StoredServer.DecodeOutline(json, ours, context.Settings), operation.Stores.Servers, fromEtcd));
            ofAccess.Add(factory.Create(MCPAccessGrant.Type, ns, null, json => StoredAccess.Decode(json, ours), access.Grants.Store, fromEtcd));
            ofAccess.Add(factory.Create(MCPAgentSession.Type, ns, null, json => StoredAccess.Decode(json, ours), access.Sessions.Store, fromEtcd));
        }

        // What servers want of the optional kinds is known by then.
        factory = Factory(Task.WhenAll(ofAccess.Select(static reflector => reflector.Synced)));
        foreach (var ns in scopes)
        {
            reflectors.AddRange(operation.Kinds.All.Select(kind => kind.Watch(factory, ns)).OfType<IReflector>());
            reflectors.AddRange(operation.Stores.Configuration.All.Select(kind => factory.CreateForVersions(kind.Type, ns, kind.Fields, kind.Store, kind.Wanted)));
            reflectors.Add(factory.Create(
                ResourceTypes.ConfigMap, ns, Labels.ManagedSelector, json => new ObservedConfigMap(json, ours), access.ConfigMaps));
        }

        return ([.. ofAccess, .. reflectors], ofAccess);

        ReflectorFactory Factory(Task? known = null) => new(
            api, context.Options.WatchTimeout, context.Time, context.LoggerFactory.CreateLogger("Reflector"), known);
    }
}
