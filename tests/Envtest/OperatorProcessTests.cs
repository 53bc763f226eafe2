namespace McpOperator.Envtest;

/// <summary>The helper that runs the binary, tried with a shell script in the operator's place.</summary>
public sealed class OperatorProcessTests(ControlPlaneFixture fixture)
{
    [Fact]
    public async Task ItsLogIsReadAndSigtermGivesItsExitCode()
    {
        await using var stand = await StandIn.CreateAsync("""
            trap 'echo "{\"msg\":\"stopping\"}"; exit 3' TERM
            echo "{\"msg\":\"started\",\"args\":\"$*\",\"extra\":\"$MCP_EXTRA\"}"
            while true; do sleep 0.05; done
            """);
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await using var process = await OperatorProcess.StartAsync(fixture.ControlPlane, ns, new()
        {
            Binary = stand.Path,
            Arguments = ["--workers", "1"],
            Environment = new Dictionary<string, string?> { ["MCP_EXTRA"] = "set" },
        });

        var started = await process.WaitForLogAsync("it said that it started", entry => (string?)entry["msg"] == "started");
        Assert.Contains($"--watch-namespaces {ns.Name}", (string)started["args"]!);
        Assert.EndsWith("--workers 1", (string)started["args"]!);
        Assert.Equal("set", (string?)started["extra"]);
        if (OperatingSystem.IsLinux())
            Assert.InRange(process.ResidentBytes()!.Value, 100_000, 100_000_000);

        Assert.Equal(3, await process.StopAsync());
        Assert.Contains(process.Log, entry => (string?)entry["msg"] == "stopping");
    }

    [Fact]
    public async Task WaitingForALineOfAProcessThatExitedFailsAtOnceWithWhatItWrote()
    {
        await using var stand = await StandIn.CreateAsync("echo 'flag --nonsense is unknown' >&2; exit 2");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await using var process = await OperatorProcess.StartAsync(fixture.ControlPlane, ns, new() { Binary = stand.Path });

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => process.WaitForLogAsync("never"));

        Assert.Contains("exited with 2", failure.Message);
        Assert.Contains("flag --nonsense is unknown", failure.Message);
    }

    [Fact]
    public async Task AKilledProcessIsGone()
    {
        await using var stand = await StandIn.CreateAsync("trap '' TERM; echo up; while true; do sleep 0.05; done");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await using var process = await OperatorProcess.StartAsync(fixture.ControlPlane, ns, new() { Binary = stand.Path });
        await process.WaitForLogAsync("up");

        await process.KillAsync();

        Assert.Equal(128 + TetheredProcess.SigKill, await process.Exited);
    }

    private sealed class StandIn(DirectoryInfo directory) : IAsyncDisposable
    {
        public string Path => System.IO.Path.Combine(directory.FullName, "operator");

        public static async Task<StandIn> CreateAsync(string script)
        {
            var stand = new StandIn(Directory.CreateTempSubdirectory("stand-in-"));
            await File.WriteAllTextAsync(stand.Path, "#!/bin/sh\n" + script + "\n");
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(stand.Path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            return stand;
        }

        public ValueTask DisposeAsync()
        {
            directory.Delete(true);
            return ValueTask.CompletedTask;
        }
    }
}
