using System.Buffers;
using McpOperator.Api;

namespace McpOperator.Access;

/// <summary>What grants and sessions add to the text of a document, in bytes.</summary>
/// <param name="team">The server's, which stands in each of them that names none.</param>
internal sealed class AccessObjectSize(string? team)
{
    /// <summary>What one of them may add: more than a hundred tool rules, and the thirtieth part of what a policy can hold.</summary>
    public const int Limit = 32 * 1024;

    // JSON has an escape of six bytes for what is one in UTF-8, and no character of UTF-16 ever takes more.
    private const int LongestCharacter = 6;

    /// <summary>One byte each: ASCII without what is escaped.</summary>
    private static readonly SearchValues<char> Plain = SearchValues.Create(
        [.. Enumerable.Range(0x20, 0x7f - 0x20).Select(static c => (char)c).Where(static c => !"\"\\<>&".Contains(c, StringComparison.Ordinal))]);

    private GoJsonWriter? _counter;

    /// <summary>The exact size: by how much the text grows when one more of a list is this one.</summary>
    public int Of(AccessObject member)
    {
        var json = _counter ??= InAList();
        var before = json.Length;
        json.StartObject();
        if (member is MCPAccessGrant grant)
            AccessObjectJson.Write(json, grant, team);
        else
            AccessObjectJson.Write(json, (MCPAgentSession)member, team);
        json.EndObject();
        return json.Length - before;
    }

    /// <summary>
    /// No less than <see cref="Of"/>, and the same for most: each field with its frame, whether the document leaves it out or not,
    /// and its text as long as it can get. What is trimmed there is not trimmed here. It allocates nothing.
    /// </summary>
    public int AtMost(MCPAccessGrant grant)
    {
        var spec = grant.Spec;
        var size = Identity(grant, spec.Subject) + Field("max_trust", Or(spec.MaxTrust, Defaults.MaxTrust))
            + Field("policy_version", spec.PolicyVersion) + Field("disabled", "true");
        if (spec.AllowedSideEffects is { Count: > 0 } sideEffects)
        {
            size += Frame("allowed_side_effects", 3);
            for (var i = 0; i < sideEffects.Count; i++)
                size += Line(4) + "\"\"".Length + Text(sideEffects[i]);
        }

        if (spec.ToolRules is { Count: > 0 } rules)
        {
            size += Frame("tool_rules", 3);
            for (var i = 0; i < rules.Count; i++)
            {
                size += Braces(4) + Field("name", rules[i].Name ?? "", 5)
                    + Field("decision", Or(rules[i].Decision, Defaults.RuleDecision), 5)
                    + Field("required_trust", Or(rules[i].RequiredTrust, Defaults.RuleRequiredTrust), 5);
            }
        }

        return size;
    }

    /// <inheritdoc cref="AtMost(MCPAccessGrant)"/>
    public int AtMost(MCPAgentSession session)
    {
        var spec = session.Spec;
        var secret = spec.UpstreamTokenSecretRef;
        return Identity(session, spec.Subject) + Field("consented_trust", Or(spec.ConsentedTrust, Defaults.ConsentedTrust)) + Field("revoked", "true")
            + Field("expires_at", spec.ExpiresAt) + Field("policy_version", spec.PolicyVersion)
            + (secret is null ? 0 : Field("upstream_token_ref", "/") + Text(secret.Name) + Text(secret.Key));
    }

    /// <summary>What a list adds that is not empty, without its members and their commas.</summary>
    public static int OfList(string name) => Frame(name, 1) - 1;

    private int Identity(AccessObject member, Subject? subject) => Braces(2)
        + Field("name", member.Metadata.Name) + Field("namespace", member.Metadata.Namespace)
        + Field("human_id", subject?.HumanID) + Field("agent_id", subject?.AgentID) + Field("team_id", Or(subject?.TeamID, team));

    private static string? Or(string? value, string? otherwise) => string.IsNullOrWhiteSpace(value) ? otherwise : value;

    private static int Field(string name, string? value, int depth = 3) =>
        value is null ? 0 : Line(depth) + name.Length + "\"\": \"\"".Length + Text(value);

    /// <summary>A field with a list, from the comma before it to the bracket that closes it.</summary>
    private static int Frame(string name, int depth) => Line(depth) + name.Length + "\"\": [".Length + Line(depth) - 1 + "]".Length;

    /// <summary>An object in a list, likewise.</summary>
    private static int Braces(int depth) => Line(depth) + "{".Length + Line(depth) - 1 + "}".Length;

    /// <summary>The comma after the line before, the end of that line, and the indent of the next one.</summary>
    private static int Line(int depth) => ",\n".Length + 2 * depth;

    private static int Text(string? text) =>
        text is null ? 0 : text.AsSpan().ContainsAnyExcept(Plain) ? LongestCharacter * text.Length : text.Length;

    /// <summary>Where another member of a list would come next.</summary>
    private static GoJsonWriter InAList()
    {
        var json = new GoJsonWriter(indented: true);
        json.StartObject();
        json.Name("");
        json.StartArray();
        json.StartObject();
        json.EndObject();
        return json;
    }
}
