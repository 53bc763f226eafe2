using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Mirror;
using Microsoft.Extensions.Logging;

namespace McpOperator.Access;

/// <summary>
/// Keeps the policy document of each server: what was taken away is out of it first, whatever is wrong with the rest. A
/// controller of its own, so that nothing in a server's pass can delay it. Reports, and the refresh of running gateways, are
/// queues of lower priority.
/// </summary>
internal sealed class AccessController
{
    // A timer does not notice that a machine slept, or that its clock was set.
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMinutes(10);

    /// <summary>Workers that one namespace may occupy.</summary>
    private const int MaxWorkersPerNamespace = 4;

    /// <summary>The longest Retry-After that is followed, in seconds.</summary>
    private const int LongestPause = 30;

    private readonly Stores _stores;
    private readonly AccessStores _accessStores;
    private readonly OperatorSettings _settings;
    private long _judged;
    private readonly IEnqueuer _queue;
    private readonly AccessReporter _grants;
    private readonly AccessReporter _sessions;
    private readonly TimeProvider _time;
    private readonly GatewayPolicy _policies;
    private readonly ServerReader _reader;
    private readonly Admission _admission = new(MaxWorkersPerNamespace, SpecSize.Most, namespaces: 4);

    /// <param name="refresh">Asked for each document that was written; null when pods get no annotation.</param>
    /// <param name="time">The clock of expiries and of documents.</param>
    public AccessController(
        Stores stores, AccessStores accessStores, IEnqueuer queue, AccessReporter grants, AccessReporter sessions, PolicyRefresh? refresh, ApiClient api,
        OperatorSettings settings, WriteCounters counters, Func<MCPServer, List<GatewayPods>> podsOf, TimeProvider time, ILogger logger)
    {
        _stores = stores;
        _accessStores = accessStores;
        _settings = settings;
        _queue = queue;
        _grants = grants;
        _sessions = sessions;
        _time = time;
        _reader = new ServerReader(api);
        _policies = new GatewayPolicy(stores, accessStores, podsOf, refresh, api, counters, time, logger);
    }

    /// <summary>Grants and sessions judged, counted each time.</summary>
    public long Judged => Interlocked.Read(ref _judged);

