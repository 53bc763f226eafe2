using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpOperator.Soak.Checking;

/// <summary>The document of docs/policy.md, built the naive way.</summary>
internal static class PolicyDocument
{
    /// <summary>With its revision, and without <c>generated_at</c>.</summary>
    public static JsonObject Of(Wanted wanted, IEnumerable<JsonObject> grants, IEnumerable<JsonObject> sessions)
    {
        var spec = wanted.Spec;
        string Or(string @default, params IReadOnlyList<string> path) => spec.Text(path) ?? @default;
        return Sealed(new JsonObject
        {
            ["schema_version"] = "v1",
            ["revision"] = "",
            ["server"] = Present(
                ("name", wanted.Name), ("namespace", wanted.Namespace), ("team_id", wanted.Team), ("cluster", wanted.Settings.Cluster)),
            ["auth"] = Present(
                ("mode", wanted.AuthMode),
                ("human_id_header", Or("X-MCP-Human-ID", "auth", "humanIDHeader")),
                ("agent_id_header", Or("X-MCP-Agent-ID", "auth", "agentIDHeader")),
                ("team_id_header", Or("X-MCP-Team-ID", "auth", "teamIDHeader")),
                ("session_id_header", Or("X-MCP-Agent-Session", "auth", "sessionIDHeader")),
                ("token_header", Or("Authorization", "auth", "tokenHeader")),
                ("issuer_url", spec.Text("auth", "issuerURL")),
                ("audience", spec.Text("auth", "audience")),
                ("trust_domain", spec.Text("auth", "trustDomain"))),
            ["policy"] = Present(
                ("mode", Or("allow-list", "policy", "mode")),
                ("default_decision", Or("deny", "policy", "defaultDecision")),
                ("enforce_on", Or("call_tool", "policy", "enforceOn")),
                ("policy_version", Or("v1", "policy", "policyVersion"))),
            ["session"] = Present(
                ("required", True(spec.Flag("session", "required"))),
                ("store", Or("kubernetes", "session", "store")),
                ("header_name", Or("X-MCP-Agent-Session", "session", "headerName")),
                ("max_lifetime", Or("24h", "session", "maxLifetime")),
                ("idle_timeout", Or("1h", "session", "idleTimeout")),
                ("upstream_token_header", Or("Authorization", "session", "upstreamTokenHeader"))),
            ["tools"] = All(spec.Items("tools").Select(tool => Present(
                ("name", tool.Raw("name")),
                ("description", tool.Raw("description")),
                ("required_trust", tool.Text("requiredTrust") ?? "low"),
                ("side_effect", tool.Text("sideEffect")),
                ("risk_level", tool.Text("riskLevel")),
                ("labels", Labels(tool.At("labels") as JsonObject))))),
            ["grants"] = All(InOrder(grants).Select(grant => Present(
                ("name", grant.Name()),
                ("namespace", grant.Namespace()),
                ("human_id", grant.Text("spec", "subject", "humanID")),
                ("agent_id", grant.Text("spec", "subject", "agentID")),
                ("team_id", grant.Text("spec", "subject", "teamID") ?? wanted.Team),
                ("max_trust", grant.Text("spec", "maxTrust") ?? "low"),
                ("allowed_side_effects", All((grant.At("spec", "allowedSideEffects") as JsonArray ?? []).Select(effect => effect!.DeepClone()))),
                ("policy_version", grant.Text("spec", "policyVersion")),
                ("disabled", True(grant.Flag("spec", "disabled"))),
                ("tool_rules", All(grant.Items("spec", "toolRules").Select(rule => Present(
                    ("name", rule.Raw("name")),
                    ("decision", rule.Text("decision") ?? "allow"),
                    ("required_trust", rule.Text("requiredTrust") ?? "low")))))))),
            ["sessions"] = All(InOrder(sessions).Select(session => Present(
                ("name", session.Name()),
                ("namespace", session.Namespace()),
                ("human_id", session.Text("spec", "subject", "humanID")),
                ("agent_id", session.Text("spec", "subject", "agentID")),
                ("team_id", session.Text("spec", "subject", "teamID") ?? wanted.Team),
                ("consented_trust", session.Text("spec", "consentedTrust") ?? "low"),
                ("revoked", True(session.Flag("spec", "revoked"))),
                ("expires_at", Access.ExpiryOf(session)?.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)),
                ("policy_version", session.Text("spec", "policyVersion")),
                ("upstream_token_ref", session.Text("spec", "upstreamTokenSecretRef", "name") is { } secret
                    ? $"{secret}/{session.Text("spec", "upstreamTokenSecretRef", "key")}"
                    : null)))),
        });
    }

    /// <summary>The document with the revision that it should have.</summary>
    public static JsonObject Sealed(JsonObject document)
    {
        foreach (var empty in document.Where(member => member.Value is null).Select(member => member.Key).ToList())
            document.Remove(empty);
        document["revision"] = "";
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(GoJson.Compact(document)));
        document["revision"] = "sha256:" + Convert.ToHexStringLower(hash);
        return document;
    }

    /// <summary>What a ConfigMap has to hold to the byte; null where the stored text is no document with a time.</summary>
    public static string? Stored(JsonObject document, string? stored)
    {
        try
        {
            var generated = JsonNode.Parse(stored ?? "").Raw("generated_at");
            if (generated is null || !DateTimeOffset.TryParseExact(
                generated, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _))
                return null;
            var whole = document.DeepClone().AsObject();
            whole.Insert(2, "generated_at", generated);
            return GoJson.Indented(whole);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static IEnumerable<JsonObject> InOrder(IEnumerable<JsonObject> all) =>
        all.OrderBy(one => one.Namespace(), StringComparer.Ordinal).ThenBy(one => one.Name(), StringComparer.Ordinal);

    private static JsonValue? True(bool flag) => flag ? JsonValue.Create(true) : null;

    private static JsonObject Present(params IReadOnlyList<(string Name, JsonNode? Value)> members) => new(members
        .Where(member => member.Value is not null && !(member.Value.GetValueKind() == JsonValueKind.String && member.Value.GetValue<string>().Length == 0))
        .Select(member => KeyValuePair.Create(member.Name, member.Value)));

    private static JsonArray? All(IEnumerable<JsonNode> items) => items.ToArray() is { Length: > 0 } some ? new JsonArray(some) : null;

    private static JsonObject? Labels(JsonObject? labels) => labels is null or { Count: 0 } ? null : new(labels
        .OrderBy(label => Convert.ToHexString(Encoding.UTF8.GetBytes(label.Key)), StringComparer.Ordinal)
        .Select(label => KeyValuePair.Create(label.Key, label.Value?.DeepClone())));
}
