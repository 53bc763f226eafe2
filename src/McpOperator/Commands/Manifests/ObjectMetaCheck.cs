using System.Text;
using System.Text.Json;
using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Commands.Manifests;

/// <summary>What an API server refuses in the metadata of any object (apimachinery, pkg/api/validation).</summary>
internal static class ObjectMetaCheck
{
    private const int MaxAnnotations = 256 * 1024;

    private const string Subdomain = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', " +
        "and must start and end with an alphanumeric character";

    private const string Label = "a lowercase RFC 1123 label must consist of at most 63 lower case alphanumeric characters or '-', " +
        "and must start and end with an alphanumeric character";

    private const string LabelValue = "a valid label must be an empty string or consist of at most 63 alphanumeric characters, '-', '_' or '.', " +
        "and must start and end with an alphanumeric character";

    private const string QualifiedName = "name part must consist of at most 63 alphanumeric characters, '-', '_' or '.', " +
        "and must start and end with an alphanumeric character, with an optional DNS subdomain prefix and '/'";

    /// <summary>Its fields, whose schema no CRD holds.</summary>
    private static readonly JsonElement Schema = JsonDocument.Parse("""
        {"type":"object","properties":{
        "name":{"type":"string"},"generateName":{"type":"string"},"namespace":{"type":"string"},"selfLink":{"type":"string"},"uid":{"type":"string"},
        "resourceVersion":{"type":"string"},"generation":{"type":"integer"},"creationTimestamp":{"type":"string","format":"date-time","default":null},
        "deletionTimestamp":{"type":"string","format":"date-time","default":null},"deletionGracePeriodSeconds":{"type":"integer","default":null},
        "labels":{"type":"object","additionalProperties":{"type":"string"},"default":null},
        "annotations":{"type":"object","additionalProperties":{"type":"string"},"default":null},
        "finalizers":{"type":"array","items":{"type":"string"},"default":null},"managedFields":{"type":"array","default":null},
        "ownerReferences":{"type":"array","default":null,"items":{"type":"object","required":["apiVersion","kind","name","uid"],"properties":{
        "apiVersion":{"type":"string"},"kind":{"type":"string"},"name":{"type":"string"},"uid":{"type":"string"},
        "controller":{"type":"boolean"},"blockOwnerDeletion":{"type":"boolean"}}}}}}
        """).RootElement;

    /// <summary>Metadata that the schema check finds well formed.</summary>
    public static IEnumerable<SpecFault> Faults(JsonElement metadata)
    {
        if (string.IsNullOrEmpty(metadata.Text("name"u8)))
        {
            yield return new("metadata.name", metadata.Text("generateName"u8) is { Length: > 0 }
                ? "Required value: kubectl apply cannot use generateName"
                : "Required value: name is required");
        }
        else if (metadata.Text("name"u8) is { } name && !Names.IsDns1123Subdomain(name))
            yield return new("metadata.name", $"Invalid value: {SpecFaults.Quote(name)}: {Subdomain}");
        if (metadata.Text("namespace"u8) is { Length: > 0 } ns && !Names.IsDns1123Label(ns))
            yield return new("metadata.namespace", $"Invalid value: {SpecFaults.Quote(ns)}: {Label}");
        foreach (var (key, value) in Members(metadata, "labels"u8))
        {
            if (!Names.IsQualifiedName(key))
                yield return new("metadata.labels", $"Invalid value: {SpecFaults.Quote(key)}: {QualifiedName}");
            if (!IsLabelValue(value))
                yield return new("metadata.labels", $"Invalid value: {SpecFaults.Quote(value)}: {LabelValue}");
        }

        var size = 0L;
        foreach (var (key, value) in Members(metadata, "annotations"u8))
        {
            size += Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(value);
            if (!Names.IsQualifiedName(key.ToLowerInvariant()))
                yield return new("metadata.annotations", $"Invalid value: {SpecFaults.Quote(key)}: {QualifiedName}");
        }

        if (size > MaxAnnotations)
            yield return new("metadata.annotations", "Too long: must have at most 262144 bytes");
        if (metadata.Child("finalizers"u8) is not { } finalizers)
            yield break;
        foreach (var finalizer in finalizers.EnumerateArray())
        {
            if (!Names.IsQualifiedName(finalizer.GetString()))
                yield return new("metadata.finalizers", $"Invalid value: {SpecFaults.Quote(finalizer.GetString())}: {QualifiedName}");
        }
    }

    /// <summary>The types of its fields, and their names.</summary>
    public static void Check(SchemaCheck check, JsonElement metadata) => check.Check(metadata, Schema, "metadata");

    private static IEnumerable<(string Key, string Value)> Members(JsonElement metadata, ReadOnlySpan<byte> name) =>
        metadata.Child(name) is { } map ? map.EnumerateObject().Select(member => (member.Name, member.Value.GetString() ?? "")) : [];

    private static bool IsLabelValue(string value) =>
        value.Length == 0 || (value.Length <= 63 && Names.IsQualifiedName(value) && !value.Contains('/', StringComparison.Ordinal));
}
