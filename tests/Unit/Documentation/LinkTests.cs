using System.Text.RegularExpressions;

namespace McpOperator.Unit.Documentation;

/// <summary>Whatever a page points to is there: files, headings, targets of make.</summary>
[Trait("Checks", "docs")]
public sealed partial class LinkTests
{
    private static readonly string Root = RepositoryRoot.File(".");

    public static TheoryData<string> Pages =>
        [.. Directory.EnumerateFiles(RepositoryRoot.File("docs"), "*.md", SearchOption.AllDirectories)
            .Append(RepositoryRoot.File("README.md"))
            .Select(page => Path.GetRelativePath(Root, page))];

    [Theory]
    [MemberData(nameof(Pages))]
    public void EveryLinkLeadsSomewhere(string page)
    {
        var text = File.ReadAllText(Path.Combine(Root, page));
        var broken = new List<string>();
        foreach (Match link in Link().Matches(CodeBlock().Replace(text, "")))
        {
            var target = link.Groups["target"].Value;
            if (target.Contains("://", StringComparison.Ordinal))
            {
                if (!Uri.TryCreate(target, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttps)
                    broken.Add(target);
                continue;
            }

            var (file, anchor) = target.Split('#', 2) is [var before, var after] ? (before, after) : (target, null);
            var path = file.Length == 0 ? Path.Combine(Root, page) : Path.Combine(Root, Path.GetDirectoryName(page)!, file);
            if (!File.Exists(path) && !Directory.Exists(path))
                broken.Add(target);
            else if (anchor is not null && !Anchors(File.ReadAllText(path)).Contains(anchor))
                broken.Add(target);
        }

        Assert.Empty(broken);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void EveryTargetOfMakeExists(string page)
    {
        var targets = MakeTarget().Matches(File.ReadAllText(RepositoryRoot.File("Makefile"))).Select(match => match.Groups[1].Value);
        var named = MakeCommand().Matches(File.ReadAllText(Path.Combine(Root, page))).Select(match => match.Groups[1].Value);

        Assert.Empty(named.Except(targets));
    }

    [Fact]
    public void ThereIsAWayToEveryPage()
    {
        var reached = new HashSet<string>();
        var open = new Stack<string>(["README.md"]);
        while (open.TryPop(out var page))
        {
            if (!reached.Add(page))
                continue;
            foreach (Match link in Link().Matches(File.ReadAllText(Path.Combine(Root, page))))
            {
                var file = link.Groups["target"].Value.Split('#')[0];
                if (file.EndsWith(".md", StringComparison.Ordinal) && !file.Contains("://", StringComparison.Ordinal))
                    open.Push(Path.GetRelativePath(Root, Path.Combine(Root, Path.GetDirectoryName(page)!, file)));
            }
        }

        Assert.Empty(Pages.Select(page => page.Data).Except(reached));
    }

    /// <summary>As GitHub makes them of headings.</summary>
    private static HashSet<string> Anchors(string text) =>
        [.. Heading().Matches(CodeBlock().Replace(text, "")).Select(match =>
            NotInAnchor().Replace(match.Groups[1].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-'))];

    [GeneratedRegex(@"\[[^\]]*\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex("^#+ (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchor();

    [GeneratedRegex(@"^([a-z][a-z0-9-]*):", RegexOptions.Multiline)]
    private static partial Regex MakeTarget();

    [GeneratedRegex(@"(?:^|`|\|\s)make ([a-z][a-z0-9-]*)", RegexOptions.Multiline)]
    private static partial Regex MakeCommand();
}
