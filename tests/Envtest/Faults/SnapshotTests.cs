using System.Globalization;

namespace McpOperator.Envtest.Faults;

/// <summary>etcd is put back to what it held before: versions that were seen are of a future that never comes.</summary>
public sealed class SnapshotTests(OwnControlPlane own) : IClassFixture<OwnControlPlane>
{
    private readonly ControlPlane _controlPlane = own.Require();

    [Theory]
    [InlineData("--leader-elect=false")]
    [InlineData("--leader-elect")]
    public async Task WhatTheSnapshotHoldsIsSeenAgain(string election)
    {
        var ns = await Pair.NamespaceAsync(_controlPlane);
        // No standby is there to take over, and the API server is away for as long as it takes.
        await using var scenario = await ServerScenario.StartAsync(_controlPlane, ns, Pair.Options(
            ns, [election, "--leader-elect-lease-duration", "10m", "--leader-elect-renew-deadline", "5m", "--leader-elect-retry-period", "1s"]));
        ns.ExpectsDenials = true;
        await scenario.CreateServerAsync("image: example.org/web:1");
        await scenario.SettledAsync();
        var snapshot = await SaveAsync();

        // Written after it, and never seen again.
        await scenario.CreateServerAsync("image: example.org/late:1", "late");
        await scenario.EditServerAsync("image: example.org/web:2");
        await Eventually.TrueAsync("the edit arrived", () => scenario.ContainerAsync(), container => (string)container["image"]! == "example.org/web:2");
        // Where versions are by now depends on who was faster: the operator's leader writes, too.
        await RestoreAsync(snapshot);

        await scenario.EditServerAsync("image: example.org/web:3");
        await Eventually.TrueAsync(
            "the next edit arrived", () => scenario.ContainerAsync(), container => (string)container["image"]! == "example.org/web:3");
        Assert.Contains(scenario.Operator!.Log, entry => (string?)entry["event"] == "HistoryRewound");
        Assert.False(scenario.Operator.Exited.IsCompleted);
    }

    /// <summary>What is written after the snapshot brings the versions to where they were before the operator looks.</summary>
    [Fact]
    public async Task WhatTheSnapshotHoldsIsSeenAgainAlsoWhenVersionsHaveCaughtUp()
    {
        var ns = await Pair.NamespaceAsync(_controlPlane);
        await using var scenario = await ServerScenario.StartAsync(_controlPlane, ns, Pair.Options(ns, ["--leader-elect=false"]));
        ns.ExpectsDenials = true;
        await scenario.CreateServerAsync("image: example.org/web:1");
        await scenario.SettledAsync();
        var snapshot = await SaveAsync();
        await scenario.EditServerAsync("image: example.org/web:2");
        await Eventually.TrueAsync("the edit arrived", () => scenario.ContainerAsync(), container => (string)container["image"]! == "example.org/web:2");
        var reached = await VersionAsync();

        scenario.Operator!.Signal(TetheredProcess.SigStop);
        await RestoreAsync(snapshot);
        await scenario.EditServerAsync("image: example.org/web:3");
        for (var i = 0; await VersionAsync() <= reached; i++)
            await _controlPlane.Client.CreateAsync($"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: later-{i}}}}}", ns.Name);
        scenario.Operator.Signal(TetheredProcess.SigCont);

        await Eventually.TrueAsync(
            "the edit of this history arrived", () => scenario.ContainerAsync(), container => (string)container["image"]! == "example.org/web:3");
        Assert.Contains(scenario.Operator.Log, entry => (string?)entry["event"] == "HistoryRewound");
    }

    private async Task<string> SaveAsync()
    {
        await _controlPlane.StopApiServerAsync();
        await _controlPlane.StopEtcdAsync();
        var copy = Path.Combine(_controlPlane.Directory, "snapshot");
        Copy(Path.Combine(_controlPlane.Directory, "etcd"), copy);
        await BeginAsync();
        return copy;
    }

    private async Task RestoreAsync(string copy)
    {
        await _controlPlane.StopApiServerAsync();
        await _controlPlane.StopEtcdAsync();
        var data = Path.Combine(_controlPlane.Directory, "etcd");
        Directory.Delete(data, recursive: true);
        Directory.Move(copy, data);
        await BeginAsync();
    }

    private async Task BeginAsync()
    {
        await _controlPlane.StartEtcdAsync();
        await _controlPlane.StartApiServerAsync();
    }

    private async Task<long> VersionAsync() => long.Parse(
        (string)(await _controlPlane.Client.SendAsync(HttpMethod.Get, "api/v1/configmaps?limit=1"))["metadata"]!["resourceVersion"]!,
        CultureInfo.InvariantCulture);

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        foreach (var directory in Directory.EnumerateDirectories(from))
            Copy(directory, Path.Combine(to, Path.GetFileName(directory)));
    }
}
