using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace McpOperator.Envtest;

/// <summary>What <c>validate</c> says without a cluster is what kubectl, the API server and the operator say.</summary>
public sealed partial class ValidateTests(ControlPlaneFixture fixture)
{
    /// <summary>Refused by one, refused by the other, and for the same fields. Where this API server does not know the rule, the operator is asked.</summary>
    [Fact]
    public async Task ItRefusesWhatTheApiServerOrTheOperatorRefuses()
    {
        fixture.RequireOwn("what the API server of the corpus's version knows");
        var kubectl = Kubectl();
        Assert.SkipUnless(File.Exists(kubectl), "needs kubectl beside the API server's binary");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        var directory = Directory.CreateTempSubdirectory("manifests-");
        var wrong = new ConcurrentBag<string>();
        var taken = new ConcurrentBag<ManifestCase>();

        // kubectl asks the API server for the types, which knows them a moment after it knows the CRDs.
        var unknown = Path.Combine(directory.FullName, "unknown.yaml");
        await File.WriteAllTextAsync(unknown, "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata: {name: x}\nspec: {image: x, zzz: 1}\n", CancellationToken.None);
        await Eventually.TrueAsync("kubectl knew the types", () => ApplyAsync(unknown), applied => applied.Errors.Contains("unknown field", StringComparison.Ordinal));

        await Parallel.ForEachAsync(ManifestCorpus.All, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (manifest, _) =>
        {
            var file = Path.Combine(directory.FullName, $"{manifest.Name}.yaml");
            await File.WriteAllTextAsync(file, manifest.Yaml, CancellationToken.None);
            var applied = await ApplyAsync(file);
            var validated = await Command.OperatorAsync("validate", "-n", scenario.Namespace.Name, "-o", "json", "-f", file);
            if (validated.ExitCode is not (0 or 1))
                wrong.Add($"{manifest}: exit code {validated.ExitCode}, {validated.Errors}");
            else if (Disagreement(manifest, applied, validated) is { } disagreement)
                wrong.Add($"{manifest}: {disagreement}\n    {manifest.Yaml}\n    kubectl: {applied.Errors}\n    validate: {string.Join(", ", Fields(validated))}");
            if (applied.ExitCode == 0)
                taken.Add(manifest);
        });
        Assert.True(wrong.IsEmpty, $"{wrong.Count} of {ManifestCorpus.All.Count}:\n{string.Join('\n', wrong.Order(StringComparer.Ordinal))}");
        Assert.True(ManifestCorpus.All.Count >= 200);
        TestContext.Current.TestOutputHelper?.WriteLine($"{ManifestCorpus.All.Count} manifests, {taken.Count} of them taken");

        // What was taken is stored, and the operator says of each what validate said.
        var stored = Directory.CreateTempSubdirectory("manifests-taken-");
        foreach (var manifest in taken)
            File.Move(Path.Combine(directory.FullName, $"{manifest.Name}.yaml"), Path.Combine(stored.FullName, $"{manifest.Name}.yaml"));
        var all = await Command.RunAsync(kubectl, ["--kubeconfig", fixture.ControlPlane.AdminKubeconfig, "-n", scenario.Namespace.Name, "apply", "-f", stored.FullName]);
        Assert.True(all.ExitCode == 0, all.Errors);
        foreach (var manifest in taken)
        {
            var (name, resource) = (manifest.Name, manifest.Yaml.Contains("MCPAccessGrant", StringComparison.Ordinal) ? Resource.MCPAccessGrants
                : manifest.Yaml.Contains("MCPAgentSession", StringComparison.Ordinal) ? Resource.MCPAgentSessions : Resource.MCPServers);
            var status = (await Eventually.TrueAsync(
                $"{manifest} was reported", () => fixture.Client.GetAsync(resource, scenario.Namespace.Name, name),
                seen => (long?)seen["status"]?["observedGeneration"] == (long)seen["metadata"]!["generation"]!))["status"]!;
            var says = $"{(string)status["phase"]!}: {(string)status["message"]!}";
            Assert.True(
                manifest.Rule is { } field
                    ? (says.StartsWith("Error: ", StringComparison.Ordinal) || says.StartsWith("Rejected: ", StringComparison.Ordinal)) && says.Contains($" {field}: ", StringComparison.Ordinal)
                    // Names of variables are for the API server to take or not, and so is what an older one does not know.
                    : ((manifest.What.Contains("nvVars", StringComparison.Ordinal) || PlanCorpus.IsOfNewerApiServers(manifest.What)) && (string?)status["conditions"]![0]!["reason"] == "ApplyFailed")
                    || !says.StartsWith("Error: ", StringComparison.Ordinal) && (string?)status["conditions"]![0]!["reason"] != "Invalid",
                $"{manifest}: {says}");
        }

        directory.Delete(recursive: true);
        stored.Delete(recursive: true);

        Task<Command> ApplyAsync(string file) => Command.RunAsync(
            kubectl, ["--kubeconfig", fixture.ControlPlane.AdminKubeconfig, "-n", scenario.Namespace.Name, "apply", "--dry-run=server", "-f", file]);
    }

