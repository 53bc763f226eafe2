using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Mirror;
using McpOperator.Servers.Kinds;
using Microsoft.Extensions.Logging;

namespace McpOperator.Servers;

/// <summary>
/// Brings the cluster to what one MCPServer asks for, one server at a time, and reports what it sees there. Reads only
/// the stores; every request it makes is one that changes something, or one read where a name was taken.
/// </summary>
internal sealed class Reconciler(
    Stores stores, ServerKinds kinds, ApiClient api, OperatorSettings settings, WriteCounters counters, Action<ClusterEvent> record,
    TimeProvider time, ILogger logger)
{
    private readonly Applier _applier = new(api, counters, time, logger);
    private readonly SpecDefaults _defaults = new(api, stores, settings, counters, time, logger);
    private readonly ServerReporter _reporter = new(api, stores, kinds, settings, counters, new ServerEvents(record), time, logger);
    private readonly ServerReader _reader = new(api);
    private readonly Admission _admission = new(int.MaxValue, SpecSize.Most, namespaces: 2);
    private readonly KeyMap<ServerMemory> _memories = new();

    /// <summary>One pass over one server.</summary>
    /// <exception cref="HttpRequestException">The API server could not be reached: nothing is known, try again.</exception>
    /// <exception cref="ApiException">Among others a conflict, which the loop tries again without a word.</exception>
    public async Task<Outcome> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (stores.Servers.Get(key) is not { } stored)
        {
            Forget(key);
            return Outcome.Done;
        }

        if (stored.Metadata.DeletionTimestamp is not null || stores.Ending.Contains(key.Namespace))
            return Outcome.Done;
        var memory = _memories.Get(key) ?? new ServerMemory();
        var seen = Look(stored);
        if (memory.Waiting is { } waiting && waiting.AsSpan().SequenceEqual(seen))
            return Outcome.RequeueAfter(settings.RequeueDelay);

        using var ticket = _admission.TryEnter(key.Namespace, stored.Length);
        if (ticket is null)
            return Outcome.RequeueAfter(Admission.Turn);
        try
        {
            return await _reader.ReadAsync(stored, cancellationToken).ConfigureAwait(false) is { } server
                ? await ReconcileAsync(server, seen, memory, cancellationToken).ConfigureAwait(false)
                : Outcome.Done;
        }
        catch (ApiException exception) when (exception.IsNotFound)
        {
            // The server was deleted since it was read; the watch brings the news.
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

    private async Task<Outcome> ReconcileAsync(
        MCPServer server, object?[] seen, ServerMemory memory, CancellationToken cancellationToken)
    {
        var pass = PassOver(server, memory);
        memory.Waiting = null;
        if (AwaitsPolicy(pass))
            return Outcome.RequeueAfter(settings.RequeueDelay);

        var areDefaultsPending = false;
        if (pass.IsValid && settings.PersistDefaults && Defaults.Added(pass.AsWritten.Spec, pass.Spec) is { } added)
        {
            (var written, areDefaultsPending) = await _defaults.PersistAsync(pass.AsWritten, added, memory.Defaults, cancellationToken).ConfigureAwait(false);
            pass = pass.Over(written);
        }

        await pass.RunAsync(kinds, (kind, wanted) => kind.ReconcileAsync(_applier, pass, wanted, cancellationToken)).ConfigureAwait(false);
        var surfaces = await _reporter.ReportAsync(pass, cancellationToken).ConfigureAwait(false);
        var outcome = surfaces is null || areDefaultsPending ? Outcome.Retry : pass.IsValid ? OutcomeOf(surfaces) : Outcome.Done;
        var quietIn = memory.QuietIn(time);
        // After a pass that created what it did not see, to see nothing again means that it is gone again.
        if (outcome == Outcome.RequeueAfter(settings.RequeueDelay) && !pass.HasWritten && quietIn is null)
            memory.Waiting = seen;
        return outcome.Within(pass.PutOff).Within(quietIn);
    }

    /// <summary>
    /// What becomes of its policy decides about its pods, and is told in a moment: that is waited for once. Where it takes longer, the
    /// rest goes on.
    /// </summary>
    private static bool AwaitsPolicy(Pass pass)
    {
        var (server, awaited) = (pass.Server.Metadata, pass.Memory.AwaitedPolicyOf);
        var isKnown = !pass.Spec.HasGateway() || pass.Policy?.IsAbout(server) == true;
        pass.Memory.AwaitedPolicyOf = isKnown ? null : server;
        return !isKnown && (awaited?.Uid != server.Uid || awaited.Generation != server.Generation);
    }

    private Pass PassOver(MCPServer server, ServerMemory memory) => new(
        server, stores.Policies.About(server.Metadata), () => stores.Routes.ConflictOf(server.Key), settings, memory);

    /// <summary>
    /// All that a pass goes by. The stores never change an object, so that the same ones mean the same outcome: a look at a server
    /// that still waits for the same thing costs next to nothing.
    /// </summary>
    private object?[] Look(StoredServer server) =>
    [
        server, stores.Policies.Get(server.Key), stores.Routes.ConflictOf(server.Key),
        // A kind that is installed later is another reason to go on than any object of it.
        .. kinds.All.Select(kind => kind.IsInstalled ? kind.LookOf(server.Key) : kind),
    ];

    private Outcome OutcomeOf(IReadOnlyList<Surface> surfaces)
    {
        // A route that another server holds is not waited for, nor is a kind that is not installed, nor a policy, which is not
        // written here: the change that helps brings this server back. What is contested has its own time.
        if (surfaces.Any(surface => surface is
            {
                IsFailed: true,
                Reason: not (Reasons.RouteConflict or Problem.NotInstalled or Problem.Contested or Problem.LabelOverwritten),
                ConditionType: not ConditionTypes.PolicyReady,
            }))
            return Outcome.Retry;
        if (surfaces.Any(surface => surface.Reason == Problem.LabelOverwritten))
            return Outcome.RequeueAfter(settings.UnwatchedDelay);
        return surfaces.All(surface => surface.IsReady || surface.IsFailed)
            ? Outcome.Done
            : Outcome.RequeueAfter(settings.RequeueDelay);
    }

    private void Forget(ObjectKey key)
    {
        _memories.Remove(key);
        if (stores.Servers.Snapshot(key.Namespace).Count > 0)
            return;
        stores.Ending.Remove(key.Namespace);
        // With its last server the whole namespace may have gone, and what was made in it.
        foreach (var kind in kinds.All)
            kind.ForgetNamespace(key.Namespace);
    }
}
