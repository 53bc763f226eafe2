using McpOperator.Api;

namespace McpOperator.Mirror;

/// <summary>Reads the spec of a server: from the store, or, where that has an outline only, from the API server.</summary>
internal sealed class ServerReader(ApiClient api)
{
    /// <summary>Null when it is gone, or another one has its name: the watch will tell.</summary>
    /// <exception cref="HttpRequestException">The API server could not be reached.</exception>
    public async ValueTask<MCPServer?> ReadAsync(StoredServer stored, CancellationToken cancellationToken)
    {
        if (!stored.IsOutline)
            return stored.Read();
        // From the API server's cache, at least as new as the store.
        var whole = await api.FindAsync(
            MCPServer.Type, stored.Key, json => StoredServer.Decode(json, api.Identity.OwnedFields), stored.ResourceVersion, cancellationToken).ConfigureAwait(false);
        return whole?.Metadata.Uid == stored.Metadata.Uid ? whole.Read() : null;
    }
}
