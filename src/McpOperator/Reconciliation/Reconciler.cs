using McpOperator.Access;
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
    // A timer does not count the time that a machine slept, nor know that its clock was set.
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMinutes(10);

    private readonly Stores _stores;
    private readonly OperatorSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    // Of servers that wait for something that is not ours to do.
    private readonly KeyMap<Waiting> _waiting = new();
    // Of servers whose traffic has moved to their gateways, so that a Service which somebody changes in the middle of a
    // rollout does not lead around them until its end.
    private readonly KeyMap<object> _atGateway = new(); // a set, without the code of another kind of collection
    private readonly NamespacePrerequisites _prerequisites;
    private readonly OwnedObjects<ObservedDeployment> _deployments;
    private readonly OwnedObjects<ObservedDeployment> _canaries;
    private readonly OwnedObjects<ObservedService> _services;
    private readonly OwnedObjects<ObservedIngress> _ingresses;
    private readonly GatewayPolicy _policies;
    private readonly AccessWriter _access;
    private readonly ServerEvents _events;
    private readonly ServerWriter _servers;

    public Reconciler(
        Stores stores, ApiClient api, OperatorSettings settings, Action<ClusterEvent> record, TimeProvider time, ILogger logger)
    {
        _stores = stores;
        _events = new ServerEvents(record);
        _settings = settings;
        _time = time;
        _logger = logger;
        _prerequisites = new NamespacePrerequisites(api, settings, Counters, logger);
        _deployments = new(Kinds.Deployment, ConditionTypes.DeploymentReady, ObservedDeployment.Decode, stores.Deployments, api, Counters, logger);
        _canaries = new(
            Kinds.Deployment, ConditionTypes.CanaryReady, ObservedDeployment.Decode, stores.Deployments, api, Counters, logger,
            DeploymentBuilder.CanaryName);
        _services = new(Kinds.Service, ConditionTypes.ServiceReady, ObservedService.Decode, stores.Services, api, Counters, logger);
        _ingresses = new(Kinds.Ingress, ConditionTypes.IngressReady, ObservedIngress.Decode, stores.Ingresses, api, Counters, logger);
        _policies = new GatewayPolicy(stores, api, settings, Counters, time, logger);
        _servers = new ServerWriter(api, stores, settings, Counters, logger);
        _access = new AccessWriter(stores, api, Counters, time, logger);
    }

    public OperatorCounters Counters { get; } = new();

    /// <summary>One pass over one server; the nine steps.</summary>
    /// <exception cref="HttpRequestException">The API server could not be reached: nothing is known, try again.</exception>
    /// <exception cref="ApiException">Among others a conflict, which the loop tries again without a word.</exception>
    public async Task<Outcome> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_stores.Servers.Get(key) is not { } stored)
        {
            Forget(key);
            var isTold = await _access.ReportAsync(_access.Judge(key, null, null), isInForce: false, cancellationToken).ConfigureAwait(false);
            return isTold ? Outcome.Done : Outcome.Retry;
        }

        if (stored.Metadata.DeletionTimestamp is not null)
            return Outcome.Done;

        var seen = Look(stored);
        if (_waiting.Get(key) is { } waiting && waiting.For == seen && !(waiting.Expiry <= _time.GetUtcNow()))
        {
            Watch(key, waiting.Expiry);
            return Outcome.RequeueAfter(_settings.RequeueDelay);
        }

        try
        {
            var (outcome, expiry, hasWritten) = await ReconcileAsync(stored.Read(), cancellationToken).ConfigureAwait(false);
            // After a pass that created what it did not see, to see nothing again means that it is gone again.
            if (outcome.Kind == OutcomeKind.RequeueAfter && !hasWritten)
                _waiting.Set(key, new Waiting(seen, expiry));
            else
                _waiting.Remove(key);
            Watch(key, expiry);
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

    /// <returns>What is next, when the next session expires, and whether an object of the server was written.</returns>
    private async Task<(Outcome Outcome, DateTimeOffset? Expiry, bool HasWritten)> ReconcileAsync(
        MCPServer server, CancellationToken cancellationToken)
    {
        var effective = WithDefaults(server);
        var faults = Validation.Validate(effective, _settings);
        if (faults.Count > 0)
            return await RefuseAsync(server, effective, faults, cancellationToken).ConfigureAwait(false);

        var isOwed = false;
        if (_settings.PersistDefaults && Defaults.Added(server.Spec, effective.Spec) is { } added)
        {
            (server, isOwed) = await _servers.PersistDefaultsAsync(server, added, cancellationToken).ConfigureAwait(false);
            effective = WithDefaults(server);
        }

        var members = _access.Judge(server.Key, effective, HeadOf(effective));
        var objects = await EnsureObjectsAsync(effective, members, cancellationToken).ConfigureAwait(false);
        _events.Changed(server, objects);
        // What is held of one of them is not what stands there: whatever is said now may be wrong.
        if (objects.IsRaced)
            return (Outcome.Retry, members.NextExpiry, objects.HasWritten);

        var surfaces = objects.Surfaces(effective.Spec, _settings.PermissiveIngressReadiness);
        await ReportAsync(
            server, objects, surfaces, fault: null, UrlOf(effective, objects.Ingress),
            ImageReference.Resolve(effective.Spec, _settings), cancellationToken).ConfigureAwait(false);
        var isTold = await _access.ReportAsync(
            members, isInForce: objects.Revision is null || objects.HasCurrentPolicy, cancellationToken).ConfigureAwait(false);
        return (isTold && !isOwed ? OutcomeOf(surfaces) : Outcome.Retry, members.NextExpiry, objects.HasWritten);
    }

    /// <param name="server">With its spec in effect.</param>
    /// <param name="members">The grants and sessions for it.</param>
    /// <param name="cancellationToken">Ends it; what was sent may or may not have happened.</param>
    private async Task<ServerObjects> EnsureObjectsAsync(MCPServer server, PolicyMembers members, CancellationToken cancellationToken)
    {
        // The policy before the pods that mount it, and it goes after the last one that does.
        var hasGateway = server.Spec.HasGateway();
        var (policy, revision) = hasGateway
            ? await _policies.EnsureAsync(server, members, cancellationToken).ConfigureAwait(false)
            : (_policies.Look(server), null);
        var (deployment, canary) = await EnsureDeploymentsAsync(
            server, mayRun: !hasGateway || policy.Live is not null, cancellationToken).ConfigureAwait(false);
        if (!hasGateway && !MayUsePolicy(deployment.Live) && !MayUsePolicy(canary.Live))
        {
            policy = await _policies.RemoveAsync(server, cancellationToken).ConfigureAwait(false);
            deployment = And(deployment, policy.Problem);
        }

        var service = await EnsureServiceAsync(server, deployment.Live, canary.Live, cancellationToken).ConfigureAwait(false);
        var ingress = _stores.Routes.ConflictOf(server.Key) is { } conflict
            ? await WithholdIngressAsync(server, conflict, cancellationToken).ConfigureAwait(false)
            : await EnsureIngressAsync(server, cancellationToken).ConfigureAwait(false);
        return new ServerObjects(deployment, canary, service, ingress, policy, revision);
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
        // A route that another server holds is not waited for, nor is a policy that is too large: the change that helps
        // brings this server back.
        if (surfaces.Any(surface => surface is { IsFailed: true, Reason: not (Reasons.RouteConflict or Reasons.PolicyTooLarge) }))
            return Outcome.Retry;
        return surfaces.All(surface => surface.IsReady || surface.IsFailed)
            ? Outcome.Done
            : Outcome.RequeueAfter(_settings.RequeueDelay);
    }

    private Seen Look(StoredServer server) => new(
        server, _deployments.Get(server.Key), _canaries.Get(server.Key), _services.Get(server.Key), _ingresses.Get(server.Key),
        _policies.Get(server.Key), _stores.Grants.VersionOf(server.Key), _stores.Sessions.VersionOf(server.Key),
        _stores.Routes.ConflictOf(server.Key));

    private PolicyHead? HeadOf(MCPServer effective) => effective.Spec.HasGateway() ? PolicyHead.Of(effective, _settings) : null;

    private MCPServer WithDefaults(MCPServer server) =>
        server with { Spec = Defaults.Apply(server.Metadata.Name, server.Spec, _settings) };

    /// <summary>
    /// Reports every fault of the spec, beside what is still seen of the objects of the last valid one. Nothing is
    /// tried again: only a change of the spec can help, and that starts a reconcile of its own.
    /// </summary>
    private async Task<(Outcome Outcome, DateTimeOffset? Expiry, bool HasWritten)> RefuseAsync(
        MCPServer server, MCPServer effective, IReadOnlyList<SpecFault> faults, CancellationToken cancellationToken)
    {
        var members = _access.Judge(server.Key, effective, HeadOf(effective));
        var objects = new ServerObjects(
            _deployments.Look(server), _canaries.Look(server), _services.Look(server), _ingresses.Look(server), _policies.Look(server),
            effective.Spec.HasGateway() ? _policies.RevisionOf(effective, members) : null);
        var surfaces = objects.Surfaces(effective.Spec, _settings.PermissiveIngressReadiness);
        var fault = new Problem(Reasons.InvalidSpec, string.Join("; ", faults));
        var url = objects.Ingress.Live is null ? null : server.Reported?.Url;
        if (await ReportAsync(server, objects, surfaces, fault, url, server.Reported?.Image, cancellationToken).ConfigureAwait(false))
            Log.InvalidSpec(_logger, fault.Message);

        var isTold = await _access.ReportAsync(members, objects.HasCurrentPolicy, cancellationToken).ConfigureAwait(false);
        return (isTold ? Outcome.Done : Outcome.Retry, members.NextExpiry, HasWritten: false);
    }

    /// <param name="server">With its spec in effect.</param>
    /// <param name="mayRun">False while there is no policy for the gateways: they would have to run without, or with somebody else's.</param>
    /// <param name="cancellationToken">Ends it; what was sent may or may not have happened.</param>
    private async Task<(Ensured<ObservedDeployment> Stable, Ensured<ObservedDeployment> Canary)> EnsureDeploymentsAsync(
        MCPServer server, bool mayRun, CancellationToken cancellationToken)
    {
        if (!mayRun)
            return (_deployments.Look(server), _canaries.Look(server));

        var missing = await EnsurePrerequisitesAsync(server, cancellationToken).ConfigureAwait(false);
        // Whichever takes over pods from the other comes first.
        var hasCanary = server.Spec.HasCanary();
        var canary = hasCanary
            ? await ApplyAsync(_canaries, DeploymentBuilder.BuildCanary(server, _settings)).ConfigureAwait(false)
            : default;
        var stable = await ApplyAsync(_deployments, DeploymentBuilder.Build(server, _settings)).ConfigureAwait(false);
        return hasCanary
            ? (stable, canary)
            : await RemoveCanaryAsync(server, stable, cancellationToken).ConfigureAwait(false);

        async Task<Ensured<ObservedDeployment>> ApplyAsync(OwnedObjects<ObservedDeployment> owned, Deployment deployment) => And(
            await owned.EnsureAsync(server, Intent.Of(deployment), cancellationToken, Detours.Of(deployment)).ConfigureAwait(false),
            missing);
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

    /// <summary>Whether a pod may still need the ConfigMap, of a Deployment whose gateway is switched off.</summary>
    private static bool MayUsePolicy(ObservedDeployment? deployment) =>
        deployment is not null && (deployment.HasGateway || !Readiness.Of(deployment).IsReady);

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

    /// <summary>Has the server looked at again when its next session expires.</summary>
    private void Watch(ObjectKey key, DateTimeOffset? expiry)
    {
        if (expiry - _time.GetUtcNow() is { } left)
            _stores.LookAgain(key, left < LongestSleep ? left : LongestSleep);
    }

    private void Forget(ObjectKey key)
    {
        // With its last server the whole namespace may have gone, and what was made in it.
        if (_stores.Servers.Snapshot(key.Namespace).Count == 0)
            _prerequisites.Forget(key.Namespace);
        _deployments.Forget(key);
        _canaries.Forget(key);
        _services.Forget(key);
        _ingresses.Forget(key);
        _policies.Forget(key);
        _servers.Forget(key);
        _waiting.Remove(key);
        _atGateway.Remove(key);
    }

    private static Ensured<T> And<T>(Ensured<T> ensured, Problem? problem)
        where T : Observed => ensured with { Problem = ensured.Problem ?? problem };

    /// <summary>
    /// All that a pass goes by, but for the time. The stores never change an object, so that the same ones mean the same
    /// outcome: a look at a server that still waits for the same thing costs next to nothing.
    /// </summary>
    private sealed record Seen(
        StoredServer Server, ObservedDeployment? Deployment, ObservedDeployment? Canary, ObservedService? Service,
        ObservedIngress? Ingress, ObservedConfigMap? Policy, long Grants, long Sessions, RouteConflict? Conflict);

    /// <param name="For">What the pass saw that found nothing more to do.</param>
    /// <param name="Expiry">When that changes by itself: a session expires.</param>
    private sealed record Waiting(Seen For, DateTimeOffset? Expiry);
}
