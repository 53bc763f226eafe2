using System.Text.Json.Nodes;

namespace McpOperator.Unit.Access;

/// <summary>What a gateway asks of a document before it takes it.</summary>
internal static class GatewayRules
{
    private static readonly string?[] Trust = [null, "low", "medium", "high"];
    private static readonly string?[] Decisions = [null, "allow", "deny"];

    public static IEnumerable<string> Broken(JsonNode document)
    {
        if (Text(document, "schema_version") != "v1")
            yield return "schema version";
        if (string.IsNullOrEmpty(Text(document["server"]!, "name")))
            yield return "server name";
        if (document["auth"] is { } auth)
        {
            var mode = Text(auth, "mode");
            if (!new[] { null, "none", "header", "oauth", "mtls" }.Contains(mode))
                yield return "auth mode";
            if ((mode == "oauth" && Text(auth, "issuer_url") is null) || (mode == "mtls" && Text(auth, "trust_domain") is null))
                yield return "auth without issuer or trust domain";
        }

        if (document["policy"] is { } policy)
        {
            if (!new[] { "allow-list", "observe" }.Contains(Text(policy, "mode")))
                yield return "policy mode";
            if (!new[] { "allow", "deny" }.Contains(Text(policy, "default_decision")))
                yield return "default decision";
        }

        var (tools, grants, sessions) = (List(document, "tools"), List(document, "grants"), List(document, "sessions"));
        foreach (var named in new[] { tools, grants, sessions })
        {
            if (named.Any(item => string.IsNullOrWhiteSpace(Text(item, "name"))) || named.DistinctBy(item => Text(item, "name")).Count() < named.Count)
                yield return "names";
        }

        if (!tools.All(tool => Trust.Contains(Text(tool, "required_trust")) && new[] { "read", "write", "destructive" }.Contains(Text(tool, "side_effect"))))
            yield return "tool";
        if (!sessions.All(session => Trust.Contains(Text(session, "consented_trust"))))
            yield return "session";
        foreach (var grant in grants)
        {
            var rules = List(grant, "tool_rules");
            if (!Trust.Contains(Text(grant, "max_trust"))
                || !List(grant, "allowed_side_effects").All(effect => new[] { "read", "write", "destructive" }.Contains(effect.GetValue<string>()))
                || rules.Any(rule => string.IsNullOrWhiteSpace(Text(rule, "name"))) || rules.DistinctBy(rule => Text(rule, "name")).Count() < rules.Count
                || !rules.All(rule => Trust.Contains(Text(rule, "required_trust")) && Decisions.Contains(Text(rule, "decision"))))
                yield return "grant";
        }
    }

    private static string? Text(JsonNode node, string name) => node[name]?.GetValue<string>();

    private static List<JsonNode> List(JsonNode node, string name) => node[name] is JsonArray items ? [.. items.Select(item => item!)] : [];
}
