using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace McpOperator.Envtest;

/// <summary>One manifest that is given to an API server and to <c>validate</c>.</summary>
/// <param name="Name">Of the object, and of the case.</param>
/// <param name="Yaml">The manifest.</param>
/// <param name="What">What is tried.</param>
/// <param name="Rule">
/// The field that the operator itself refuses, where this API server cannot: 1.20 knows no CEL, and no schema knows the rest. Null: the
/// API server decides.
/// </param>
internal sealed record ManifestCase(string Name, string Yaml, string What, string? Rule = null)
{
    public override string ToString() => $"{Name} ({What})";
}

/// <summary>
/// Every field of the three kinds, made wrong in each way that its schema tells of, and left right; then what no schema knows, by hand.
/// </summary>
internal static partial class ManifestCorpus
{
    private static readonly string[] Samples =
        ["x", "v1", "example.com", "https://example.com/x", "X-Header", "1h30m", "250m", "25%", "1", "A", "2026-03-26T12:00:00Z"];

    private static readonly string[] BadTexts = ["a b", "`", "UPPER case", "1 2", "-", "é!", "x x x"];

    /// <summary>What a field needs beside it, for the operator to find nothing else wrong.</summary>
    private static readonly Dictionary<string, string> Company = new()
    {
        ["spec.analytics"] = "{analytics: {disabled: true}}",
        ["spec.rollout"] = "{rollout: {strategy: Recreate}}",
    };

    public static IReadOnlyList<ManifestCase> All { get; } = [.. Generated(), .. ByHand()];