    /// <exception cref="HttpRequestException">The API server could not be reached: nothing is known, try again.</exception>
    /// <exception cref="ApiException">For example a conflict, which the loop retries and does not report.</exception>
    public async Task<Outcome> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_stores.Servers.Get(key) is not { } stored)
        {
            _policies.Forget(key);
            Report(Judge(key, null, null), isInForce: false);
            return Outcome.Done;
        }

        if (!IsConcerned(stored))
            return Outcome.Done;
        using var ticket = _admission.TryEnter(key.Namespace, LengthOf(stored));
        if (ticket is null)
            return Outcome.RequeueAfter(Admission.NamespaceDelay);
        MCPServer? server = null;
        try
        {
            server = await _reader.ReadAsync(stored, cancellationToken).ConfigureAwait(false);
            if (server is null)
                return Outcome.Done;
            server = server with { Spec = Defaults.Apply(server.Metadata.Name, server.Spec, _settings) };
            return await ReconcileAsync(server, cancellationToken).ConfigureAwait(false);
        }
        catch (ApiException exception) when (exception.IsNotFound || exception.IsNamespaceTerminating)
        {
            // The server or its namespace is deleted: the watch will tell.
            if (exception.IsNamespaceTerminating)
                _stores.NoteEnding(stored.Metadata);
            return Outcome.Done;
        }
        catch (ApiException exception) when (exception is { IsTransient: true, Status.Details.RetryAfterSeconds: > 0 })
        {
            // As long as it asks for. A change meanwhile is handled at once.
            _policies.PublishUnknown(server ?? stored.Read());
            return Outcome.RequeueAfter(TimeSpan.FromSeconds(Math.Min(exception.Status.Details.RetryAfterSeconds.Value, LongestPause)));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            _policies.PublishUnknown(server ?? stored.Read());
            throw;
        }
    }

    /// <param name="server">With the defaults filled in.</param>
    private async Task<Outcome> ReconcileAsync(MCPServer server, CancellationToken cancellationToken)
    {
        var hasGateway = server.Spec.HasGateway();
        var isOff = !hasGateway && server.Unreadable is null;
        var (head, problem) = hasGateway && Validation.AccessFaults(server).Count == 0 ? HeadOf(server) : default;
        if (head is null && _policies.IsInUse(server, isOff))
            head = await _policies.LastHeadAsync(server, _settings, cancellationToken).ConfigureAwait(false);

        var judgement = Judge(server.Key, server, head);
        var isPaused = server.Pause == PauseRequest.Paused;
        if (isPaused && head is { IsFrozen: false } && await _policies.StoredHeadAsync(server, cancellationToken).ConfigureAwait(false) is { } stored)
        {
            // What was taken away goes out of the document; what came is let in when the server goes on.
            var frozen = Judge(server.Key, server, stored);
            if (DocumentOf(frozen).Revision != DocumentOf(judgement).Revision)
                (head, judgement, problem) = (stored, frozen, PolicyProblems.Paused);
        }

        EnqueueAtNextExpiry(server.Key, judgement);
        if (head is null)
        {
            var removal = isOff && !isPaused ? await _policies.RemoveAsync(server, cancellationToken).ConfigureAwait(false) : default;
            _policies.Publish(server, hasGateway, removal, problem, document: null);
            Report(judgement, isInForce: isOff && removal is { Problem: null, PutOff: null });
            return OutcomeOf(server.Key, removal);
        }

        // Nothing is created for a server that is being deleted, or was never valid; but running pods must see what was taken
        // away.
        var mayCreate = server.Metadata.DeletionTimestamp is null
            && (_policies.HasPods(server) || (!isPaused && Validation.Validate(server, _settings).Count == 0));
        var document = DocumentOf(judgement);
        var written = await _policies.ApplyAsync(server, document, mayCreate, cancellationToken).ConfigureAwait(false);
        if (written.IsConflict)
        {
            _policies.PublishUnknown(server);
            return Outcome.Retry;
        }

        problem ??= head.IsFrozen && hasGateway ? PolicyProblems.Frozen : null;
        var isInForce = _policies.Publish(server, hasGateway, written, problem, document);
        Report(judgement, isInForce);
        return OutcomeOf(server.Key, written);
    }

    private static PolicyDocument DocumentOf(AccessJudgement judgement) => new(judgement.Head!, judgement.Grants, judgement.Sessions);

    private Outcome OutcomeOf(ObjectKey server, in ApplyResult result) =>
        (result.Problem?.Reason switch
        {
            null or Problem.Contested => Outcome.Done,
            Problem.LabelOverwritten => Outcome.RequeueAfter(_settings.UnwatchedDelay),
            _ => Outcome.Retry,
        }).Within(_policies.ContestedFor(server, result));

    /// <summary>The bytes that its document is made from.</summary>
    private int LengthOf(StoredServer server) => server.Length
        + _accessStores.Grants.Of(server.Key).Sum(static grant => grant.Spec.Length) + _accessStores.Sessions.Of(server.Key).Sum(static session => session.Spec.Length);

    /// <summary>Most servers have no gateway and no access objects: a reconcile of them ends here.</summary>
    private bool IsConcerned(StoredServer server) =>
        server.IsOutline || server.Spec.Span.IndexOf("\"gateway\""u8) >= 0
        || _accessStores.ConfigMaps.Get(GatewayPolicy.KeyOf(server.Key)) is not null
        || _stores.Policies.Get(server.Key) is not null
        || _accessStores.Grants.Has(server.Key) || _accessStores.Sessions.Has(server.Key);

    private (PolicyHead?, Problem?) HeadOf(MCPServer server)
    {
        var head = PolicyHead.Of(server, _settings);
        return head.IsTooLarge ? (null, PolicyProblems.TooLarge) : (head, null);
    }

    private AccessJudgement Judge(ObjectKey key, MCPServer? server, PolicyHead? head)
    {
        var judgement = AccessJudgement.Of(
            key, server, head,
            _accessStores.Grants.Of(key).Select(static grant => grant.ReadGrant()),
            _accessStores.Sessions.Of(key).Select(static session => session.ReadSession()),
            _time.GetUtcNow());
        Interlocked.Add(ref _judged, judgement.Verdicts.Count);
        return judgement;
    }

    /// <summary>Nobody is reported as accepted, or as revoked, before the document that makes it so is in force.</summary>
    private void Report(AccessJudgement judgement, bool isInForce)
    {
        foreach (var (member, verdict) in judgement.Verdicts)
        {
            var reporter = member is MCPAccessGrant ? _grants : _sessions;
            reporter.Report(member, verdict.TakesPolicy && !isInForce ? null : verdict);
        }
    }

    /// <summary>For the status of the session only: the document stays the same, since gateways check the expiry.</summary>
    private void EnqueueAtNextExpiry(ObjectKey key, AccessJudgement judgement)
    {
        if (judgement.NextExpiry - _time.GetUtcNow() is { } left)
            _queue.AddAfter(key, left < LongestSleep ? left : LongestSleep);
    }
}
