using System.Text;

namespace McpOperator.Kubernetes;

/// <summary>
/// Returns one string for many equal texts: a thousand servers name their namespace four thousand times, and a server's name
/// stands in each of its objects. Each slot keeps its latest string only, so that the pool stays small whatever passes through
/// it. Safe for any number of threads: in a race there may be a second copy.
/// </summary>
internal static class StringPool
{
    /// <summary>Enough for the names and uids of a few thousand servers.</summary>
    private const int Slots = 8192;

    /// <summary>In bytes. A longer text hardly comes twice.</summary>
    private const int Longest = 128;

    private static readonly string?[] Latest = new string?[Slots];

    /// <param name="utf8">The text, without escapes.</param>
    public static string Intern(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length is 0 or > Longest)
            return Encoding.UTF8.GetString(utf8);

        ref var slot = ref Latest[Slot(utf8)];
        var latest = Volatile.Read(ref slot);
        if (latest is not null && IsEqual(latest, utf8))
            return latest;
        var text = Encoding.UTF8.GetString(utf8);
        Volatile.Write(ref slot, text);
        return text;
    }

    private static bool IsEqual(string text, ReadOnlySpan<byte> utf8)
    {
        Span<char> chars = stackalloc char[Longest];
        return Encoding.UTF8.TryGetChars(utf8, chars, out var count) && chars[..count].SequenceEqual(text);
    }

    /// <summary>FNV-1a.</summary>
    private static int Slot(ReadOnlySpan<byte> utf8)
    {
        var hash = 2166136261u;
        foreach (var b in utf8)
            hash = (hash ^ b) * 16777619;
        return (int)((hash ^ (hash >> 16)) % Slots);
    }
}
