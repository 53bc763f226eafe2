using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace McpOperator.Testing;

/// <summary>policy.json as docs/policy.md describes it: the parts that decide about a call.</summary>
internal sealed record PolicyDocument
{
    // Not init: the source generator would write null over the default of what a document leaves out.
    public string? SchemaVersion { get; set; }
    public string? Revision { get; set; }
    public ServerPart? Server { get; set; }
    public AuthPart Auth { get; set; } = new();
    public PolicyPart Policy { get; set; } = new();
    public SessionPart Session { get; set; } = new();
    public IReadOnlyList<ToolPart> Tools { get; set; } = [];
    public IReadOnlyList<GrantPart> Grants { get; set; } = [];
    public IReadOnlyList<AgentSessionPart> Sessions { get; set; } = [];

    internal sealed record ServerPart(string? Name, string? Namespace);
    internal sealed record AuthPart(
        string? Mode = null, string? HumanIdHeader = null, string? AgentIdHeader = null, string? TeamIdHeader = null, string? SessionIdHeader = null);
    internal sealed record PolicyPart(string? Mode = null, string? DefaultDecision = null);
    internal sealed record SessionPart(bool Required = false);
    internal sealed record ToolPart(string Name, string? RequiredTrust = null, string? SideEffect = null);
    internal sealed record RulePart(string Name, string? Decision = null, string? RequiredTrust = null);
    internal sealed record GrantPart(
        string Name, string? HumanId = null, string? AgentId = null, string? TeamId = null, string? MaxTrust = null,
        IReadOnlyList<string>? AllowedSideEffects = null, bool Disabled = false, IReadOnlyList<RulePart>? ToolRules = null);
    internal sealed record AgentSessionPart(
        string Name, string? HumanId = null, string? AgentId = null, string? TeamId = null, string? ConsentedTrust = null, bool Revoked = false,
        DateTimeOffset? ExpiresAt = null);

    /// <summary>Refuses what is no document for this server, and one that does not hash to its own revision.</summary>
    /// <param name="server">Name and namespace, where they are known.</param>
    /// <exception cref="InvalidDataException">With the reason.</exception>
    public static PolicyDocument Read(ReadOnlySpan<byte> json, string? server = null, string? @namespace = null)
    {
        PolicyDocument? document;
        try
        {
            document = JsonSerializer.Deserialize(json, PolicyJson.Default.PolicyDocument);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"no policy document: {e.Message}", e);
        }
        if (document is not { SchemaVersion: "v1", Server.Name: { Length: > 0 } name })
            throw new InvalidDataException("no policy document of schema v1 that names a server");
        if ((server ?? name) != name || (@namespace ?? document.Server.Namespace) != document.Server.Namespace)
            throw new InvalidDataException($"this is the policy of {document.Server.Namespace}/{name}, not of {@namespace}/{server}");
        if (PolicyRevision.Of(json) is var revision && revision != document.Revision)
            throw new InvalidDataException($"the document says that it is {document.Revision}, and is {revision}");
        return document;
    }
}

/// <summary>The hash that a document has to name. Strings stay as they are written: the operator escapes them as Go would.</summary>
internal static partial class PolicyRevision
{
    public static string Of(ReadOnlySpan<byte> json)
    {
        var compact = new List<byte>(json.Length);
        var inString = false;
        for (var i = 0; i < json.Length; i++)
        {
            if (!inString && json[i] is (byte)' ' or (byte)'\n')
                continue;
            if (json[i] == '"')
                inString = !inString;
            compact.Add(json[i]);
            if (inString && json[i] == '\\' && i + 1 < json.Length)
                compact.Add(json[++i]);
        }
        var text = Head().Replace(Encoding.UTF8.GetString([.. compact]), "$1\",", 1);
        return "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    [GeneratedRegex("""^(\{"schema_version":"[^"]*","revision":")[^"]*",("generated_at":"[^"]*",)?""")]
    private static partial Regex Head();
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(PolicyDocument))]
internal sealed partial class PolicyJson : JsonSerializerContext;
