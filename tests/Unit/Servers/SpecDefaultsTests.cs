using System.Net;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Commands;
using McpOperator.Kubernetes;
using McpOperator.Mirror;
using McpOperator.Servers;
using McpOperator.Unit.Kubernetes;
using McpOperator.Unit.Mirror;
using Microsoft.Extensions.Logging.Abstractions;

namespace McpOperator.Unit.Servers;

public sealed class SpecDefaultsTests
{
    private static readonly MCPServerSpec Added = new() { IngressPath = "/demo/mcp" };

    [Theory]
    // A right may be granted, trouble of a webhook's own passes.
    [InlineData(403, true)]
    [InlineData(500, true)]
    // A rule stays until the spec is another one.
    [InlineData(422, false)]
    [InlineData(400, false)]
    public async Task DefaultsThatWereRefusedAreSentAgainOnlyWhereThatCanHelp(int code, bool isPending)
    {
        var server = SampleServers.Of();
        using var refusing = new ScenarioHandler(_ => Refusal(code), _ => Refusal(code));
        using var api = new ApiClient(Product.Identity, refusing, new Uri("https://api.example.org"), TimeProvider.System);
        var stores = new Stores(Looks.None, Looks.None, SampleServers.Settings);
        var defaults = new SpecDefaults(api, stores, SampleServers.Settings, new WriteCounters(), TimeProvider.System, NullLogger.Instance);

        var memory = new ApplyMemory();
        var first = await defaults.PersistAsync(server, Added, memory, CancellationToken.None);
        var second = await defaults.PersistAsync(server, Added, memory, CancellationToken.None);

        Assert.Equal([(server, isPending), (server, isPending)], [first, second]);
        Assert.Equal(isPending ? 2 : 1, refusing.Sent.Count);
    }

    private static HttpResponseMessage Refusal(int code) => ScenarioHandler.Json(
        $$"""{"kind":"Status","apiVersion":"v1","message":"no","code":{{code}}}""", (HttpStatusCode)code);
}
