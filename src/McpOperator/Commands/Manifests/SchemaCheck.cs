using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using McpOperator.Api;
using McpOperator.Hosting;

namespace McpOperator.Commands.Manifests;

/// <summary>
/// What an API server refuses by a structural schema, in its words (k8s.io/apiextensions-apiserver), unknown fields included, which it
/// refuses when asked to be strict, as kubectl asks it. The rules in CEL are not evaluated: <see cref="Validation"/> has them all.
/// </summary>
internal sealed class SchemaCheck
{
    private const string Unknown = "unknown field";

    private readonly List<SpecFault> _faults = [];
    private readonly Dictionary<string, Pattern> _patterns = new(StringComparer.Ordinal);

    /// <summary>The fields whose text does not fit a pattern: a rule of our own may say better what is wrong there.</summary>
    public HashSet<string> Mismatched { get; } = new(StringComparer.Ordinal);

    public IReadOnlyList<SpecFault> Faults => _faults;

    /// <param name="path">Of the value; empty for the object itself, of whose metadata a CRD may say a part only.</param>
    public void Check(JsonElement value, JsonElement schema, string path) => Check(value, schema, path, allowsUnknown: false);

    private void Check(JsonElement value, JsonElement schema, string path, bool allowsUnknown)
    {
        var type = schema.Text("type"u8);
        if (!IsOf(value, type))
        {
            Add(path, $"Invalid value: \"{TypeOf(value)}\": must be of type {type}{Hint(value, type)}");
            return;
        }

        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                Object(value, schema, path, allowsUnknown);
                break;
            case JsonValueKind.Array:
                List(value, schema, path);
                break;
            case JsonValueKind.String:
                Text(value.GetString()!, schema, path);
                break;
            case JsonValueKind.Number:
                Number(value, schema, path);
                break;
        }
    }

    private void Object(JsonElement value, JsonElement schema, string path, bool allowsUnknown)
    {
        foreach (var name in Items(schema, "required"u8))
        {
            if (!value.TryGetProperty(name, out var given) || given.ValueKind == JsonValueKind.Null)
                Add(Member(path, name), "Required value");
        }

        if (schema.Child("maxProperties"u8)?.GetInt32() is { } most && value.EnumerateObject().Count() > most)
            Add(path, string.Create(CultureInfo.InvariantCulture, $"Too many: {value.EnumerateObject().Count()}: must have at most {most} items"));
        var fields = schema.Child("properties"u8);
        var others = schema.Child("additionalProperties"u8);
        foreach (var member in value.EnumerateObject())
        {
            var below = Member(path, member.Name);
            if (fields is { } known && known.TryGetProperty(member.Name, out var field))
            {
                // A null of a known field is taken away before anything looks at it; nothing in our schemas is nullable.
                if (member.Value.ValueKind != JsonValueKind.Null)
                    Check(member.Value, field, below, allowsUnknown: below == "metadata");
            }
            else if (others is { ValueKind: JsonValueKind.Object } one)
                Check(member.Value, one, below);
            else if (fields is { } candidates && !allowsUnknown)
                Add(below, $"{Unknown}{Suggestion(member.Name, candidates)}");
        }
    }

    private void List(JsonElement value, JsonElement schema, string path)
    {
        if (schema.Child("maxItems"u8)?.GetInt32() is { } most && value.GetArrayLength() > most)
            Add(path, string.Create(CultureInfo.InvariantCulture, $"Too many: {value.GetArrayLength()}: must have at most {most} items"));
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var keys = Items(schema, "x-kubernetes-list-map-keys"u8);
        var i = 0;
        foreach (var item in value.EnumerateArray())
        {
            var below = string.Create(CultureInfo.InvariantCulture, $"{path}[{i++}]");
            if (schema.Child("items"u8) is { } each)
                Check(item, each, below);
            if (keys.Count == 0 || item.ValueKind != JsonValueKind.Object)
                continue;
            var key = "";
            foreach (var name in keys)
                key += item.TryGetProperty(name, out var part) ? $"{name}: {Quoted(part)}" : "";
            if (key.Length > 0 && !seen.Add(key))
                Add(below, $"Duplicate value: {{{key}}}");
        }
    }

    private void Text(string value, JsonElement schema, string path)
    {
        var length = 0;
        foreach (var _ in value.EnumerateRunes())
            length++;
        if (schema.Child("maxLength"u8)?.GetInt32() is { } most && length > most)
            Add(path, string.Create(CultureInfo.InvariantCulture, $"Too long: may not be longer than {most}"));
        if (schema.Child("minLength"u8)?.GetInt32() is { } least && length < least)
            Add(path, string.Create(CultureInfo.InvariantCulture, $"Invalid value: {SpecFaults.Quote(value)}: should be at least {least} chars long"));
        if (schema.Text("pattern"u8) is { } pattern && !PatternOf(pattern).IsMatch(value))
        {
            Mismatched.Add(path);
            Add(path, $"Invalid value: {SpecFaults.Quote(value)}: should match '{pattern}'");
        }

        if (schema.Text("format"u8) == "date-time" && !KubernetesTime.TryParse(value, out _))
            Add(path, $"Invalid value: {SpecFaults.Quote(value)}: must be of type date-time, such as 2026-03-26T12:00:00Z");
        var choices = Items(schema, "enum"u8);
        if (choices.Count > 0 && !choices.Contains(value))
            Add(path, $"Unsupported value: {SpecFaults.Quote(value)}: supported values: \"{string.Join("\", \"", choices)}\"");
    }

    private void Number(JsonElement value, JsonElement schema, string path)
    {
        if (schema.Child("minimum"u8) is { } least && value.GetDouble() < least.GetDouble())
            Add(path, $"Invalid value: {Raw(value)}: should be greater than or equal to {Raw(least)}");
        if (schema.Child("maximum"u8) is { } most && value.GetDouble() > most.GetDouble())
            Add(path, $"Invalid value: {Raw(value)}: should be less than or equal to {Raw(most)}");
    }

    private Pattern PatternOf(string pattern)
    {
        if (!_patterns.TryGetValue(pattern, out var known))
            _patterns.Add(pattern, known = new Pattern(pattern));
        return known;
    }

    private void Add(string path, string reason)
    {
        // A status that comes with an object is dropped before it is validated; but not before its fields are looked for.
        if (!path.StartsWith("status", StringComparison.Ordinal) || reason.StartsWith(Unknown, StringComparison.Ordinal))
            _faults.Add(new SpecFault(path, reason));
    }

    private static bool IsOf(JsonElement value, string? type) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        "number" => value.ValueKind == JsonValueKind.Number,
        _ => true,
    };

    private static string TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.True or JsonValueKind.False => "boolean",
        JsonValueKind.Number => value.TryGetInt64(out _) ? "integer" : "number",
        _ => "null",
    };

    /// <summary>What people stumble over: YAML's own idea of what is text.</summary>
    private static string Hint(JsonElement value, string? type) => type switch
    {
        "string" when value.ValueKind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => ": put it in quotes",
        "integer" or "boolean" when value.ValueKind == JsonValueKind.String => ": remove the quotes",
        _ => "",
    };

    private static string Suggestion(string name, JsonElement fields)
    {
        var names = new List<string>();
        foreach (var field in fields.EnumerateObject())
            names.Add(field.Name);
        return Closest.To(name, names) is { } near ? $"; did you mean \"{near}\"?" : "";
    }

    private static List<string> Items(JsonElement schema, ReadOnlySpan<byte> name)
    {
        var items = new List<string>();
        if (schema.Child(name) is { ValueKind: JsonValueKind.Array } array)
        {
            foreach (var item in array.EnumerateArray())
                items.Add(item.GetString()!);
        }

        return items;
    }

    private static string Member(string path, string name) => path.Length == 0 ? SpecFaults.Plain(name) : $"{path}.{SpecFaults.Plain(name)}";

    private static string Quoted(JsonElement value) => value.ValueKind == JsonValueKind.String ? SpecFaults.Quote(value.GetString()) : Raw(value);

    private static string Raw(JsonElement value) => SpecFaults.Plain(Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(value)));
}