    private static IEnumerable<ManifestCase> Generated()
    {
        var number = 0;
        foreach (var crd in Manifest.LoadDirectory(Repository.PathTo("config", "crd")))
        {
            var kind = (string)crd["spec"]!["names"]!["kind"]!;
            var spec = crd["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!["spec"]!.AsObject();
            foreach (var (path, schema) in Fields("spec", spec))
            {
                foreach (var (what, change) in Changes(schema))
                {
                    var minimal = new JsonObject { ["spec"] = Sample(spec) };
                    if (kind == "MCPAgentSession")
                        minimal["spec"]!["subject"]!["humanID"] = "x";
                    foreach (var (below, company) in Company)
                    {
                        if (kind == "MCPServer" && path.StartsWith(below + ".", StringComparison.Ordinal))
                            minimal["spec"]!.AsObject().Add(below["spec.".Length..], Manifest.Parse(company)[below["spec.".Length..]]!.DeepClone());
                    }

                    Change(minimal, path, spec, change);
                    yield return Case(kind, $"g{number++}", minimal["spec"], $"{path}: {what}", RuleOf(kind, path, what));
                }
            }
        }
    }

    /// <summary>What the schema lets through and the operator does not.</summary>
    private static string? RuleOf(string kind, string path, string what) => (kind, path, what) switch
    {
        ("MCPAgentSession", "spec" or "spec.subject", "right") => "spec.subject",
        ("MCPAgentSession", "spec.subject.humanID", "null") => "spec.subject",
        ("MCPServer", "spec.analytics", "right") or ("MCPServer", "spec.analytics.disabled", "right" or "null") => "spec.analytics",
        ("MCPServer", "spec.envFrom" or "spec.envFrom[0]" or "spec.envFrom[0].prefix", "right") or ("MCPServer", "spec.envFrom[0].prefix" or "spec.envFrom[0].configMapRef" or "spec.envFrom[0].secretRef", "null") => "spec.envFrom[0]",
        ("MCPServer", "spec.probes.startup.successThreshold" or "spec.probes.liveness.successThreshold" or "spec.probes.readiness.terminationGracePeriodSeconds", "right") => path,
        ("MCPServer", "spec.disruptionBudget.minAvailable" or "spec.disruptionBudget.maxUnavailable", "right" or "of another type") => path,
        // A certificate is issued for a host.
        ("MCPServer", "spec.tls.issuer" or "spec.tls.issuer.kind" or "spec.tls.issuer.name", "right") or ("MCPServer", "spec.tls.issuer.kind", "null") => "spec.tls.issuer",
        ("MCPServer", "spec.network.ingressFrom" or "spec.network.ingressFrom[0]", "right") => "spec.network.ingressFrom[0]",
        _ => null,
    };

    /// <summary>Each field below, with its schema; the items of a list are <c>[0]</c>.</summary>
    private static IEnumerable<(string Path, JsonObject Schema)> Fields(string path, JsonObject schema)
    {
        yield return (path, schema);
        if (schema["properties"] is JsonObject fields)
        {
            foreach (var (name, field) in fields)
                foreach (var below in Fields($"{path}.{name}", field!.AsObject()))
                    yield return below;
        }

        if (schema["items"] is JsonObject items)
            foreach (var below in Fields(path + "[0]", items))
                yield return below;
        if (schema["additionalProperties"] is JsonObject values)
            foreach (var below in Fields(path + ".key", values))
                yield return below;
    }

    /// <summary>Values for a field: right, and wrong in every way that its schema has.</summary>
    private static IEnumerable<(string What, Func<JsonNode?, JsonNode?> Change)> Changes(JsonObject schema)
    {
        yield return ("right", _ => Sample(schema));
        yield return ("null", _ => null);
        var type = (string)schema["type"]!;
        yield return ("of another type", _ => type == "string" ? 7 : "text");
        if (type == "string")
            yield return ("an object", _ => new JsonObject { ["a"] = "b" });
        if (type == "integer")
            yield return ("a fraction", _ => 1.5);
        if (type == "boolean")
            yield return ("text that looks like a boolean", _ => "true");
        if (schema["properties"] is JsonObject)
            yield return ("unknown field", value => With(value, "zzz", "x"));
        foreach (var required in schema["required"]?.AsArray() ?? [])
            yield return ($"without {required}", value => Without(value, (string)required!));
        if (schema["enum"] is not null)
            yield return ("none of the enum", _ => "zzz");
        if ((string?)schema["pattern"] is { } pattern && BadTexts.FirstOrDefault(text => !Regex.IsMatch(text, pattern, RegexOptions.ECMAScript)) is { } bad)
            yield return ("against its pattern", _ => bad);
        if ((long?)schema["minimum"] is { } least)
            yield return ("below its minimum", _ => least - 1);
        if ((long?)schema["maximum"] is { } most)
            yield return ("above its maximum", _ => most + 1);
        if ((long?)schema["maxLength"] is { } longest)
            yield return ("too long", _ => new string('x', (int)longest + 1));
        if ((long?)schema["minLength"] > 0)
            yield return ("empty", _ => "");
        if ((long?)schema["maxItems"] is { } items)
            yield return ("too many", _ => Repeated(schema, (int)items + 1));
        if (schema["x-kubernetes-list-map-keys"] is not null)
            yield return ("twice the same key", _ => Repeated(schema, 2, distinct: false));
        if ((string?)schema["format"] == "date-time")
            yield return ("no time", _ => "tomorrow");
    }

    private static JsonArray Repeated(JsonObject schema, int count, bool distinct = true) => new([.. Enumerable.Range(0, count).Select(i =>
    {
        var item = Sample(schema["items"]!.AsObject());
        if (distinct && item is JsonObject named && named.ContainsKey("name"))
            named["name"] = $"n{i}";
        return item;
    })]);

    private static JsonObject? With(JsonNode? value, string name, JsonNode? member)
    {
        var changed = value!.DeepClone().AsObject();
        changed[name] = member;
        return changed;
    }

    private static JsonObject Without(JsonNode? value, string name)
    {
        var changed = value!.DeepClone().AsObject();
        changed.Remove(name);
        return changed;
    }

    /// <summary>The least that fits.</summary>
    private static JsonNode? Sample(JsonObject schema) => (string)schema["type"]! switch
    {
        "object" => new JsonObject((schema["required"]?.AsArray() ?? []).Select(name =>
            KeyValuePair.Create((string)name!, Sample(schema["properties"]![(string)name!]!.AsObject())))),
        "array" => new JsonArray(Sample(schema["items"]!.AsObject())),
        "boolean" => false,
        "integer" => Math.Max(2, (long?)schema["minimum"] ?? 0),
        _ when schema["enum"] is JsonArray choices => choices[0]!.DeepClone(),
        _ when (string?)schema["format"] == "date-time" => "2026-03-26T12:00:00Z",
        _ => Samples.First(text => (string?)schema["pattern"] is not { } pattern || Regex.IsMatch(text, pattern, RegexOptions.ECMAScript)),
    };

    /// <summary>Changes what is at the path, making what is missing on the way.</summary>
    private static void Change(JsonObject root, string path, JsonObject schema, Func<JsonNode?, JsonNode?> change)
    {
        JsonNode parent = root;
        var steps = Step().Matches(path).Select(match => match.Value).ToArray();
        for (var i = 0; i < steps.Length; i++)
        {
            if (i > 0)
            {
                schema = steps[i] == "[0]" ? schema["items"]!.AsObject()
                    : (schema["properties"]?[steps[i]] ?? schema["additionalProperties"])!.AsObject();
            }

            var here = steps[i] == "[0]" ? parent.AsArray()[0] : parent[steps[i]];
            here ??= Sample(schema);
            if (i == steps.Length - 1)
                here = change(here);
            if (steps[i] == "[0]")
                parent.AsArray()[0] = Detached(here);
            else
                parent[steps[i]] = Detached(here);
            parent = steps[i] == "[0]" ? parent.AsArray()[0]! : parent[steps[i]]!;
        }

        static JsonNode? Detached(JsonNode? node) => node?.Parent is null ? node : node.DeepClone();
    }

    private static ManifestCase Case(string kind, string name, JsonNode? spec, string what, string? rule, JsonObject? metadata = null)
    {
        var manifest = new JsonObject
        {
            ["apiVersion"] = Resource.MCPServers.ApiVersion,
            ["kind"] = kind,
            ["metadata"] = metadata ?? new JsonObject { ["name"] = name },
            ["spec"] = spec?.DeepClone(),
        };
        return new ManifestCase(name, manifest.ToJsonString(), what, rule);
    }

    [GeneratedRegex(@"\[0\]|[A-Za-z]+")]
    private static partial Regex Step();
}
