using System.Text.Json.Serialization.Metadata;
using System.Text.Json;
using McpOperator.Kubernetes;

namespace McpOperator.Api;

/// <summary>Reads an MCPServer from JSON: from a list, a watch or a file.</summary>
public static class MCPServerJson
{
    /// <summary>
    /// A <see cref="Kubernetes.Decoder{T}"/>. Never throws for what is stored: metadata is read by hand, field by field,
    /// and a spec that does not fit the types becomes <see cref="MCPServer.Unreadable"/>. A status that does not fit
    /// counts as none: it is ours, and is written anew.
    /// </summary>
    public static MCPServer Decode(JsonElement json)
    {
        var metadata = Metadata(Property(json, "metadata"));
        var spec = Property(json, "spec");
        var status = Read(Property(json, "status"), ApiJsonContext.Default.MCPServerStatus, out _);
        List<SpecFault> faults = [.. Mismatches(spec, typeof(MCPServerSpec), "spec", inCollection: false)];
        MCPServerSpec? decoded = null;
        if (faults.Count == 0)
        {
            decoded = Read(spec, ApiJsonContext.Default.MCPServerSpec, out var fault);
            if (fault is not null)
                faults.Add(fault);
        }

        return new MCPServer
        {
            Metadata = metadata,
            Spec = decoded ?? new MCPServerSpec(),
            Status = status,
            Unreadable = faults.Count == 0 ? null : faults,
        };
    }

    private static ObjectMeta Metadata(JsonElement json) => new()
    {
        Name = json.Text("name"u8) ?? "",
        Namespace = json.Text("namespace"u8) ?? "",
        Uid = json.Text("uid"u8) ?? "",
        ResourceVersion = json.Text("resourceVersion"u8) ?? "",
        Generation = Property(json, "generation") is { ValueKind: JsonValueKind.Number } number
            && number.TryGetInt64(out var generation) ? generation : 0,
        CreationTimestamp = Time(json, "creationTimestamp"u8) ?? default,
        DeletionTimestamp = Time(json, "deletionTimestamp"u8),
    };

    private static T? Read<T>(JsonElement json, JsonTypeInfo<T> type, out SpecFault? fault)
        where T : class
    {
        fault = null;
        if (json.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
            return null;
        try
        {
            return json.Deserialize(type);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Of a spec: text that is no Unicode (half a surrogate pair), which a file can hold.
            fault = new SpecFault("spec", "holds text that is not valid Unicode");
            return null;
        }
    }

    /// <summary>
    /// The places where <paramref name="json"/> does not fit <paramref name="type"/>. A JsonException would only tell the
    /// first one's path, and a deserializer lets null into lists and maps that promise to hold none.
    /// </summary>
    private static IEnumerable<SpecFault> Mismatches(JsonElement json, Type type, string path, bool inCollection)
    {
        if (json.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
            return inCollection ? [new SpecFault(path, "must not be null: remove it or give it a value")] : [];
        if (type == typeof(string))
            return json.ValueKind == JsonValueKind.String ? [] : [new SpecFault(path, "must be text: put it in quotes")];
        if (type == typeof(int?))
        {
            return json.ValueKind == JsonValueKind.Number && json.TryGetInt32(out _)
                ? []
                : [new SpecFault(path, "must be a whole number below 2147483648, without quotes")];
        }

        if (type == typeof(bool?))
        {
            return json.ValueKind is JsonValueKind.True or JsonValueKind.False
                ? []
                : [new SpecFault(path, "must be true or false, without quotes")];
        }

        var info = ApiJsonContext.Default.GetTypeInfo(type)!;
        return info.Kind switch
        {
            JsonTypeInfoKind.Enumerable => InList(json, info, path),
            JsonTypeInfoKind.Dictionary => InMap(json, info, path),
            _ => InObject(json, info, path),
        };
    }

    private static IEnumerable<SpecFault> InList(JsonElement json, JsonTypeInfo info, string path) =>
        json.ValueKind == JsonValueKind.Array
            ? json.EnumerateArray().SelectMany((item, index) => Mismatches(item, info.ElementType!, $"{path}[{index}]", inCollection: true))
            : [new SpecFault(path, "must be a list")];

    private static IEnumerable<SpecFault> InMap(JsonElement json, JsonTypeInfo info, string path) =>
        json.ValueKind == JsonValueKind.Object
            ? json.EnumerateObject().SelectMany(entry =>
                Mismatches(entry.Value, info.ElementType!, $"{path}[{SpecFaults.Plain(entry.Name)}]", inCollection: true))
            : [new SpecFault(path, "must be a map of names to text")];

    private static IEnumerable<SpecFault> InObject(JsonElement json, JsonTypeInfo info, string path) =>
        json.ValueKind == JsonValueKind.Object
            ? info.Properties.SelectMany(field =>
                Mismatches(Property(json, field.Name), field.PropertyType, $"{path}.{field.Name}", inCollection: false))
            : [new SpecFault(path, "must be an object")];

    private static JsonElement Property(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) ? value : default;

    private static DateTimeOffset? Time(JsonElement json, ReadOnlySpan<byte> name) =>
        KubernetesTimeConverter.TryParse(json.Text(name), out var time) ? time : null;
}
