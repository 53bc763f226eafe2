using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using DiffPlex.Renderer;
using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Kubernetes;
using McpOperator.Mirror;
using McpOperator.Servers;
using McpOperator.Servers.Kinds;

namespace McpOperator.Commands.Manifests;

/// <summary>
/// What would become of the objects in a cluster, were the manifests all that is written in the specs of their servers: each apply of
/// the plan is sent as a dry run, and the answer is held against what is there. With no rights beyond those that the operator has;
/// with rights in its namespaces alone it knows of no other servers' routes, grants and sessions.
/// </summary>
/// <param name="error">Told of what cannot be compared, and of what the operator would report.</param>
internal sealed class ClusterDiff(ApiClient api, ManifestInput given, TextWriter error)
{
    // What an API server writes by itself, at each write.
    private static readonly string[] Bookkeeping = ["creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"];

    private readonly StringBuilder _diff = new();
    private readonly HashSet<string> _shared = new(StringComparer.Ordinal);

    /// <returns>Unified diffs; empty when nothing would change.</returns>
    /// <exception cref="ApiException">The API server refused a request that is not for one object of a server.</exception>
    /// <exception cref="HttpRequestException">It could not be reached.</exception>
    public async Task<string> RunAsync()
    {
        var ours = Product.Identity.OwnedFields;
        var live = await ListAsync(MCPServer.Type, json => StoredServer.Decode(json, ours)).ConfigureAwait(false);
        List<MCPServer> wanted = [.. given.Manifests.Servers().Select(server => InCluster(server, live.GetValueOrDefault(server.Key)))];
        var plan = new ServerPlan(await MembersAsync().ConfigureAwait(false), given.Settings);
        foreach (var server in wanted.Concat(live.Values.Select(stored => stored.Read())).DistinctBy(server => server.Key))
            plan.Add(server);
        foreach (var server in wanted)
            await CompareAsync(plan, server).ConfigureAwait(false);
        return _diff.ToString();
    }

    private async Task CompareAsync(ServerPlan plan, MCPServer server)
    {
        var before = new Dictionary<OwnedKind, JsonElement>();
        foreach (var kind in plan.Kinds.All)
        {
            if (kind.KeyOf(server.Key) is { } key && await FindAsync(kind.Type, key).ConfigureAwait(false) is { } found)
            {
                kind.Load(found);
                before[kind] = found;
            }
        }

        var stored = await FindAsync(ResourceTypes.ConfigMap, server.Key with { Name = ObjectNames.Policy(server.Metadata.Name) }).ConfigureAwait(false);
        var policy = stored is { } json ? new ObservedConfigMap(json, Product.Identity.OwnedFields) : null;
        var pass = plan.PassOver(server, policy);
        if (plan.PolicyOf(pass.Server, policy) is { } manifest)
            await ApplyAsync(server, ResourceTypes.ConfigMap, policy, stored, manifest).ConfigureAwait(false);
        else if (policy is not null && server.AsOwner().Controls(policy))
            Tell(ResourceTypes.ConfigMap, policy.Key, stored, null);

        await pass.RunAsync(plan.Kinds, async (kind, wanted) =>
        {
            var found = kind.Find(server.Key);
            JsonElement? present = before.TryGetValue(kind, out var held) ? held : null;
            if (wanted is Wanted.Apply apply && kind.IsShared)
                await ShareAsync(kind.Type, server.Metadata.Namespace, apply.Manifest()).ConfigureAwait(false);
            else if (wanted is Wanted.Apply own)
                await ApplyAsync(server, kind.Type, found, present, own.Manifest()).ConfigureAwait(false);
            else if (wanted is Wanted.Absent or Wanted.Withhold && found is not null && server.AsOwner().MayNotTouch(kind.Type, found) is null)
                Tell(kind.Type, found.Key, present, null);
            // Of what goes, nothing is left for the rows that come after it.
            return wanted is Wanted.Absent or Wanted.Withhold ? default : new ApplyResult<Observed>(found);
        }).ConfigureAwait(false);
    }

    private async Task ApplyAsync(MCPServer server, ResourceType type, Observed? found, JsonElement? present, byte[] manifest)
    {
        if (found is not null && server.AsOwner().MayNotTouch(type, found) is { } problem)
        {
            error.WriteLine($"note: {problem.Reason}: {problem.Message}");
            return;
        }

        var planned = JsonElement.Parse(manifest);
        var key = new ObjectKey(server.Metadata.Namespace, planned.GetProperty("metadata"u8).Text("name"u8)!);
        var after = planned;
        try
        {
            after = (await api.DryRunAsync(type, key, manifest, static json => new Live(json.Clone())).ConfigureAwait(false)).Json;
        }
        catch (ApiException exception) when (exception.IsNotFound)
        {
            // There is no such namespace yet.
        }

        Tell(type, key, present, after);
    }

