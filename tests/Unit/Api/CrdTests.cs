using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Api;
using McpOperator.Commands;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace McpOperator.Unit.Api;

/// <summary>The definition, the types, the table of defaults, the samples and the reference say the same.</summary>
public sealed class CrdTests
{
    private static readonly Crd Definition = Crd.Load();

    public static TheoryData<string> Samples => new(Directory.EnumerateFiles(RepositoryRoot.File("config/samples"), "mcp*.yaml").Select(file => Path.GetFileName(file)!));

    [Theory]
    [InlineData("mcpservers", "spec", typeof(MCPServerSpec))]
    [InlineData("mcpservers", "status", typeof(MCPServerStatus))]
    [InlineData("mcpaccessgrants", "spec", typeof(MCPAccessGrantSpec))]
    [InlineData("mcpaccessgrants", "status", typeof(AccessStatus))]
    [InlineData("mcpagentsessions", "spec", typeof(MCPAgentSessionSpec))]
    [InlineData("mcpagentsessions", "status", typeof(AccessStatus))]
    public void TheSchemaHasTheFieldsOfTheTypes(string kind, string top, Type type) =>
        Compare(top, (YamlMappingNode)Crd.Load(kind).Schema["properties"][top], type);

    private static void Compare(string path, YamlMappingNode schema, Type type)
    {
        if (type == typeof(JsonElement?))
            return; // PodValidationTests
        var (expected, format) = Expected(path, type);
        Assert.Equal((path, expected, format), (path, Crd.Text(schema, "type"), Crd.Text(schema, "format")));
        if (expected == "array")
            Compare(path + "[]", (YamlMappingNode)schema["items"], type.GetGenericArguments()[0]);
        else if (expected == "object" && type.IsGenericType)
            Compare(path + "{}", (YamlMappingNode)schema["additionalProperties"], type.GetGenericArguments()[1]);
        else if (expected == "object")
        {
            var fields = type.GetProperties().ToDictionary(field => JsonNamingPolicy.CamelCase.ConvertName(field.Name));
            var properties = (YamlMappingNode)schema["properties"];
            Assert.Equal(
                properties.Children.Keys.Select(key => $"{path}.{key}").Order(),
                fields.Keys.Select(name => $"{path}.{name}").Order());
            foreach (var (name, field) in fields)
                Compare($"{path}.{name}", (YamlMappingNode)properties[name], field.PropertyType);
        }

        static (string Type, string? Format) Expected(string path, Type type)
        {
            type = Nullable.GetUnderlyingType(type) ?? type;
            return type switch
            {
                // Times are text: those of a status are only written, and a fault quotes what is no time.
                _ when type == typeof(string) => ("string", path.EndsWith("Time", StringComparison.Ordinal) || path == "spec.expiresAt" ? "date-time" : null),
                _ when type == typeof(bool) => ("boolean", null),
                _ when type == typeof(int) => ("integer", "int32"),
                _ when type == typeof(long) => ("integer", "int64"),
                _ when type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) => ("array", null),
                _ => ("object", null),
            };
        }
    }

    [Fact]
    public void TheSchemaHasTheConstantDefaultsAndNoOther()
    {
        // What is left of a spec with every object in it when nothing depends on name, image or operator.
        var empty = new MCPServerSpec
        {
            Image = "a:1",
            IngressPath = "/x",
            IngressHost = "h",
            IngressClass = "c",
            Auth = new AuthConfig(),
            Policy = new PolicyConfig(),
            Session = new SessionConfig(),
            Gateway = new GatewayConfig(),
            Rollout = new RolloutConfig(),
            Tools = [new ToolConfig()],
        };
        var constants = Defaults.Added(empty, Defaults.Apply("n", empty, new OperatorSettings()));
        var expected = Flatten("spec", JsonSerializer.SerializeToNode(constants, ApiJsonContext.Default.MCPServerSpec)!);

        Assert.Equal(
            expected.OrderBy(pair => pair.Key, StringComparer.Ordinal),
            Definition.Defaults().OrderBy(pair => pair.Key, StringComparer.Ordinal));

        static Dictionary<string, string> Flatten(string path, JsonNode node) => node switch
        {
            JsonObject fields => fields.SelectMany(field => Flatten($"{path}.{field.Key}", field.Value!)).ToDictionary(),
            JsonArray items => items.SelectMany(item => Flatten(path + "[]", item!)).ToDictionary(),
            _ => new Dictionary<string, string> { [path] = node.ToString() },
        };
    }

    [Fact]
    public void PrinterColumnsSubresourcesAndNamesAreTheContract()
    {
        Assert.Equal(
            [
                "Phase string .status.phase 0",
                "Ready string .status.conditions[?(@.type==\"Ready\")].status 0",
                "Replicas integer .status.replicas 0",
                "URL string .status.url 0",
                "Age date .metadata.creationTimestamp 0",
                "Team string .spec.teamID 1",
                "Gateway boolean .status.gatewayReady 1",
                "Policy boolean .status.policyReady 1",
                "Image string .status.image 1",
                "Message string .status.message 1",
            ],
            Definition.Columns);
        var scale = Definition.Version["subresources"]["scale"];
        Assert.Equal(".spec.replicas .status.replicas .status.selector",
            $"{scale["specReplicasPath"]} {scale["statusReplicasPath"]} {scale["labelSelectorPath"]}");
        Assert.Empty(((YamlMappingNode)Definition.Version["subresources"]["status"]).Children);

        Assert.Equal(MCPServer.Type, Definition.Type);
        Assert.Equal(["mcp", "mcps"], Definition.ShortNames);
    }

    /// <summary>
    /// API servers of 1.20 make no models of a CRD with an int-or-string ("has invalid property: anyOf" in their log), so that for
    /// server-side apply its lists have no keys: an apply of ours took the conditions of others away.
    /// </summary>
    [Theory]
    [InlineData("mcpservers")]
    [InlineData("mcpaccessgrants")]
    [InlineData("mcpagentsessions")]
    public void NoSchemaHasAnIntOrString(string plural) => Assert.DoesNotContain(
        "x-kubernetes-int-or-string", File.ReadAllText(RepositoryRoot.File($"config/crd/mcpruntime.org_{plural}.yaml")), StringComparison.Ordinal);

    [Theory]
    [InlineData("mcpservers")]
    [InlineData("mcpaccessgrants")]
    [InlineData("mcpagentsessions")]
    public void NothingInASpecIsWithoutABound(string kind)
    {
        Assert.Empty(Unbounded("spec", (YamlMappingNode)Crd.Load(kind).Schema["properties"]["spec"]));

        static IEnumerable<string> Unbounded(string path, YamlMappingNode schema)
        {
            var bound = Crd.Text(schema, "type") switch
            {
                "string" => Crd.Find(schema, "enum") is null && Crd.Text(schema, "format") is null ? "maxLength" : null,
                "array" => "maxItems",
                "object" => Crd.Find(schema, "additionalProperties") is null ? null : "maxProperties",
                _ => null,
            };
            IEnumerable<string> here = bound is null || Crd.Text(schema, bound) is not null ? [] : [$"{path}: {bound}"];
            IEnumerable<(string Path, YamlNode Schema)> below =
            [
                .. (Crd.Find(schema, "properties") as YamlMappingNode)?.Children.Select(field => ($"{path}.{field.Key}", field.Value)) ?? [],
                .. new[] { "items", "additionalProperties" }.Select(name => Crd.Find(schema, name)).OfType<YamlMappingNode>().Select(each => ($"{path}[]", (YamlNode)each)),
            ];
            return [.. here, .. below.SelectMany(each => Unbounded(each.Path, (YamlMappingNode)each.Schema))];
        }
    }

    [Theory]
    [InlineData("mcpservers")]
    [InlineData("mcpaccessgrants")]
    [InlineData("mcpagentsessions")]
    public void EveryFieldIsDescribed(string kind) => Assert.Empty(
        from top in new[] { "spec", "status" }
        from entry in Crd.Load(kind).Objects(top)
        from field in ((YamlMappingNode)entry.Value["properties"]).Children
        where Crd.Text((YamlMappingNode)field.Value, "description") is not { Length: > 3 and < 200 } text || !text.EndsWith('.')
        select $"{entry.Key}.{field.Key}");

    /// <summary>What a blank or padded value means is the same for the API server and for the operator.</summary>
    [Theory]
    [InlineData("spec.imageTag", " 1.4 ", true)]
    [InlineData("spec.imageTag", "a:b", false)]
    [InlineData("spec.ingressHost", "", true)]
    [InlineData("spec.ingressHost", "*.example.com", true)]
    [InlineData("spec.ingressHost", "https://example.com", false)]
    [InlineData("spec.ingressPath", " ", true)]
    [InlineData("spec.ingressPath", "/a b", true)]
    [InlineData("spec.publicPathPrefix", "a`b", false)]
    [InlineData("spec.ingressClass", "nginx", true)]
    [InlineData("spec.ingressClass", "Nginx", false)]
    [InlineData("spec.resources.limits.cpu", "", true)]
    [InlineData("spec.resources.limits.cpu", "1.5", true)]
    [InlineData("spec.resources.limits.cpu", "1e3", true)]
    [InlineData("spec.resources.limits.cpu", "1K", false)]
    [InlineData("spec.resources.limits.cpu", "-1", false)]
    [InlineData("spec.envVars[].name", "_a.b-C1", true)]
    [InlineData("spec.envVars[].name", "1A", true)]
    [InlineData("spec.envVars[].name", "A=B", false)]
    [InlineData("spec.auth.tokenHeader", "X-Token", true)]
    [InlineData("spec.auth.tokenHeader", "a b", false)]
    [InlineData("spec.rollout.maxSurge", "25%", true)]
    [InlineData("spec.rollout.maxSurge", "1.5", false)]
    [InlineData("spec.teamID", "a b", false)]
    public void PatternsLetThroughWhatIsValid(string path, string value, bool accepted) => Assert.Equal(accepted, Definition.Accepts(path, value));

    [Theory]
    [MemberData(nameof(Samples))]
    public void SamplesAreValid(string file)
    {
        var document = Crd.Documents("config/samples/" + file).Single();
        var definition = Crd.Load(file[..file.IndexOf('_', StringComparison.Ordinal)] + "s");
        Assert.Equal($"{definition.Type.ApiVersion} {definition.Type.Kind}", $"{document["apiVersion"]} {document["kind"]}");
        Assert.Null(Crd.Find((YamlMappingNode)document["metadata"], "namespace"));
        using var json = JsonDocument.Parse(Json(document).ToJsonString());
        Assert.Empty(definition.Type.Kind switch
        {
            "MCPAccessGrant" => Validation.Validate(StoredAccess.Decode(json.RootElement, Product.Identity.OwnedFields).ReadGrant()),
            "MCPAgentSession" => Validation.Validate(StoredAccess.Decode(json.RootElement, Product.Identity.OwnedFields).ReadSession()),
            _ => OfServer(StoredServer.Decode(json.RootElement, Product.Identity.OwnedFields).Read()),
        });

        // And nothing in them is unknown to the schema.
        var known = definition.Objects("spec");
        Known("spec", Json((YamlMappingNode)document["spec"]));

        static IReadOnlyList<SpecFault> OfServer(MCPServer server)
        {
            var settings = new OperatorSettings();
            return Validation.Validate(server with { Spec = Defaults.Apply(server.Metadata.Name, server.Spec, settings) }, settings);
        }

        void Known(string path, JsonNode node)
        {
            if (node is JsonArray items)
            {
                foreach (var item in items)
                    Known(path + "[]", item!);
            }
            else if (node is JsonObject fields && known.TryGetValue(path, out var schema))
            {
                foreach (var (name, value) in fields)
                {
                    Assert.True(((YamlMappingNode)schema["properties"]).Children.ContainsKey(name), $"{path}.{name}");
                    Known($"{path}.{name}", value!);
                }
            }
        }
    }

    [Fact]
    public void SamplesAndDefinitionsAreAllInTheirKustomizations()
    {
        foreach (var directory in new[] { "config/samples", "config/crd" })
        {
            var listed = ((YamlSequenceNode)Crd.Documents(directory + "/kustomization.yaml").Single()["resources"]).Select(file => file.ToString());
            var there = Directory.EnumerateFiles(RepositoryRoot.File(directory), "*.yaml").Select(file => Path.GetFileName(file)!);
            Assert.Equal(there.Where(file => file != "kustomization.yaml").Order(), listed.Order());
        }
    }

    [Theory]
    [InlineData("mcpservers", "spec", "")]
    [InlineData("mcpservers", "status", "")]
    [InlineData("mcpaccessgrants", "spec", "MCPAccessGrant.")]
    [InlineData("mcpaccessgrants", "status", "MCPAccessGrant.")]
    [InlineData("mcpagentsessions", "spec", "MCPAgentSession.")]
    [InlineData("mcpagentsessions", "status", "MCPAgentSession.")]
    [Trait("Checks", "docs")]
    public void TheReferenceHasEveryFieldWithItsDefault(string kind, string top, string prefix)
    {
        var text = File.ReadAllText(RepositoryRoot.File("docs/api.md"));
        foreach (var (path, schema) in Crd.Load(kind).Objects(top))
        {
            var start = text.IndexOf($"\n### `{prefix}{path}`\n", StringComparison.Ordinal);
            Assert.True(start >= 0, $"docs/api.md has no section for {path}");
            var rows = text[(start + 1)..].Split('\n').Skip(1).SkipWhile(line => line.Length == 0).TakeWhile(line => line.StartsWith('|'))
                .Skip(2).Select(row => row.Split(" | ")).ToDictionary(cells => cells[0].TrimStart('|', ' ').Trim('`'));
            var fields = ((YamlMappingNode)schema["properties"]).Children.ToDictionary(field => field.Key.ToString(), field => (YamlMappingNode)field.Value);
            Assert.Equal((path, string.Join(' ', fields.Keys.Order())), (path, string.Join(' ', rows.Keys.Order())));
            var required = Crd.Find(schema, "required") is YamlSequenceNode names ? names.Select(name => name.ToString()).ToList() : [];
            foreach (var (name, field) in fields)
            {
                var column = rows[name][2].Trim();
                if (Crd.Text(field, "default") is { } value)
                    Assert.Equal($"{path}.{name} `{value}`", $"{path}.{name} {column}");
                else if (required.Contains(name))
                    Assert.Equal($"{path}.{name} **required**", $"{path}.{name} {column}");
            }
        }
    }

    [Theory]
    [InlineData("spec", "imageTag", Defaults.ImageTag)]
    [InlineData("spec", "publicPathPrefix", "<name>")]
    [InlineData("spec", "ingressPath", "/<name>/mcp")]
    [InlineData("spec", "ingressHost", "MCP_DEFAULT_INGRESS_HOST")]
    [InlineData("spec", "ingressClass", "traefik")]
    [InlineData("spec.resources.requests", "cpu", Defaults.CpuRequest)]
    [InlineData("spec.resources.requests", "memory", Defaults.MemoryRequest)]
    [InlineData("spec.resources.limits", "cpu", Defaults.CpuLimit)]
    [InlineData("spec.resources.limits", "memory", Defaults.MemoryLimit)]
    [InlineData("spec.gateway", "upstreamURL", "http://127.0.0.1:<port>")]
    [InlineData("spec.analytics", "source", "<name>-gateway")]
    [InlineData("spec.analytics", "eventType", Defaults.AnalyticsEventType)]
    [InlineData("spec.gateway", "image", "MCP_GATEWAY_PROXY_IMAGE")]
    [InlineData("spec.analytics", "ingestURL", "MCP_SENTINEL_INGEST_URL")]
    [Trait("Checks", "docs")]
    public void TheReferenceHasTheDefaultsThatTheSchemaCannotHave(string section, string field, string value)
    {
        var text = File.ReadAllText(RepositoryRoot.File("docs/api.md"));
        var start = text.IndexOf($"\n### `{section}`\n", StringComparison.Ordinal);
        var row = text[start..].Split('\n').First(line => line.StartsWith($"| `{field}` |", StringComparison.Ordinal));
        Assert.Contains($"`{value}`", row.Split(" | ")[2], StringComparison.Ordinal);
    }

    private static JsonNode Json(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Select(pair => KeyValuePair.Create(pair.Key.ToString(), (JsonNode?)Json(pair.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Select(Json)]),
        YamlScalarNode { Style: ScalarStyle.Plain } scalar when int.TryParse(scalar.Value, out var number) => JsonValue.Create(number),
        YamlScalarNode { Style: ScalarStyle.Plain, Value: "true" or "false" } scalar => JsonValue.Create(scalar.Value == "true"),
        _ => JsonValue.Create(((YamlScalarNode)node).Value)!,
    };
}
