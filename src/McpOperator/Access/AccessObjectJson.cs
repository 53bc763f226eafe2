using McpOperator.Api;

namespace McpOperator.Access;

/// <summary>Writes a grant or a session, as fields of the object that is open.</summary>
internal static class AccessObjectJson
{
    public static void Write(GoJsonWriter json, MCPAccessGrant grant, string? teamOfServer)
    {
        var spec = grant.Spec;
        Identity(json, grant, spec.Subject, teamOfServer);
        json.Always("max_trust", Defaults.Trimmed(spec.MaxTrust) ?? Defaults.MaxTrust);
        if (spec.AllowedSideEffects is { Count: > 0 } sideEffects)
        {
            json.Name("allowed_side_effects");
            json.StartArray();
            foreach (var sideEffect in sideEffects)
                json.String(sideEffect);
            json.EndArray();
        }

        json.IfSet("policy_version", Defaults.Trimmed(spec.PolicyVersion));
        json.IfTrue("disabled", spec.Disabled);
        json.Each("tool_rules", spec.ToolRules, rule =>
        {
            json.Always("name", rule.Name);
            json.Always("decision", Defaults.Trimmed(rule.Decision) ?? Defaults.RuleDecision);
            json.Always("required_trust", Defaults.Trimmed(rule.RequiredTrust) ?? Defaults.RuleRequiredTrust);
        });
    }

    public static void Write(GoJsonWriter json, MCPAgentSession session, string? teamOfServer)
    {
        var spec = session.Spec;
        Identity(json, session, spec.Subject, teamOfServer);
        json.Always("consented_trust", Defaults.Trimmed(spec.ConsentedTrust) ?? Defaults.ConsentedTrust);
        json.IfTrue("revoked", spec.Revoked);
        if (session.ExpiresAt is { } time)
            json.Always("expires_at", KubernetesTime.Format(time));
        json.IfSet("policy_version", Defaults.Trimmed(spec.PolicyVersion));
        if (spec.UpstreamTokenSecretRef is { } reference)
            json.Always("upstream_token_ref", $"{reference.Name}/{reference.Key}");
    }

    private static void Identity(GoJsonWriter json, AccessObject member, Subject? subject, string? teamOfServer)
    {
        json.Always("name", member.Metadata.Name);
        json.IfSet("namespace", member.Metadata.Namespace);
        json.IfSet("human_id", subject?.HumanID);
        json.IfSet("agent_id", subject?.AgentID);
        json.IfSet("team_id", Defaults.Trimmed(subject?.TeamID) ?? teamOfServer);
    }
}