    /// <summary>As CI does it: no cluster, no kubeconfig.</summary>
    [Fact]
    public async Task TheSamplesAreValid()
    {
        var validated = await Command.OperatorAsync("validate", "-f", Repository.PathTo("config", "samples"));

        Assert.Equal((0, ""), (validated.ExitCode, validated.Output));
        Assert.Contains("note: passed over 1 Kustomization", validated.Errors);
    }

    /// <summary>Null when both say the same.</summary>
    private static string? Disagreement(ManifestCase manifest, Command applied, Command validated)
    {
        var fields = Fields(validated);
        // A Kubernetes 1.20 that was built with a newer Go takes empty text for null. Nobody else does.
        if (applied.Errors.Contains("must be of type string: \"null\"", StringComparison.Ordinal) && ServerSays().Count(applied.Errors) == 1 && manifest.Yaml.Contains("\"\"", StringComparison.Ordinal))
            return manifest.Rule is null == (validated.ExitCode == 0) ? null : "empty text";
        if (manifest.Rule is { } rule)
        {
            return applied.ExitCode != 0 ? "the API server was to take it"
                : validated.ExitCode == 0 ? $"{rule} was to be refused"
                : fields.Contains(rule) ? null : $"{rule} was to be named";
        }

        if (applied.ExitCode == 0 != (validated.ExitCode == 0))
            return applied.ExitCode == 0 ? "taken by the API server, and refused" : "refused by the API server, and taken";
        var plain = fields.Select(WithoutIndices).ToHashSet();
        var missing = FieldsNamedBy(applied.Errors).Where(field => !plain.Contains(WithoutIndices(field))).ToList();
        return missing.Count == 0 ? null : $"not named: {string.Join(", ", missing)}";
    }

    private static List<string> Fields(Command validated) => validated.Output.Length == 0 ? []
        : [.. JsonNode.Parse(validated.Output)!.AsArray().Where(fault => (string?)fault!["severity"] == "error").Select(fault => (string)fault!["field"]!)];

    /// <summary>kubectl's own check of the types, which names the object and then the field; and the API server's, which names the field. 1.20 leaves out indices.</summary>
    private static IEnumerable<string> FieldsNamedBy(string errors)
    {
        foreach (Match match in UnknownField().Matches(errors))
            yield return Path(match.Groups[1].Value, match.Groups[2].Value);
        foreach (Match match in MissingField().Matches(errors))
            yield return Path(match.Groups[1].Value, match.Groups[2].Value);
        foreach (Match match in InvalidType().Matches(errors))
            yield return Path(match.Groups[1].Value, "");
        foreach (Match match in ServerSays().Matches(errors))
            yield return match.Groups[1].Value;

        static string Path(string path, string field) => (path, field) switch
        {
            ("", _) => field,
            (_, "") => path[1..],
            _ => $"{path[1..]}.{field}",
        };
    }

    private static string WithoutIndices(string field) => Index().Replace(field, "");

    private static string Kubectl() =>
        Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS") is { Length: > 0 } assets ? Path.Combine(assets, "kubectl") : "";

    [GeneratedRegex(@"ValidationError\(\w+((?:\.[^)]*)?)\): unknown field ""([^""]+)""")]
    private static partial Regex UnknownField();

    [GeneratedRegex(@"ValidationError\(\w+((?:\.[^)]*)?)\): missing required field ""([^""]+)""")]
    private static partial Regex MissingField();

    [GeneratedRegex(@"ValidationError\(\w+((?:\.[^)]*)?)\): invalid type")]
    private static partial Regex InvalidType();

    [GeneratedRegex(@"(?:is invalid: |\* |\[|, )((?:spec|metadata)[\w.\[\]]*): (?:Invalid value|Unsupported value|Required value|Duplicate value|Too long|Too many)")]
    private static partial Regex ServerSays();

    [GeneratedRegex(@"\[\d+\]")]
    private static partial Regex Index();
}
