using System.Text.Json;
using System.Text.RegularExpressions;
using McpOperator.Servers.Diagnosis;

namespace McpOperator.Unit.Servers.Diagnosis;

/// <summary>
/// What is made of pods, Deployments and events as a real node reported them (<c>MCP_SAVE_PODS=tests/Unit/Data/pods make e2e</c>, on
/// Kubernetes 1.20), a minute later. causes.txt has what is said of each without events, and after "+" what with them.
/// </summary>
public sealed partial class RecordedPodsTests
{
    private static readonly string Data = RepositoryRoot.File("tests/Unit/Data/pods");

    [Fact]
    public void TheCauseOfEachIsFound() => Assert.Equal(
        File.ReadAllText(Path.Combine(Data, "causes.txt")),
        string.Concat(Directory.EnumerateFiles(Data, "*.json").Order(StringComparer.Ordinal).Select(file => Times().Replace(Names().Replace(
            Said(Path.GetFileNameWithoutExtension(file), file), "NAME"), "TIME"))));

    private static string Said(string name, string file)
    {
        using var recorded = JsonDocument.Parse(File.ReadAllText(file));
        var later = recorded.RootElement.GetProperty("takenAt").GetDateTimeOffset() + TimeSpan.FromMinutes(1);
        var cause = Items("pods").Select(pod => PodCauses.Of(pod, later))
            .Concat(Items("deployments").Select(live => DeploymentCauses.Of(live.GetProperty("status"))))
            .OfType<Cause>().MinBy(cause => cause.Rank);
        var words = PodEvent.WordsOf([.. Items("events").Select(told => new PodEvent(told))]);
        var retold = cause?.Retold is { } retell && words is not null ? $"\n    + {retell(words)}" : "";
        return $"{name}: {cause?.Reason ?? "-"}\n{(cause is null ? "" : $"    {cause.Message}{retold}\n")}";

        IEnumerable<JsonElement> Items(string list) => recorded.RootElement.GetProperty(list).GetProperty("items").EnumerateArray();
    }

    [GeneratedRegex(@"broken-[0-9a-z]+-[0-9a-z]{5}(_e2e-\w+\([0-9a-f-]+\))?|\be2e-[0-9a-f]{8}\b")]
    private static partial Regex Names();

    [GeneratedRegex(@"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")]
    private static partial Regex Times();
}
