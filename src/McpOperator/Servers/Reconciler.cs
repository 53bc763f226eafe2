using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Mirror;
using McpOperator.Servers.Diagnosis;
using McpOperator.Servers.Kinds;
using McpOperator.Servers.Readiness;
using Microsoft.Extensions.Logging;

namespace McpOperator.Servers;

/// <summary>
/// Reconciles one MCPServer at a time and reports its status. Decides from the stores; reads the API server only for a spec that
/// is kept as an outline, where a name is taken, who contests an object, and before a take-over.
/// </summary>
internal sealed class Reconciler(
    Stores stores, ServerKinds kinds, McpProber prober, ApiClient api, OperatorSettings settings, bool isClusterWide, WriteCounters counters, Action<ClusterEvent> record,
    TimeProvider time, ILogger logger)
{
    private readonly Applier _applier = new(api, counters, time, logger);
    private readonly SpecDefaults _defaults = new(api, stores, settings, counters, time, logger);
    private readonly ServerReporter _reporter = new(api, stores, kinds, settings, counters, new ServerEvents(record), time, logger);
    private readonly Diagnostician _diagnostician = new(api, kinds, settings, time, logger);
    private readonly AddressDiagnostician _addresses = new(new IngressClasses(api, isClusterWide, time, logger), kinds, settings, time);
    private readonly McpReadiness _readiness = new(stores, kinds, prober);
    private readonly ServerReader _reader = new(api);
    private readonly Admission _admission = new(int.MaxValue, SpecSize.Most, namespaces: 2);
    private readonly KeyMap<ServerMemory> _memories = new();

    /// <exception cref="HttpRequestException">The API server could not be reached: nothing is known, try again.</exception>
    /// <exception cref="ApiException">For example a conflict, which the loop retries and does not report.</exception>
    public async Task<Outcome> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (stores.Servers.Get(key) is not { } stored)
        {
            Forget(key);
            return Outcome.Done;
        }

        if (stored.Metadata.DeletionTimestamp is not null || stores.Ending.Contains(key.Namespace))
        {
            prober.Forget(key);
            return Outcome.Done;
        }

        var memory = _memories.Get(key) ?? new ServerMemory(kinds);
        var seen = InputsOf(stored);
        var dueIn = memory.DueIn(time);
        if (memory.Waiting is { } waiting && waiting.AsSpan().SequenceEqual(seen) && dueIn != TimeSpan.Zero)
            return Outcome.RequeueAfter(settings.RequeueDelay).Within(dueIn);

        using var ticket = _admission.TryEnter(key.Namespace, stored.Length);
        if (ticket is null)
            return Outcome.RequeueAfter(Admission.NamespaceDelay);
        try
        {
            return await _reader.ReadAsync(stored, cancellationToken).ConfigureAwait(false) is { } server
                ? await RunPassAsync(server, seen, memory, cancellationToken).ConfigureAwait(false)
                : Outcome.Done;
        }
        catch (ApiException exception) when (exception.IsNotFound)
        {
            // The server was deleted since it was read: the watch will tell.
            return Outcome.Done;
        }
        catch (ApiException exception) when (exception.IsNamespaceTerminating)
        {
            if (stores.NoteEnding(stored.Metadata))
                Log.NamespaceTerminating(logger);
            return Outcome.Done;
        }
        finally
        {
            if (memory.IsEmpty)
                _memories.Remove(key);
            else
                _memories.Set(key, memory);
        }
    }

    private async Task<Outcome> RunPassAsync(
        MCPServer server, object?[] seen, ServerMemory memory, CancellationToken cancellationToken)
    {
        var pass = PassOver(server, memory);
        memory.Waiting = null;
        memory.ConfigVersions?.DueAt = long.MaxValue;
        if (AwaitsPolicy(pass))
            return Outcome.RequeueAfter(settings.RequeueDelay);

        var areDefaultsPending = false;
        if (pass is { IsValid: true, IsPaused: false } && settings.PersistDefaults && Defaults.Added(pass.Stored.Spec, pass.Spec) is { } added)
        {
            (var written, areDefaultsPending) = await _defaults.PersistAsync(pass.Stored, added, memory.Defaults, cancellationToken).ConfigureAwait(false);
            pass = pass.WithServer(written);
        }

        await pass.RunAsync(kinds, (kind, desired) => kind.CarryOutAsync(_applier, pass, desired, cancellationToken)).ConfigureAwait(false);
        await _diagnostician.LookAsync(pass, cancellationToken).ConfigureAwait(false);
        await _addresses.LookAsync(pass, cancellationToken).ConfigureAwait(false);
        _readiness.Look(pass);
        var components = await _reporter.ReportAsync(pass, cancellationToken).ConfigureAwait(false);
        var outcome = components is null || areDefaultsPending ? Outcome.Retry : pass.IsValid ? OutcomeOf(components) : Outcome.Done;
        var quietIn = memory.QuietIn(time);
        // Not after a write: <c>seen</c> is from before it, and would match again if somebody undid the write.
        if (outcome == Outcome.RequeueAfter(settings.RequeueDelay) && !pass.HasWritten && quietIn is null && pass.PutOff is null)
            memory.Waiting = seen;
        return outcome.Within(pass.PutOff).Within(quietIn).Within(memory.DueIn(time));
    }

    /// <summary>
    /// Whether pods may run depends on the policy, whose state the access controller sets in a moment. It is waited for once;
    /// then the pass goes on without it.
    /// </summary>
    private static bool AwaitsPolicy(Pass pass)
    {
        var (server, awaited) = (pass.Server.Metadata, pass.Memory.AwaitedPolicyOf);
        var isKnown = !pass.Spec.HasGateway() || pass.Policy?.IsAbout(server) == true;
        pass.Memory.AwaitedPolicyOf = isKnown ? null : server;
        return !isKnown && (awaited?.Uid != server.Uid || awaited.Generation != server.Generation);
    }

    private Pass PassOver(MCPServer server, ServerMemory memory) => new(
        server, stores.Policies.About(server.Metadata), () => stores.Routes.ConflictOf(server.Key), settings, memory)
    {
        // What a paused server waits for is where it would end up.
        IsPaused = server.Pause == PauseRequest.Paused,
        IsPlan = server.Pause == PauseRequest.Paused,
    };

    /// <summary>
    /// The inputs of a pass. Stored objects are replaced, never changed: if none was, the server still waits for the same thing,
    /// and the pass is skipped.
    /// </summary>
    private object?[] InputsOf(StoredServer server) =>
    [
        server, stores.Policies.Get(server.Key), stores.Mcp.Get(server.Key), stores.Routes.ConflictOf(server.Key),
        stores.Configuration.ConfigMaps.LastChangeFor(server.Key), stores.Configuration.Secrets.LastChangeFor(server.Key),
        // Stands for a CRD that is not installed, so that its installation is a change, too.
        .. kinds.All.Select(kind => kind.IsInstalled ? kind.InputOf(server.Key) : kind),
    ];

    private Outcome OutcomeOf(IReadOnlyList<ComponentCondition> components)
    {
        // No retry for a route that is taken, a CRD that is missing, or a policy (the access controller retries it): when that
        // changes, the server is enqueued. What is contested has its own time.
        if (components.Any(component => component is
            {
                IsFailed: true,
                Reason: not (Reasons.RouteConflict or Problem.NotInstalled or Problem.Contested or Problem.LabelOverwritten),
                ConditionType: not ConditionTypes.PolicyReady,
            }))
            return Outcome.Retry;
        if (components.Any(component => component.Reason == Problem.LabelOverwritten))
            return Outcome.RequeueAfter(settings.UnwatchedDelay);
        return components.All(component => component.IsReady || component.IsFailed)
            ? Outcome.Done
            : Outcome.RequeueAfter(settings.RequeueDelay);
    }

    private void Forget(ObjectKey key)
    {
        _memories.Remove(key);
        prober.Forget(key);
        stores.Configuration.Forget(key);
        stores.Certificates.Refer(key, []);
        if (stores.Servers.Snapshot(key.Namespace).Count > 0)
            return;
        stores.Ending.Remove(key.Namespace);
        // The namespace may be deleted with its last server, and the shared objects with it.
        foreach (var kind in kinds.All)
            kind.ForgetNamespace(key.Namespace);
    }
}
