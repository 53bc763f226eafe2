using YamlDotNet.RepresentationModel;

namespace McpOperator.Unit.Api;

/// <summary>The definition of MCPServer in config/crd, read for the tests.</summary>
internal sealed class Crd(YamlMappingNode root)
{
    public YamlMappingNode Root { get; } = root;

    public YamlMappingNode Version => (YamlMappingNode)((YamlSequenceNode)Root["spec"]["versions"])[0];

    public YamlMappingNode Schema => (YamlMappingNode)Version["schema"]["openAPIV3Schema"];

    public static Crd Load() => new(Documents("config/crd/mcpruntime.org_mcpservers.yaml").Single());

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
