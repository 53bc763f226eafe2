using System.Text.Json;
using System.Text.Unicode;
using McpOperator.Api;
using McpOperator.Servers.Diagnosis;

namespace McpOperator.Servers.Readiness;

/// <summary>Takes in the result of a response, which is an object. (Not generic: async methods of any type are twice the code.)</summary>
internal delegate void ResultReader(ReadOnlyMemory<byte> result);

/// <summary>The few messages of MCP that are needed, by hand: an SDK would be larger than the operator.</summary>
internal static class JsonRpc
{
    /// <summary>The version that is offered. A server may answer with another one, older or newer.</summary>
    public const string ProtocolVersion = "2025-06-18";

    /// <summary>Of what is parsed as a whole, which takes many times its length. A list of tools is read as it comes.</summary>
    private const int LargestParsed = 64 * 1024;

    public static byte[] Initialize(int id, McpClient client) => Request(id, "initialize", json =>
    {
        json.WriteString("protocolVersion"u8, ProtocolVersion);
        json.WriteStartObject("capabilities"u8);
        json.WriteEndObject();
        json.WriteStartObject("clientInfo"u8);
        json.WriteString("name"u8, client.Name);
        json.WriteString("version"u8, client.Version);
        json.WriteEndObject();
    });

    public static byte[] Initialized() => Message(static json => json.WriteString("method"u8, "notifications/initialized"u8));

    /// <param name="cursor">Of the page before; null for the first one.</param>
    public static byte[] ListTools(int id, string? cursor) => Request(id, "tools/list", json =>
    {
        if (cursor is not null)
            json.WriteString("cursor"u8, cursor);
    });

    /// <summary>Reads the result of the response with this id.</summary>
    /// <returns>False of another message, such as a notification, that a server may send before it.</returns>
    /// <exception cref="McpFault">It is no message of JSON-RPC, the server answers with an error, or <paramref name="read"/> makes nothing of it.</exception>
    public static bool Read(ReadOnlyMemory<byte> message, int id, ResultReader read)
    {
        // The parser takes text that is none, and throws where it is used.
        if (!Utf8.IsValid(message.Span))
            throw new McpFault(Reasons.McpProtocolError, "answered what is not UTF-8");
        try
        {
            var envelope = Envelope.Of(message, id);
            // An error before the id could be read has none.
            if (envelope.HasMethod || !(envelope.IsOurs || (!envelope.HasId && envelope.Error is not null)))
                return false;
            if (envelope.Error is { } error)
                throw Refused(error);
            if (envelope.Result is not { } result || result.Span[0] != '{')
                throw new McpFault(Reasons.McpProtocolError, "answered a response without a result");
            read(result);
            return true;
        }
        catch (JsonException)
        {
            throw new McpFault(Reasons.McpProtocolError, "answered what is no JSON");
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, escaped.
            throw new McpFault(Reasons.McpProtocolError, "answered text that is no Unicode");
        }
    }

    /// <exception cref="McpFault">It is larger than what is needed ever is.</exception>
    public static ParsedJson Parse(ReadOnlyMemory<byte> json) => json.Length <= LargestParsed
        ? ParsedJson.Of(json)
        : throw new McpFault(Reasons.McpProtocolError, $"answered {json.Length / 1024} KiB where {LargestParsed / 1024} are enough");

    /// <summary>The words of an error that came with a status of HTTP; empty when there are none.</summary>
    public static string WordsOf(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var parsed = Parse(body);
            var error = parsed.Root.Child("error"u8);
            return ForeignText.Clean(error?.Text("message"u8) ?? (error is { ValueKind: JsonValueKind.String } text ? text.GetString() : parsed.Root.Text("message"u8)));
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return "";
        }
    }

    private static McpFault Refused(ReadOnlyMemory<byte> json)
    {
        using var parsed = Parse(json);
        var error = parsed.Root;
        var words = ForeignText.Clean(error.Text("message"u8));
        // As the specification has it for a version that is not supported (2025-06-18, Lifecycle, Error Handling).
        return error.Child("data"u8)?.Child("supported"u8) is { ValueKind: JsonValueKind.Array } supported
            ? new McpFault(Reasons.ProtocolMismatch, $"refuses protocol version {ProtocolVersion} and offers {ForeignText.Clean(string.Join(", ", supported.EnumerateArray()))}")
            : new McpFault(Reasons.McpProtocolError, $"answered with the error {error.Number("code"u8)}{(words.Length > 0 ? $": {words}" : "")}");
    }

    private static byte[] Request(int id, string method, Action<Utf8JsonWriter> parameters) => Message(json =>
    {
        json.WriteNumber("id"u8, id);
        json.WriteString("method"u8, method);
        json.WriteStartObject("params"u8);
        parameters(json);
        json.WriteEndObject();
    });

    private static byte[] Message(Action<Utf8JsonWriter> content) => ApplyBody.Write(
        json =>
        {
            json.WriteStartObject();
            json.WriteString("jsonrpc"u8, "2.0"u8);
            content(json);
            json.WriteEndObject();
        },
        length: 256);

    /// <summary>What a message has around its content, which stays where it is.</summary>
    private sealed class Envelope
    {
        public bool HasId { get; private set; }

        public bool IsOurs { get; private set; }

        public bool HasMethod { get; private set; }

        public ReadOnlyMemory<byte>? Result { get; private set; }

        public ReadOnlyMemory<byte>? Error { get; private set; }

        public static Envelope Of(ReadOnlyMemory<byte> message, int id)
        {
            var reader = new Utf8JsonReader(message.Span);
            var (envelope, isRpc) = (new Envelope(), false);
            if (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
            {
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    var name = reader.ValueTextEquals("jsonrpc"u8) ? 'v' : reader.ValueTextEquals("id"u8) ? 'i' : reader.ValueTextEquals("method"u8) ? 'm'
                        : reader.ValueTextEquals("result"u8) ? 'r' : reader.ValueTextEquals("error"u8) ? 'e' : ' ';
                    reader.Read();
                    var (isNull, start) = (reader.TokenType == JsonTokenType.Null, (int)reader.TokenStartIndex);
                    if (name == 'v')
                        isRpc = reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("2.0"u8);
                    else if (name == 'i')
                        (envelope.HasId, envelope.IsOurs) = (!isNull, reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var number) && number == id);
                    else if (name == 'm')
                        envelope.HasMethod = true;
                    reader.Skip();
                    var content = message[start..(int)reader.BytesConsumed];
                    if (name == 'r' && !isNull)
                        envelope.Result = content;
                    else if (name == 'e' && !isNull)
                        envelope.Error = content;
                }
            }
            else
            {
                reader.Skip();
            }

            // Nothing may follow.
            while (reader.Read())
            {
            }

            return isRpc ? envelope : throw new McpFault(Reasons.McpProtocolError, "answered JSON that is no message of JSON-RPC 2.0");
        }
    }
}
