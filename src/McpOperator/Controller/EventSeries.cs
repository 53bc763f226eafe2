namespace McpOperator.Controller;

/// <summary>One event as it was first recorded, and how often it was recorded since. Not thread-safe.</summary>
internal sealed class EventSeries(string key, ClusterEvent recorded, string name, DateTimeOffset first)
{
    /// <summary>What the API server takes (pkg/apis/core/validation/events.go).</summary>
    private const int LongestNote = 1024;

    private readonly DateTimeOffset _first = first;

    public string Key => key;

    /// <summary>The name of the event, and where it is: beside its object.</summary>
    public ObjectKey EventKey { get; } = new(recorded.Object.Namespace, name);

    public DateTimeOffset Last { get; set; } = first;

    public long Count { get; set; } = 1;

    /// <summary>The count that was written last; 0 before the first write.</summary>
    public long Written { get; set; }

    public DateTimeOffset WrittenAt { get; set; }

    /// <summary>True from when it is queued until it is written.</summary>
    public bool IsQueued { get; set; }

    /// <summary>The whole event, for its creation.</summary>
    public byte[] Body(string reporter, string instance) => ApplyBody.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("apiVersion"u8, EventRecorder.Type.ApiVersion);
        json.WriteString("kind"u8, EventRecorder.Type.Kind);
        json.WriteStartObject("metadata"u8);
        json.WriteString("name"u8, EventKey.Name);
        json.WriteString("namespace"u8, EventKey.Namespace);
        json.WriteEndObject();
        json.WriteString("eventTime"u8, KubernetesTime.FormatMicro(_first));
        json.WriteString("reportingController"u8, reporter);
        json.WriteString("reportingInstance"u8, instance);
        json.WriteString("action"u8, recorded.Action);
        json.WriteString("reason"u8, recorded.Reason);
        json.WriteString("type"u8, recorded.IsWarning ? "Warning"u8 : "Normal"u8);
        json.WriteString("note"u8, Cut(recorded.Note));
        json.WriteStartObject("regarding"u8);
        json.WriteString("apiVersion"u8, recorded.Type.ApiVersion);
        json.WriteString("kind"u8, recorded.Type.Kind);
        json.WriteString("namespace"u8, recorded.Object.Namespace);
        json.WriteString("name"u8, recorded.Object.Name);
        json.WriteString("uid"u8, recorded.Uid);
        json.WriteEndObject();
        json.WriteEndObject();
    });

    /// <summary>The merge patch that makes it a series, or counts it on.</summary>
    public byte[] Patch(long count) => ApplyBody.Write(json =>
    {
        json.WriteStartObject();
        json.WriteStartObject("series"u8);
        json.WriteNumber("count"u8, count);
        json.WriteString("lastObservedTime"u8, KubernetesTime.FormatMicro(Last));
        json.WriteEndObject();
        json.WriteEndObject();
    });

    /// <summary>The limit counts bytes, and a character has four at most.</summary>
    private static string Cut(string note) =>
        note.Length <= LongestNote / 4 ? note : CutTo(note, LongestNote);

    private static string CutTo(string note, int bytes)
    {
        var length = 0;
        foreach (var rune in note.EnumerateRunes())
        {
            bytes -= rune.Utf8SequenceLength;
            if (bytes < "…"u8.Length)
                return string.Concat(note.AsSpan(0, length), "…");
            length += rune.Utf16SequenceLength;
        }

        return note;
    }
}
