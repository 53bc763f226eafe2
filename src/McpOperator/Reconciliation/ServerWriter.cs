using System.Text.Json;
using McpOperator.Api;
using McpOperator.Kubernetes;
using Microsoft.Extensions.Logging;

namespace McpOperator.Reconciliation;

/// <summary>The two things that the operator writes into an MCPServer: defaults into its spec, and its status.</summary>
public sealed class ServerWriter(
    ApiClient api, Stores stores, OperatorSettings settings, ILogger logger)
{
    private readonly WriteGuard _spec = new();
    private readonly WriteGuard _status = new();

    /// <summary>
    /// Writes the defaults that the object lacks. The resource version goes along, so that nothing a user sets in the
    /// same moment is overwritten.
    /// </summary>
    /// <returns>The server as it then is; the one given when the API server does not take them.</returns>
    /// <exception cref="ApiException">The server was edited meanwhile (a conflict), or is gone.</exception>
    public async Task<MCPServer> PersistDefaultsAsync(
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
            return server;
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
            Log.DefaultsPersisted(logger);
            return written;
        }
        catch (ApiException exception) when (exception is { IsConflict: false, IsNotFound: false, IsPassing: false })
        {
            // The rule or the permission has to change first; trouble of the server's own may pass.
            if ((int)exception.Code is >= 400 and < 500)
                _spec.Note(server.Key, intent, observed: 0);
            Log.DefaultsNotPersisted(logger, exception.Message);
            return server;
        }
    }

    /// <summary>Writes the status when it differs from the one that is stored.</summary>
    /// <returns>True when it was written.</returns>
    /// <exception cref="ApiException">The API server refused it.</exception>
    public async Task<bool> ReportAsync(MCPServer server, MCPServerStatus status, CancellationToken cancellationToken)
    {
        var body = ApplyBody.Write(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("apiVersion"u8, MCPServer.Type.ApiVersion);
            writer.WriteString("kind"u8, MCPServer.Type.Kind);
            writer.WriteStartObject("metadata"u8);
            writer.WriteString("name"u8, server.Metadata.Name);
            writer.WriteString("namespace"u8, server.Metadata.Namespace);
            writer.WriteEndObject();
            writer.WritePropertyName("status"u8);
            JsonSerializer.Serialize(writer, status, ApiJsonContext.Default.MCPServerStatus);
            writer.WriteEndObject();
        });
        var intent = OwnedFields.FingerprintOfIntent(body);
        if (_status.IsSettled(server.Key, intent, server.Reported?.Fingerprint ?? OwnedFields.None))
            return false;
        stores.Reporting(server.Key, intent);
        try
        {
            var answer = await api.ApplyStatusAsync(
                MCPServer.Type, server.Key, body, StoredServer.Decode, cancellationToken).ConfigureAwait(false);
            _status.Note(server.Key, intent, answer.Reported?.Fingerprint ?? OwnedFields.None);
            Log.StatusReported(logger, status.Phase!, status.Message!);
            stores.ObserveReport(answer, server.Metadata);
            return true;
        }
        catch (ApiException exception) when (exception.IsNotFound)
        {
            // Deleted since it was read: the watch brings the news, and there is nobody to tell.
            return false;
        }
    }

    public void Forget(ObjectKey key)
    {
        _spec.Forget(key);
        _status.Forget(key);
        stores.ForgetReport(key);
    }
}
