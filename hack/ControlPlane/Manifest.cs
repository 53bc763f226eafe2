using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace McpOperator.Testing;

/// <summary>YAML as people write it, as the JSON that the API speaks.</summary>
public static class Manifest
{
    /// <summary>One object a document; empty documents are skipped.</summary>
    public static IReadOnlyList<JsonObject> ParseAll(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return [.. stream.Documents.Select(document => Convert(document.RootNode)).OfType<JsonObject>()];
    }

    /// <exception cref="InvalidOperationException">When there is not exactly one document.</exception>
    public static JsonObject Parse(string yaml) => ParseAll(yaml).Single();

    /// <summary>The documents of every .yaml file of a directory, in the order of the file names; kustomization.yaml aside.</summary>
    public static IReadOnlyList<JsonObject> LoadDirectory(string directory) =>
    [
        .. Directory.EnumerateFiles(directory, "*.yaml").Order(StringComparer.Ordinal)
            .Where(file => Path.GetFileName(file) != "kustomization.yaml")
            .SelectMany(file => ParseAll(File.ReadAllText(file))),
    ];

    /// <summary>Makes it an object that the owner controls, as the API server has returned that one.</summary>
    public static void SetController(JsonObject manifest, JsonObject owner) => manifest["metadata"]!["ownerReferences"] = new JsonArray(new JsonObject
    {
        ["apiVersion"] = (string)owner["apiVersion"]!,
        ["kind"] = (string)owner["kind"]!,
        ["name"] = (string)owner["metadata"]!["name"]!,
        ["uid"] = (string)owner["metadata"]!["uid"]!,
        ["controller"] = true,
        ["blockOwnerDeletion"] = true,
    });

    private static JsonNode? Convert(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Children.Select(child =>
            KeyValuePair.Create(((YamlScalarNode)child.Key).Value ?? "", Convert(child.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Children.Select(Convert)]),
        YamlScalarNode { Style: ScalarStyle.Plain } scalar => Plain(scalar.Value ?? ""),
        YamlScalarNode scalar => JsonValue.Create(scalar.Value),
        _ => throw new NotSupportedException($"YAML {node.NodeType} at {node.Start}"),
    };

    // YAML 1.2's core schema, as sigs.k8s.io/yaml resolves the scalars that occur in manifests.
    private static JsonValue? Plain(string text) => text switch
    {
        "" or "~" or "null" => null,
        "true" or "True" or "TRUE" => JsonValue.Create(true),
        "false" or "False" or "FALSE" => JsonValue.Create(false),
        _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer) => JsonValue.Create(integer),
        _ when (char.IsAsciiDigit(text[0]) || text[0] is '-' or '.')
            && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) => JsonValue.Create(real),
        _ => JsonValue.Create(text),
    };
}
