using System.Text;

namespace McpOperator.Testing;

/// <summary>Reads the audit log as it grows; each line is parsed once however often somebody asks.</summary>
public sealed class AuditLog(string path)
{
    /// <summary>Every request of everybody, with as little of each as answers "who did what".</summary>
    public const string Policy = """
        apiVersion: audit.k8s.io/v1
        kind: Policy
        rules:
        - level: Metadata
          verbs: [watch]
          omitStages: [ResponseStarted]
        - level: Metadata
          omitStages: [RequestReceived]
        """;

    private readonly Lock _lock = new();
    private readonly List<AuditEvent> _events = [];
    private long _offset;

    /// <summary>What stands in the log now, in the order in which the requests were answered.</summary>
    public IReadOnlyList<AuditEvent> Read()
    {
        lock (_lock)
        {
            if (!File.Exists(path))
                return [];
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            file.Position = _offset;
            var bytes = new byte[file.Length - _offset];
            file.ReadExactly(bytes);
            // The last line may still be being written.
            var end = Array.LastIndexOf(bytes, (byte)'\n') + 1;
            foreach (var line in Encoding.UTF8.GetString(bytes, 0, end).Split('\n', StringSplitOptions.RemoveEmptyEntries))
                _events.Add(AuditEvent.Parse(line));
            _offset += end;
            return [.. _events];
        }
    }
}
