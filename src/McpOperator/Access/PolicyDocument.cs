using System.Security.Cryptography;
using System.Text;
using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Access;

/// <summary>
/// What a gateway is told: who may call which tools of its server. The same content always has the same
/// <see cref="Revision"/>. The format is described in docs/policy.md.
/// </summary>
public sealed class PolicyDocument
{
    private const string SchemaVersion = "v1";

    private readonly MCPServer _server;
    private readonly string _cluster;
    private readonly IReadOnlyList<MCPAccessGrant> _grants;
    private readonly IReadOnlyList<MCPAgentSession> _sessions;

    /// <param name="server">With its spec in effect (<see cref="Defaults"/>), and valid.</param>
    /// <param name="settings">Of the operator.</param>
    /// <param name="grants">Those that the document holds, in the order in which it holds them (<see cref="PolicyMembers"/>).</param>
    /// <param name="sessions">Likewise.</param>
    public PolicyDocument(
        MCPServer server, OperatorSettings settings, IReadOnlyList<MCPAccessGrant> grants, IReadOnlyList<MCPAgentSession> sessions)
    {
        _server = server;
        _cluster = settings.ClusterName;
        _grants = grants;
        _sessions = sessions;
        using var json = new GoJsonWriter(indented: false);
        Write(json, revision: "", generatedAt: null);
        Revision = RevisionOf(json.Written);
    }

    /// <summary><c>sha256:</c> and the hash of the document without <c>generated_at</c> and with a blank revision.</summary>
    public string Revision { get; }

    /// <summary>The text for the ConfigMap.</summary>
    /// <param name="generatedAt">Left out when null. A stored document of the same revision keeps its own (<see cref="StoredPolicy"/>).</param>
    public string ToText(DateTimeOffset? generatedAt)
    {
        using var json = new GoJsonWriter(indented: true);
        Write(json, Revision, generatedAt);
        return Encoding.UTF8.GetString(json.Written);
    }

    internal static string RevisionOf(ReadOnlySpan<byte> compact) =>
        $"sha256:{Convert.ToHexStringLower(SHA256.HashData(compact))}";

    private void Write(GoJsonWriter json, string revision, DateTimeOffset? generatedAt)
    {
        var spec = _server.Spec;
        var team = Defaults.Trimmed(spec.TeamID);
        json.StartObject();
        Always(json, "schema_version", SchemaVersion);
        Always(json, "revision", revision);
        if (generatedAt is { } time)
            Always(json, "generated_at", KubernetesTime.Format(time));

        json.Name("server");
        json.StartObject();
        Always(json, "name", _server.Metadata.Name);
        Always(json, "namespace", _server.Metadata.Namespace);
        IfSet(json, "team_id", team);
        IfSet(json, "cluster", _cluster);
        json.EndObject();

        Write(json, spec.Auth);
        Write(json, spec.Policy);
        Write(json, spec.Session);
        Each(json, "tools", spec.Tools, tool => Write(json, tool));
        Each(json, "grants", _grants, grant => Write(json, grant, team));
        Each(json, "sessions", _sessions, session => Write(json, session, team));
        json.EndObject();
    }

    private static void Write(GoJsonWriter json, AuthConfig? auth)
    {
        if (auth is null)
            return;
        json.Name("auth");
        json.StartObject();
        IfSet(json, "mode", auth.Mode);
        IfSet(json, "human_id_header", auth.HumanIDHeader);
        IfSet(json, "agent_id_header", auth.AgentIDHeader);
        IfSet(json, "team_id_header", auth.TeamIDHeader);
        IfSet(json, "session_id_header", auth.SessionIDHeader);
        IfSet(json, "token_header", auth.TokenHeader);
        IfSet(json, "issuer_url", auth.IssuerURL);
        IfSet(json, "audience", auth.Audience);
        IfSet(json, "trust_domain", auth.TrustDomain);
        json.EndObject();
    }

    private static void Write(GoJsonWriter json, PolicyConfig? policy)
    {
        if (policy is null)
            return;
        json.Name("policy");
        json.StartObject();
        IfSet(json, "mode", policy.Mode);
        IfSet(json, "default_decision", policy.DefaultDecision);
        IfSet(json, "enforce_on", policy.EnforceOn);
        IfSet(json, "policy_version", policy.PolicyVersion);
        json.EndObject();
    }

