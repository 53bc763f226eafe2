using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace McpOperator.Kubernetes;

/// <summary>Makes a <see cref="Status"/> of whatever body came with an error code.</summary>
internal static class ApiError
{
    private const int LongestBody = 64 * 1024;
    private const int LongestText = 200;

    public static async Task<ApiException> FromAsync(
        HttpResponseMessage response, string request, CancellationToken cancellationToken)
    {
        var code = (int)response.StatusCode;
        var body = await ReadSomeAsync(response, cancellationToken).ConfigureAwait(false);
        return new ApiException(Parse(body, code) ?? new Status { Code = code, Message = Describe(response, body) }, request);
    }

    /// <summary>The Status of an ERROR event. Never throws: what cannot be read becomes a Status that says so.</summary>
    public static Status StatusFrom(JsonElement json)
    {
        try
        {
            return json.Deserialize(StatusJson.Default.Status) ?? new Status { Message = "an error without a status" };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return new Status { Message = "an error whose status cannot be read" };
        }
    }

    private static Status? Parse(byte[] body, int code)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.Text("kind"u8) != "Status")
                return null;
            var status = StatusFrom(document.RootElement);
            return status with { Code = code, Message = WithoutAddresses(status.Message) };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>
    /// Some messages print a Go pointer, <c>(*string)(0xc002937e00)</c>, which differs each time. Without it, a refusal for the
    /// same reason has the same text.
    /// </summary>
    internal static string? WithoutAddresses(string? message)
    {
        const string mark = "(0x";
        var start = message?.IndexOf(mark, StringComparison.Ordinal) ?? -1;
        if (start < 0)
            return message;
        var text = new StringBuilder(message!.Length);
        var done = 0;
        for (; start >= 0; start = message.IndexOf(mark, done, StringComparison.Ordinal))
        {
            var end = start + mark.Length;
            while (end < message.Length && char.IsAsciiHexDigit(message[end]))
                end++;
            text.Append(message, done, start + mark.Length - done).Append('…');
            done = end;
        }

        return text.Append(message, done, message.Length - done).ToString();
    }

    /// <summary>
    /// The status line, and the first words of the body without mark-up: for answers of a proxy or a load balancer.
    /// </summary>
    private static string Describe(HttpResponseMessage response, byte[] body)
    {
        var text = new StringBuilder();
        var inTag = false;
        foreach (var c in Encoding.UTF8.GetString(body))
        {
            if (text.Length >= LongestText)
                break;
            if (c is '<' or '>')
                inTag = c == '<';
            else if (!inTag && !char.IsWhiteSpace(c) && !char.IsControl(c))
                text.Append(c);
            else if (text.Length > 0 && text[^1] != ' ')
                text.Append(' ');
        }

        var line = $"{(int)response.StatusCode} {response.ReasonPhrase ?? response.StatusCode.ToString()}";
        var words = text.ToString().TrimEnd();
        return words.Length == 0 ? line : $"{line}: {words}";
    }

    private static async Task<byte[]> ReadSomeAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var rented = ArrayPool<byte>.Shared.Rent(LongestBody);
        try
        {
            var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            var length = await stream
                .ReadAtLeastAsync(rented, rented.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return rented[..length];
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Status), GenerationMode = JsonSourceGenerationMode.Metadata)]
internal sealed partial class StatusJson : JsonSerializerContext;
