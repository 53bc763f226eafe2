using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using McpOperator.Api;

namespace McpOperator.Access;

/// <summary>The part of a policy that is about the server: all but grants and sessions. Immutable.</summary>
internal sealed class PolicyHead
{
    /// <summary>The fields of a document, in their order.</summary>
    private static readonly string[] Fields =
        ["schema_version", "revision", "generated_at", "server", "auth", "policy", "session", "tools", "grants", "sessions"];

    private readonly Action<GoJsonWriter> _write;

    private HashSet<ObjectKey> _grants = [];
    private HashSet<ObjectKey> _sessions = [];

    private static readonly string LongestRevision = "sha256:" + new string('0', 2 * SHA256.HashSizeInBytes);

    /// <param name="write">Writes the fields, the same each time.</param>
    private PolicyHead(ObjectKey server, string? team, Action<GoJsonWriter> write)
    {
        Server = server;
        Team = team;
        _write = write;
        using var json = new GoJsonWriter(indented: true);
        json.StartObject();
        Write(json, LongestRevision, default(DateTimeOffset));
        json.EndObject();
        Size = json.Length;
    }

    /// <summary>The server that the document names; a stored one may have been made for another.</summary>
    public ObjectKey Server { get; }

    /// <summary>
    /// Only grants and sessions of the stored document may stay in it: it is not known whether the current spec would admit
    /// others.
    /// </summary>
    public bool IsFrozen { get; private init; }

    /// <summary>The document does not fit into a ConfigMap even without grants and sessions.</summary>
    public bool IsTooLarge => Size > PolicyConfigMapBuilder.MaxBytes;

    /// <summary>The server's team, and that of subjects that name none.</summary>
    internal string? Team { get; }

    /// <summary>The size of the document without grants and sessions, in bytes.</summary>
    internal int Size { get; }

    /// <param name="effective">With the defaults filled in (<see cref="Defaults"/>), whose access part is valid (<see cref="Validation.AccessFaults"/>).</param>
    public static PolicyHead Of(MCPServer effective, OperatorSettings settings) => Of(effective, settings, isFrozen: false);

    /// <summary>
    /// Lets nobody in: for an invalid spec without a stored document that can be trusted. Frozen, and without a member.
    /// </summary>
    public static PolicyHead DenyAll(ObjectKey server, OperatorSettings settings)
    {
        var spec = Defaults.Apply(server.Name, new MCPServerSpec { Gateway = new GatewayConfig { Enabled = true } }, settings);
        return Of(
            new MCPServer { Metadata = new ObjectMeta { Name = server.Name, Namespace = server.Namespace }, Spec = spec }, settings, isFrozen: true);
    }

    /// <summary>
    /// Of a stored document, frozen. Null when the text does not hash to its own revision (<see cref="StoredPolicy"/>), or is not
    /// in our form.
    /// </summary>
    public static PolicyHead? Read(ReadOnlySpan<byte> storedText)
    {
        if (StoredPolicy.Read(storedText) is null)
            return null;
        var root = JsonElement.Parse(storedText);
        if (!IsOurForm(root))
            return null;
        var server = root.Child("server"u8)!.Value;
        var head = new PolicyHead(
            new ObjectKey(server.Text("namespace"u8) ?? "", server.Text("name"u8) ?? ""), server.Text("team_id"u8),
            json => CopyFields(root, json, isDenying: false))
        { IsFrozen = true };
        Note(root, "grants"u8, head._grants);
        Note(root, "sessions"u8, head._sessions);
        return head;
    }

    /// <summary>Whether the stored document held the grant.</summary>
    public bool HadGrant(ObjectKey key) => _grants.Contains(key);

    /// <summary>Whether the stored document held the session.</summary>
    public bool HadSession(ObjectKey key) => _sessions.Contains(key);

    /// <summary>The same with <c>deny</c> as the default decision.</summary>
    internal PolicyHead DenyingByDefault()
    {
        using var buffer = new PooledBuffer();
        using (var compact = new GoJsonWriter(indented: false, piece => buffer.Write(piece)))
        {
            compact.StartObject();
            _write(compact);
            compact.EndObject();
            compact.Flush();
        }

        var fields = JsonElement.Parse(buffer.Written.Span);
        return new PolicyHead(Server, Team, json => CopyFields(fields, json, isDenying: true))
        {
            IsFrozen = IsFrozen,
            _grants = _grants,
            _sessions = _sessions,
        };
    }

    private static PolicyHead Of(MCPServer effective, OperatorSettings settings, bool isFrozen) =>
        new(effective.Key, Defaults.Trimmed(effective.Spec.TeamID), json => PolicyHeadJson.Write(json, effective, settings.ClusterName)) { IsFrozen = isFrozen };

    /// <summary>Writes the fields of the document up to its grants.</summary>
    /// <param name="revision">Blank where it is to be hashed.</param>
    /// <param name="generatedAt">Left out when null.</param>
    internal void Write(GoJsonWriter json, string revision, DateTimeOffset? generatedAt)
    {
        json.Always("schema_version", PolicyDocument.SchemaVersion);
        json.Always("revision", revision);
        if (generatedAt is { } time)
            json.Always("generated_at", KubernetesTime.Format(time));
        _write(json);
    }

    private static bool IsOfHead(string field) => field is "server" or "auth" or "policy" or "session" or "tools";

    /// <summary>Each field once, in order, and no other: else it would be rewritten as another document.</summary>
    private static bool IsOurForm(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
            return false;
        var last = -1;
        foreach (var field in root.EnumerateObject())
        {
            var position = Array.IndexOf(Fields, field.Name);
            if (position <= last)
                return false;
            last = position;
        }

        return root.Text("schema_version"u8) == PolicyDocument.SchemaVersion
            && !string.IsNullOrEmpty(root.Child("server"u8)?.Text("name"u8));
    }

    private static void Note(JsonElement root, ReadOnlySpan<byte> list, HashSet<ObjectKey> keys)
    {
        if (root.Child(list) is not { ValueKind: JsonValueKind.Array } members)
            return;
        foreach (var member in members.EnumerateArray())
            keys.Add(new ObjectKey(member.Text("namespace"u8) ?? "", member.Text("name"u8) ?? ""));
    }

    private static void CopyFields(JsonElement document, GoJsonWriter json, bool isDenying)
    {
        foreach (var field in document.EnumerateObject())
        {
            if (!IsOfHead(field.Name))
                continue;
            json.Name(field.Name);
            Copy(field.Value, json, isDenying && field.Name == "policy");
        }
    }

    private static void Copy(JsonElement value, GoJsonWriter json, bool isDenying = false)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                json.StartObject();
                foreach (var field in value.EnumerateObject())
                {
                    json.Name(field.Name);
                    if (isDenying && field.Name == "default_decision")
                        json.String("deny");
                    else
                        Copy(field.Value, json);
                }

                json.EndObject();
                break;
            case JsonValueKind.Array:
                json.StartArray();
                foreach (var item in value.EnumerateArray())
                    Copy(item, json);
                json.EndArray();
                break;
            case JsonValueKind.True:
                json.True();
                break;
            default:
                json.String(value.GetString());
                break;
        }
    }
}
