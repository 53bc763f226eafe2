using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Api;

namespace McpOperator.Unit.Access;

/// <summary>The policy document a second time: as a tree, encoded character by character, with no eye to cost.</summary>
internal static class NaivePolicy
{
    public static (string Revision, string Text) Of(
        MCPServer server, string cluster, IEnumerable<MCPAccessGrant> grants, IEnumerable<MCPAgentSession> sessions, string? generatedAt) =>
        Of(Head(server, cluster), grants, sessions, generatedAt);

    /// <param name="head">As <see cref="Head"/> or <see cref="HeadOf"/> gives it.</param>
    /// <param name="grants">Those that the document holds, in its order.</param>
    /// <param name="sessions">Likewise.</param>
    /// <param name="generatedAt">Null for none.</param>
    public static (string Revision, string Text) Of(
        JsonObject head, IEnumerable<MCPAccessGrant> grants, IEnumerable<MCPAgentSession> sessions, string? generatedAt)
    {
        var document = Document(head, grants, sessions);
        var revision = Hash(Compact(document));
        document["revision"] = revision;
        if (generatedAt is not null)
            document.Insert(2, "generated_at", generatedAt);
        return (revision, Indented(document, 0));
    }

    /// <summary>What a stored document says of its server: all but grants and sessions.</summary>
    public static JsonObject HeadOf(string stored)
    {
        var document = JsonNode.Parse(stored)!.AsObject();
        foreach (var other in new[] { "generated_at", "grants", "sessions" })
            document.Remove(other);
        document["revision"] = "";
        return document;
    }

    /// <summary>A stored document as it would be hashed.</summary>
    public static string Compact(string stored, bool blankRevision)
    {
        var document = JsonNode.Parse(stored)!.AsObject();
        document.Remove("generated_at");
        if (blankRevision)
            document["revision"] = "";
        return Compact(document);
    }

