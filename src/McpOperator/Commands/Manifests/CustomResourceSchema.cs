using System.Reflection;
using System.Text.Json;

namespace McpOperator.Commands.Manifests;

/// <summary>One of our kinds as its CRD, which is in the binary, defines it.</summary>
internal sealed class CustomResourceSchema(string kind, string apiVersion, JsonElement schema)
{
    private static readonly Lazy<IReadOnlyList<CustomResourceSchema>> Loaded = new(Load);

    public static IReadOnlyList<CustomResourceSchema> All => Loaded.Value;

    /// <summary>Of one object.</summary>
    public string Kind { get; } = kind;

    /// <summary>Group and version.</summary>
    public string ApiVersion { get; } = apiVersion;

    /// <summary>The structural schema.</summary>
    public JsonElement Schema { get; } = schema;

    private static List<CustomResourceSchema> Load()
    {
        var assembly = Assembly.GetExecutingAssembly();
        var found = new List<CustomResourceSchema>();
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(CrdsCommand.Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            var spec = JsonDocument.Parse(YamlJson.Of(YamlReader.Read(reader)!)).RootElement.GetProperty("spec"u8);
            var version = spec.GetProperty("versions"u8)[0];
            found.Add(new(
                spec.GetProperty("names"u8).GetProperty("kind"u8).GetString()!,
                $"{spec.GetProperty("group"u8).GetString()}/{version.GetProperty("name"u8).GetString()}",
                version.GetProperty("schema"u8).GetProperty("openAPIV3Schema"u8)));
        }

        return found;
    }
}
