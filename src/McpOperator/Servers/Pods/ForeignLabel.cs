using System.Text.Json;
using McpOperator.Api;
using McpOperator.Servers.Diagnosis;

namespace McpOperator.Servers.Pods;

/// <summary>A label of others, in the selector of a Service or on the pods of a Deployment.</summary>
internal sealed class ForeignLabel(string key, string value, string manager)
{
    /// <summary>Others may add any number.</summary>
    private const int Most = 20;

    private const string Unknown = "somebody whom its managedFields do not name";

    public string Key => key;

    public string Value => value;

    /// <summary>Who brought it into a selector; empty where that is not asked.</summary>
    public string Manager => manager;

    /// <summary>What others have put into a selector; null, as a rule, for nothing. Where a selector has an owner as a whole (not on Kubernetes 1.20), it is drift instead.</summary>
    public static IReadOnlyList<ForeignLabel>? InSelector(JsonElement service) =>
        Read(service.Child("spec"u8)?.Child("selector"u8), service);

    /// <summary>What others have put on the pods; null, as a rule, for nothing.</summary>
    public static IReadOnlyList<ForeignLabel>? OnPods(JsonElement deployment) =>
        Read(deployment.Child("spec"u8)?.Child("template"u8)?.Child("metadata"u8)?.Child("labels"u8), selecting: null);

    public bool IsOn(IReadOnlyList<ForeignLabel>? pods)
    {
        foreach (var label in pods ?? [])
        {
            if (label.Key == Key && label.Value == Value)
                return true;
        }

        return false;
    }

    private static List<ForeignLabel>? Read(JsonElement? labels, JsonElement? selecting)
    {
        if (labels is not { ValueKind: JsonValueKind.Object } all)
            return null;
        List<ForeignLabel>? foreign = null;
        foreach (var label in all.EnumerateObject())
        {
            if (!label.NameEquals(Labels.App) && !label.NameEquals(Labels.ManagedBy) && !label.NameEquals(Labels.RolloutTrack)
                && label.Value.ValueKind == JsonValueKind.String && (foreign ??= []).Count < Most)
                foreign.Add(new(label.Name, label.Value.GetString()!, selecting is { } service ? ManagerOf(service, label.Name) : ""));
        }

        return foreign;
    }

    private static string ManagerOf(JsonElement service, string key)
    {
        var step = $"f:{key}";
        foreach (var entry in OwnedFields.EntriesOf(service))
        {
            if (entry.Child("fieldsV1"u8)?.Child("f:spec"u8)?.Child("f:selector"u8)?.Child(step) is not null && entry.Text("manager"u8) is { Length: > 0 } manager)
                return ForeignText.Clean(manager);
        }

        return Unknown;
    }
}