    public static string Hash(string compact) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(compact)));

    /// <summary>What a document says of its server, with a blank revision.</summary>
    public static JsonObject Head(MCPServer server, string cluster)
    {
        var (spec, team) = (server.Spec, (server.Spec.TeamID ?? "").Trim());
        return Of(
            ("schema_version!", "v1"),
            ("revision!", ""),
            ("server", Of(("name!", server.Metadata.Name), ("namespace!", server.Metadata.Namespace), ("team_id", team), ("cluster", cluster))),
            ("auth", spec.Auth is not { } auth ? null : Of(
                ("mode", auth.Mode), ("human_id_header", auth.HumanIDHeader), ("agent_id_header", auth.AgentIDHeader),
                ("team_id_header", auth.TeamIDHeader), ("session_id_header", auth.SessionIDHeader), ("token_header", auth.TokenHeader),
                ("issuer_url", auth.IssuerURL), ("audience", auth.Audience), ("trust_domain", auth.TrustDomain))),
            ("policy", spec.Policy is not { } policy ? null : Of(
                ("mode", policy.Mode), ("default_decision", policy.DefaultDecision), ("enforce_on", policy.EnforceOn),
                ("policy_version", policy.PolicyVersion))),
            ("session", spec.Session is not { } session ? null : Of(
                ("required", session.Required), ("store", session.Store), ("header_name", session.HeaderName),
                ("max_lifetime", session.MaxLifetime), ("idle_timeout", session.IdleTimeout),
                ("upstream_token_header", session.UpstreamTokenHeader))),
            ("tools", List(spec.Tools, tool => Of(
                ("name!", tool.Name), ("description", tool.Description), ("required_trust", tool.RequiredTrust),
                ("side_effect", tool.SideEffect), ("risk_level", tool.RiskLevel?.Trim()), ("labels", Labels(tool.Labels))))));
    }

    private static JsonObject Document(JsonObject head, IEnumerable<MCPAccessGrant> grants, IEnumerable<MCPAgentSession> sessions)
    {
        var team = head["server"]!["team_id"]?.GetValue<string>() ?? "";
        var document = head.DeepClone().AsObject();
        foreach (var (name, value) in Of(
            ("grants", List(grants, grant => Of(
                ("name!", grant.Metadata.Name), ("namespace", grant.Metadata.Namespace), ("human_id", grant.Spec.Subject!.HumanID),
                ("agent_id", grant.Spec.Subject.AgentID), ("team_id", Or(grant.Spec.Subject.TeamID, team)), ("max_trust", Or(grant.Spec.MaxTrust, "low")),
                ("allowed_side_effects", List(grant.Spec.AllowedSideEffects, effect => effect)), ("policy_version", grant.Spec.PolicyVersion?.Trim()),
                ("disabled", grant.Spec.Disabled), ("tool_rules", List(grant.Spec.ToolRules, rule => Of(
                    ("name!", rule.Name), ("decision", Or(rule.Decision, "allow")), ("required_trust", Or(rule.RequiredTrust, "low")))))))),
            ("sessions", List(sessions, session => Of(
                ("name!", session.Metadata.Name), ("namespace", session.Metadata.Namespace), ("human_id", session.Spec.Subject!.HumanID),
                ("agent_id", session.Spec.Subject.AgentID), ("team_id", Or(session.Spec.Subject.TeamID, team)),
                ("consented_trust", Or(session.Spec.ConsentedTrust, "low")), ("revoked", session.Spec.Revoked),
                ("expires_at", session.Spec.ExpiresAt is not { } time ? null
                    : DateTimeOffset.Parse(time, CultureInfo.InvariantCulture).UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)),
                ("policy_version", session.Spec.PolicyVersion?.Trim()),
                ("upstream_token_ref", session.Spec.UpstreamTokenSecretRef is { } secret ? secret.Name + "/" + secret.Key : null))))))
            document.Add(name, value!.DeepClone());
        return document;
    }

    /// <summary>Leaves out what is null, empty or false, unless its name ends with "!".</summary>
    private static JsonObject Of(params (string Name, object? Value)[] members)
    {
        var result = new JsonObject();
        foreach (var (name, value) in members)
        {
            JsonNode? node = value switch
            {
                string text => name.EndsWith('!') || text.Length > 0 ? JsonValue.Create(text) : null,
                bool flag => flag ? JsonValue.Create(true) : null,
                _ => (JsonNode?)value,
            };
            if (node is not null)
                result.Add(name.TrimEnd('!'), node);
        }

        return result;
    }

    private static JsonArray? List<T>(IEnumerable<T>? items, Func<T, JsonNode?> node) =>
        items is null || !items.Any() ? null : new JsonArray([.. items.Select(node)]);

    private static JsonObject? Labels(IReadOnlyDictionary<string, string>? labels) => labels is not { Count: > 0 } ? null : new JsonObject(
        labels.OrderBy(label => Convert.ToHexString(Encoding.UTF8.GetBytes(label.Key)), StringComparer.Ordinal)
            .Select(label => KeyValuePair.Create(label.Key, (JsonNode?)JsonValue.Create(label.Value))));

    private static string Or(string? value, string otherwise) => string.IsNullOrWhiteSpace(value) ? otherwise : value.Trim();

    private static string Compact(JsonNode node) => node switch
    {
        JsonObject members => "{" + string.Join(",", members.Select(member => Quote(member.Key) + ":" + Compact(member.Value!))) + "}",
        JsonArray items => "[" + string.Join(",", items.Select(item => Compact(item!))) + "]",
        _ => Scalar(node),
    };

    private static string Indented(JsonNode node, int depth)
    {
        var (outer, inner) = ("\n" + new string(' ', 2 * depth), "\n" + new string(' ', 2 * depth + 2));
        return node switch
        {
            JsonObject { Count: > 0 } members => "{" + inner
                + string.Join("," + inner, members.Select(member => Quote(member.Key) + ": " + Indented(member.Value!, depth + 1))) + outer + "}",
            JsonArray { Count: > 0 } items => "[" + inner + string.Join("," + inner, items.Select(item => Indented(item!, depth + 1))) + outer + "]",
            JsonObject => "{}",
            JsonArray => "[]",
            _ => Scalar(node),
        };
    }

    private static string Scalar(JsonNode node) => node.GetValueKind() == JsonValueKind.True ? "true" : Quote(node.GetValue<string>());

    private static string Quote(string text)
    {
        var result = "\"";
        foreach (var rune in text.EnumerateRunes())
        {
            result += rune.Value switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                8 => "\\b",
                9 => "\\t",
                10 => "\\n",
                12 => "\\f",
                13 => "\\r",
                < 0x20 or '<' or '>' or '&' or 0x2028 or 0x2029 => "\\u" + rune.Value.ToString("x4", CultureInfo.InvariantCulture),
                _ => rune.ToString(),
            };
        }

        return result + "\"";
    }
}
