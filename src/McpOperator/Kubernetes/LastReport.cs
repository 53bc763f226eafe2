using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>What is kept of the status that an object carries: enough to tell whether the next one differs.</summary>
internal sealed class LastReport
{
    /// <summary>Of the fields of the status that are ours; equals that of the body which reported them.</summary>
    public ulong Fingerprint { get; init; }

    // One object, as most have none of it: there are thousands of them.
    private Exceptions? _exceptions;

    /// <summary>Who owns beside us all conditions that we tell (<see cref="CopiedFields"/>); null, as a rule, for nobody.</summary>
    public string? CopiedBy => _exceptions?.CopiedBy;

    /// <summary>What only the kind of the object can read; null, as a rule, for nothing.</summary>
    public object? Special => _exceptions?.Special;

    /// <summary>Whether the operator before this one has reported since (<see cref="OwnedFields.IsStatusOfPredecessor"/>).</summary>
    public bool IsByPredecessor { get; init; }

    public long ObservedGeneration { get; init; }

    public string? Phase { get; init; }

    /// <summary>Of the message: enough to tell whether the next one is another. 0 for none.</summary>
    public ulong Message { get; init; }

    public string? Url { get; init; }

    public string? Image { get; init; }

    public IReadOnlyList<LastCondition> Conditions { get; init; } = [];

    /// <summary>The condition of this type; null when there is none.</summary>
    public LastCondition? Find(string type)
    {
        foreach (var condition in Conditions)
        {
            if (condition.Type == type)
                return condition;
        }

        return null;
    }

    /// <summary>Null when the object has no status.</summary>
    /// <param name="special">Reads <see cref="Special"/> from the status.</param>
    public static LastReport? Decode(JsonElement json, OwnedFields ours, Func<JsonElement, object?>? special = null)
    {
        if (json.Child("status"u8) is not { ValueKind: JsonValueKind.Object } status)
            return null;
        var (copy, rest) = (ours.FindCopy(json, isStatus: true), special?.Invoke(status));
        return new LastReport
        {
            _exceptions = copy is null && rest is null ? null : new(copy, rest),
            Fingerprint = ours.FingerprintOfStatus(json),
            IsByPredecessor = ours.IsStatusOfPredecessor(json),
            ObservedGeneration = status.Child("observedGeneration"u8) is null ? GenerationOfReady(status) : status.Number("observedGeneration"u8),
            Phase = status.Interned("phase"u8),
            Message = status.Child("message"u8) is { } message ? JsonHash.OfScalar(message) : 0,
            Url = status.Interned("url"u8),
            Image = status.Interned("image"u8),
            Conditions = status.Child("conditions"u8) is { ValueKind: JsonValueKind.Array } conditions
                ? ReadConditions(conditions)
                : [],
        };
    }

    private sealed record Exceptions(string? CopiedBy, object? Special);

    /// <summary>The CRD of an older version may have one in conditions alone.</summary>
    private static long GenerationOfReady(JsonElement status) =>
        status.Child("conditions"u8).FindItem("type"u8, "Ready")?.Number("observedGeneration"u8) ?? 0;

    private static LastCondition[] ReadConditions(JsonElement conditions)
    {
        var read = new LastCondition[conditions.GetArrayLength()];
        var index = 0;
        foreach (var condition in conditions.EnumerateArray())
        {
            read[index++] = new LastCondition(
                condition.Interned("type"u8), condition.Interned("status"u8), condition.Interned("lastTransitionTime"u8),
                condition.Interned("reason"u8));
        }

        return read;
    }
}

/// <summary>A condition as it was reported; null is what was not there, or made no sense.</summary>
internal readonly record struct LastCondition(string? Type, string? Status, string? Since, string? Reason = null);
