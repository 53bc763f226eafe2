using System.Security.Cryptography;
using System.Text;
using McpOperator.Api;

namespace McpOperator.Access;

/// <summary>
/// What a gateway is told: who may call which tools of its server. The same content always has the same
/// <see cref="Revision"/>. The format is described in docs/policy.md.
/// </summary>
internal sealed class PolicyDocument
{
    internal const string SchemaVersion = "v1";

    private readonly PolicyHead _head;
    private readonly IReadOnlyList<MCPAccessGrant> _grants;
    private readonly IReadOnlyList<MCPAgentSession> _sessions;

    /// <param name="grants">Those that the document holds, in the order in which it holds them (<see cref="AccessJudgement"/>).</param>
    public PolicyDocument(PolicyHead head, IReadOnlyList<MCPAccessGrant> grants, IReadOnlyList<MCPAgentSession> sessions)
    {
        _head = head;
        _grants = grants;
        _sessions = sessions;
        using var json = new GoJsonWriter(indented: false);
        Write(json, revision: "", generatedAt: null, head.Compact.Span);
        Revision = RevisionOf(json.Written);
    }

    /// <summary><c>sha256:</c> and the hash of the document without <c>generated_at</c> and with a blank revision.</summary>
    public string Revision { get; }

    /// <summary>The text for the ConfigMap.</summary>
    /// <param name="generatedAt">Left out when null. A stored document of the same revision keeps its own (<see cref="StoredPolicy"/>).</param>
    public string ToText(DateTimeOffset? generatedAt)
    {
        using var json = new GoJsonWriter(indented: true);
        Write(json, Revision, generatedAt, _head.Indented.Span);
        return Encoding.UTF8.GetString(json.Written);
    }

    internal static string RevisionOf(ReadOnlySpan<byte> compact) =>
        $"sha256:{Convert.ToHexStringLower(SHA256.HashData(compact))}";

    /// <param name="revision">Blank where it is to be hashed.</param>
    /// <param name="generatedAt">Left out when null.</param>
    private void Write(GoJsonWriter json, string revision, DateTimeOffset? generatedAt, ReadOnlySpan<byte> head)
    {
        json.StartObject();
        json.Always("schema_version", SchemaVersion);
        json.Always("revision", revision);
        if (generatedAt is { } time)
            json.Always("generated_at", KubernetesTime.Format(time));
        json.Members(head);
        json.Each("grants", _grants, grant => AccessObjectJson.Write(json, grant, _head.Team));
        json.Each("sessions", _sessions, session => AccessObjectJson.Write(json, session, _head.Team));
        json.EndObject();
    }
}
