using System.Text;

namespace McpOperator.Testing;

/// <summary>Reads an audit log on from where it stopped, and keeps nothing of it. Not for two threads at once.</summary>
public sealed class AuditTail(string path)
{
    // Enough for some thousand lines; more come with the next read.
    private const int Chunk = 4 << 20;

    private long _offset;

    /// <summary>What was written since the last call, in the order in which the requests were answered.</summary>
    public IEnumerable<AuditEvent> Next()
    {
        while (NextLines() is { Length: > 0 } lines)
            foreach (var line in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                yield return AuditEvent.Parse(line);
    }

    /// <summary>Whole lines only: the last one may still be being written.</summary>
    private string NextLines()
    {
        if (!File.Exists(path))
            return "";
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        file.Position = _offset;
        for (var limit = (long)Chunk; ; limit *= 2)
        {
            var bytes = new byte[Math.Min(file.Length - _offset, limit)];
            file.Position = _offset;
            file.ReadExactly(bytes);
            var end = Array.LastIndexOf(bytes, (byte)'\n') + 1;
            if (end == 0 && bytes.Length == limit)
                continue;
            _offset += end;
            return Encoding.UTF8.GetString(bytes, 0, end);
        }
    }
}
