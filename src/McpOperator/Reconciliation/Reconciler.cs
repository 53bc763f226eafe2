using McpOperator.Api;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using McpOperator.Resources;
using McpOperator.Resources.Types;
using Microsoft.Extensions.Logging;

namespace McpOperator.Reconciliation;

/// <summary>
/// Brings the cluster to what one MCPServer asks for, one server at a time, and reports what it sees there. Reads only
/// the stores; every request it makes is one that changes something, or one read before an object is first created.
/// </summary>
public sealed class Reconciler
{
    private readonly Stores _stores;
    private readonly OperatorSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    // Of servers that wait for something that is not ours to do.
    private readonly KeyMap<Seen> _waiting = new();
    // Of servers whose traffic has moved to their gateways, so that a Service which somebody changes in the middle of a
    // rollout does not lead around them until its end.
    private readonly KeyMap<object> _atGateway = new(); // a set, without the code of another kind of collection
    // Of servers whose policy is not known yet for the spec that they have.
    private readonly KeyMap<ObjectMeta> _awaitingPolicy = new();
    private readonly NamespacePrerequisites _prerequisites;
    private readonly OwnedObjects<ObservedDeployment> _deployments;
    private readonly OwnedObjects<ObservedDeployment> _canaries;
    private readonly OwnedObjects<ObservedService> _services;
    private readonly OwnedObjects<ObservedIngress> _ingresses;
    private readonly ServerEvents _events;
    private readonly ServerWriter _servers;

    public Reconciler(
        Stores stores, ApiClient api, OperatorSettings settings, OperatorCounters counters, Action<ClusterEvent> record, TimeProvider time,
        ILogger logger)
    {
        _stores = stores;
        _events = new ServerEvents(record);
        _settings = settings;
        _time = time;
        _logger = logger;
        _prerequisites = new NamespacePrerequisites(api, settings, counters, logger);
        _deployments = new(Kinds.Deployment, ConditionTypes.DeploymentReady, ObservedDeployment.Decode, stores.Deployments, api, counters, logger);
        _canaries = new(
            Kinds.Deployment, ConditionTypes.CanaryReady, ObservedDeployment.Decode, stores.Deployments, api, counters, logger,
            DeploymentBuilder.CanaryName);
        _services = new(Kinds.Service, ConditionTypes.ServiceReady, ObservedService.Decode, stores.Services, api, counters, logger);
        _ingresses = new(Kinds.Ingress, ConditionTypes.IngressReady, ObservedIngress.Decode, stores.Ingresses, api, counters, logger);
        _servers = new ServerWriter(api, stores, settings, counters, logger);
    }

