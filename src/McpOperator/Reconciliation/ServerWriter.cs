using System.Net;
using System.Text.Json;
using McpOperator.Api;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using Microsoft.Extensions.Logging;

namespace McpOperator.Reconciliation;

/// <summary>The two things that the operator writes into an MCPServer: defaults into its spec, and its status.</summary>
public sealed class ServerWriter(
    ApiClient api, Stores stores, OperatorSettings settings, OperatorCounters counters, ILogger logger)
{
    private readonly WriteGuard _spec = new();
    private readonly KeyMap<string> _refusals = new();
    private readonly StatusWriter<StoredServer> _status = new(
        MCPServer.Type, StoredServer.Decode, stores.Servers, api, counters,
        (key, cancellationToken) => TakeOverStatusAsync(api, key, counters, logger, cancellationToken));

    /// <summary>
    /// Writes the defaults that the object lacks. The resource version goes along, so that nothing a user sets in the
    /// same moment is overwritten.
    /// </summary>
    /// <returns>
    /// The server as it then is; the one given when the API server does not take them. And whether to try again: a right may be
    /// granted, while a rule that they break stays.
    /// </returns>
    /// <exception cref="ApiException">The server was edited meanwhile (a conflict), or is gone.</exception>
    public async Task<(MCPServer Server, bool IsOwed)> PersistDefaultsAsync(
        MCPServer server, MCPServerSpec added, CancellationToken cancellationToken)
    {
        var spec = JsonSerializer.SerializeToUtf8Bytes(added, ApiJsonContext.Default.MCPServerSpec);
        var intent = OwnedFields.FingerprintOfIntent(spec);
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
        if (_spec.IsSettled(server.Key, intent, observed: 0))
            return (server, false);
        try
        {
            var answer = await api.MergePatchAsync(
                MCPServer.Type, server.Key, patch, StoredServer.Decode, cancellationToken).ConfigureAwait(false);
            stores.Servers.Observe(answer);
            var written = answer.Read();
            // A CRD that prunes one of these fields would otherwise have them written for ever.
            var effective = Defaults.Apply(written.Metadata.Name, written.Spec, settings);
            if (Defaults.Added(written.Spec, effective) is null)
                _spec.Forget(server.Key);
            else
                _spec.Note(server.Key, intent, observed: 0);
            counters.WriteDefaults(MCPServer.Type.Kind);
            _refusals.Remove(server.Key);
            Log.DefaultsPersisted(logger);
            return (written, false);
        }
        catch (ApiException exception) when (exception is { IsConflict: false, IsNotFound: false, IsTransient: false })
        {
            var isOwed = exception.Code == HttpStatusCode.Forbidden || (int)exception.Code >= 500;
            if (!isOwed)
                _spec.Note(server.Key, intent, observed: 0);
            var level = _refusals.Get(server.Key) == exception.Message ? LogLevel.Debug : LogLevel.Warning;
            _refusals.Set(server.Key, exception.Message);
            Log.DefaultsNotPersisted(logger, level, exception.Message);
            return (server, isOwed);
        }
    }

    /// <summary>Writes the status when it differs from the one that is stored.</summary>
    /// <returns>True when it was written.</returns>
    /// <exception cref="ApiException">The API server refused it.</exception>
    public async Task<bool> ReportAsync(MCPServer server, MCPServerStatus status, CancellationToken cancellationToken)
    {
        var isWritten = await _status.WriteAsync(
            server.Metadata, server.Reported,
            writer => JsonSerializer.Serialize(writer, status, ApiJsonContext.Default.MCPServerStatus),
            cancellationToken).ConfigureAwait(false);
        if (isWritten)
            Log.StatusReported(logger, status.Phase!, status.Message!);
        return isWritten;
    }

    public void Forget(ObjectKey key)
    {
        _spec.Forget(key);
        _refusals.Remove(key);
        _status.Forget(key);
    }

    /// <summary>Conditions that the operator before us left must not stay for ever.</summary>
    private static async Task<bool> TakeOverStatusAsync(
        ApiClient api, ObjectKey key, OperatorCounters counters, ILogger logger, CancellationToken cancellationToken)
    {
        if (!await Takeover.RunAsync(
            api, MCPServer.Type, key, static json => Takeover.PatchOfPredecessor(json, isStatus: true) ?? [], cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        counters.Migrate(MCPServer.Type.Kind);
        Log.ObjectMigrated(logger, MCPServer.Type.Kind);
        return true;
    }
}
