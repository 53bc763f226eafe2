using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Servers;
using McpOperator.Servers.Kinds;

namespace McpOperator.Unit.Servers;

public sealed class RouteTakenTests
{
    /// <summary>Each write of a pass may take its time, and whoever serves a route keeps it.</summary>
    [Fact]
    public async Task ARouteThatAnotherClaimsInTheMiddleOfAPassIsNotServed()
    {
        RouteConflict? conflict = null;
        var kinds = Passes.Kinds();
        var pass = new Pass(
            SampleServers.Effective(), policy: null, () => conflict, SampleServers.Settings, new ServerMemory(Passes.Kinds()));
        DesiredState? ingress = null;

        await pass.RunAsync(kinds, (kind, wanted) =>
        {
            if (kind is StableKind)
                conflict = new RouteConflict(new("other", "rival"), new Route("", "/demo/mcp"), IsMetadata: false, RouteOverlap.Same);
            if (kind is IngressKind)
                ingress = wanted;
            return Task.FromResult<ApplyResult>(default);
        });

        Assert.IsType<DesiredState.Withhold>(ingress);
    }
}
