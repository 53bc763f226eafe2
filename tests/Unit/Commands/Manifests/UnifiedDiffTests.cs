using McpOperator.Commands.Manifests;

namespace McpOperator.Unit.Commands.Manifests;

public sealed class UnifiedDiffTests
{
    [Theory]
    [InlineData("", "", "")]
    [InlineData("a b", "a b", "")]
    [InlineData("", "a b", "@@ -0,0 +1,2 @@|+a|+b")]
    [InlineData("a b", "", "@@ -1,2 +0,0 @@|-a|-b")]
    [InlineData("a b c d e f g h i", "a b c d X f g h i", "@@ -2,7 +2,7 @@| b| c| d|-e|+X| f| g| h")]
    [InlineData("a b c d e f g", "X b c d e f g Y", "@@ -1,7 +1,8 @@|-a|+X| b| c| d| e| f| g|+Y")]
    [InlineData("a b c d e f g h i j", "X b c d e f g h i j Y", "@@ -1,4 +1,4 @@|-a|+X| b| c| d@@ -8,3 +8,4 @@| h| i| j|+Y")]
    [InlineData("a b c", "c a b", "@@ -1,3 +1,3 @@|+c| a| b|-c")]
    public void ItIsWhatDiffPrints(string from, string to, string hunks) => Assert.Equal(
        hunks.Length == 0 ? "" : $"--- x\n+++ y\n{hunks.Replace("@@|", "@@\n", StringComparison.Ordinal).Replace("d@@", "d|@@", StringComparison.Ordinal).Replace('|', '\n')}\n",
        UnifiedDiff.Of(Text(from), Text(to), "x", "y"));

    [Fact]
    public void BlanksAndEmptyLinesAreDifferences()
    {
        Assert.Equal("--- x\n+++ y\n@@ -1,2 +1,2 @@\n-a: 1\n+ a: 1\n b\n", UnifiedDiff.Of("a: 1\nb\n", " a: 1\nb\n", "x", "y"));
        Assert.Equal("--- x\n+++ y\n@@ -1,2 +1,3 @@\n a\n+\n b\n", UnifiedDiff.Of("a\nb\n", "a\n\nb\n", "x", "y"));
    }

    [Fact]
    public void ItLeadsFromOneToTheOtherByTheFewestLines()
    {
        var random = new Random(7);
        for (var run = 0; run < 3000; run++)
        {
            var (from, to) = (Lines(), Lines());

            var diff = UnifiedDiff.Of(string.Concat(from.Select(line => line + "\n")), string.Concat(to.Select(line => line + "\n")), "x", "y");

            Assert.Equal(to, Applied(from, diff, out var changes));
            Assert.Equal(from.Count + to.Count - (2 * Common(from, to)), changes);
        }

        List<string> Lines() => [.. Enumerable.Range(0, random.Next(14)).Select(_ => ((char)('a' + random.Next(4))).ToString())];
    }

    [Fact]
    public void WhatHasNothingInCommonIsReplacedInNoTime()
    {
        var from = Enumerable.Range(0, 20_000).Select(i => $"a{i}").ToList();
        var to = Enumerable.Range(0, 20_000).Select(i => $"b{i}").ToList();

        var diff = UnifiedDiff.Of(string.Concat(from.Select(line => line + "\n")), string.Concat(to.Select(line => line + "\n")), "x", "y");

        Assert.Equal(to, Applied(from, diff, out var changes));
        Assert.Equal(40_000, changes);
    }

    private static string Text(string words) => string.Concat(words.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word + "\n"));

    private static List<string> Applied(List<string> from, string diff, out int changes)
    {
        var (result, at) = (new List<string>(), 0);
        changes = 0;
        foreach (var line in diff.Split('\n')[..^1].Skip(2))
        {
            if (line.StartsWith("@@", StringComparison.Ordinal))
            {
                var range = line.Split(' ')[1][1..].Split(',').Select(int.Parse).ToArray();
                var start = range[1] == 0 ? range[0] : range[0] - 1;
                result.AddRange(from[at..start]);
                at = start;
                continue;
            }

            changes += line[0] == ' ' ? 0 : 1;
            if (line[0] != '+')
                Assert.Equal(from[at++], line[1..]);
            if (line[0] != '-')
                result.Add(line[1..]);
        }

        result.AddRange(from[at..]);
        return result;
    }

    /// <summary>The length of the longest common subsequence.</summary>
    private static int Common(List<string> from, List<string> to)
    {
        var length = new int[from.Count + 1, to.Count + 1];
        for (var i = from.Count - 1; i >= 0; i--)
            for (var j = to.Count - 1; j >= 0; j--)
                length[i, j] = from[i] == to[j] ? length[i + 1, j + 1] + 1 : Math.Max(length[i + 1, j], length[i, j + 1]);
        return length[0, 0];
    }
}
