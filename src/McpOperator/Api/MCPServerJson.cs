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
        var decoded = Read(spec, ApiJsonContext.Default.MCPServerSpec, out var fault);
        if (fault is null)
            FindNull(spec, "spec", ref fault);
        return fault is null
            ? new MCPServer { Metadata = metadata, Spec = decoded ?? new MCPServerSpec(), Status = status }
            : new MCPServer { Metadata = metadata, Status = status, Unreadable = fault };
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
        catch (JsonException e)
        {
            fault = Explain(e);
        }
        catch (InvalidOperationException)
        {
            // Text that is no Unicode (half a surrogate pair), which a file can hold.
            fault = new SpecFault("spec", "holds text that is not valid Unicode");
        }

        return null;
    }

    /// <summary>
    /// Names the field and what is wrong with it. The exception only tells the path (<c>$.envVars[2].name</c>) and, in
    /// its message, the .NET type that was wanted.
    /// </summary>
    private static SpecFault Explain(JsonException e)
    {
        var path = e.Path is ['$', .. var rest] ? rest : "";
        var wanted = e.Message switch
        {
            var m when m.Contains("Int32", StringComparison.Ordinal) => "must be a whole number, without quotes",
            var m when m.Contains("Boolean", StringComparison.Ordinal) => "must be true or false, without quotes",
            var m when m.Contains("Dictionary", StringComparison.Ordinal) => "must be a map of names to text",
            var m when m.Contains("List", StringComparison.Ordinal) => "must be a list",
            var m when m.Contains("System.String", StringComparison.Ordinal) => "must be text: put it in quotes",
            _ => "must be an object",
        };
        return new SpecFault("spec" + SpecFaults.Plain(path), wanted);
    }

    // The types promise that lists and maps hold no null, but a deserializer does not keep that promise for them.
    private static void FindNull(JsonElement json, string path, ref SpecFault? fault)
    {
        if (json.ValueKind == JsonValueKind.Array)
        {
            var index = 0;
            foreach (var item in json.EnumerateArray())
                Check(item, item, $"{path}[{index++}]", ref fault);
        }
        else if (json.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in json.EnumerateObject())
            {
                var map = path.EndsWith(".labels", StringComparison.Ordinal) || path == "spec.ingressAnnotations";
                Check(map ? property.Value : default, property.Value,
                    map ? $"{path}[{SpecFaults.Plain(property.Name)}]" : $"{path}.{SpecFaults.Plain(property.Name)}", ref fault);
            }
        }

        static void Check(JsonElement mustBeThere, JsonElement inside, string path, ref SpecFault? fault)
        {
            if (mustBeThere.ValueKind == JsonValueKind.Null)
                fault ??= new SpecFault(path, "must not be null: remove it or give it a value");
            else if (fault is null)
                FindNull(inside, path, ref fault);
        }
    }

    private static JsonElement Property(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) ? value : default;

    private static string? Text(JsonElement json, string name) =>
        Property(json, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static DateTimeOffset? Time(JsonElement json, string name) =>
        KubernetesTimeConverter.TryParse(Text(json, name), out var time) ? time : null;
}
