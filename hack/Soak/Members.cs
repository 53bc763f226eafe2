using System.Text.Json.Nodes;

namespace McpOperator.Soak;

/// <summary>What is done to grants and sessions that are there, besides editing and deleting them.</summary>
internal sealed class Members(KubeClient client, Dice dice, IReadOnlyList<string> names)
{
    private const string Finalizer = "soak.test/held";

    /// <summary>Deletes one, which a finalizer keeps.</summary>
    public Func<Task> Hold(string @namespace)
    {
        var (kind, name) = Any();
        return async () =>
        {
            await client.PatchAsync(kind, @namespace, name, Finalizers(Finalizer));
            await client.DeleteAsync(kind, @namespace, name);
        };
    }

    public Func<Task> LetGo(string @namespace)
    {
        var (kind, name) = Any();
        return () => client.PatchAsync(kind, @namespace, name, Finalizers());
    }

    public Func<Task> Expire(string @namespace)
    {
        var name = dice.Pick(names);
        var time = (DateTimeOffset.UtcNow + dice.Seconds(-60, 5)).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
        return () => client.PatchAsync(
            Resource.MCPAgentSessions, @namespace, name, new JsonObject { ["spec"] = new JsonObject { ["expiresAt"] = time } });
    }

    /// <summary>Takes away what a grant gives, or a session.</summary>
    public Func<Task> Disable(string @namespace)
    {
        var (kind, name) = Any();
        var field = kind == Resource.MCPAccessGrants ? "disabled" : "revoked";
        return () => client.PatchAsync(kind, @namespace, name, new JsonObject { ["spec"] = new JsonObject { [field] = true } });
    }

    private (Resource Kind, string Name) Any() => (dice.Pick(Resource.MCPAccessGrants, Resource.MCPAgentSessions), dice.Pick(names));

    private static JsonObject Finalizers(params IReadOnlyList<string> names) => new()
    {
        ["metadata"] = new JsonObject { ["finalizers"] = new JsonArray([.. names.Select(name => (JsonNode)name)]) },
    };
}
