using System.Buffers;
using System.Text;
using System.Text.Json;
using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Commands;

namespace McpOperator.Unit.Access;

/// <summary>Grants, sessions and servers for the tests, from the JSON of their specs.</summary>
internal static class AccessObjects
{
    public static MCPServer Server(string spec = "{}", string name = "demo", string ns = "servers", string? allow = null)
    {
        var server = Read(Object(spec, name, ns), AsServer);
        return server with { AllowAccessFrom = allow };
    }

    public static MCPAccessGrant Grant(string name, string ns = "servers", string fields = "") =>
        Read(Object($$"""{"serverRef":{"name":"demo","namespace":"servers"},"subject":{}{{Comma(fields)}}}""", name, ns), AsGrant);

    public static MCPAgentSession Session(string name, string ns = "servers", string fields = "") =>
        Read(Object($$"""{"serverRef":{"name":"demo","namespace":"servers"},"subject":{"agentID":"a"}{{Comma(fields)}}}""", name, ns), AsSession);

    public static PolicyDocument Document(
        MCPServer server, IReadOnlyList<MCPAccessGrant>? grants = null, IReadOnlyList<MCPAgentSession>? sessions = null, string cluster = "local") =>
        new(Head(server, cluster), grants ?? [], sessions ?? []);

    public static PolicyHead Head(MCPServer server, string cluster = "local") => PolicyHead.Of(server, new OperatorSettings { ClusterName = cluster });

    /// <summary>What its ConfigMap holds.</summary>
    public static string ToText(this PolicyDocument document, DateTimeOffset? generatedAt)
    {
        var text = new ArrayBufferWriter<byte>();
        document.Write(generatedAt, piece => text.Write(piece));
        return Encoding.UTF8.GetString(text.WrittenSpan);
    }

    public static MCPServer AsServer(JsonElement json) => StoredServer.Decode(json, Product.Identity.OwnedFields).Read();

    public static MCPAccessGrant AsGrant(JsonElement json) => StoredAccess.Decode(json, Product.Identity.OwnedFields).ReadGrant();

    public static MCPAgentSession AsSession(JsonElement json) => StoredAccess.Decode(json, Product.Identity.OwnedFields).ReadSession();

    public static T Read<T>(string json, Func<JsonElement, T> decode)
    {
        using var document = JsonDocument.Parse(json);
        return decode(document.RootElement);
    }

    private static string Object(string spec, string name, string ns) =>
        $$"""{"metadata":{"name":"{{name}}","namespace":"{{ns}}","generation":3},"spec":{{spec}}}""";

    private static string Comma(string fields) => fields.Length == 0 ? "" : "," + fields;
}
