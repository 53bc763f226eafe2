using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpOperator.Soak.Checking;

/// <summary>The document of docs/policy.md, built the naive way.</summary>
internal static class PolicyDocument
{
    private static readonly string[] Fields = ["schema_version", "revision", "server", "auth", "policy", "session", "tools", "grants", "sessions"];

    /// <summary>With its revision, and without <c>generated_at</c>.</summary>
    public static JsonObject Of(JsonObject head, IEnumerable<Verdict> grants, IEnumerable<Verdict> sessions)
    {
        var document = head.DeepClone().AsObject();
        document["grants"] = All(InOrder(grants));
        document["sessions"] = All(InOrder(sessions));
        return Sealed(document);
    }

    /// <summary>What it says of the server.</summary>
    public static JsonObject Head(Wanted wanted)
    {
        var spec = wanted.Spec;
        string Or(string @default, params IReadOnlyList<string> path) => spec.Text(path) ?? @default;
        return new JsonObject
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
        };
    }

    /// <summary>What the stored document says of the server, whatever that is; null where it is no document of it.</summary>
    public static JsonObject? HeadOf(Wanted wanted, string? stored)
    {
        if (Parse(stored) is not { } document || document.Any(field => !Fields.Contains(field.Key)))
            return null;
        if (document.Raw("server", "name") != wanted.Name || document.Raw("server", "namespace") != wanted.Namespace)
            return null;
        document.Remove("grants");
        document.Remove("sessions");
        return document;
    }

    public static string? TeamOf(JsonObject head) => head.Raw("server", "team_id");

    /// <summary>Of those that stand in a list of it; none where it is no document.</summary>
    public static IReadOnlySet<string> KeysOf(string? stored, string list) =>
        Parse(stored).Items(list).Select(one => Json.Key(one.Raw("namespace") ?? "", one.Raw("name") ?? "")).ToHashSet();

    public static JsonObject Grant(JsonObject grant, string? team) => Present(
        ("name", grant.Name()),
        ("namespace", grant.Namespace()),
        ("human_id", grant.Text("spec", "subject", "humanID")),
        ("agent_id", grant.Text("spec", "subject", "agentID")),
        ("team_id", grant.Text("spec", "subject", "teamID") ?? team),
        ("max_trust", grant.Text("spec", "maxTrust") ?? "low"),
        ("allowed_side_effects", All((grant.At("spec", "allowedSideEffects") as JsonArray ?? []).Select(effect => effect!.DeepClone()))),
        ("policy_version", grant.Text("spec", "policyVersion")),
        ("disabled", True(grant.Flag("spec", "disabled"))),
        ("tool_rules", All(grant.Items("spec", "toolRules").Select(rule => Present(
            ("name", rule.Raw("name")),
            ("decision", rule.Text("decision") ?? "allow"),
            ("required_trust", rule.Text("requiredTrust") ?? "low"))))));

    public static JsonObject Session(JsonObject session, string? team) => Present(
        ("name", session.Name()),
        ("namespace", session.Namespace()),
        ("human_id", session.Text("spec", "subject", "humanID")),
        ("agent_id", session.Text("spec", "subject", "agentID")),
        ("team_id", session.Text("spec", "subject", "teamID") ?? team),
        ("consented_trust", session.Text("spec", "consentedTrust") ?? "low"),
        ("revoked", True(session.Flag("spec", "revoked"))),
        ("expires_at", Access.ExpiryOf(session)?.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)),
        ("policy_version", session.Text("spec", "policyVersion")),
        ("upstream_token_ref", session.Text("spec", "upstreamTokenSecretRef", "name") is { } secret
            ? $"{secret}/{session.Text("spec", "upstreamTokenSecretRef", "key")}"
            : null));

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
    public static string? Stored(JsonObject document, string? stored) => WithTime(document, TimeOf(stored));

    public static string? WithTime(JsonObject document, string? generated)
    {
        if (generated is null)
            return null;
        var whole = document.DeepClone().AsObject();
        whole.Insert(2, "generated_at", generated);
        return GoJson.Indented(whole);
    }

    /// <summary>When it was made; null where it is no document with a time.</summary>
    public static string? TimeOf(string? stored) => ParseAny(stored).Raw("generated_at") is { } generated && DateTimeOffset.TryParseExact(
        generated, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _) ? generated : null;

    /// <summary>Without its time; null where the text is not, to the byte, a document that hashes to its revision.</summary>
    public static JsonObject? Parse(string? stored)
    {
        if (ParseAny(stored) is not { } document)
            return null;
        document.Remove("generated_at");
        return Stored(Sealed(document), stored) == stored ? document : null;
    }

    private static JsonObject? ParseAny(string? stored)
    {
        try
        {
            return JsonNode.Parse(stored ?? "") as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static IEnumerable<JsonObject> InOrder(IEnumerable<Verdict> all) => all
        .OrderBy(one => one.Subject.Namespace(), StringComparer.Ordinal).ThenBy(one => one.Subject.Name(), StringComparer.Ordinal)
        .Select(one => one.Entry!.DeepClone().AsObject());

    private static JsonValue? True(bool flag) => flag ? JsonValue.Create(true) : null;

    private static JsonObject Present(params IReadOnlyList<(string Name, JsonNode? Value)> members) => new(members
        .Where(member => member.Value is not null && !(member.Value.GetValueKind() == JsonValueKind.String && member.Value.GetValue<string>().Length == 0))
        .Select(member => KeyValuePair.Create(member.Name, member.Value)));

    private static JsonArray? All(IEnumerable<JsonNode> items) => items.ToArray() is { Length: > 0 } some ? new JsonArray(some) : null;

    private static JsonObject? Labels(JsonObject? labels) => labels is null or { Count: 0 } ? null : new(labels
        .OrderBy(label => Convert.ToHexString(Encoding.UTF8.GetBytes(label.Key)), StringComparer.Ordinal)
        .Select(label => KeyValuePair.Create(label.Key, label.Value?.DeepClone())));
}
