using System.Text.Json;

namespace McpOperator.Servers.Diagnosis;

/// <summary>A kubelet's warning about a pod.</summary>
internal sealed class PodEvent(JsonElement json) : IKubernetesObject
{
    public ObjectKey Key { get; } = ObjectKey.Of(json);

    public string ResourceVersion => "";

    private string Message { get; } = ForeignText.Clean(json.Text("message"u8));

    private DateTimeOffset At { get; } = json.Time("lastTimestamp"u8) ?? json.Time("eventTime"u8) ?? default;

    /// <summary>Whether it says why: others only say that there was an error, that it waits, or what it does without.</summary>
    private bool IsReason { get; } = json.Text("reason"u8) switch
    {
        "Failed" => json.Text("message"u8)?.StartsWith("Error: ", StringComparison.Ordinal) == false,
        "Unhealthy" or "FailedMount" or "FailedMapVolume" or "FailedAttachVolume" or "FailedCreatePodSandBox" or "NetworkNotReady" => true,
        _ => false,
    };

    /// <summary>What the newest one says that says why; null when none does.</summary>
    public static string? WordsOf(IReadOnlyList<PodEvent> events)
    {
        PodEvent? newest = null;
        foreach (var told in events)
        {
            if (told.IsReason && (newest is null || told.At > newest.At))
                newest = told;
        }

        return newest?.Message;
    }
}
