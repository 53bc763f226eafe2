using System.Globalization;
using System.Text.Json.Nodes;

namespace McpOperator.Soak;

/// <summary>Grants and sessions of several namespaces that together are more than one document can hold.</summary>
internal sealed class Crowd(KubeClient client, Dice dice)
{
    /// <summary>Of some 30 kB in the document each.</summary>
    private const int Grants = 37;

    private const int Sessions = 6;

    private const string Prefix = "crowd-";

    /// <param name="home">The server's namespace.</param>
    /// <param name="server">Made for it, unless it is there.</param>
    /// <param name="namespaces">Where they come from.</param>
    public IEnumerable<Func<Task>> Come(string home, string server, IReadOnlyList<string> namespaces)
    {
        var spec = new JsonObject
        {
            ["image"] = "ghcr.io/acme/tools:1.4",
            ["gateway"] = new JsonObject { ["enabled"] = true },
            ["policy"] = new JsonObject { ["defaultDecision"] = dice.Pick("allow", "deny") },
        };
        yield return () => client.CreateAsync(Object("MCPServer", server, spec.DeepClone().AsObject()), home);
        foreach (var part in new[] { SpecWriter.Mend(), spec })
            yield return () => client.PatchAsync(Resource.MCPServers, home, server, new JsonObject
            {
                ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { ["mcpruntime.org/allow-access-from"] = "*" } },
                ["spec"] = part.DeepClone(),
            });
        for (var i = 0; i < Grants; i++)
            yield return Create("MCPAccessGrant", i, Grant(home, server), dice.Pick(namespaces));
        for (var i = 0; i < Sessions; i++)
            yield return Create("MCPAgentSession", i, Session(home, server), dice.Pick(namespaces));
    }

    public IEnumerable<Func<Task>> Go(IReadOnlyList<string> namespaces) =>
        from @namespace in namespaces
        from kind in new[] { Resource.MCPAccessGrants, Resource.MCPAgentSessions }
        select (Func<Task>)(async () =>
        {
            foreach (var one in await client.ListAsync(kind, @namespace))
                if (one.Name().StartsWith(Prefix, StringComparison.Ordinal))
                    await client.DeleteAsync(kind, @namespace, one.Name());
        });

    private Func<Task> Create(string kind, int number, JsonObject spec, string @namespace)
    {
        var manifest = Object(kind, NameOf(number), spec);
        return () => client.CreateAsync(manifest, @namespace);
    }

    // Those that deny something come first, and those that are disabled do not count as denying.
    private JsonObject Grant(string home, string server)
    {
        var rules = SpecWriter.LongRules(19);
        if (dice.Chance(0.3))
            rules[0]!["decision"] = "deny";
        else if (dice.Chance(0.2))
            rules[0]!["requiredTrust"] = "high";
        var spec = new JsonObject { ["serverRef"] = Reference(home, server), ["subject"] = new JsonObject { ["humanID"] = "crowd" }, ["toolRules"] = rules };
        if (dice.Chance(0.2))
            spec["disabled"] = true;
        return spec;
    }

    private JsonObject Session(string home, string server)
    {
        var spec = new JsonObject
        {
            ["serverRef"] = Reference(home, server),
            ["subject"] = new JsonObject { ["humanID"] = new string('<', 1000), ["agentID"] = new string('<', 1000) },
            ["revoked"] = dice.Chance(0.3),
        };
        if (dice.Chance(0.5))
            spec["expiresAt"] = "2020-01-02T03:04:05Z";
        return spec;
    }

    private static JsonObject Reference(string home, string server) => new() { ["name"] = server, ["namespace"] = home };

    private static string NameOf(int number) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number}");

    private static JsonObject Object(string kind, string name, JsonObject spec) => new()
    {
        ["apiVersion"] = "mcpruntime.org/v1alpha1",
        ["kind"] = kind,
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = spec,
    };
}
