using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Commands.Manifests;

/// <summary>
/// Servers whose objects would have one name, and manifests of objects that a server would make itself. The operator touches nothing
/// that is not its own: whoever comes second reports NameConflict.
/// </summary>
internal static class NameCollisions
{
    public static IEnumerable<ManifestFault> Of(IReadOnlyList<(Manifest Manifest, MCPServer Effective)> servers, IReadOnlyList<Manifest> others)
    {
        var owners = new Dictionary<(string Kind, ObjectKey Key), Manifest>();
        foreach (var other in others)
        {
            // What bears our label is taken over.
            if (other.Json.Child("metadata"u8)?.Child("labels"u8)?.Text("app.kubernetes.io/managed-by"u8) != Labels.ManagedByValue)
                owners.TryAdd((other.Kind, other.Key), other);
        }

        foreach (var (manifest, effective) in servers)
        {
            foreach (var (kind, name, part) in Objects(effective))
            {
                var id = (kind, manifest.Key with { Name = name });
                if (owners.TryAdd(id, manifest))
                    continue;
                var owner = owners[id];
                var whose = owner.Kind == MCPServer.Type.Kind ? $"made for MCPServer {owner.Key.Name}, too" : "a manifest of its own";
                yield return new ManifestFault(manifest, new SpecFault("metadata.name",
                    $"NameConflict: {kind} {id.Item2}, {part}, is {whose} (document {owner.Source.Document} of {owner.Source.File}): rename one of them"));
            }
        }
    }

    /// <summary>What the operator would make for the server.</summary>
    private static IEnumerable<(string Kind, string Name, string Part)> Objects(MCPServer server)
    {
        var name = server.Metadata.Name;
        const string main = "which runs the server";
        yield return ("Deployment", name, main);
        yield return ("Service", name, "which serves it");
        yield return ("Ingress", name, "which routes to it");
        if (server.Spec.HasCanary())
            yield return ("Deployment", name + ObjectNames.CanarySuffix, "the canary track of this server");
        if (server.Spec.HasGateway())
            yield return ("ConfigMap", name + ObjectNames.PolicySuffix, "the policy of this server");
    }
}
