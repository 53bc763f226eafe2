using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using Microsoft.Extensions.Logging;

namespace McpOperator.Access;

/// <summary>
/// Writes the statuses of grants, or sessions, each in a reconcile of its own. A queue of its own with one worker: a server may
/// have thousands, and no revocation waits for their reports.
/// </summary>
internal sealed class AccessReporter
{
    private readonly string _kind;
    private readonly AccessByServer _members;
    private readonly IEnqueuer _queue;
    private readonly EndingNamespaces _ending;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly StatusWriter<StoredAccess> _writer;

    // Those whose status differs from their verdict.
    private readonly KeyMap<Pending> _pending = new();

    // Those whose last write was refused, or stored differently.
    private readonly KeyMap<ApplyMemory> _memories = new();

    public AccessReporter(
        ResourceType type, AccessByServer members, IEnqueuer queue, EndingNamespaces ending, ApiClient api, WriteCounters counters, TimeProvider time, ILogger logger)
    {
        _kind = type.Kind;
        _members = members;
        _queue = queue;
        _ending = ending;
        _time = time;
        _logger = logger;
        _writer = new(type, json => StoredAccess.Decode(json, api.Identity.OwnedFields), members.Store, api, counters, time, logger);
        members.Gone += Forget;
    }

    /// <summary>Enqueues the report, unless the status has it already.</summary>
    /// <param name="verdict">Null when nothing is to be reported for now.</param>
    public void Report(AccessObject member, Verdict? verdict)
    {
        var pending = _pending.Get(member.Key);
        // It is queued already, or backs off.
        if (pending is not null && pending.Verdict == verdict && pending.Member.Metadata.IsSameButForVersion(member.Metadata))
            return;
        // While another report is being written, the status in the store is about to change.
        if (verdict is null
            || (pending is null && _writer.IsWritten(member.Metadata, member.Reported, StatusOf(member, member.Reported, verdict), _memories.Get(member.Key))))
        {
            _pending.Remove(member.Key);
            return;
        }

        _pending.Set(member.Key, new Pending(member, verdict));
        _queue.Add(member.Key, Priority.Listed);
    }

    /// <exception cref="HttpRequestException">The API server could not be reached.</exception>
    /// <exception cref="ApiException">It cannot serve the request, or the object has changed meanwhile.</exception>
    public async Task<Outcome> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_pending.Get(key) is not { } report)
        {
            // Enqueued only to forget what was remembered of another writer.
            if (_memories.Get(key) is { } kept && kept.QuietIn(_time) is null && kept.IsEmpty)
                _memories.Remove(key);
            return Outcome.Done;
        }

        if (_members.Store.Get(key) is not { } live || _ending.Contains(key.Namespace))
        {
            Forget(key);
            return Outcome.Done;
        }

        // The object has changed since it was judged: its server is enqueued, and will report again.
        if (!live.Metadata.IsSameButForVersion(report.Member.Metadata))
            return Outcome.Done;

        var memory = _memories.Get(key) ?? new ApplyMemory();
        try
        {
            var written = await _writer.WriteAsync(
                live.Metadata, live.Reported, StatusOf(report.Member, live.Reported, report.Verdict), memory, takesOver: false, cancellationToken).ConfigureAwait(false);
            if (written.PutOff is { } pause)
                return Outcome.RequeueAfter(pause);
            if (written.IsWritten)
                Log.AccessReported(_logger, _kind, key, report.Verdict.Phase, report.Verdict.Message);
            memory.ForgetRefusal();
            if (ReferenceEquals(_pending.Get(key), report))
                _pending.Remove(key);
        }
        catch (ApiException exception) when (exception.IsObjectRefused)
        {
            memory.Refused(_logger, _kind, exception);
            return Outcome.Retry;
        }
        finally
        {
            if (memory.IsEmpty)
                _memories.Remove(key);
            else
                _memories.Set(key, memory);
            // Deleted while it was written: Forget has run already, and nobody would call it again.
            if (_members.Store.Get(key) is null)
                Forget(key);
        }

        return Outcome.Done.Within(memory.QuietIn(_time));
    }

    private Action<Utf8JsonWriter> StatusOf(AccessObject member, LastReport? reported, Verdict verdict)
    {
        var status = verdict.ToStatus(member with { Reported = reported }, _time.GetUtcNow());
        return json => JsonSerializer.Serialize(json, status, ApiJsonContext.Default.AccessStatus);
    }

    private void Forget(ObjectKey key)
    {
        _pending.Remove(key);
        _memories.Remove(key);
    }

    private sealed record Pending(AccessObject Member, Verdict Verdict);
}
