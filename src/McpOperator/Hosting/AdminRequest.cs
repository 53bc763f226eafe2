using System.Buffers;
using System.Text;

namespace McpOperator.Hosting;

/// <summary>A GET or HEAD, and where the body of its answer goes.</summary>
internal sealed record AdminRequest(string Path, string Query, IBufferWriter<byte> Body)
{
    /// <summary>The values of a query parameter; empty text for one without a value.</summary>
    public IEnumerable<string> QueryValues(string name)
    {
        foreach (var pair in Query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=');
            if ((equals < 0 ? pair : pair[..equals]) == name)
                yield return equals < 0 ? "" : Uri.UnescapeDataString(pair[(equals + 1)..].Replace('+', ' '));
        }
    }
}

internal readonly record struct AdminResponse(int Status, string ContentType = "text/plain; charset=utf-8");

/// <summary>The first line of a request. This server reads nothing else of it.</summary>
internal readonly record struct RequestLine(string Method, string Path, string Query)
{
    /// <summary>Null when it is not HTTP/1.x.</summary>
    public static RequestLine? Parse(ReadOnlySpan<byte> head)
    {
        var end = head.IndexOf("\r\n"u8);
        var parts = Encoding.ASCII.GetString(end < 0 ? head : head[..end]).Split(' ');
        if (parts is not [var method, var target, "HTTP/1.1" or "HTTP/1.0"] || !target.StartsWith('/'))
            return null;
        var question = target.IndexOf('?');
        return question < 0
            ? new RequestLine(method, target, "")
            : new RequestLine(method, target[..question], target[(question + 1)..]);
    }
}
