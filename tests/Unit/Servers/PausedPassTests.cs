using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Commands;
using McpOperator.Kubernetes;
using McpOperator.Mirror;
using McpOperator.Servers;
using McpOperator.Unit.Mirror;

namespace McpOperator.Unit.Servers;

/// <summary>The pass of a paused server: everything stays, and what would change is known from fingerprints.</summary>
public sealed class PausedPassTests
{
    private static readonly OwnedFields Ours = Product.Identity.OwnedFields;

    [Theory]
    [InlineData("true", "Paused")]
    [InlineData("false", "None")]
    [InlineData("True", "Unclear")]
    [InlineData("yes", "Unclear")]
    [InlineData("", "Unclear")]
    public void TheAnnotationIsTrueOrFalse(string value, string expected)
    {
        var stored = Passes.Decode(json => StoredServer.Decode(json, Ours), $$"""{"metadata":{"name":"demo","namespace":"team","annotations":{"mcpruntime.org/paused":"{{value}}"} },"spec":{"image":"a"} }""");

        Assert.Equal((expected, expected), ($"{stored.Pause}", $"{stored.Read().Pause}"));
        Assert.Equal(expected == "Unclear", SpecDoubts.Of(stored.Read(), stored.Read().Spec).Any(doubt => doubt.Field == "metadata.annotations[mcpruntime.org/paused]"));
    }

    [Fact]
    public void WithoutTheAnnotationItIsNotPaused() =>
        Assert.Equal(PauseRequest.None, Passes.Decode(json => StoredServer.Decode(json, Ours), """{"metadata":{"name":"demo"} }""").Pause);

    [Fact]
    public void TheAnnotationIsMoreThanAChangeOfTheStatus()
    {
        StoredServer Of(string value) => Passes.Decode(
            json => StoredServer.Decode(json, Ours), $$"""{"metadata":{"name":"demo","namespace":"team","annotations":{"mcpruntime.org/paused":"{{value}}"} } }""");

        Assert.False(StoredServer.DifferOnlyInStatus(Of("true"), Of("false")));
        Assert.True(StoredServer.DifferOnlyInStatus(Of("true"), Of("true")));
    }

    [Fact]
    public async Task EverythingIsKeptAndWhatWouldChangeIsNamed()
    {
        var pass = await RunAsync(SampleServers.Effective());

        Assert.Equal([(Change.Created, "Deployment"), (Change.Created, "Service"), (Change.Created, "Ingress")], pass.Held);
        var report = PauseReport.Of(pass)!;
        Assert.True(report.IsDifferent);
        Assert.EndsWith("; would create Deployment, Service, Ingress", report.Condition.Message, StringComparison.Ordinal);
        Assert.False(pass.IsComplete);
    }

    [Theory]
    [InlineData(true, 0, 0)]
    [InlineData(false, 3, 1)]
    [InlineData(null, 3, 1)]
    public void ASuspendedServerHasNoReplicas(bool? suspend, int stable, int canary)
    {
        var spec = SampleServers.Effective(new MCPServerSpec
        {
            Image = "example.org/demo:1",
            Replicas = 4,
            Suspend = suspend,
            Rollout = new RolloutConfig { Strategy = RolloutConfig.Canary, CanaryReplicas = 1 },
        }).Spec;

        Assert.Equal((4, stable, canary), (spec.Replicas, spec.StableReplicas(), spec.CanaryReplicas()));
    }

    private static async Task<Pass> RunAsync(MCPServer server)
    {
        var stores = new Stores(Looks.None, Looks.None, SampleServers.Settings);
        var kinds = Passes.Kinds(stores);
        var pass = new Pass(server with { Pause = PauseRequest.Paused }, policy: null, static () => null, SampleServers.Settings, new ServerMemory(kinds)) { IsPaused = true, IsPlan = true };
        await pass.RunAsync(kinds, (_, desired) =>
        {
            Assert.IsType<DesiredState.Keep>(desired);
            return Task.FromResult<ApplyResult>(default);
        });
        return pass;
    }
}
