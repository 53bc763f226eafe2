using System.Text.Json;
using McpOperator.Kubernetes;

namespace McpOperator.Api;

/// <summary>An object whose status we write.</summary>
public interface IReportedObject : IKubernetesObject
{
    ObjectMeta Metadata { get; }

    /// <summary>Null while nothing was reported.</summary>
    LastReport? Reported { get; }

    /// <summary>
    /// True when spec and metadata of two states are the same, as far as they are kept.
    /// </summary>
    static bool DifferOnlyInStatus(IReportedObject before, IReportedObject after) =>
        before.Metadata.IsSameButForVersion(after.Metadata);
}

/// <summary>What is kept of the status that an object carries: enough to tell whether the next one differs.</summary>
public sealed class LastReport
{
    /// <summary>Of the fields of the status that are ours; equals that of the body which reported them.</summary>
    public ulong Fingerprint { get; init; }

    public long ObservedGeneration { get; init; }

    /// <summary>One of <see cref="Api.Phase"/>.</summary>
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

    /// <summary>Null when the server has no status.</summary>
    public static LastReport? Decode(JsonElement server)
    {
        if (server.Child("status"u8) is not { ValueKind: JsonValueKind.Object } status)
            return null;
        return new LastReport
        {
            Fingerprint = OwnedFields.FingerprintOfStatus(server),
            ObservedGeneration = status.Number("observedGeneration"u8),
            Phase = status.Interned("phase"u8),
            Message = status.Child("message"u8) is { } message ? JsonHash.OfScalar(message) : 0,
            Url = status.Interned("url"u8),
            Image = status.Interned("image"u8),
            Conditions = status.Child("conditions"u8) is { ValueKind: JsonValueKind.Array } conditions
                ? ReadConditions(conditions)
                : [],
        };
    }

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
public readonly record struct LastCondition(string? Type, string? Status, string? Since, string? Reason = null);