    /// <summary>What nobody may read is compared as far as a dry run says whether it is there.</summary>
    private async Task ShareAsync(ResourceType type, string ns, byte[] manifest)
    {
        if (!_shared.Add($"{type} {ns}"))
            return;
        var planned = JsonElement.Parse(manifest);
        var key = new ObjectKey(ns, planned.GetProperty("metadata"u8).Text("name"u8)!);
        if (type == ResourceTypes.Secret)
            error.WriteLine($"note: Secret {key} is not compared: neither the operator nor this command may read it");
        else if (!await IsThereAsync(type, ns, manifest).ConfigureAwait(false))
            Tell(type, key, null, planned);
    }

    private async Task<bool> IsThereAsync(ResourceType type, string ns, byte[] manifest)
    {
        try
        {
            await api.CreateAsync(type, ns, manifest, isDryRun: true).ConfigureAwait(false);
            return false;
        }
        catch (ApiException exception) when (exception.IsAlreadyExists || exception.IsNotFound)
        {
            return exception.IsAlreadyExists;
        }
    }

    /// <param name="before">As it is; null when there is none.</param>
    /// <param name="after">As it would be; null when there would be none.</param>
    private void Tell(ResourceType type, ObjectKey key, JsonElement? before, JsonElement? after)
    {
        var (from, to) = (Text(before), Text(after));
        if (from == to)
            return;
        var name = $"{type}/{key}";
        _diff.Append(UnidiffRenderer.GenerateUnidiff(
            from, to, before is null ? "/dev/null" : $"live/{name}", after is null ? "/dev/null" : $"wanted/{name}").ReplaceLineEndings("\n"));
    }

    private static string Text(JsonElement? live)
    {
        if (live is not { } json)
            return "";
        var shown = JsonNode.Parse(json.GetRawText())!.AsObject();
        shown.Remove("status");
        foreach (var field in Bookkeeping)
            shown["metadata"]!.AsObject().Remove(field);
        return YamlWriter.Document(JsonElement.Parse(shown.ToJsonString()));
    }

    private async Task<JsonElement?> FindAsync(ResourceType type, ObjectKey key) =>
        (await api.FindAsync(type, key, static json => new Live(json.Clone())).ConfigureAwait(false))?.Json;

    /// <summary>As the API server would have it after the manifest.</summary>
    private static MCPServer InCluster(MCPServer server, StoredServer? live) => live is null ? server : server with
    {
        Metadata = live.Metadata,
        Reported = live.Reported,
    };

    /// <summary>The grants and sessions of the cluster, and instead of their namesakes those among the manifests.</summary>
    private async Task<ILookup<ResourceType, StoredMember>> MembersAsync()
    {
        var all = new List<(ResourceType Type, StoredMember Member)>();
        foreach (var type in (ResourceType[])[MCPAccessGrant.Type, MCPAgentSession.Type])
        {
            var live = await ListAsync(type, json => StoredMember.Decode(json, Product.Identity.OwnedFields)).ConfigureAwait(false);
            foreach (var member in given.Manifests.Members()[type])
                live[member.Key] = member;
            all.AddRange(live.Values.Select(member => (type, member)));
        }

        return all.ToLookup(entry => entry.Type, entry => entry.Member);
    }

    /// <summary>Those of all namespaces, or of those of the manifests, where that is all that one may list.</summary>
    private async Task<Dictionary<ObjectKey, T>> ListAsync<T>(ResourceType type, Decoder<T> decode)
        where T : class, IKubernetesObject
    {
        var found = new List<T>();
        try
        {
            await AddAsync(ns: null).ConfigureAwait(false);
        }
        catch (ApiException exception) when (exception.Code == HttpStatusCode.Forbidden)
        {
            foreach (var ns in given.Manifests.Servers().Select(server => server.Metadata.Namespace).Distinct())
                await AddAsync(ns).ConfigureAwait(false);
        }

        return found.ToDictionary(item => item.Key);

        async Task AddAsync(string? ns) => found.AddRange(
            (await new ListWatch<T>(api, type, ns, labelSelector: null, decode).ListAsync("", CancellationToken.None).ConfigureAwait(false)).Items);
    }

    private sealed record Live(JsonElement Json);
}
