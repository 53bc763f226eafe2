using System.Text;

namespace McpOperator.Commands.Manifests;

/// <summary>One document of a file, not yet read.</summary>
internal sealed class ManifestText(int number, int line, string text)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>From 1.</summary>
    public int Number { get; } = number;

    /// <summary>Its first one in the file, from 1.</summary>
    public int Line { get; } = line;

    /// <summary>With the <c>---</c> before it.</summary>
    public string Text { get; } = text;

    /// <summary>
    /// At the lines that begin with <c>---</c>, so that a document that is no YAML does not take the next ones along. What stands
    /// before the first one is a document of its own when it is more than comments.
    /// </summary>
    /// <exception cref="DecoderFallbackException">It is not UTF-8.</exception>
    public static IEnumerable<ManifestText> Split(byte[] bytes)
    {
        var isMarked = bytes is [0xef, 0xbb, 0xbf, ..];
        var text = Strict.GetString(bytes, isMarked ? 3 : 0, bytes.Length - (isMarked ? 3 : 0));
        var (number, start, first, line) = (1, 0, 1, 1);
        for (var at = 0; at < text.Length; line++)
        {
            if (IsSeparator(text.AsSpan(at)) && !IsPreamble(text.AsSpan(start, at - start)))
            {
                yield return new ManifestText(number++, first, text[start..at]);
                (start, first) = (at, line);
            }

            var end = text.IndexOf('\n', at);
            at = end < 0 ? text.Length : end + 1;
        }

        yield return new ManifestText(number, first, text[start..]);
    }

    private static bool IsSeparator(ReadOnlySpan<char> line) =>
        line.StartsWith("---") && (line.Length == 3 || line[3] is ' ' or '\t' or '\r' or '\n');

    /// <summary>Nothing but comments and directives.</summary>
    internal static bool IsPreamble(ReadOnlySpan<char> text)
    {
        foreach (var line in text.EnumerateLines())
        {
            if (line.TrimStart() is not ([] or ['#', ..]) && line[0] != '%')
                return false;
        }

        return true;
    }
}
