using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>The binary as a command: what it prints, and how it ends when it cannot begin.</summary>
[Trait("Suite", "smoke")]
public sealed class CommandTests(ControlPlaneFixture fixture)
{
    [Theory]
    [InlineData("--help")]
    [InlineData("help")]
    [InlineData("run", "--help")]
    public async Task HelpIsForStandardOutputAndNamesEveryFlagOnce(params string[] arguments)
    {
        var help = await Command.OperatorAsync(arguments);

        Assert.Equal((0, ""), (help.ExitCode, help.Errors));
        foreach (var flag in new[] { "metrics-bind-address", "health-probe-bind-address", "watch-namespaces", "kubeconfig", "workers", "persist-defaults", "log-level", "log-format" })
            Assert.Single(help.Output.Split('\n'), line => line.TrimStart().StartsWith($"--{flag}", StringComparison.Ordinal));
        Assert.Contains("REQUEUE_DELAY_SECONDS", help.Output);
    }

    [Fact]
    public async Task VersionIsOneLine()
    {
        var version = await Command.OperatorAsync("version");

        Assert.Equal((0, ""), (version.ExitCode, version.Errors));
        Assert.Matches(@"^mcp-operator \S+ \(commit \S+, \.NET 10\.\S+ \S+\)\n$", version.Output);
    }

    [Fact]
    public async Task TheCrdsThatItPrintsAreThoseOfTheRepositoryAndCanBeInstalled()
    {
        var crds = await Command.OperatorAsync("crds");

        Assert.Equal((0, ""), (crds.ExitCode, crds.Errors));
        var printed = Manifest.ParseAll(crds.Output);
        var files = Manifest.LoadDirectory(Repository.PathTo("config", "crd"));
        Assert.NotEmpty(files);
        Assert.Equal(files.Select(crd => crd.ToJsonString()), printed.Select(crd => crd.ToJsonString()));
        var directory = Directory.CreateTempSubdirectory("printed-crds-");
        await File.WriteAllTextAsync(Path.Combine(directory.FullName, "all.yaml"), crds.Output);
        await fixture.ControlPlane.InstallCrdsAsync(directory.FullName);
        directory.Delete(true);
    }

    [Theory]
    [InlineData("--wrokers=3")]
    [InlineData("--workers=many")]
    [InlineData("--workers=0")]
    [InlineData("--log-level=loud")]
    [InlineData("--metrics-bind-address=nowhere")]
    [InlineData("--watch-namespaces=Not_A_Name")]
    [InlineData("run", "stray")]
    [InlineData("rum")]
    [InlineData("version", "now")]
    [InlineData("crds", "all")]
    public async Task AWrongCommandLineIsOneLineOnStandardErrorAndExitCodeTwo(params string[] arguments)
    {
        var refused = await Command.OperatorAsync(arguments);

        Assert.Equal((2, ""), (refused.ExitCode, refused.Output));
        Assert.StartsWith("mcp-operator: ", Assert.Single(refused.ErrorLines));
    }

    [Fact]
    public async Task WithoutAClusterItSaysWhereItLookedAndEnds()
    {
        var lost = await Command.OperatorAsync("--metrics-bind-address=0", "--health-probe-bind-address=127.0.0.1:0");

        Assert.Equal(1, lost.ExitCode);
        var reason = Assert.Single(lost.ErrorLines.Select(line => JsonNode.Parse(line)!), entry => (string?)entry["level"] != "info");
        Assert.Equal("NotConnected", (string?)reason["event"]);
        foreach (var place in new[] { "--kubeconfig", "KUBERNETES_SERVICE_HOST", "$KUBECONFIG", "/nonexistent/.kube/config" })
            Assert.Contains(place, (string)reason["msg"]!);
        Assert.Equal("NotConnected", (string?)JsonNode.Parse(lost.ErrorLines[^1])!["event"]);
    }

    [Theory]
    [InlineData("--health-probe-bind-address")]
    [InlineData("--metrics-bind-address")]
    public async Task AnAddressThatIsTakenIsTheLastLineOfTheLogAndExitCodeOne(string flag)
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await using var process = await OperatorProcess.StartAsync(fixture.ControlPlane, ns, new() { Arguments = [flag, taken.LocalEndpoint.ToString()!] });

        Assert.Equal(1, await process.Exited.WaitAsync(Eventually.Limit));
        var last = process.Log.Last();
        Assert.Equal(("critical", "BindFailed"), ((string?)last["level"], (string?)last["event"]));
        Assert.Contains(flag, (string)last["msg"]!);
        Assert.Contains(taken.LocalEndpoint.ToString()!, (string)last["msg"]!);
    }
}
