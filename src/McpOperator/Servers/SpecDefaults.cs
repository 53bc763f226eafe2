using System.Net;
using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Mirror;
using Microsoft.Extensions.Logging;

namespace McpOperator.Servers;

/// <summary>Writes the defaults in effect into the specs that lack them, so that everybody sees what is in effect.</summary>
internal sealed class SpecDefaults(ApiClient api, Stores stores, OperatorSettings settings, WriteCounters counters, TimeProvider time, ILogger logger)
{
    /// <summary>
    /// Writes the defaults that the object lacks, with its resourceVersion, so that nothing a user sets at the same time is
    /// overwritten.
    /// </summary>
    /// <returns>
    /// The server as written, or the given one when the API server refused. IsPending: whether to try again. A right may be
    /// granted; a validation rule stays.
    /// </returns>
    /// <exception cref="ApiException">The server was edited meanwhile (a conflict), or is gone.</exception>
    public async Task<(MCPServer Server, bool IsPending)> PersistAsync(
        MCPServer server, MCPServerSpec added, ApplyMemory memory, CancellationToken cancellationToken)
    {
        var spec = JsonSerializer.SerializeToUtf8Bytes(added, ApiJsonContext.Default.MCPServerSpec);
        var wanted = OwnedFields.FingerprintOf(spec);
        var patch = ApplyBody.Write(writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartObject("metadata"u8);
            writer.WriteString("resourceVersion"u8, server.Metadata.ResourceVersion);
            writer.WriteEndObject();
            writer.WritePropertyName("spec"u8);
            writer.WriteRawValue(spec);
            writer.WriteEndObject();
        });
        // They are in effect in any case while somebody else keeps removing them.
        if (memory.PauseBefore(wanted, time, Contest.LongestPause) > TimeSpan.Zero || memory.IsUpToDate(wanted, live: 0))
            return (server, false);
        try
        {
            var ours = api.Identity.OwnedFields;
            var (answer, written) = await api.MergePatchAsync(
                MCPServer.Type, server.Key, patch,
                json => (StoredServer.DecodeOutline(json, ours, settings), StoredServer.Decode(json, ours).Read()), cancellationToken).ConfigureAwait(false);
            stores.Servers.Observe(answer);
            // A CRD that prunes one of these fields would otherwise have them written for ever.
            var effective = Defaults.Apply(written.Metadata.Name, written.Spec, settings);
            memory.Accepted(wanted, live: Defaults.Added(written.Spec, effective) is null ? wanted : 0);
            memory.Wrote(wanted, isRepair: server.Reported is not null, time);
            counters.Defaults(MCPServer.Type.Kind);
            Log.DefaultsPersisted(logger);
            return (written, false);
        }
        catch (ApiException exception) when (exception is { IsConflict: false, IsNotFound: false, IsTransient: false })
        {
            var isPending = exception.Code is not (HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity);
            var level = memory.NoteRefusal(exception.Message);
            if (!isPending)
                memory.Suppress(wanted, live: 0);
            Log.DefaultsNotPersisted(logger, level, exception.Message);
            return (server, isPending);
        }
    }
}
