using System.Text.Json;
using System.Text.RegularExpressions;
using CsCheck;
using McpOperator.Commands.Manifests;

namespace McpOperator.Unit.Commands.Manifests;

public sealed class PatternTests
{
    private static readonly IReadOnlyList<string> Patterns = [.. CustomResourceSchema.All.SelectMany(schema => In(schema.Schema)).Distinct()];

    /// <summary>.NET's engine in the mode in which <c>\s</c> is ASCII; and <c>$</c> the very end, as in Go.</summary>
    [Fact]
    public void EveryPatternOfOurSchemasMeansWhatItMeansToAnApiServer()
    {
        Assert.True(Patterns.Count > 10, string.Join('\n', Patterns));
        var ours = Patterns.ToDictionary(pattern => pattern, pattern => new Pattern(pattern));
        var theirs = Patterns.ToDictionary(pattern => pattern, pattern => new Regex(pattern.Replace("$", "\\z", StringComparison.Ordinal).Replace("\\z%", "$%", StringComparison.Ordinal), RegexOptions.ECMAScript));
        Gen.OneOf(
            Gen.String[Gen.OneOf("aZ09-._*:/%+ \t\n`hµsmMi,()'\"!".ToCharArray()), 0, 9],
            Gen.OneOf(
                "example.com", "*.example.com", "a..b", "X-Header", "X Header", "24h", "1h30m", "1.5h", "10", "0", "300µs", "250m", "1Gi", "1e3", "1e333", "+5", ".5", "5.", "25%", "%", " 25% ",
                "https://x.example", "http://", "https://a b", "_A", "A-1", "1A", " trimmed ", "a\n", "v1.2_x", ""))
            .Sample(text => Assert.All(Patterns, pattern => Assert.Equal(theirs[pattern].IsMatch(text), ours[pattern].IsMatch(text))), iter: 5_000);
    }

    [Theory]
    [InlineData("a(?:b)")]
    [InlineData("a\\d")]
    [InlineData("a(b")]
    [InlineData("a)")]
    [InlineData("[a")]
    [InlineData("*a")]
    [InlineData("a{1")]
    public void WhatItDoesNotKnowItRefuses(string pattern) => Assert.Throws<NotSupportedException>(() => new Pattern(pattern));

    [Fact]
    public void LongTextTakesNoTimeThatGrowsFasterThanItself()
    {
        var text = new string('a', 300_000);
        Assert.All(Patterns, pattern => new Pattern(pattern).IsMatch(text + "\u0001"));
    }

    private static IEnumerable<string> In(JsonElement schema) => schema.ValueKind switch
    {
        JsonValueKind.Object => schema.EnumerateObject().SelectMany(member =>
            member.NameEquals("pattern") && member.Value.ValueKind == JsonValueKind.String ? [member.Value.GetString()!] : In(member.Value)),
        JsonValueKind.Array => schema.EnumerateArray().SelectMany(In),
        _ => [],
    };
}
