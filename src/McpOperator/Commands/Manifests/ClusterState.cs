using System.Net;
using McpOperator.Api;

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
    public required IReadOnlyList<StoredAccess> Grants { get; init; }

    /// <inheritdoc cref="Grants"/>
    public required IReadOnlyList<StoredAccess> Sessions { get; init; }

    /// <summary>The servers that grants and sessions among the manifests name no more.</summary>
    public required IReadOnlyList<ObjectKey> Left { get; init; }

    /// <param name="note">Told of what was not read.</param>
    /// <exception cref="ApiException">The API server refused.</exception>
    /// <exception cref="HttpRequestException">It could not be reached.</exception>
    public static async Task<ClusterState> ReadAsync(ApiClient api, ManifestInput given, Action<string> note)
    {
        var grants = given.Manifests.Access(MCPAccessGrant.Type);
        var sessions = given.Manifests.Access(MCPAgentSession.Type);
        var namespaces = new HashSet<string>(StringComparer.Ordinal);
        foreach (var server in given.Manifests.Servers())
            namespaces.Add(server.Metadata.Namespace);
        foreach (var member in (IEnumerable<StoredAccess>)[.. grants, .. sessions])
            namespaces.Add(member.Server.Namespace);

        var lists = new Lists(api, namespaces, given.Options.AllNamespaces);
        var left = new List<ObjectKey>();
        var state = new ClusterState(await lists.ReadAsync(
            MCPServer.Type, json => StoredServer.Decode(json, Product.Identity.OwnedFields)).ConfigureAwait(false))
        {
            Grants = await WithAsync(lists, MCPAccessGrant.Type, grants, left).ConfigureAwait(false),
            Sessions = await WithAsync(lists, MCPAgentSession.Type, sessions, left).ConfigureAwait(false),
            Left = left,
        };
        foreach (var text in lists.Notes)
            note(text);
        return state;
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
        var isServed = live.Reported?.Url == Routing.Resolve(server.Metadata.Name, spec).Url(Routing.IsTls(spec, settings));
        return server with
        {
            // An annotation that the manifest does not have stays.
            Pause = server.Pause == PauseRequest.None ? live.Pause : server.Pause,
            Metadata = live.Metadata with { Generation = live.Metadata.Generation + 1 },
            Reported = isServed ? live.Reported : null,
        };
    }

    private static async Task<IReadOnlyList<StoredAccess>> WithAsync(
        Lists lists, ResourceType type, List<StoredAccess> given, List<ObjectKey> left)
    {
        var all = await lists.ReadAsync(type, json => StoredAccess.Decode(json, Product.Identity.OwnedFields)).ConfigureAwait(false);
        foreach (var member in given)
        {
            var live = all.GetValueOrDefault(member.Key);
            if (live is not null && live.Server != member.Server)
                left.Add(live.Server);
            all[member.Key] = member.In(live?.Metadata ?? New(member.Metadata), live?.Reported);
        }

        return [.. all.Values];
    }

    /// <summary>Where the manifest comes from it may have been created long ago; here it is younger than all that there is.</summary>
    private static ObjectMeta New(ObjectMeta metadata) =>
        metadata with { Uid = "", CreationTimestamp = DateTimeOffset.MaxValue, DeletionTimestamp = null };

    /// <summary>Reads lists, and remembers which ones it may not read.</summary>
    /// <param name="isWhole">Whether nothing will do but all of each.</param>
    private sealed class Lists(ApiClient api, IReadOnlyCollection<string> namespaces, bool isWhole)
    {
        private readonly List<string> _narrow = [];
        private readonly SortedDictionary<string, List<string>> _closed = new(StringComparer.Ordinal);

        public IEnumerable<string> Notes
        {
            get
            {
                if (_narrow.Count > 0)
                {
                    yield return $"{string.Join(", ", _narrow)} are not readable in all namespaces: routes, grants and sessions of others than " +
                        $"{string.Join(", ", namespaces.Order(StringComparer.Ordinal))} are not known";
                }

                foreach (var (ns, kinds) in _closed)
                    yield return $"{string.Join(", ", kinds)} are not readable in namespace {ns}: what they change there is not known";
            }
        }

        public async Task<Dictionary<ObjectKey, T>> ReadAsync<T>(ResourceType type, Decoder<T> decode)
            where T : class, IKubernetesObject
        {
            var found = new Dictionary<ObjectKey, T>();
            if (await TryAddAsync(null).ConfigureAwait(false) is not { } refusal || (namespaces.Count == 0 && !isWhole))
                return found;
            if (isWhole)
                throw refusal;
            var isRead = false;
            foreach (var ns in namespaces)
            {
                if (await TryAddAsync(ns).ConfigureAwait(false) is not { } closed)
                {
                    isRead = true;
                    continue;
                }

                refusal = closed;
                if (!_closed.TryGetValue(ns, out var kinds))
                    _closed[ns] = kinds = [];
                kinds.Add($"{type}");
            }

            if (!isRead)
                throw refusal;
            _narrow.Add($"{type}");
            return found;

            async Task<ApiException?> TryAddAsync(string? ns)
            {
                try
                {
                    var list = new ListWatch(api, type, ns, labelSelector: null, decode);
                    foreach (var item in (await list.ListAsync("", CancellationToken.None).ConfigureAwait(false)).Items)
                        found[item.Key] = (T)item;
                    return null;
                }
                catch (ApiException exception) when (exception.Code == HttpStatusCode.Forbidden)
                {
                    return exception;
                }
            }
        }
    }
}
