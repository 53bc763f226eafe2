using System.Net;
using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Commands.Manifests;

/// <summary>
/// The servers, grants and sessions of a cluster, with those among the manifests in the place of their namesakes. Where one may list
/// in one namespace only, it is those of the namespaces that the manifests speak of.
/// </summary>
internal sealed class ClusterState
{
    private readonly Dictionary<ObjectKey, StoredServer> _servers;

    private ClusterState(Dictionary<ObjectKey, StoredServer> servers) => _servers = servers;

    /// <summary>As they are.</summary>
    public IEnumerable<MCPServer> Servers => _servers.Values.Select(server => server.Read());

    /// <summary>Of all servers, after the manifests.</summary>
    public required IReadOnlyList<StoredMember> Grants { get; init; }

    /// <inheritdoc cref="Grants"/>
    public required IReadOnlyList<StoredMember> Sessions { get; init; }

    /// <exception cref="ApiException">The API server refused.</exception>
    /// <exception cref="HttpRequestException">It could not be reached.</exception>
    public static async Task<ClusterState> ReadAsync(ApiClient api, ManifestInput given)
    {
        var grants = given.Manifests.Members(MCPAccessGrant.Type);
        var sessions = given.Manifests.Members(MCPAgentSession.Type);
        var namespaces = new HashSet<string>(StringComparer.Ordinal);
        foreach (var server in given.Manifests.Servers())
            namespaces.Add(server.Metadata.Namespace);
        foreach (var member in (IEnumerable<StoredMember>)[.. grants, .. sessions])
            namespaces.Add(member.Server.Namespace);

        var servers = await ListAsync(
            api, MCPServer.Type, json => StoredServer.Decode(json, Product.Identity.OwnedFields), namespaces).ConfigureAwait(false);
        return new ClusterState(servers)
        {
            Grants = await WithAsync(api, MCPAccessGrant.Type, grants, namespaces).ConfigureAwait(false),
            Sessions = await WithAsync(api, MCPAgentSession.Type, sessions, namespaces).ConfigureAwait(false),
        };
    }

    /// <summary>Null when there is none.</summary>
    public MCPServer? Find(ObjectKey key) => _servers.GetValueOrDefault(key)?.Read();

    /// <summary>As the API server would have it after the manifest, and the operator when it is through.</summary>
    public MCPServer After(MCPServer server, OperatorSettings settings)
    {
        if (!_servers.TryGetValue(server.Key, out var live))
            return server with { Metadata = New(server.Metadata), Reported = null };
        // What it serves and asks for no more, it gives up.
        var spec = Defaults.Apply(server.Metadata.Name, server.Spec, settings);
        var isServed = live.Reported?.Url == Routing.Resolve(server.Metadata.Name, spec).Url(settings);
        return server with
        {
            Metadata = live.Metadata with { Generation = live.Metadata.Generation + 1 },
            Reported = isServed ? live.Reported : null,
        };
    }

    private static async Task<IReadOnlyList<StoredMember>> WithAsync(
        ApiClient api, ResourceType type, List<StoredMember> given, HashSet<string> namespaces)
    {
        var all = await ListAsync(api, type, json => StoredMember.Decode(json, Product.Identity.OwnedFields), namespaces).ConfigureAwait(false);
        foreach (var member in given)
        {
            var live = all.GetValueOrDefault(member.Key);
            all[member.Key] = member.In(live?.Metadata ?? New(member.Metadata), live?.Reported);
        }

        return [.. all.Values];
    }

    /// <summary>Where the manifest comes from it may have been created long ago; here it is younger than all that there is.</summary>
    private static ObjectMeta New(ObjectMeta metadata) =>
        metadata with { Uid = "", CreationTimestamp = DateTimeOffset.MaxValue, DeletionTimestamp = null };

    private static async Task<Dictionary<ObjectKey, T>> ListAsync<T>(
        ApiClient api, ResourceType type, Decoder<T> decode, IEnumerable<string> namespaces)
        where T : class, IKubernetesObject
    {
        var found = new Dictionary<ObjectKey, T>();
        try
        {
            await AddAsync(ns: null).ConfigureAwait(false);
        }
        catch (ApiException exception) when (exception.Code == HttpStatusCode.Forbidden)
        {
            foreach (var ns in namespaces)
                await AddAsync(ns).ConfigureAwait(false);
        }

        return found;

        async Task AddAsync(string? ns)
        {
            var list = new ListWatch<T>(api, type, ns, labelSelector: null, decode);
            foreach (var item in (await list.ListAsync("", CancellationToken.None).ConfigureAwait(false)).Items)
                found[item.Key] = item;
        }
    }
}