    /// <summary>One pass over one server; the nine steps.</summary>
    /// <exception cref="HttpRequestException">The API server could not be reached: nothing is known, try again.</exception>
    /// <exception cref="ApiException">Among others a conflict, which the loop tries again without a word.</exception>
    public async Task<Outcome> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_stores.Servers.Get(key) is not { } stored)
        {
            Forget(key);
            return Outcome.Done;
        }

        if (stored.Metadata.DeletionTimestamp is not null)
            return Outcome.Done;

        var seen = Look(stored);
        if (_waiting.Get(key) == seen)
            return Outcome.RequeueAfter(_settings.RequeueDelay);

        try
        {
            var (outcome, hasWritten) = await ReconcileAsync(stored.Read(), cancellationToken).ConfigureAwait(false);
            // After a pass that created what it did not see, to see nothing again means that it is gone again.
            if (outcome.Kind == OutcomeKind.RequeueAfter && !hasWritten)
                _waiting.Set(key, seen);
            else
                _waiting.Remove(key);
            return outcome;
        }
        catch (ApiException exception) when (exception.IsNotFound)
        {
            // The server was deleted since it was read; the watch brings the news.
            return Outcome.Done;
        }
        catch (ApiException exception) when (exception.IsNamespaceTerminating)
        {
            Log.NamespaceTerminating(_logger);
            return Outcome.Done;
        }
    }

    /// <returns>What is next, and whether an object of the server was written.</returns>
    private async Task<(Outcome Outcome, bool HasWritten)> ReconcileAsync(
        MCPServer server, CancellationToken cancellationToken)
    {
        var effective = WithDefaults(server);
        // What becomes of its policy decides about its pods, and is told in a moment. Where that takes longer, the rest goes on.
        var policy = PolicyOf(server);
        if (effective.Spec.HasGateway() && policy?.IsAbout(server.Metadata) != true && !HasAwaitedPolicy(server.Metadata))
        {
            _awaitingPolicy.Set(server.Key, server.Metadata);
            return (Outcome.RequeueAfter(_settings.RequeueDelay), true);
        }

        _awaitingPolicy.Remove(server.Key);
        var faults = Validation.Validate(effective, _settings);
        if (faults.Count > 0)
            return await RefuseAsync(server, effective, policy, faults, cancellationToken).ConfigureAwait(false);

        var isOwed = false;
        if (_settings.PersistDefaults && Defaults.Added(server.Spec, effective.Spec) is { } added)
        {
            (server, isOwed) = await _servers.PersistDefaultsAsync(server, added, cancellationToken).ConfigureAwait(false);
            effective = WithDefaults(server);
        }

        var objects = await EnsureObjectsAsync(effective, policy, cancellationToken).ConfigureAwait(false);
        Tell(server, objects);
        // What is held of one of them is not what stands there: whatever is said now may be wrong.
        if (objects.IsRaced)
            return (Outcome.Retry, objects.HasWritten);

        var surfaces = objects.Surfaces(effective.Spec, _settings.PermissiveIngressReadiness);
        await ReportAsync(
            server, objects, surfaces, fault: null, UrlOf(effective, objects.Ingress),
            ImageReference.Resolve(effective.Spec, _settings), cancellationToken).ConfigureAwait(false);
        return (isOwed ? Outcome.Retry : OutcomeOf(surfaces), objects.HasWritten);
    }

    private void Tell(MCPServer server, ServerObjects objects)
    {
        _events.Changed(server, objects);
        if (objects.Policy is { Change: not Change.None } told)
            _stores.Policies.Told(server.Key, told);
    }

    /// <param name="server">With its spec in effect.</param>
    /// <param name="policy">Of its gateways.</param>
    /// <param name="cancellationToken">Ends it; what was sent may or may not have happened.</param>
    private async Task<ServerObjects> EnsureObjectsAsync(MCPServer server, PolicyState? policy, CancellationToken cancellationToken)
    {
        // The policy before the pods that mount it: AccessController writes it, and takes it away after the last one that does.
        var (deployment, canary) = await EnsureDeploymentsAsync(
            server, policy, mayRun: !server.Spec.HasGateway() || policy is { MayRun: true }, cancellationToken).ConfigureAwait(false);
        deployment = And(deployment, policy?.Problem);
        var service = await EnsureServiceAsync(server, deployment.Live, canary.Live, cancellationToken).ConfigureAwait(false);
        var ingress = _stores.Routes.ConflictOf(server.Key) is { } conflict
            ? await WithholdIngressAsync(server, conflict, cancellationToken).ConfigureAwait(false)
            : await EnsureIngressAsync(server, cancellationToken).ConfigureAwait(false);
        return new ServerObjects(deployment, canary, service, ingress, policy);
    }

    /// <returns>True when the status was written: it was another one before.</returns>
    private async Task<bool> ReportAsync(
        MCPServer server, ServerObjects objects, IReadOnlyList<Surface> surfaces, Problem? fault, string? url, string? image,
        CancellationToken cancellationToken)
    {
        var status = StatusReport.Compose(
            server, surfaces, fault, [objects.Deployment.Live, objects.Canary.Live], url, image, _time.GetUtcNow());
        if (!await _servers.ReportAsync(server, status, cancellationToken).ConfigureAwait(false))
            return false;
        _events.Reported(server, status);
        return true;
    }

    private Outcome OutcomeOf(IReadOnlyList<Surface> surfaces)
    {
        // A route that another server holds is not waited for, nor is a policy, which is not written here: the change that
        // helps brings this server back.
        if (surfaces.Any(surface => surface is { IsFailed: true, Reason: not Reasons.RouteConflict, ConditionType: not ConditionTypes.PolicyReady }))
            return Outcome.Retry;
        return surfaces.All(surface => surface.IsReady || surface.IsFailed)
            ? Outcome.Done
            : Outcome.RequeueAfter(_settings.RequeueDelay);
    }

    private Seen Look(StoredServer server) => new(
        server, _deployments.Get(server.Key), _canaries.Get(server.Key), _services.Get(server.Key), _ingresses.Get(server.Key),
        _stores.Policies.Get(server.Key), _stores.Routes.ConflictOf(server.Key));

    /// <summary>What is said of its policy; of a spec that has not been looked at, that it is not current. Null when nothing is said.</summary>
    private PolicyState? PolicyOf(MCPServer server) => _stores.Policies.Get(server.Key) switch
    {
        { } state when state.IsAbout(server.Metadata) => state,
        { } state when state.Uid == server.Metadata.Uid =>
            state with { Surface = Readiness.OfPolicy(state.MayRun, isCurrent: false, isShown: false), Change = Change.None },
        _ => null,
    };

    private bool HasAwaitedPolicy(ObjectMeta server) =>
        _awaitingPolicy.Get(new ObjectKey(server.Namespace, server.Name)) is { } awaited
        && awaited.Uid == server.Uid && awaited.Generation == server.Generation;

    private MCPServer WithDefaults(MCPServer server) =>
        server with { Spec = Defaults.Apply(server.Metadata.Name, server.Spec, _settings) };

    /// <summary>
    /// Reports every fault of the spec, beside what is still seen of the objects of the last valid one. Nothing is
    /// tried again: only a change of the spec can help, and that starts a reconcile of its own.
    /// </summary>
    private async Task<(Outcome Outcome, bool HasWritten)> RefuseAsync(
        MCPServer server, MCPServer effective, PolicyState? policy, IReadOnlyList<SpecFault> faults, CancellationToken cancellationToken)
    {
        var objects = new ServerObjects(
            _deployments.Look(server), _canaries.Look(server), _services.Look(server), _ingresses.Look(server), policy);
        Tell(server, objects);
        var surfaces = objects.Surfaces(effective.Spec, _settings.PermissiveIngressReadiness);
        var fault = new Problem(Reasons.InvalidSpec, string.Join("; ", faults));
        var url = objects.Ingress.Live is null ? null : server.Reported?.Url;
        if (await ReportAsync(server, objects, surfaces, fault, url, server.Reported?.Image, cancellationToken).ConfigureAwait(false))
            Log.InvalidSpec(_logger, fault.Message);
        return (Outcome.Done, HasWritten: false);
    }

    /// <param name="server">With its spec in effect.</param>
    /// <param name="policy">Of its gateways.</param>
    /// <param name="mayRun">False while there is no policy for the gateways: they would have to run without, or with somebody else's.</param>
    /// <param name="cancellationToken">Ends it; what was sent may or may not have happened.</param>
    private async Task<(Ensured<ObservedDeployment> Stable, Ensured<ObservedDeployment> Canary)> EnsureDeploymentsAsync(
        MCPServer server, PolicyState? policy, bool mayRun, CancellationToken cancellationToken)
    {
        if (!mayRun)
            return (_deployments.Look(server), _canaries.Look(server));

        var missing = await EnsurePrerequisitesAsync(server, cancellationToken).ConfigureAwait(false);
        // Whichever takes over pods from the other comes first.
        var hasCanary = server.Spec.HasCanary();
        var canary = hasCanary
            ? await ApplyAsync(_canaries, DeploymentBuilder.BuildCanary(server, _settings, PolicyUid(_canaries))).ConfigureAwait(false)
            : default;
        var stable = await ApplyAsync(_deployments, DeploymentBuilder.Build(server, _settings, PolicyUid(_deployments))).ConfigureAwait(false);
        return hasCanary
            ? (stable, canary)
            : await RemoveCanaryAsync(server, stable, cancellationToken).ConfigureAwait(false);

        async Task<Ensured<ObservedDeployment>> ApplyAsync(OwnedObjects<ObservedDeployment> owned, Deployment deployment) => And(
            await owned.EnsureAsync(server, Intent.Of(deployment), cancellationToken, Detours.Of(deployment)).ConfigureAwait(false),
            missing);

        // It stays when there is no reason for it any more: to take it away would replace the pods once more.
        string? PolicyUid(OwnedObjects<ObservedDeployment> owned) => policy?.PodsUid ?? owned.Look(server).Live?.PolicyUid;
    }

    private async Task<(Ensured<ObservedDeployment> Stable, Ensured<ObservedDeployment> Canary)> RemoveCanaryAsync(
        MCPServer server, Ensured<ObservedDeployment> stable, CancellationToken cancellationToken)
    {
        var canary = await _canaries.RemoveAsync(server, cancellationToken).ConfigureAwait(false);
        return (And(stable, canary.Problem), canary with { Live = null });
    }

    private async Task<Problem?> EnsurePrerequisitesAsync(MCPServer server, CancellationToken cancellationToken)
    {
        var ns = server.Metadata.Namespace;
        var live = _deployments.Get(server.Key);
        var isGone = live is { LacksServiceAccount: true } || _canaries.Get(server.Key) is { LacksServiceAccount: true };
        Problem? missing = null;
        if (isGone)
            _prerequisites.ForgetServiceAccount(ns);
        // A Deployment that stands had it: a restarted operator need not ask again.
        if (live is null || isGone || _prerequisites.OwesServiceAccount(ns))
            missing = await _prerequisites.EnsureServiceAccountAsync(ns, cancellationToken).ConfigureAwait(false);
        if (DeploymentBuilder.UsesOperatorPullSecret(server.Spec, _settings))
            missing = await _prerequisites.EnsurePullSecretAsync(ns, cancellationToken).ConfigureAwait(false) ?? missing;
        return missing;
    }

    private async Task<Ensured<ObservedService>> EnsureServiceAsync(
        MCPServer server, ObservedDeployment? deployment, ObservedDeployment? canary, CancellationToken cancellationToken)
    {
        // Traffic moves to the gateways when each pod that serves has one. The other way round it moves at once: the servers
        // themselves always listen.
        var key = server.Key;
        var toGateway = server.Spec.HasGateway()
            && (_services.Look(server).Live is null or { LeadsToGateway: true } || _atGateway.Get(key) is not null
                || !(ServesWithoutGateway(deployment) || ServesWithoutGateway(canary)));
        var service = ServiceBuilder.Build(server, toGateway);
        bool? isRepair = _services.Look(server).Live is { } live && live.LeadsToGateway != toGateway ? false : null;
        var ensured = await _services.EnsureAsync(
            server, Intent.Of(service), cancellationToken, Detours.OfService, isRepair).ConfigureAwait(false);
        if (toGateway && ensured.Live is { LeadsToGateway: true })
            _atGateway.Set(key, this);
        else if (!toGateway)
            _atGateway.Remove(key);
        return ensured;
    }

    private static bool ServesWithoutGateway(ObservedDeployment? deployment) =>
        deployment is { AvailableReplicas: > 0 } && !Readiness.OfGateway(deployment).IsReady;

    private Task<Ensured<ObservedIngress>> EnsureIngressAsync(MCPServer server, CancellationToken cancellationToken)
    {
        var ingress = IngressBuilder.Build(server, _settings);
        return _ingresses.EnsureAsync(server, Intent.Of(ingress), cancellationToken, Detours.Of(ingress));
    }

    private async Task<Ensured<ObservedIngress>> WithholdIngressAsync(
        MCPServer server, RouteConflict conflict, CancellationToken cancellationToken)
    {
        var removed = await _ingresses.RemoveAsync(server, cancellationToken).ConfigureAwait(false);
        return removed.Problem is null
            ? new Ensured<ObservedIngress>(null, new Problem(Reasons.RouteConflict, conflict.Message))
            : removed;
    }

    /// <summary>Where the Ingress leads clients: where it did, when it could not be changed; null when there is none.</summary>
    private string? UrlOf(MCPServer server, Ensured<ObservedIngress> ingress) => ingress switch
    {
        { Live: null } => null,
        { Problem: not null } => server.Reported?.Url,
        _ => Routing.Resolve(server.Metadata.Name, server.Spec).Url(_settings),
    };

    private void Forget(ObjectKey key)
    {
        // With its last server the whole namespace may have gone, and what was made in it.
        if (_stores.Servers.Snapshot(key.Namespace).Count == 0)
            _prerequisites.Forget(key.Namespace);
        _deployments.Forget(key);
        _canaries.Forget(key);
        _services.Forget(key);
        _ingresses.Forget(key);
        _servers.Forget(key);
        _waiting.Remove(key);
        _awaitingPolicy.Remove(key);
        _atGateway.Remove(key);
    }

    private static Ensured<T> And<T>(Ensured<T> ensured, Problem? problem)
        where T : Observed => ensured with { Problem = ensured.Problem ?? problem };

    /// <summary>
    /// All that a pass goes by. The stores never change an object, so that the same ones mean the same
    /// outcome: a look at a server that still waits for the same thing costs next to nothing.
    /// </summary>
    private sealed record Seen(
        StoredServer Server, ObservedDeployment? Deployment, ObservedDeployment? Canary, ObservedService? Service,
        ObservedIngress? Ingress, PolicyState? Policy, RouteConflict? Conflict);
}
