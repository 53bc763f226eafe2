using System.Buffers;
using System.Text;
using System.Text.Json;
using McpOperator.Api;
using McpOperator.Hosting;
using McpOperator.Kubernetes;
using YamlDotNet.Core;

namespace McpOperator.Commands.Manifests;

/// <summary>
/// Reads manifests as kubectl does: YAML or JSON, several documents, lists. Whatever is no object is a fault with its place, and
/// what follows is read all the same.
/// </summary>
internal sealed class ManifestReader
{
    private const string Group = "mcpruntime.org/";
    private const string DefaultNamespace = "default";

    private readonly string? _namespace;
    private readonly List<string> _files = [];
    private readonly List<Manifest> _manifests = [];
    private readonly List<Manifest> _others = [];
    private readonly List<ManifestFault> _faults = [];

    private ManifestReader(string? ns) => _namespace = ns;

    /// <exception cref="IOException">A file cannot be read; the message is for a person.</exception>
    public static ManifestSet Read(ManifestOptions options, Func<Stream> input) =>
        Read(ManifestFiles.Read(options.Files, options.Recursive, input), options.Namespace);

    /// <param name="ns">Of <c>--namespace</c>; null when it was not given.</param>
    public static ManifestSet Read(IEnumerable<(string Name, byte[] Bytes)> files, string? ns)
    {
        var reader = new ManifestReader(ns);
        foreach (var (name, bytes) in files)
            reader.File(name, bytes);
        return new ManifestSet(reader._files, reader._manifests, reader._others, reader._faults);
    }

    private void File(string name, byte[] bytes)
    {
        if (!_files.Contains(name))
            _files.Add(name);
        try
        {
            foreach (var document in ManifestText.Split(bytes))
                Document(name, document);
        }
        catch (DecoderFallbackException)
        {
            Fault(new ManifestSource(name, 1, 1), "line 1", "not UTF-8");
        }
    }

    private void Document(string file, ManifestText document)
    {
        var source = new ManifestSource(file, document.Number, document.Line);
        try
        {
            foreach (var (value, duplicates) in Values(document.Text))
            {
                if (value is null)
                    continue;
                using var json = JsonDocument.Parse(YamlJson.Of(value), JsonLimits.Document);
                if (json.RootElement.ValueKind == JsonValueKind.Null)
                    continue; // what stands between two separators, or nothing but comments
                Object(source with { Line = document.Line + Line(value.Start) - 1 }, json.RootElement, duplicates, like: null);
            }
        }
        catch (YamlException e)
        {
            // The scanner's own words come without a line when it does not know it.
            Fault(source, $"line {document.Line + Math.Max(Line(e.Start), 1) - 1}", e.Message);
        }
    }

    /// <summary>The values of one document, more than one in JSON only, each with the fields that it has twice.</summary>
    private static List<(YamlValue? Value, List<SpecFault> Duplicates)> Values(string text)
    {
        if (JsonValues.TryRead(text) is { } values)
            return values;
        var duplicates = new List<SpecFault>();
        var control = text.AsSpan().IndexOfAnyExcept(Allowed);
        if (control >= 0)
            throw At(text, control, "control characters are not allowed");
        var tab = text.StartsWith('\t') ? 0 : text.IndexOf("\n\t", StringComparison.Ordinal) + 1;
        if (tab < text.Length && text[tab] == '\t' && ManifestText.IsPreamble(text.AsSpan(0, tab).TrimStart('-')))
            throw At(text, tab, "found a tab where indentation must be spaces"); // which the parser lets through at the very beginning
        return [(YamlReader.Read(new StringReader(text), (name, path) => duplicates.Add(Duplicate(path, name.Text))), duplicates)];
    }

    private static YamlException At(string text, int index, string message)
    {
        var mark = new Mark(index, 1 + text.AsSpan(0, index).Count('\n'), 1);
        return new YamlException(mark, mark, message);
    }

    internal static SpecFault Duplicate(string path, string name) =>
        new(SpecFaults.Plain(path.Length == 0 ? name : $"{path}.{name}"), "Duplicate value: the field stands there twice; only the last one would count");

