using McpOperator.Api;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using McpOperator.Resources;
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
    private readonly NamespacePrerequisites _prerequisites;
    private readonly OwnedObjects<ObservedDeployment> _deployments;
    private readonly OwnedObjects<ObservedService> _services;
    private readonly OwnedObjects<ObservedIngress> _ingresses;
    private readonly ServerWriter _servers;

    public Reconciler(Stores stores, ApiClient api, OperatorSettings settings, TimeProvider time, ILogger logger)
    {
        _stores = stores;
        _settings = settings;
        _time = time;
        _logger = logger;
        _prerequisites = new NamespacePrerequisites(api, settings, logger);
        _deployments = new(Kinds.Deployment, ObservedDeployment.Decode, stores.Deployments, api, logger);
        _services = new(Kinds.Service, ObservedService.Decode, stores.Services, api, logger);
        _ingresses = new(Kinds.Ingress, ObservedIngress.Decode, stores.Ingresses, api, logger);
        _servers = new ServerWriter(api, stores, settings, logger);
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
            var outcome = await ReconcileAsync(stored.Read(), cancellationToken).ConfigureAwait(false);
            if (outcome.Kind == OutcomeKind.RequeueAfter)
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

    private async Task<Outcome> ReconcileAsync(MCPServer server, CancellationToken cancellationToken)
    {
        var effective = WithDefaults(server);
        var faults = Validation.Validate(effective, _settings);
        if (faults.Count == 0)
            faults = NotYet.Of(effective.Spec);
        if (faults.Count > 0)
            return await RefuseAsync(server, faults, cancellationToken).ConfigureAwait(false);

        if (_settings.PersistDefaults && Defaults.Added(server.Spec, effective.Spec) is { } added)
        {
            server = await _servers.PersistDefaultsAsync(server, added, cancellationToken).ConfigureAwait(false);
            effective = WithDefaults(server);
        }

        var deployment = await EnsureDeploymentAsync(effective, cancellationToken).ConfigureAwait(false);
        var service = await EnsureServiceAsync(effective, cancellationToken).ConfigureAwait(false);
        var holder = _stores.Routes.HolderBefore(server.Key);
        var ingress = holder is { } other
            ? await WithholdIngressAsync(effective, other, cancellationToken).ConfigureAwait(false)
            : await EnsureIngressAsync(effective, cancellationToken).ConfigureAwait(false);

        Surface[] surfaces =
        [
            With(Readiness.Of(deployment.Live), deployment.Problem),
            With(Readiness.Of(service.Live), service.Problem),
            With(Readiness.Of(ingress.Live, _settings.PermissiveIngressReadiness), ingress.Problem),
        ];
        var status = StatusReport.Compose(
            server, surfaces, fault: null, deployment.Live,
            Routing.Resolve(server.Metadata.Name, effective.Spec).Url(_settings),
            ImageReference.Resolve(effective.Spec, _settings), _time.GetUtcNow());
        await _servers.ReportAsync(server, status, cancellationToken).ConfigureAwait(false);

        if (deployment.IsRaced || service.IsRaced || ingress.IsRaced)
            return Outcome.Retry;
        // A route that an older server holds is not waited for: its going or changing brings this server back.
        if (surfaces.Any(surface => surface is { IsFailed: true, Reason: not Reasons.RouteConflict }))
            return Outcome.Retry;
        return surfaces.All(surface => surface.IsReady || surface.IsFailed)
            ? Outcome.Done
            : Outcome.RequeueAfter(_settings.RequeueDelay);
    }

    private Seen Look(StoredServer server) => new(
        server, _stores.Deployments.Get(server.Key), _stores.Services.Get(server.Key), _stores.Ingresses.Get(server.Key),
        _stores.Routes.HolderBefore(server.Key));

    private MCPServer WithDefaults(MCPServer server) =>
        server with { Spec = Defaults.Apply(server.Metadata.Name, server.Spec, _settings) };

    /// <summary>
    /// Reports every fault of the spec, beside what is still seen of the objects of the last valid one. Nothing is
    /// tried again: only a change of the spec can help, and that starts a reconcile of its own.
    /// </summary>
    private async Task<Outcome> RefuseAsync(
        MCPServer server, IReadOnlyList<SpecFault> faults, CancellationToken cancellationToken)
    {
        var deployment = _deployments.Look(server).Live;
        Surface[] surfaces =
        [
            Readiness.Of(deployment),
            Readiness.Of(_services.Look(server).Live),
            Readiness.Of(_ingresses.Look(server).Live, _settings.PermissiveIngressReadiness),
        ];
        var fault = new Problem(Reasons.InvalidSpec, string.Join("; ", faults));
        var status = StatusReport.Compose(
            server, surfaces, fault, deployment, server.Reported?.Url, server.Reported?.Image, _time.GetUtcNow());
        if (await _servers.ReportAsync(server, status, cancellationToken).ConfigureAwait(false))
            Log.InvalidSpec(_logger, fault.Message);
        return Outcome.Done;
    }

    private async Task<Ensured<ObservedDeployment>> EnsureDeploymentAsync(
        MCPServer server, CancellationToken cancellationToken)
    {
        var ns = server.Metadata.Namespace;
        var live = _stores.Deployments.Get(server.Key);
        Problem? missing = null;
        if (live is { LacksServiceAccount: true })
            _prerequisites.ForgetServiceAccount(ns);
        // A Deployment that stands had it: a restarted operator need not ask again.
        if (live is null or { LacksServiceAccount: true } || _prerequisites.OwesServiceAccount(ns))
            missing = await _prerequisites.EnsureServiceAccountAsync(ns, cancellationToken).ConfigureAwait(false);
        if (DeploymentBuilder.UsesOperatorPullSecret(server.Spec, _settings))
            missing = await _prerequisites.EnsurePullSecretAsync(ns, cancellationToken).ConfigureAwait(false) ?? missing;
        var deployment = DeploymentBuilder.Build(server, _settings);
        var ensured = await _deployments.EnsureAsync(
            server, Intent.Of(deployment), cancellationToken, Detours.Of(deployment)).ConfigureAwait(false);
        return ensured with { Problem = ensured.Problem ?? missing };
    }

    private Task<Ensured<ObservedService>> EnsureServiceAsync(MCPServer server, CancellationToken cancellationToken)
    {
        var service = ServiceBuilder.Build(server);
        return _services.EnsureAsync(server, Intent.Of(service), cancellationToken, Detours.OfService);
    }

    private Task<Ensured<ObservedIngress>> EnsureIngressAsync(MCPServer server, CancellationToken cancellationToken)
    {
        var ingress = IngressBuilder.Build(server, _settings);
        return _ingresses.EnsureAsync(server, Intent.Of(ingress), cancellationToken, Detours.Of(ingress));
    }

    private async Task<Ensured<ObservedIngress>> WithholdIngressAsync(
        MCPServer server, ObjectKey holder, CancellationToken cancellationToken)
    {
        var removed = await _ingresses.RemoveAsync(server, cancellationToken).ConfigureAwait(false);
        if (removed.Problem is not null)
            return removed;
        var route = Routing.Resolve(server.Metadata.Name, server.Spec);
        return new Ensured<ObservedIngress>(null, new Problem(
            Reasons.RouteConflict,
            $"the older MCPServer {holder} has the route {route.Host}{route.Path}: change ingressHost, ingressPath or publicPathPrefix of one of them"));
    }

    private void Forget(ObjectKey key)
    {
        // With its last server the whole namespace may have gone, and what was made in it.
        if (_stores.Servers.Snapshot(key.Namespace).Count == 0)
            _prerequisites.Forget(key.Namespace);
        _deployments.Forget(key);
        _services.Forget(key);
        _ingresses.Forget(key);
        _servers.Forget(key);
        _waiting.Remove(key);
    }

    private static Surface With(Surface surface, Problem? problem) =>
        problem is null ? surface : surface.Failed(problem);

    /// <summary>
    /// All that a pass goes by. The stores never change an object, so that the same ones mean the same outcome: a look
    /// at a server that still waits for the same thing costs next to nothing.
    /// </summary>
    private sealed record Seen(
        StoredServer Server, ObservedDeployment? Deployment, ObservedService? Service, ObservedIngress? Ingress, ObjectKey? RouteHolder);
}
