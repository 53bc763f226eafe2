using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace McpOperator.Unit;

/// <summary>What holds for every workflow in .github, whatever it does.</summary>
public sealed partial class WorkflowTests
{
    public static TheoryData<string> Workflows =>
        [.. Directory.EnumerateFiles(RepositoryRoot.File(".github/workflows")).Select(file => Path.GetFileName(file))];

    /// <summary>A tag can be moved to other code, and that code would have the job's token.</summary>
    [Theory]
    [MemberData(nameof(Workflows))]
    public void AnActionIsNamedByItsCommit(string workflow)
    {
        var actions = Steps(workflow).Where(step => step.Children.ContainsKey("uses")).Select(step => step["uses"].ToString()).ToList();

        Assert.NotEmpty(actions);
        Assert.All(actions, action => Assert.Matches(Commit(), action));
    }

    /// <summary>Without, a workflow has what the repository's settings give it.</summary>
    [Theory]
    [MemberData(nameof(Workflows))]
    public void PermissionsAreNamedAndNoneToWriteIsForTheWholeWorkflow(string workflow) =>
        Assert.DoesNotContain("write", Load(workflow)["permissions"].ToString(), StringComparison.Ordinal);

    /// <summary>Compilers and packages run what others wrote: not where a token could publish something.</summary>
    [Theory]
    [MemberData(nameof(Workflows))]
    public void WhatMayWriteRunsNothingOfTheCheckout(string workflow)
    {
        foreach (var (_, job) in Jobs(workflow))
            if (job.Children.TryGetValue("permissions", out var permissions) && permissions.ToString().Contains("write", StringComparison.Ordinal))
                Assert.DoesNotContain(Steps(job), step => step.Children.TryGetValue("uses", out var action)
                    && action.ToString().StartsWith("actions/checkout@", StringComparison.Ordinal));
    }

    /// <summary>What a branch or a tag is called is somebody's input: as an expression it would become part of the script.</summary>
    [Theory]
    [MemberData(nameof(Workflows))]
    public void NoExpressionStandsInAScript(string workflow) => Assert.DoesNotContain(
        Steps(workflow), step => step.Children.TryGetValue("run", out var script) && script.ToString().Contains("${{", StringComparison.Ordinal));

    /// <summary>make hands its arguments to a shell: a tag called `v1';id;'` would be run.</summary>
    [Theory]
    [MemberData(nameof(Workflows))]
    public void NoNameThatSomebodyChoseGoesThroughMake(string workflow) => Assert.DoesNotContain(
        Steps(workflow).Where(step => step.Children.ContainsKey("run")).SelectMany(step => step["run"].ToString().Replace("\\\n", " ", StringComparison.Ordinal).Split('\n')),
        line => line.Contains("make ", StringComparison.Ordinal) && line.Contains("GITHUB_", StringComparison.Ordinal));

    private static YamlMappingNode Load(string workflow)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(File.ReadAllText(RepositoryRoot.File($".github/workflows/{workflow}"))));
        return (YamlMappingNode)stream.Documents[0].RootNode;
    }

    private static IEnumerable<(string Name, YamlMappingNode Job)> Jobs(string workflow) =>
        ((YamlMappingNode)Load(workflow)["jobs"]).Children.Select(job => (job.Key.ToString(), (YamlMappingNode)job.Value));

    private static IEnumerable<YamlMappingNode> Steps(string workflow) => Jobs(workflow).SelectMany(job => Steps(job.Job));

    private static IEnumerable<YamlMappingNode> Steps(YamlMappingNode job) => ((YamlSequenceNode)job["steps"]).Children.Cast<YamlMappingNode>();

    [GeneratedRegex("^[^@]+@[0-9a-f]{40}$")]
    private static partial Regex Commit();
}
