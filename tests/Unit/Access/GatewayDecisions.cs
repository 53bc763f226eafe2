using System.Text.Json.Nodes;

namespace McpOperator.Unit.Access;

/// <summary>Whom a gateway lets call what, by the rules that docs/policy.md has.</summary>
internal static class GatewayDecisions
{
    /// <summary>With whichever session the caller chooses to name, or with none.</summary>
    public static bool MayCall(JsonNode document, (string? Human, string? Agent, string? Team) caller, string tool, DateTimeOffset now) =>
        List(document, "sessions").Where(session => IsOf(session, caller)).Append(null).Any(session => MayCall(document, caller, tool, session, now));

    private static bool MayCall(
        JsonNode document, (string? Human, string? Agent, string? Team) caller, string tool, JsonNode? session, DateTimeOffset now)
    {
        var byDefault = Text(document["policy"]!, "default_decision") == "allow";
        if (session is not null && (Flag(session, "revoked") || (Text(session, "expires_at") is { } time && DateTimeOffset.Parse(time, null) <= now)))
            session = null;
        if (session is null && Flag(document["session"]!, "required"))
            return false;

        var described = List(document, "tools").SingleOrDefault(other => Text(other, "name") == tool);
        var (isGranted, isInEffect, trust, needed) = (false, false, 0, Rank(described is null ? null : Text(described, "required_trust")));
        foreach (var grant in List(document, "grants").Where(grant => IsOf(grant, caller) && !Flag(grant, "disabled")))
        {
            var rules = List(grant, "tool_rules");
            var rule = rules.SingleOrDefault(rule => Text(rule, "name") == tool);
            if (rules.Count > 0 && rule is null)
                continue;
            if (rule is not null && Text(rule, "decision") == "deny")
                return false;
            isGranted = true;
            if (described is null || !List(grant, "allowed_side_effects").Any(effect => effect.GetValue<string>() == Text(described, "side_effect")))
                continue;
            isInEffect = true;
            trust = Math.Max(trust, Rank(Text(grant, "max_trust")));
            needed = Math.Max(needed, rule is null ? 0 : Rank(Text(rule, "required_trust")));
        }

        if (!isGranted)
            return byDefault;
        return isInEffect && Math.Min(trust, session is null ? trust : Rank(Text(session, "consented_trust"))) >= needed;
    }

    private static bool IsOf(JsonNode member, (string? Human, string? Agent, string? Team) caller)
    {
        var ids = new[] { (Text(member, "human_id"), caller.Human), (Text(member, "agent_id"), caller.Agent), (Text(member, "team_id"), caller.Team) };
        return ids.All(id => id.Item1 is null || id.Item1 == id.Item2) && ids.Any(id => id.Item1 is not null);
    }

    private static int Rank(string? trust) => trust switch { "high" => 3, "medium" => 2, _ => 1 };

    private static bool Flag(JsonNode node, string name) => node[name]?.GetValue<bool>() == true;

    private static string? Text(JsonNode node, string name) => node[name]?.GetValue<string>();

    private static List<JsonNode> List(JsonNode node, string name) => node[name] is JsonArray items ? [.. items.Select(item => item!)] : [];
}
