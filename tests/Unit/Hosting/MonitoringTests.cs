using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace McpOperator.Unit.Hosting;

/// <summary>The alerts and the dashboard of config/: every metric and label in them is one that is written.</summary>
[Trait("Checks", "docs")]
public sealed partial class MonitoringTests
{
    // What Prometheus itself adds to what it scrapes in a cluster.
    private static readonly string[] LabelsOfTheScrape = ["namespace", "pod", "le"];

    private static readonly string[] Functions =
        ["absent", "by", "histogram_quantile", "increase", "label_values", "max", "rate", "sum"];

    private static readonly Dictionary<string, (string Type, string[] Labels)> Metrics =
        Row().Matches(File.ReadAllText(RepositoryRoot.File("docs/metrics.md"))).ToDictionary(
            match => match.Groups[1].Value,
            match => (match.Groups[2].Value, match.Groups[3].Value.Split(", ", StringSplitOptions.RemoveEmptyEntries)));

    public static TheoryData<string> Expressions =>
    [
        .. Rules().Select(rule => Text(rule, "expr")),
        .. Everything(Dashboard().RootElement).Where(property => property.Name is "expr").Select(property => property.Value.GetString()!),
        .. Dashboard().RootElement.GetProperty("templating").GetProperty("list").EnumerateArray()
            .Select(variable => variable.GetProperty("query").GetString()!).Where(query => query != "prometheus"),
    ];

    [Theory]
    [MemberData(nameof(Expressions))]
    public void AnExpressionAsksForMetricsAndLabelsThatExist(string expression)
    {
        // Braces and brackets hold labels and durations; what is left are functions, labels to sum by, metrics and numbers.
        var selectors = Selector().Matches(expression);
        Assert.NotEmpty(selectors);
        foreach (Match selector in selectors)
        {
            var (name, labels) = (selector.Groups[1].Value, LabelName().Matches(selector.Groups[2].Value).Select(label => label.Groups[1].Value));
            var histogram = Suffix().Replace(name, "");
            var known = Metrics.TryGetValue(name, out var metric) || (Metrics.TryGetValue(histogram, out metric) && metric.Type == "histogram");
            Assert.True(known, $"no metric {name}");
            Assert.True(name == histogram || metric.Type == "histogram", $"{name} is no histogram");
            Assert.False(name == histogram && metric.Type == "histogram", $"{name} needs _bucket, _sum or _count");
            Assert.Equal([], labels.Except([.. metric.Labels, .. LabelsOfTheScrape]));
            Assert.True(metric.Type != "counter" || Rated().IsMatch(expression[..selector.Index]), $"{name} is a counter: its rate says something");
        }

        var words = Word().Matches(Strings().Replace(Selector().Replace(expression, ""), "")).Select(match => match.Value);
        string[] labelsOfAll = [.. Metrics.Values.SelectMany(metric => metric.Labels), .. LabelsOfTheScrape];
        Assert.Equal([], words.Except([.. Functions, .. labelsOfAll]));
    }

    [Fact]
    public void EveryAlertSaysWhatItMeansAndWaitsForAWhile()
    {
        var rules = Rules().ToList();
        Assert.NotEmpty(rules);
        Assert.All(rules, rule =>
        {
            Assert.Matches("^Mcp[A-Za-z]+$", Text(rule, "alert"));
            Assert.Matches("^[0-9]+m$", Text(rule, "for"));
            Assert.Contains(Text((YamlMappingNode)rule["labels"], "severity"), new[] { "critical", "warning", "info" });
            Assert.NotEmpty(Text((YamlMappingNode)rule["annotations"], "summary"));
            Assert.NotEmpty(Text((YamlMappingNode)rule["annotations"], "description"));
        });
        Assert.Distinct(rules.Select(rule => Text(rule, "alert")));
    }

    /// <summary>Each replica tells of every server, the standby too: a sum of what they tell is too much by a factor.</summary>
    [Fact]
    public void WhatEveryReplicaTellsOfIsNotAddedUp() => Assert.All(
        Expressions.Select(expression => expression.Data),
        expression => Assert.DoesNotMatch(@"sum[^(]*\(mcp_operator_(servers|policies)\b", expression));

    [Fact]
    public void OperationsTellsOfEveryAlert() => Assert.Equal(
        Rules().Select(rule => Text(rule, "alert")),
        AlertRow().Matches(File.ReadAllText(RepositoryRoot.File("docs/operations.md"))).Select(match => match.Groups[1].Value));

    [Fact]
    public void EveryPanelOfTheDashboardHasAPlaceOfItsOwn()
    {
        var panels = Dashboard().RootElement.GetProperty("panels").EnumerateArray().ToList();
        Assert.Distinct(panels.Select(panel => panel.GetProperty("id").GetInt32()));
        var cells = panels.Select(panel => panel.GetProperty("gridPos")).SelectMany(place =>
            from x in Enumerable.Range(place.GetProperty("x").GetInt32(), place.GetProperty("w").GetInt32())
            from y in Enumerable.Range(place.GetProperty("y").GetInt32(), place.GetProperty("h").GetInt32())
            select (x, y)).ToList();
        Assert.Distinct(cells);
        Assert.All(cells, cell => Assert.InRange(cell.x, 0, 23));
    }

    private static JsonDocument Dashboard() => JsonDocument.Parse(File.ReadAllText(RepositoryRoot.File("config/grafana/dashboard.json")));

    private static IEnumerable<JsonProperty> Everything(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(property => Everything(property.Value).Prepend(property)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Everything),
        _ => [],
    };

    private static IEnumerable<YamlMappingNode> Rules()
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(File.ReadAllText(RepositoryRoot.File("config/prometheus/rules.yaml"))));
        return ((YamlSequenceNode)stream.Documents[0].RootNode["spec"]["groups"])
            .SelectMany(group => (YamlSequenceNode)group["rules"]).Cast<YamlMappingNode>();
    }

    private static string Text(YamlMappingNode node, string member) => ((YamlScalarNode)node[member]).Value!;

    [GeneratedRegex(@"^\| `(\w+)` \| (\w+) \| ([^|]*?) ?\|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"^\| `(Mcp\w+)` \|", RegexOptions.Multiline)]
    private static partial Regex AlertRow();

    [GeneratedRegex(@"([a-z][a-z_]*)\{([^}]*)\}(\[[^]]*\])?")]
    private static partial Regex Selector();

    [GeneratedRegex(@"([a-z]+)=")]
    private static partial Regex LabelName();

    [GeneratedRegex("(rate|increase)\\($")]
    private static partial Regex Rated();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Suffix();

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Strings();

    [GeneratedRegex("[a-z][a-z_]*")]
    private static partial Regex Word();
}
