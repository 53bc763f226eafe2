using System.Text;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// A cluster as the Go operator left it: nine servers, their objects and statuses, recorded on Kubernetes 1.36
/// (Data/go-operator/objects.json), and written here as it writes: whole objects, by plain creates and updates of <c>manager</c>.
/// </summary>
internal sealed class GoOperatorObjects(KubeClient client, string ns, string otherNs)
{
    public const string Manager = "manager";

    /// <summary>What the operator ran with.</summary>
    public static IReadOnlyDictionary<string, string?> Environment { get; } = new Dictionary<string, string?>(ServerScenario.Permissive)
    {
        ["MCP_CLUSTER_NAME"] = "edge-1",
        ["MCP_DEFAULT_INGRESS_ENTRYPOINTS"] = "web,websecure",
        ["MCP_GATEWAY_OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://otel:4318",
        ["MCP_SENTINEL_INGEST_URL"] = "http://sentinel:8080/ingest",
        ["PROVISIONED_REGISTRY_URL"] = "prov.example.com:5000",
        ["PROVISIONED_REGISTRY_USERNAME"] = "u",
        ["PROVISIONED_REGISTRY_PASSWORD"] = "p\"q",
    };

    public static IReadOnlyList<string> Servers { get; } = ["birdy", "counted", "envy", "gated", "hosted", "oauthed", "pathed", "plain", "stopped"];

    private static readonly string[] OfTheApiServer = ["creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"];

    /// <summary>What a newer API server writes into it, and this one may not know.</summary>
    private static readonly string[] OfANewerService = ["clusterIP", "clusterIPs", "internalTrafficPolicy", "ipFamilies", "ipFamilyPolicy"];

    /// <summary>Of each object its kind and name.</summary>
    public static string NameOf(JsonObject live) => $"{(string?)live["kind"]} {(string?)live["metadata"]!["name"]}";

    public async Task WriteAsync()
    {
        var text = await File.ReadAllTextAsync(Repository.PathTo("tests", "Envtest", "Data", "go-operator", "objects.json"));
        var objects = JsonNode.Parse(text)!.AsArray().Select(node => node!.DeepClone().AsObject()).ToList();
        var uids = new Dictionary<string, string>();
        foreach (var recorded in objects.OrderBy(recorded => (string?)recorded["kind"] == "MCPServer" ? 0 : 1))
        {
            var isServer = (string?)recorded["kind"] == "MCPServer";
            var manifest = Prepared(recorded, uids);
            var status = manifest["status"]?.DeepClone();
            manifest.Remove("status");
            var type = Resource.Of(manifest);
            var isOfUsers = type == Resource.MCPServers || type == Resource.MCPAccessGrants || type == Resource.MCPAgentSessions;
            var created = await SendAsync(HttpMethod.Post, type.PathTo(NamespaceOf(recorded)), manifest, isOfUsers ? "kubectl" : Manager);
            if (isServer)
                uids[(string)created["metadata"]!["name"]!] = (string)created["metadata"]!["uid"]!;
            if (status is null || (type != Resource.MCPServers && type != Resource.Deployments))
                continue;
            created["status"] = status;
            await SendAsync(
                HttpMethod.Put, type.PathTo(NamespaceOf(recorded), (string)created["metadata"]!["name"]!, "status"), created,
                isServer ? Manager : "kube-controller-manager");
        }
    }

    /// <summary>Its next pass over what another operator has written meanwhile: it reads each object, and puts its own spec in the place of what is there.</summary>
    public async Task WriteBackAsync()
    {
        var text = await File.ReadAllTextAsync(Repository.PathTo("tests", "Envtest", "Data", "go-operator", "objects.json"));
        foreach (var recorded in JsonNode.Parse(text)!.AsArray().Select(node => node!.AsObject()))
        {
            var type = Resource.Of(recorded);
            var isServer = type == Resource.MCPServers;
            if (!isServer && type != Resource.Deployments && type != Resource.Services && type != Resource.Ingresses)
                continue;
            var name = (string)recorded["metadata"]!["name"]!;
            var live = await client.GetAsync(type, ns, name);
            if (isServer)
            {
                live["status"] = recorded["status"]!.DeepClone();
                await SendAsync(HttpMethod.Put, type.PathTo(ns, name, "status"), live, Manager);
                continue;
            }

            var manifest = Prepared(recorded, []);
            var spec = manifest["spec"]!.AsObject();
            // What the API server gave stays.
            foreach (var field in OfANewerService)
                if (live["spec"]![field] is { } given)
                    spec[field] = given.DeepClone();
            live["spec"] = spec.DeepClone();
            if (manifest["metadata"]!["annotations"] is JsonObject annotations)
                live["metadata"]!["annotations"] = annotations.DeepClone();
            await SendAsync(HttpMethod.Put, type.PathTo(ns, name), live, Manager);
        }
    }

    /// <summary>All that the operator looks after, by kind and name, without what API servers write by themselves, and without statuses.</summary>
    public async Task<SortedDictionary<string, JsonObject>> LiveAsync()
    {
        var live = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal);
        foreach (var type in new[] { Resource.Deployments, Resource.Services, Resource.Ingresses, Resource.ConfigMaps, Resource.ServiceAccounts })
            foreach (var found in await client.ListAsync(type, ns))
            {
                found["kind"] = type.Kind;
                if (type == Resource.ConfigMaps && found["metadata"]!["labels"] is null)
                    continue; // the cluster's own
                live[NameOf(found)] = found;
            }
        return live;
    }

