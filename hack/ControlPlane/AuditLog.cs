namespace McpOperator.Testing;

/// <summary>Reads the audit log as it grows; each line is parsed once however often somebody asks.</summary>
public sealed class AuditLog(string path)
{
    /// <summary>Every request of everybody, with as little of each as answers "who did what".</summary>
    public const string Policy = Head + Everything;

    /// <summary>The same, and what was written into ConfigMaps and as status of a server, for tests that ask when a document said what.</summary>
    public const string PolicyWithDocuments = Head + """
        - level: Request
          verbs: [create, update, patch]
          resources:
          - {group: "", resources: [configmaps]}
          - {group: mcpruntime.org, resources: [mcpservers/status]}
          omitStages: [RequestReceived]

        """ + Everything;

    private const string Head = """
        apiVersion: audit.k8s.io/v1
        kind: Policy
        rules:

        """;

    private const string Everything = """
        - level: Metadata
          verbs: [watch]
          omitStages: [ResponseStarted]
        - level: Metadata
          omitStages: [RequestReceived]
        """;

    private readonly Lock _lock = new();
    private readonly AuditTail _tail = new(path);
    private readonly List<AuditEvent> _events = [];

    /// <summary>What stands in the log now, in the order in which the requests were answered.</summary>
    public IReadOnlyList<AuditEvent> Read()
    {
        lock (_lock)
        {
            _events.AddRange(_tail.Next());
            return [.. _events];
        }
    }
}
