using System.Text;
using McpOperator.Api;

namespace McpOperator.Access;

/// <summary>Writes what a policy says of the server itself, as fields of the object that is open.</summary>
internal static class PolicyHeadJson
{
    /// <param name="server">With the defaults filled in (<see cref="Defaults"/>).</param>
    public static void Write(GoJsonWriter json, MCPServer server, string cluster)
    {
        var spec = server.Spec;
        json.Name("server");
        json.StartObject();
        json.Always("name", server.Metadata.Name);
        json.Always("namespace", server.Metadata.Namespace);
        json.IfSet("team_id", Defaults.Trimmed(spec.TeamID));
        json.IfSet("cluster", cluster);
        json.EndObject();

        Write(json, spec.Auth);
        Write(json, spec.Policy);
        Write(json, spec.Session);
        json.Each("tools", spec.Tools, tool => Write(json, tool));
    }

    private static void Write(GoJsonWriter json, AuthConfig? auth)
    {
        if (auth is null)
            return;
        json.Name("auth");
        json.StartObject();
        json.IfSet("mode", auth.Mode);
        json.IfSet("human_id_header", auth.HumanIDHeader);
        json.IfSet("agent_id_header", auth.AgentIDHeader);
        json.IfSet("team_id_header", auth.TeamIDHeader);
        json.IfSet("session_id_header", auth.SessionIDHeader);
        json.IfSet("token_header", auth.TokenHeader);
        json.IfSet("issuer_url", auth.IssuerURL);
        json.IfSet("audience", auth.Audience);
        json.IfSet("trust_domain", auth.TrustDomain);
        json.EndObject();
    }

    private static void Write(GoJsonWriter json, PolicyConfig? policy)
    {
        if (policy is null)
            return;
        json.Name("policy");
        json.StartObject();
        json.IfSet("mode", policy.Mode);
        json.IfSet("default_decision", policy.DefaultDecision);
        json.IfSet("enforce_on", policy.EnforceOn);
        json.IfSet("policy_version", policy.PolicyVersion);
        json.EndObject();
    }

    private static void Write(GoJsonWriter json, SessionConfig? session)
    {
        if (session is null)
            return;
        json.Name("session");
        json.StartObject();
        json.IfTrue("required", session.Required);
        json.IfSet("store", session.Store);
        json.IfSet("header_name", session.HeaderName);
        json.IfSet("max_lifetime", session.MaxLifetime);
        json.IfSet("idle_timeout", session.IdleTimeout);
        json.IfSet("upstream_token_header", session.UpstreamTokenHeader);
        json.EndObject();
    }

    private static void Write(GoJsonWriter json, ToolConfig tool)
    {
        json.Always("name", tool.Name);
        json.IfSet("description", tool.Description);
        json.IfSet("required_trust", tool.RequiredTrust);
        json.IfSet("side_effect", tool.SideEffect);
        json.IfSet("risk_level", Defaults.Trimmed(tool.RiskLevel));
        if (tool.Labels is not { Count: > 0 } labels)
            return;
        json.Name("labels");
        json.StartObject();
        foreach (var key in SortedByUtf8(labels.Keys))
            json.Always(key, labels[key]);
        json.EndObject();
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
