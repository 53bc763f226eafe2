using System.Text.Json.Nodes;

namespace McpOperator.Soak.Checking;

/// <summary>Every object that a check goes by, as the API server has it.</summary>
internal sealed record Snapshot(IReadOnlyDictionary<string, IReadOnlyList<JsonObject>> ByKind, DateTimeOffset Taken)
{
    /// <summary>The kinds that belong to a server.</summary>
    public static readonly IReadOnlyList<Resource> Children =
        [Resource.Deployments, Resource.Services, Resource.Ingresses, Resource.ConfigMaps];

    private static readonly IReadOnlyList<Resource> Kinds =
    [
        Resource.MCPServers, Resource.MCPAccessGrants, Resource.MCPAgentSessions, .. Children,
        Resource.ServiceAccounts, Resource.Secrets,
    ];

    private readonly Dictionary<string, JsonObject> _byKey = ByKind
        .SelectMany(kind => kind.Value.Select(live => KeyValuePair.Create($"{kind.Key}/{live.Key()}", live)))
        .ToDictionary();

    /// <summary>How often others than the operators have changed each child, by <see cref="ChangesKey"/>.</summary>
    public IReadOnlyDictionary<string, int> Changes { get; init; } = new Dictionary<string, int>();

    public int Count => _byKey.Count;

    public static string ChangesKey(Resource kind, string @namespace, string name) => $"{kind.Plural}/{Json.Key(@namespace, name)}";

    public IReadOnlyList<JsonObject> Of(Resource kind) => ByKind.TryGetValue(kind.Kind, out var all) ? all : [];

    public JsonObject? Find(Resource kind, string @namespace, string name) =>
        _byKey.GetValueOrDefault($"{kind.Kind}/{Json.Key(@namespace, name)}");

    /// <summary>The same with another object in the place of one; null: with none.</summary>
    public Snapshot With(string kind, JsonObject before, JsonObject? after) => new(
        new Dictionary<string, IReadOnlyList<JsonObject>>(ByKind)
        {
            [kind] = [.. ByKind[kind].Select(live => ReferenceEquals(live, before) ? after : live).OfType<JsonObject>()],
        },
        Taken)
    {
        Changes = Changes,
    };

    public override string ToString() => string.Join('\n', _byKey.Select(one => $"{one.Key} {one.Value.Show()}"));

    /// <summary>What has changed since then, one line an object.</summary>
    public IEnumerable<string> ChangesSince(Snapshot before)
    {
        foreach (var key in _byKey.Keys.Union(before._byKey.Keys).Order(StringComparer.Ordinal))
        {
            var (was, now) = (before._byKey.GetValueOrDefault(key), _byKey.GetValueOrDefault(key));
            if (was.Raw("metadata", "resourceVersion") != now.Raw("metadata", "resourceVersion") || (was is null) != (now is null))
                yield return $"{key}\n    was {Bare(was).Show()}\n    is  {Bare(now).Show()}";
        }

        static JsonNode? Bare(JsonObject? live)
        {
            var bare = live?.DeepClone();
            bare?["metadata"]?.AsObject().Remove("managedFields");
            return bare;
        }
    }

    public static async Task<Snapshot> TakeAsync(KubeClient client)
    {
        var byKind = new Dictionary<string, IReadOnlyList<JsonObject>>();
        foreach (var kind in Kinds)
            byKind[kind.Kind] = await client.ListAsync(kind);
        return new(byKind, DateTimeOffset.UtcNow);
    }
}