    /// <summary>The fields in which two versions of an object differ, as a person writes them.</summary>
    public static IEnumerable<string> Changes(JsonNode? before, JsonNode? after, string path = "")
    {
        if (path is "status" || (path.StartsWith("metadata.", StringComparison.Ordinal) && OfTheApiServer.Contains(path["metadata.".Length..])))
            return [];
        if (before is JsonObject left && after is JsonObject right)
        {
            return left.Select(member => member.Key).Union(right.Select(member => member.Key)).Order(StringComparer.Ordinal)
                .SelectMany(key => Changes(left[key], right[key], path.Length == 0 ? key : $"{path}.{key}"));
        }

        if (before is JsonArray one && after is JsonArray other && one.Concat(other).All(item => item is JsonObject named && named["name"] is not null))
        {
            var names = one.Concat(other).Select(item => (string)item!["name"]!).Distinct().ToList();
            if (one.Count == one.Select(item => (string)item!["name"]!).Distinct().Count())
                return names.SelectMany(name => Changes(Named(one, name), Named(other, name), $"{path}[{name}]"));
        }

        return JsonNode.DeepEquals(before, after) ? [] : [path];

        static JsonNode? Named(JsonArray items, string name) => items.FirstOrDefault(item => (string?)item!["name"] == name);
    }

    private string NamespaceOf(JsonObject recorded) => (string)recorded["metadata"]!["namespace"]! == "rec" ? ns : otherNs;

    private JsonObject Prepared(JsonObject recorded, Dictionary<string, string> uids)
    {
        var manifest = recorded.DeepClone().AsObject();
        var metadata = manifest["metadata"]!.AsObject();
        foreach (var field in OfTheApiServer)
            metadata.Remove(field);
        metadata["namespace"] = NamespaceOf(recorded);
        foreach (var owner in metadata["ownerReferences"] as JsonArray ?? [])
            owner!["uid"] = uids.GetValueOrDefault((string)owner["name"]!, "");
        if (manifest["spec"]?["serverRef"]?["namespace"] is not null)
            manifest["spec"]!["serverRef"]!["namespace"] = ns;
        switch ((string?)manifest["kind"])
        {
            case "MCPServer" when manifest["spec"]!["imagePullSecrets"] is JsonArray secrets:
                // To 1.20 an empty text in a list is none.
                manifest["spec"]!["imagePullSecrets"] = new JsonArray([.. secrets.Select(secret => (JsonNode)((string)secret! is { Length: > 0 } name ? name : " "))]);
                break;
            case "Service":
                foreach (var field in OfANewerService)
                    manifest["spec"]!.AsObject().Remove(field);
                break;
            case "Deployment":
                metadata.Remove("annotations"); // the Deployment controller's
                foreach (var container in manifest["spec"]!["template"]!["spec"]!["containers"]!.AsArray())
                    foreach (var variable in container!["env"] as JsonArray ?? [])
                        if ((string?)variable!["name"] == "MCP_SERVER_NAMESPACE")
                            variable["value"] = ns;
                break;
            case "ConfigMap":
                // Its revision is the hash of what it says.
                var document = ((string)manifest["data"]!["policy.json"]!)
                    .Replace("\"namespace\": \"rec\"", $"\"namespace\": \"{ns}\"", StringComparison.Ordinal)
                    .Replace("\"namespace\": \"rec2\"", $"\"namespace\": \"{otherNs}\"", StringComparison.Ordinal);
                manifest["data"]!["policy.json"] = document.Replace(
                    (string)JsonNode.Parse(document)!["revision"]!, Gateways.Rehash(document), StringComparison.Ordinal);
                break;
        }

        return manifest;
    }

    private Task<JsonObject> SendAsync(HttpMethod method, string path, JsonObject body, string manager) => client.SendAsync(
        method, $"{path}?fieldManager={manager}", new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"));
}
