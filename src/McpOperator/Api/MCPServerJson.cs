using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

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
        var fault = Mismatch(spec, typeof(MCPServerSpec), "spec", inCollection: false);
        var decoded = fault is null ? Read(spec, ApiJsonContext.Default.MCPServerSpec, out fault) : null;
        return new MCPServer { Metadata = metadata, Spec = decoded ?? new MCPServerSpec(), Status = status, Unreadable = fault };
    }

    private static ObjectMeta Metadata(JsonElement json) => new()
    {
        Name = Text(json, "name") ?? "",
        Namespace = Text(json, "namespace") ?? "",
        Uid = Text(json, "uid") ?? "",
        ResourceVersion = Text(json, "resourceVersion") ?? "",
        Generation = Property(json, "generation") is { ValueKind: JsonValueKind.Number } number
            && number.TryGetInt64(out var generation) ? generation : 0,
        CreationTimestamp = Time(json, "creationTimestamp") ?? default,
        DeletionTimestamp = Time(json, "deletionTimestamp"),
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
    /// The first place where <paramref name="json"/> does not fit <paramref name="type"/>. A JsonException would only tell
    /// the path, and a deserializer lets null into lists and maps that promise to hold none.
    /// </summary>
    private static SpecFault? Mismatch(JsonElement json, Type type, string path, bool inCollection)
    {
        if (json.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
            return inCollection ? new SpecFault(path, "must not be null: remove it or give it a value") : null;
        if (type == typeof(string))
            return json.ValueKind == JsonValueKind.String ? null : new SpecFault(path, "must be text: put it in quotes");
        if (type == typeof(int?))
        {
            return json.ValueKind == JsonValueKind.Number && json.TryGetInt32(out _)
                ? null
                : new SpecFault(path, "must be a whole number below 2147483648, without quotes");
        }

        if (type == typeof(bool?))
        {
            return json.ValueKind is JsonValueKind.True or JsonValueKind.False
                ? null
                : new SpecFault(path, "must be true or false, without quotes");
        }

        var info = ApiJsonContext.Default.GetTypeInfo(type)!;
        return info.Kind switch
        {
            JsonTypeInfoKind.Enumerable => InList(json, info, path),
            JsonTypeInfoKind.Dictionary => InMap(json, info, path),
            _ => InObject(json, info, path),
        };
    }

    private static SpecFault? InList(JsonElement json, JsonTypeInfo info, string path)
    {
        if (json.ValueKind != JsonValueKind.Array)
            return new SpecFault(path, "must be a list");
        var index = 0;
        foreach (var item in json.EnumerateArray())
        {
            if (Mismatch(item, info.ElementType!, $"{path}[{index++}]", inCollection: true) is { } fault)
                return fault;
        }

        return null;
    }

    private static SpecFault? InMap(JsonElement json, JsonTypeInfo info, string path)
    {
        if (json.ValueKind != JsonValueKind.Object)
            return new SpecFault(path, "must be a map of names to text");
        foreach (var entry in json.EnumerateObject())
        {
            if (Mismatch(entry.Value, info.ElementType!, $"{path}[{SpecFaults.Plain(entry.Name)}]", inCollection: true) is { } fault)
                return fault;
        }

        return null;
    }

    private static SpecFault? InObject(JsonElement json, JsonTypeInfo info, string path)
    {
        if (json.ValueKind != JsonValueKind.Object)
            return new SpecFault(path, "must be an object");
        foreach (var field in info.Properties)
        {
            if (json.TryGetProperty(field.Name, out var value)
                && Mismatch(value, field.PropertyType, $"{path}.{field.Name}", inCollection: false) is { } fault)
                return fault;
        }

        return null;
    }

    private static JsonElement Property(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) ? value : default;

    private static string? Text(JsonElement json, string name) =>
        Property(json, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static DateTimeOffset? Time(JsonElement json, string name) =>
        KubernetesTimeConverter.TryParse(Text(json, name), out var time) ? time : null;
}
