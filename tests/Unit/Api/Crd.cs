using System.Text.RegularExpressions;
using McpOperator.Kubernetes;
using YamlDotNet.RepresentationModel;

namespace McpOperator.Unit.Api;

/// <summary>A definition in config/crd, read for the tests.</summary>
internal sealed class Crd(YamlMappingNode root)
{
    public YamlMappingNode Root { get; } = root;

    public YamlMappingNode Version => (YamlMappingNode)((YamlSequenceNode)Root["spec"]["versions"])[0];

    public YamlMappingNode Schema => (YamlMappingNode)Version["schema"]["openAPIV3Schema"];

    public static Crd Load(string plural = "mcpservers") => new(Documents($"config/crd/mcpruntime.org_{plural}.yaml").Single());

    /// <summary>Name, type, path and priority of each column that kubectl prints.</summary>
    public IEnumerable<string> Columns => ((YamlSequenceNode)Version["additionalPrinterColumns"]).Cast<YamlMappingNode>()
        .Select(column => $"{column["name"]} {column["type"]} {column["jsonPath"]} {Text(column, "priority") ?? "0"}");

    public IEnumerable<string> ShortNames => ((YamlSequenceNode)Root["spec"]["names"]["shortNames"]).Select(name => name.ToString());

    /// <summary>The type that it defines.</summary>
    public ResourceType Type => new(
        Root["spec"]["group"].ToString(), Version["name"].ToString(), Root["spec"]["names"]["plural"].ToString(), Root["spec"]["names"]["kind"].ToString());

    /// <summary>Each default of a field in the spec, by path.</summary>
    public Dictionary<string, string> Defaults() => Objects("spec")
        .SelectMany(entry => ((YamlMappingNode)entry.Value["properties"]).Children
            .Select(field => (Path: $"{entry.Key}.{field.Key}", Default: Text((YamlMappingNode)field.Value, "default"))))
        .Where(field => field.Default is not null)
        .ToDictionary(field => field.Path, field => field.Default!);

    /// <summary>Whether the pattern of a field of the spec lets a value through.</summary>
    public bool Accepts(string path, string value)
    {
        var dot = path.LastIndexOf('.');
        return Regex.IsMatch(value, Objects("spec")[path[..dot]]["properties"][path[(dot + 1)..]]["pattern"].ToString());
    }

    public static IEnumerable<YamlMappingNode> Documents(string path)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(File.ReadAllText(RepositoryRoot.File(path))));
        return stream.Documents.Select(document => (YamlMappingNode)document.RootNode);
    }

    /// <summary>The schema of each object with named fields, by path: <c>spec</c>, <c>spec.tools[]</c>.</summary>
    public Dictionary<string, YamlMappingNode> Objects(string top)
    {
        var found = new Dictionary<string, YamlMappingNode>();
        Walk(top, (YamlMappingNode)Schema["properties"][top]);
        return found;

        void Walk(string path, YamlMappingNode schema)
        {
            if (Find(schema, "properties") is YamlMappingNode properties)
            {
                found.Add(path, schema);
                foreach (var (name, value) in properties)
                    Walk($"{path}.{name}", (YamlMappingNode)value);
            }
            else if (Find(schema, "items") is YamlMappingNode items)
                Walk(path + "[]", items);
        }
    }

    /// <summary>Each field that holds no fields of its own.</summary>
    public IEnumerable<string> Leaves(string top)
    {
        var objects = Objects(top);
        return objects
            .SelectMany(entry => ((YamlMappingNode)entry.Value["properties"]).Children.Keys.Select(name => $"{entry.Key}.{name}"))
            .Where(path => !objects.ContainsKey(path) && !objects.ContainsKey(path + "[]"));
    }

    public static YamlNode? Find(YamlMappingNode node, string key) => node.Children.TryGetValue(key, out var value) ? value : null;

    public static string? Text(YamlMappingNode node, string key) => (Find(node, key) as YamlScalarNode)?.Value;
}
