using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using McpOperator.Commands;
using McpOperator.Commands.Manifests;
using McpOperator.Hosting;
using Microsoft.Extensions.Logging;

namespace McpOperator.Unit.Hosting;

/// <summary>What a person is told, held against the tables and attributes of the code.</summary>
[Trait("Checks", "docs")]
public sealed partial class DocumentationTests
{
    private static readonly string Configuration = Read("configuration.md");

    private static readonly string Help = WriteHelp();

    [Fact]
    public void EveryFlagIsInHelpAndInTheDocumentation()
    {
        Assert.All(Flags.All, flag =>
        {
            Assert.Contains($"  --{flag.Name}{(flag.IsBoolean ? "" : "=" + flag.Placeholder)}\n", Help, StringComparison.Ordinal);
            Assert.Contains(flag.Help, Help, StringComparison.Ordinal);
            var row = Row(Configuration, $"`--{flag.Name}`");
            if (flag.Default is not null)
                Assert.Contains(Plain(flag.Default), Plain(row), StringComparison.Ordinal);
        });
    }

    [Fact]
    public void EveryFlagInTheDocumentationExists() => Assert.Equal(
        Flags.All.Select(f => f.Name).Order(),
        FlagRow().Matches(Configuration).Select(m => m.Groups[1].Value).Order());

    [Fact]
    public void EveryFlagOfACommandThatReadsManifestsIsInHelpAndInItsDocumentation()
    {
        AssertDocumented("validate.md", ValidateCommand.Flags);
        AssertDocumented("plan.md", [.. RenderCommand.Flags.UnionBy(DiffCommand.Flags, flag => flag.Name)]);

        static void AssertDocumented(string name, IReadOnlyList<Flag<ManifestOptions>> flags)
        {
            var document = Read(name);
            Assert.All(flags, flag =>
            {
                var title = flag.Short is { } letter ? $"-{letter}, --{flag.Name}" : $"--{flag.Name}";
                Assert.Contains($"  {title}{(flag.IsBoolean ? "" : "=" + flag.Placeholder)}\n        {flag.Help}", Help, StringComparison.Ordinal);
                var row = Row(document, string.Join(", ", title.Split(", ").Select(part => $"`{part}`")));
                Assert.Contains(flag.Default is null ? "| |" : $"| `{flag.Default}` |", row, StringComparison.Ordinal);
            });
            Assert.Equal(flags.Count, document.Split('\n').Count(line => line.StartsWith("| `-", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void EveryVariableIsInHelpAndInTheDocumentation()
    {
        Assert.All(SettingsReader.Variables, variable =>
        {
            Assert.Contains(string.Join(", else ", variable.Names), Help, StringComparison.Ordinal);
            var row = Row(Configuration, string.Join(", else ", variable.Names.Select(n => $"`{n}`")));
            if (variable.Default is not null)
                Assert.Contains($"| `{variable.Default}` |", row, StringComparison.Ordinal);
            else
                Assert.Contains("| |", row, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void EveryVariableInTheDocumentationExists() => Assert.Equal(
        SettingsReader.Variables.SelectMany(v => v.Names).Order(),
        VariableRow().Matches(Configuration)
            .SelectMany(m => VariableName().Matches(m.Value)).Select(m => m.Groups[1].Value).Order());

    [Fact]
    public void TheDocumentedEventsAreThoseOfTheCode()
    {
        var inCode = typeof(RunOptions).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(
                BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic |
                BindingFlags.DeclaredOnly))
            .Select(method => (Method: method, Message: method.GetCustomAttribute<LoggerMessageAttribute>()))
            .Where(m => m.Message is not null)
            .Select(m => (Id: m.Message!.EventId, Name: m.Message.EventName ?? m.Method.Name,
                Level: Level(m.Message.Level)))
            .ToList();
        var documented = EventRow().Matches(Read("logging.md"))
            .Select(m => (Id: int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture), Name: m.Groups[2].Value,
                Level: m.Groups[3].Value))
            .ToList();

        Assert.Empty(inCode.GroupBy(e => e.Id).Where(g => g.Count() > 1).SelectMany(g => g));
        Assert.Equal([], inCode.Except(documented));
        Assert.Equal([], documented.Except(inCode));
    }

    /// <summary>The table of faults names tests; none may be gone, and no fault that is tried may be missing there.</summary>
    [Fact]
    public void TheDocumentedFaultsAreThoseThatAreTested()
    {
        var documented = TestName().Matches(Read("reliability.md")).Select(m => (File: $"{m.Groups[1].Value}.cs", Test: m.Groups[2].Value)).ToList();
        string[] directories = [RepositoryRoot.File("tests/Envtest"), RepositoryRoot.File("tests/Unit/Controller"), RepositoryRoot.File("tests/Unit/Mirror")];
        var tests = directories
            .SelectMany(directory => Directory.EnumerateFiles(directory, "*Tests.cs", SearchOption.AllDirectories))
            .SelectMany(path => TestMethod().Matches(File.ReadAllText(path)).Select(m => (Path: path, File: Path.GetFileName(path), Test: m.Groups[1].Value)))
            .ToList();

        Assert.Equal([], documented.Except(tests.Select(test => (test.File, test.Test))));
        Assert.Equal([], tests
            .Where(test => Path.GetFileName(Path.GetDirectoryName(test.Path)) == "Faults")
            .Select(test => (test.File, test.Test)).Except(documented));
    }

    private static string Level(LogLevel level) => level switch
    {
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.None => "varies", // the caller says
        _ => level.ToString().ToLowerInvariant(),
    };

    private static string Row(string document, string firstCell) =>
        Assert.Single(document.Split('\n'), line => line.StartsWith($"| {firstCell} |", StringComparison.Ordinal));

    private static string Plain(string markdown) => markdown.Replace("`", "", StringComparison.Ordinal);

    private static string WriteHelp()
    {
        using var output = new StringWriter { NewLine = "\n" };
        Assert.Equal(0, McpOperator.Commands.HelpCommand.Execute([], output, TextWriter.Null));
        return output.ToString();
    }

    private static string Read(string name) => File.ReadAllText(RepositoryRoot.File(Path.Combine("docs", name)));

    [GeneratedRegex(@"^\| `--([a-z-]+)` \|", RegexOptions.Multiline)]
    private static partial Regex FlagRow();

    [GeneratedRegex(@"^\| `[A-Z_]+`[^|]*\|", RegexOptions.Multiline)]
    private static partial Regex VariableRow();

    [GeneratedRegex("`([A-Z_]+)`")]
    private static partial Regex VariableName();

    [GeneratedRegex(@"`(\w+Tests)\.(\w+)`")]
    private static partial Regex TestName();

    [GeneratedRegex(@"public (?:async Task|void) (\w+)\(")]
    private static partial Regex TestMethod();

    [GeneratedRegex(@"^\| (\d+) \| (\w+) \| (\w+) \|", RegexOptions.Multiline)]
    private static partial Regex EventRow();
}
