using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Mirror;
using McpOperator.Servers.Kinds;
using Microsoft.Extensions.Logging;

namespace McpOperator.Servers;

/// <summary>Reports a pass: in the server's status, and in events.</summary>
internal sealed class ServerReporter(
    ApiClient api, Stores stores, ServerKinds kinds, OperatorSettings settings, WriteCounters counters, ServerEvents events, TimeProvider time, ILogger logger)
{
    private readonly StatusWriter<StoredServer> _writer = new(
        MCPServer.Type, json => StoredServer.DecodeOutline(json, api.Identity.OwnedFields, settings), stores.Servers, api, counters, time, logger, predecessorsConditions: ConditionTypes.All);

    /// <returns>
    /// The reported conditions; null after a conflict, when nothing is reported, since what was observed may be outdated.
    /// </returns>
    /// <exception cref="ApiException">The API server refused the status.</exception>
    public async Task<IReadOnlyList<ComponentCondition>?> ReportAsync(Pass pass, CancellationToken cancellationToken)
    {
        var server = pass.Stored;
        events.Changed(server, kinds.All.Select(kind => (kind.ChangeOf(pass), kind.Name)));
        if (pass.Policy is { Change: not Change.None } told)
            stores.Policies.MarkReported(server.Key, told);
        if (pass.HasConflict)
            return null;

        var components = StatusReport.ConditionsOf(pass, kinds);
        // In a moment it is known what there is, and may be seen.
        if (pass.Memory.ConfigVersions is { IsListing: true })
            return components;
        var fault = pass.IsValid ? null : new Problem(Reasons.InvalidSpec, string.Join("; ", pass.Faults));
        var doubts = pass.IsValid ? string.Join("; ", [.. SpecDoubts.Of(server, pass.Spec).Select(static doubt => doubt.ToString()), .. stores.Configuration.DoubtsOf(server.Key)]) : "";
        var status = StatusReport.Compose(
            server, components, fault,
            [.. pass.Live.OfType<ObservedDeployment>()],
            doubts,
            kinds.All.Select(kind => kind.UrlOf(pass)).FirstOrDefault(url => url is not null),
            pass is { IsValid: true, IsPaused: false } ? ImageReference.Resolve(pass.Spec, pass.Settings) : server.Reported?.Image,
            time.GetUtcNow(), PauseReport.Of(pass), pass.Mcp);
        var quiet = pass.Memory.Quiet ?? new Quiet(time);
        pass.Memory.Quiet = status.IsReady() ? null : quiet;
        events.Waiting(server, status, quiet);
        var isProgress = StatusReport.IsProgress(server.Reported, status);
        if (isProgress && quiet.PutOff is { } putOff && !_writer.IsWritten(server.Metadata, server.Reported, Write, pass.Memory.Status))
        {
            pass.StatusPutOff = putOff;
            return components;
        }

        var written = await _writer.WriteAsync(
            server.Metadata, server.Reported, Write, pass.Memory.Status, pass.IsComplete, cancellationToken).ConfigureAwait(false);
        pass.StatusPutOff = written.PutOff;
        if (written.IsWritten)
        {
            quiet.Wrote(isProgress || status.Phase == Phase.Error, settings.DiagnoseAfter);
            Log.StatusReported(logger, status.Phase!, status.Message!);
            events.Reported(server, status, quiet, time.GetUtcNow());
            // An annotation makes no generation.
            var isUnclear = server.Pause == PauseRequest.Unclear && server.Reported?.Find(ConditionTypes.Paused)?.Reason != Reasons.InvalidAnnotation;
            if (doubts.Length > 0 && (isUnclear || server.Reported?.ObservedGeneration != status.ObservedGeneration))
                events.Doubtful(server, doubts);
            var foreign = string.Join(", ", kinds.All.Select(kind => kind.ForeignOf(pass)).OfType<string>().Distinct());
            if (foreign.Length > 0 && foreign != pass.Memory.ToldForeign)
                events.Foreign(server, foreign);
            pass.Memory.ToldForeign = foreign.Length > 0 ? foreign : null;
            if (fault is not null)
                Log.InvalidSpec(logger, fault.Message);
        }

        return components;

        void Write(Utf8JsonWriter writer) => JsonSerializer.Serialize(writer, status, ApiJsonContext.Default.MCPServerStatus);
    }
}