    private static void Write(GoJsonWriter json, SessionConfig? session)
    {
        if (session is null)
            return;
        json.Name("session");
        json.StartObject();
        IfTrue(json, "required", session.Required);
        IfSet(json, "store", session.Store);
        IfSet(json, "header_name", session.HeaderName);
        IfSet(json, "max_lifetime", session.MaxLifetime);
        IfSet(json, "idle_timeout", session.IdleTimeout);
        IfSet(json, "upstream_token_header", session.UpstreamTokenHeader);
        json.EndObject();
    }

    private static void Write(GoJsonWriter json, ToolConfig tool)
    {
        Always(json, "name", tool.Name);
        IfSet(json, "description", tool.Description);
        IfSet(json, "required_trust", tool.RequiredTrust);
        IfSet(json, "side_effect", tool.SideEffect);
        IfSet(json, "risk_level", Defaults.Trimmed(tool.RiskLevel));
        if (tool.Labels is not { Count: > 0 } labels)
            return;
        json.Name("labels");
        json.StartObject();
        foreach (var key in SortedByUtf8(labels.Keys))
            Always(json, key, labels[key]);
        json.EndObject();
    }

    private static void Write(GoJsonWriter json, MCPAccessGrant grant, string? teamOfServer)
    {
        var spec = grant.Spec;
        Identity(json, grant, spec.Subject, teamOfServer);
        Always(json, "max_trust", Defaults.Trimmed(spec.MaxTrust) ?? Defaults.MaxTrust);
        if (spec.AllowedSideEffects is { Count: > 0 } sideEffects)
        {
            json.Name("allowed_side_effects");
            json.StartArray();
            foreach (var sideEffect in sideEffects)
                json.String(sideEffect);
            json.EndArray();
        }

        IfSet(json, "policy_version", Defaults.Trimmed(spec.PolicyVersion));
        IfTrue(json, "disabled", spec.Disabled);
        Each(json, "tool_rules", spec.ToolRules, rule =>
        {
            Always(json, "name", rule.Name);
            Always(json, "decision", Defaults.Trimmed(rule.Decision) ?? Defaults.RuleDecision);
            Always(json, "required_trust", Defaults.Trimmed(rule.RequiredTrust) ?? Defaults.RuleRequiredTrust);
        });
    }

    private static void Write(GoJsonWriter json, MCPAgentSession session, string? teamOfServer)
    {
        var spec = session.Spec;
        Identity(json, session, spec.Subject, teamOfServer);
        Always(json, "consented_trust", Defaults.Trimmed(spec.ConsentedTrust) ?? Defaults.ConsentedTrust);
        IfTrue(json, "revoked", spec.Revoked);
        if (session.ExpiresAt is { } time)
            Always(json, "expires_at", KubernetesTime.Format(time));
        IfSet(json, "policy_version", Defaults.Trimmed(spec.PolicyVersion));
        if (spec.UpstreamTokenSecretRef is { } reference)
            Always(json, "upstream_token_ref", $"{reference.Name}/{reference.Key}");
    }

    private static void Identity(GoJsonWriter json, PolicyMember member, Subject? subject, string? teamOfServer)
    {
        Always(json, "name", member.Metadata.Name);
        IfSet(json, "namespace", member.Metadata.Namespace);
        IfSet(json, "human_id", subject?.HumanID);
        IfSet(json, "agent_id", subject?.AgentID);
        IfSet(json, "team_id", Defaults.Trimmed(subject?.TeamID) ?? teamOfServer);
    }

    private static void Always(GoJsonWriter json, string name, string? value)
    {
        json.Name(name);
        json.String(value);
    }

    private static void IfSet(GoJsonWriter json, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            Always(json, name, value);
    }

    private static void IfTrue(GoJsonWriter json, string name, bool? value)
    {
        if (value is not true)
            return;
        json.Name(name);
        json.True();
    }

    private static void Each<T>(GoJsonWriter json, string name, IReadOnlyList<T>? items, Action<T> write)
    {
        if (items is not { Count: > 0 })
            return;
        json.Name(name);
        json.StartArray();
        foreach (var item in items)
        {
            json.StartObject();
            write(item);
            json.EndObject();
        }

        json.EndArray();
    }

    /// <summary>As Go sorts keys. Ordinal order of .NET is that of UTF-16, in which U+FFFF comes after U+10000.</summary>
    private static string[] SortedByUtf8(IEnumerable<string> keys)
    {
        string[] sorted = [.. keys];
        Array.Sort([.. sorted.Select(Encoding.UTF8.GetBytes)], sorted, Utf8Order);
        return sorted;
    }

    private static readonly Comparer<byte[]> Utf8Order =
        Comparer<byte[]>.Create(static (left, right) => left.AsSpan().SequenceCompareTo(right));
}
