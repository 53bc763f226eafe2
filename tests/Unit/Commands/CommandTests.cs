using McpOperator.Commands;

namespace McpOperator.Unit.Commands;

public sealed class CommandTests
{
    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await Program.RunAsync(arguments, output, error);
        return (code, output.ToString(), error.ToString());
    }

    [Theory]
    [InlineData("unknown command \"rnu\"; did you mean \"run\"?", "rnu")]
    [InlineData("unknown command \"frobnicate\"; there are run, render, validate, diff, crds, version, help", "frobnicate")]
    [InlineData("unknown command \"\"", "")]
    [InlineData("unknown flag --worker; did you mean --workers?", "--worker=1")]
    [InlineData("unknown flag --worker; did you mean --workers?", "run", "--worker=1")]
    [InlineData("--workers=0: must be a whole number, 1 or more", "run", "--workers=0")]
    [InlineData("--leader-elect-lease-duration (5s) must be longer", "--leader-elect", "--leader-elect-lease-duration=5s")]
    [InlineData("crds takes no arguments", "crds", "x")]
    [InlineData("version takes no arguments", "version", "x")]
    [InlineData("help takes no arguments", "help", "x")]
    public async Task AWrongCommandLineIsOneLineOnStderrAndExitCode2(string expected, params string[] arguments)
    {
        var (code, output, error) = await RunAsync(arguments);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.StartsWith("mcp-operator: ", error, StringComparison.Ordinal);
        Assert.Equal(1, error.Count(c => c == '\n'));
    }

    [Theory]
    [InlineData("version")]
    [InlineData("crds")]
    [InlineData("help")]
    public async Task WhateverGoesWrongIsOneLineOnStderrAndExitCode2(string command)
    {
        using var full = new StreamWriter(new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0)) { AutoFlush = true };
        using var error = new StringWriter { NewLine = "\n" };
        Assert.Equal(2, await Program.RunAsync([command], full, error));
        Assert.StartsWith($"mcp-operator: {command}: IOException: No space left on device", error.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, error.ToString().Count(c => c == '\n'));
    }

    [Theory]
    [InlineData("help")]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("run", "--help")]
    [InlineData("crds", "--help")]
    [InlineData("version", "-h")]
    public async Task HelpGoesToStdout(params string[] arguments)
    {
        var (code, output, error) = await RunAsync(arguments);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("Usage: mcp-operator", output, StringComparison.Ordinal);
        Assert.Contains("--workers=N", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VersionIsAFlagToo() => Assert.Equal(await RunAsync("version"), await RunAsync("--version"));

    [Fact]
    public async Task VersionTellsThatThisIsNoRelease()
    {
        var (code, output, _) = await RunAsync("version");
        Assert.Equal(0, code);
        Assert.Matches(@"^mcp-operator \d+\.\d+\.\d+-dev \(commit unknown, \.NET 10\.\S+ \S+\)\r?\n$", output);
    }

    [Fact]
    public async Task CrdsPrintsEveryEmbeddedCrd()
    {
        var (code, output, _) = await RunAsync("crds");
        Assert.Equal(0, code);
        var embedded = typeof(Program).Assembly.GetManifestResourceNames().Count(n => n.StartsWith("crd/", StringComparison.Ordinal));
        Assert.Equal(embedded, output.Split('\n').Count(line => line == "---"));
    }

    [Fact]
    public void CrdsAreSeparatedOnceEach()
    {
        using var output = new StringWriter();
        CrdsCommand.Write(["a: 1\n", "---\nb: 2\n\n", "\uFEFF\nc: 3"], output);
        Assert.Equal("---\na: 1\n---\nb: 2\n---\nc: 3\n", output.ToString());
    }
}
