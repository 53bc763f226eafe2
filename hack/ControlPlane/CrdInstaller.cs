using System.Net;
using System.Text.Json.Nodes;

namespace McpOperator.Testing;

internal static class CrdInstaller
{
    private const string Rules = "x-kubernetes-validations";

    public static async Task InstallAsync(KubeClient client, IEnumerable<JsonObject> manifests, bool withRules)
    {
        var crds = manifests.Where(manifest => (string?)manifest["kind"] == "CustomResourceDefinition")
            .Select(crd => crd.DeepClone().AsObject()).ToList();
        if (!withRules)
            crds.ForEach(RemoveRules);
        foreach (var crd in crds)
            await CreateOrReplaceAsync(client, crd);
        foreach (var crd in crds)
            await UntilServedAsync(client, crd);
    }

    // Not server-side apply: an API server older than a field of the CRD (1.20 and validation rules) refuses to apply it,
    // while create and replace drop the field.
    private static async Task CreateOrReplaceAsync(KubeClient client, JsonObject crd)
    {
        try
        {
            await client.CreateAsync(crd);
        }
        catch (KubeException e) when (e.Code == HttpStatusCode.Conflict)
        {
            var live = await client.GetAsync(Resource.CustomResourceDefinitions, null, NameOf(crd));
            var next = crd.DeepClone().AsObject();
            next["metadata"]!["resourceVersion"] = (string)live["metadata"]!["resourceVersion"]!;
            await client.ReplaceAsync(next);
        }
    }

    private static void RemoveRules(JsonNode? schema)
    {
        (schema as JsonObject)?.Remove(Rules);
        foreach (var child in schema switch
        {
            JsonObject members => members.Select(member => member.Value),
            JsonArray items => items,
            _ => [],
        })
            RemoveRules(child);
    }

    // Established is not enough: the handler of a version is added to discovery a moment later.
    private static async Task UntilServedAsync(KubeClient client, JsonObject crd)
    {
        var name = NameOf(crd);
        await Eventually.TrueAsync(
            $"{name} was Established",
            () => client.GetAsync(Resource.CustomResourceDefinitions, null, name),
            live => ((JsonArray?)live["status"]?["conditions"] ?? []).Any(condition =>
                (string?)condition!["type"] == "Established" && (string?)condition["status"] == "True"));
        foreach (var version in crd["spec"]!["versions"]!.AsArray().Where(version => (bool?)version!["served"] == true))
        {
            var path = $"apis/{(string)crd["spec"]!["group"]!}/{(string)version!["name"]!}";
            var plural = (string)crd["spec"]!["names"]!["plural"]!;
            await Eventually.TrueAsync(
                $"{path} served {plural}",
                () => client.SendAsync(HttpMethod.Get, path),
                list => ((JsonArray?)list["resources"] ?? []).Any(resource => (string?)resource!["name"] == plural));
            await Eventually.TrueAsync(
                $"{path}/{plural} could be listed",
                () => client.SendAsync(HttpMethod.Get, $"{path}/{plural}?limit=1"),
                _ => true);
        }
    }

    private static string NameOf(JsonObject crd) => (string)crd["metadata"]!["name"]!;
}