    /// <param name="duplicates">Fields that it has twice.</param>
    /// <param name="like">The list that it is in, whose kind says that of its items.</param>
    private void Object(ManifestSource source, JsonElement json, List<SpecFault> duplicates, (string ApiVersion, string Kind)? like)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            Fault(source, $"line {source.Line}", "no object: a manifest is a map with apiVersion, kind and metadata");
            return;
        }

        var kind = json.Text("kind"u8) ?? like?.Kind ?? "";
        var apiVersion = json.Text("apiVersion"u8) ?? (json.Text("kind"u8) is null ? like?.ApiVersion : null) ?? "";
        if (kind.EndsWith("List", StringComparison.Ordinal) && json.Child("items"u8) is { ValueKind: JsonValueKind.Array } items)
        {
            var of = kind == "List" ? ((string, string)?)null : (apiVersion, kind[..^"List".Length]);
            foreach (var item in items.EnumerateArray())
                Object(source, item, [], of);
            _faults.AddRange(duplicates.Select(fault => new ManifestFault(source, kind, default, fault.Field, fault.Reason)));
            return;
        }

        var metadata = json.Child("metadata"u8) ?? default;
        var written = metadata.Text("namespace"u8);
        var key = new ObjectKey(string.IsNullOrEmpty(written) ? _namespace ?? DefaultNamespace : written, metadata.Text("name"u8) ?? "");
        var manifest = new Manifest(source, apiVersion, kind, key, InNamespace(json, key.Namespace, apiVersion, kind));
        _faults.AddRange(duplicates.Select(fault => new ManifestFault(manifest, fault)));
        if (kind.Length == 0 || apiVersion.Length == 0)
        {
            _faults.Add(new ManifestFault(manifest, new SpecFault(kind.Length == 0 ? "kind" : "apiVersion", "Required value")));
            return;
        }

        var schema = CustomResourceSchema.All.FirstOrDefault(known => known.Kind == kind && known.ApiVersion == apiVersion);
        if (schema is null && Mistake(apiVersion, kind) is { } mistake)
            _faults.Add(new ManifestFault(manifest, mistake));
        else if (schema is null)
            _others.Add(manifest);
        else
            _manifests.Add(manifest with { Schema = schema });
        if (schema is not null && _namespace is not null && key.Namespace != _namespace)
        {
            _faults.Add(new ManifestFault(manifest, new SpecFault("metadata.namespace",
                $"the namespace from the provided object {SpecFaults.Quote(key.Namespace)} does not match the namespace \"{_namespace}\" of --namespace")));
        }
    }

    /// <summary>It must be ours, and is none of the kinds that there are. Null for the kind of somebody else.</summary>
    private static SpecFault? Mistake(string apiVersion, string kind)
    {
        var known = CustomResourceSchema.All.FirstOrDefault(schema => schema.Kind == kind);
        if (known is not null)
        {
            return apiVersion.StartsWith(Group, StringComparison.Ordinal) || Closest.To(apiVersion, [known.ApiVersion]) is not null
                ? new("apiVersion", $"no matches for kind \"{kind}\" in version {SpecFaults.Quote(apiVersion)}; did you mean \"{known.ApiVersion}\"?")
                : null;
        }

        if (!apiVersion.StartsWith(Group, StringComparison.Ordinal))
            return null;
        var kinds = CustomResourceSchema.All.Select(schema => schema.Kind);
        return new("kind", $"no matches for kind {SpecFaults.Quote(kind)} in version {SpecFaults.Quote(apiVersion)}; " +
            (Closest.To(kind, kinds) is { } near ? $"did you mean \"{near}\"?" : $"there are {string.Join(", ", kinds)}"));
    }

    /// <summary>The object with its namespace, kind and version in it, whoever gave them. It lives on when its document does not.</summary>
    private static JsonElement InNamespace(JsonElement json, string ns, string apiVersion, string kind)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { MaxDepth = JsonLimits.Document.MaxDepth }))
        {
            writer.WriteStartObject();
            if (!json.TryGetProperty("apiVersion"u8, out _) && apiVersion.Length > 0)
                writer.WriteString("apiVersion"u8, apiVersion);
            if (!json.TryGetProperty("kind"u8, out _) && kind.Length > 0)
                writer.WriteString("kind"u8, kind);
            foreach (var member in json.EnumerateObject())
            {
                if (!member.NameEquals("metadata"u8) || member.Value.ValueKind != JsonValueKind.Object
                    || (member.Value.TryGetProperty("namespace"u8, out var given) && !(given.ValueKind == JsonValueKind.String && given.ValueEquals(""u8))))
                {
                    member.WriteTo(writer);
                    continue;
                }

                writer.WriteStartObject("metadata"u8);
                foreach (var field in member.Value.EnumerateObject())
                {
                    if (!field.NameEquals("namespace"u8))
                        field.WriteTo(writer);
                }
                writer.WriteString("namespace"u8, ns);
                writer.WriteEndObject();
            }
            writer.WriteEndObject();
        }

        return JsonDocument.Parse(buffer.WrittenMemory, JsonLimits.Document).RootElement;
    }

    private void Fault(ManifestSource source, string field, string message) =>
        _faults.Add(new ManifestFault(source, "", default, field, message));

    private static int Line(Mark mark) => (int)Math.Min(mark.Line, int.MaxValue);

    private static readonly SearchValues<char> Allowed = SearchValues.Create(
        [.. Enumerable.Range(0, char.MaxValue + 1).Select(c => (char)c).Where(c => c is '\t' or '\n' or '\r' or '\u0085' || !(char.IsControl(c) || c is '\ufffe' or '\uffff'))]);
}
