using System.Text;
using System.Text.Json;
using McpOperator.Api;

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
        "resourceVersion":{"type":"string"},"generation":{"type":"integer"},"creationTimestamp":{"type":"string","format":"date-time"},
        "deletionTimestamp":{"type":"string","format":"date-time"},"deletionGracePeriodSeconds":{"type":"integer"},
        "labels":{"type":"object","additionalProperties":{"type":"string"}},
        "annotations":{"type":"object","additionalProperties":{"type":"string"}},
        "finalizers":{"type":"array","items":{"type":"string"}},"managedFields":{"type":"array"},
        "ownerReferences":{"type":"array","items":{"type":"object","required":["apiVersion","kind","name","uid"],"properties":{
        "apiVersion":{"type":"string"},"kind":{"type":"string"},"name":{"type":"string"},"uid":{"type":"string"},
        "controller":{"type":"boolean"},"blockOwnerDeletion":{"type":"boolean"}}}}}}
        """).RootElement;

    /// <summary>The types of its fields, and their names.</summary>
    public static void Check(SchemaCheck check, JsonElement metadata) => check.Check(metadata, Schema, "metadata");

    /// <summary>Of metadata that the check above finds well formed.</summary>
    public static List<SpecFault> Faults(JsonElement metadata)
    {
        var faults = new List<SpecFault>();
        if (string.IsNullOrEmpty(metadata.Text("name"u8)))
        {
            Add("name", metadata.Text("generateName"u8) is { Length: > 0 }
                ? "Required value: kubectl apply cannot use generateName"
                : "Required value: name is required");
        }
        else if (metadata.Text("name"u8) is { } name && !Names.IsDns1123Subdomain(name))
            Invalid("name", name, Subdomain);
        if (metadata.Text("namespace"u8) is { Length: > 0 } ns && !Names.IsDns1123Label(ns))
            Invalid("namespace", ns, Label);
        if (metadata.Child("labels"u8) is { } labels)
        {
            foreach (var label in labels.EnumerateObject())
            {
                if (!Names.IsQualifiedName(label.Name))
                    Invalid("labels", label.Name, QualifiedName);
                if (label.Value.GetString() is { } value && !IsLabelValue(value))
                    Invalid("labels", value, LabelValue);
            }
        }

        var size = 0;
        if (metadata.Child("annotations"u8) is { } annotations)
        {
            foreach (var annotation in annotations.EnumerateObject())
            {
                size += Encoding.UTF8.GetByteCount(annotation.Name) + Encoding.UTF8.GetByteCount(annotation.Value.GetString() ?? "");
                if (!Names.IsQualifiedName(annotation.Name.ToLowerInvariant()))
                    Invalid("annotations", annotation.Name, QualifiedName);
            }
        }

        if (size > MaxAnnotations)
            Add("annotations", "Too long: must have at most 262144 bytes");
        if (metadata.Child("finalizers"u8) is { } finalizers)
        {
            foreach (var finalizer in finalizers.EnumerateArray())
            {
                if (finalizer.GetString() is { } text && !Names.IsQualifiedName(text))
                    Invalid("finalizers", text, QualifiedName);
            }
        }

        return faults;

        void Invalid(string field, string value, string rule) => Add(field, $"Invalid value: {SpecFaults.Quote(value)}: {rule}");

        void Add(string field, string reason) => faults.Add(new SpecFault($"metadata.{field}", reason));
    }

    private static bool IsLabelValue(string value) =>
        value.Length == 0 || (value.Length <= 63 && Names.IsQualifiedName(value) && !value.Contains('/', StringComparison.Ordinal));
}
