namespace McpOperator.E2e;

/// <summary>The operator as an administrator installs it.</summary>
public sealed class InstallTests(Cluster cluster)
{
    [Fact]
    public async Task BothReplicasBecomeReadyFromTheImageAndStayWithoutARestart()
    {
        var deployment = await cluster.OperatorAvailableAsync();
        Assert.Equal(Cluster.OperatorImage, (string?)deployment["spec"]!["template"]!["spec"]!["containers"]![0]!["image"]);
        foreach (var pod in await cluster.OperatorPodsAsync())
            Assert.Equal(0, (int)pod["status"]!["containerStatuses"]!.AsArray().Single()!["restartCount"]!);
    }
}
