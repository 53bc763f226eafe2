using System.Text.Json;
using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Commands;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using McpOperator.Mirror;
using McpOperator.Unit.Mirror;
using Microsoft.Extensions.Logging.Abstractions;

namespace McpOperator.Unit.Access;

public sealed class AccessControllerTests
{
    /// <summary>Else whoever has a webhook of his own that takes its time would keep what others revoke from being written.</summary>
    [Fact]
    public async Task ANamespaceWhoseWritesHangLeavesWorkersToTheOthers()
    {
        using var hanging = new Hanging();
        using var api = new ApiClient(Product.Identity, hanging, new Uri("https://api.example.org"), TimeProvider.System);
        var (queue, counters, settings) = (new Looks(), new WriteCounters(), new OperatorSettings());
        var stores = new Stores(queue, queue, settings);
        var mirror = new AccessStores(queue, stores.ImmutablePolicies);
        AccessReporter Reporter(ResourceType type, AccessByServer members) =>
            new(type, members, queue, stores.Ending, api, counters, TimeProvider.System, NullLogger.Instance);
        var controller = new AccessController(
            stores, mirror, queue, Reporter(MCPAccessGrant.Type, mirror.Grants), Reporter(MCPAgentSession.Type, mirror.Sessions), refresh: null,
            api, settings, counters, static _ => [], TimeProvider.System, NullLogger.Instance);
        ObjectKey[] ofOne = [.. Enumerable.Range(0, 6).Select(i => new ObjectKey("one", $"web-{i}"))];
        stores.Servers.Replace(null, [.. ofOne.Append(new ObjectKey("other", "web")).Select(Server)], "100");
        mirror.ConfigMaps.Replace(null, [], "100");
        using var end = new CancellationTokenSource();

        var passes = ofOne.Select(key => controller.ReconcileAsync(key, end.Token)).ToList();
        Assert.Equal(4, passes.Count(pass => !pass.IsCompleted));
        Assert.All(passes.Where(pass => pass.IsCompleted), pass => Assert.Equal(OutcomeKind.RequeueAfter, pass.Result.Kind));

        var other = controller.ReconcileAsync(new ObjectKey("other", "web"), end.Token);
        Assert.False(other.IsCompleted);
        Assert.Contains(hanging.Paths, path => path.Contains("/other/", StringComparison.Ordinal));

        // When they end, the namespace has its share again.
        await end.CancelAsync();
        foreach (var pass in passes.Append(other).Where(pass => !pass.IsCompletedSuccessfully))
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pass);
        using var again = new CancellationTokenSource();
        Assert.False(controller.ReconcileAsync(ofOne[^1], again.Token).IsCompleted);
        await again.CancelAsync();
    }

    private static StoredServer Server(ObjectKey key) => StoredServer.Decode(JsonElement.Parse(
        $$"""
        {"metadata":{"namespace":"{{key.Namespace}}","name":"{{key.Name}}","uid":"u-{{key.Name}}","resourceVersion":"7","generation":1 },
         "spec":{"image":"i","gateway":{"enabled":true,"image":"g"} } }
        """), Product.Identity.OwnedFields);

    private sealed class Hanging : HttpMessageHandler
    {
        public List<string> Paths { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            lock (Paths)
                Paths.Add(request.RequestUri!.AbsolutePath);
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return new();
        }
    }
}
