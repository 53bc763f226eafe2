using System.Security.Cryptography;
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
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var json = new GoJsonWriter(indented: false, hash.AppendData);
        Write(json, revision: "", generatedAt: null);
        json.Flush();
        Revision = RevisionOf(hash);
        Length = json.Length;
    }

    /// <summary><c>sha256:</c> and the hash of the document without <c>generated_at</c> and with a blank revision.</summary>
    public string Revision { get; }

    /// <summary>Of what is hashed, in bytes: the text is longer by its indents.</summary>
    public int Length { get; }

    /// <summary>Writes the text for the ConfigMap.</summary>
    /// <param name="generatedAt">Left out when null. A stored document of the same revision keeps its own (<see cref="StoredPolicy"/>).</param>
    /// <param name="sink">Gets it in pieces.</param>
    public void Write(DateTimeOffset? generatedAt, GoJsonWriter.Sink sink)
    {
        using var json = new GoJsonWriter(indented: true, sink);
        Write(json, Revision, generatedAt);
        json.Flush();
    }

    /// <summary>Of what was hashed so far.</summary>
    internal static string RevisionOf(IncrementalHash compact) => $"sha256:{Convert.ToHexStringLower(compact.GetHashAndReset())}";

    /// <param name="revision">Blank where it is to be hashed.</param>
    /// <param name="generatedAt">Left out when null.</param>
    private void Write(GoJsonWriter json, string revision, DateTimeOffset? generatedAt)
    {
        json.StartObject();
        _head.Write(json, revision, generatedAt);
        json.Each("grants", _grants, grant => AccessObjectJson.Write(json, grant, _head.Team));
        json.Each("sessions", _sessions, session => AccessObjectJson.Write(json, session, _head.Team));
        json.EndObject();
    }
}
