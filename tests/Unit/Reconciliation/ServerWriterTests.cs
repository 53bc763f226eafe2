using System.Net;
using McpOperator.Api;
using McpOperator.Kubernetes;
using McpOperator.Reconciliation;
using McpOperator.Unit.Kubernetes;
using McpOperator.Unit.Resources;
using Microsoft.Extensions.Logging.Abstractions;

namespace McpOperator.Unit.Reconciliation;

public sealed class ServerWriterTests
{
    private static readonly MCPServerSpec Added = new() { IngressPath = "/demo/mcp" };

    [Theory]
    // A right may be granted, trouble of a webhook's own passes.
    [InlineData(403, true)]
    [InlineData(500, true)]
    // A rule stays until the spec is another one.
    [InlineData(422, false)]
    [InlineData(400, false)]
    public async Task DefaultsThatWereRefusedAreSentAgainOnlyWhereThatCanHelp(int code, bool isOwed)
    {
        var server = Servers.Of();
        using var refusing = new ScenarioHandler(_ => Refusal(code), _ => Refusal(code));
        using var api = new ApiClient(refusing, new Uri("https://api.example.org"), TimeProvider.System);
        var stores = new Stores(Looks.None, Looks.None, Servers.Settings);
        var writer = new ServerWriter(api, stores, Servers.Settings, new OperatorCounters(), NullLogger.Instance);

        var first = await writer.PersistDefaultsAsync(server, Added, CancellationToken.None);
        var second = await writer.PersistDefaultsAsync(server, Added, CancellationToken.None);

        Assert.Equal([(server, isOwed), (server, isOwed)], [first, second]);
        Assert.Equal(isOwed ? 2 : 1, refusing.Sent.Count);
    }

    private static HttpResponseMessage Refusal(int code) => ScenarioHandler.Json(
        $$"""{"kind":"Status","apiVersion":"v1","message":"no","code":{{code}}}""", (HttpStatusCode)code);
}
