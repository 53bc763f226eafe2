using System.Net;
using System.Text;
using System.Text.Json;
using McpOperator.Commands;
using McpOperator.Kubernetes;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Kubernetes;

public sealed class ListWatchTests
{
    private const string Path = "https://api.test/apis/apps/v1/deployments";
    private const string Selector = "&labelSelector=app.kubernetes.io%2Fmanaged-by%3Dmcp-runtime";

    private static readonly ResourceType Deployments = new("apps", "v1", "deployments", "Deployment");

    private sealed record Thing(ObjectKey Key, string ResourceVersion) : IKubernetesObject
    {
        public static Thing From(JsonElement json) =>
            new(new("a", json.GetProperty("metadata").GetProperty("name").GetString()!), "1");
    }

    [Theory]
    [InlineData("0")]
    [InlineData("17")]
    public async Task AListFromTheCacheHasNoLimit(string version)
    {
        var server = new ScenarioHandler(_ => Page("9", null, "a"));

        Assert.Equal("9", (await ListWatch(server).ListAsync(version, default)).ResourceVersion);

        Assert.Equal($"GET {Path}?resourceVersion={version}{Selector}", server.Sent[0].Line);
    }

    /// <summary>What would be more than that is refused, and not sent.</summary>
    [Fact]
    public async Task OfAnObjectWhoseVersionAloneIsWantedNoContentIsAskedFor()
    {
        var server = new ScenarioHandler(
            _ => ScenarioHandler.Json("""{"kind":"PartialObjectMetadataList","metadata":{"resourceVersion":"9"},"items":[{"metadata":{"namespace":"a","name":"one","resourceVersion":"7"}}]}"""),
            _ => ScenarioHandler.Json(""));
        var versions = new ListWatch(
            new(Product.Identity, server, new("https://api.test"), new FakeTimeProvider()), Deployments, null, null, ObjectVersion.Decode, metadataOnly: true);

        Assert.Equal([new ObjectVersion(new("a", "one"), "7")], (await versions.ListAsync("0", default)).Items);
        await foreach (var line in versions.WatchAsync("9", TimeSpan.FromMinutes(5), default))
            Assert.Fail($"{line}");

        Assert.Equal(
            ["application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"],
            server.Sent.Select(sent => sent.Accept));
    }

    [Fact]
    public async Task AListFromEtcdComesInPages()
    {
        var server = new ScenarioHandler(_ => Page("9", "t/1", "a", "b"), _ => Page("9", null, "c"));

        var list = await ListWatch(server).ListAsync("", default);

        Assert.Equal(("9", "a b c"), (list.ResourceVersion, Names(list)));
        Assert.Equal(
            [$"GET {Path}?limit=2000{Selector}", $"GET {Path}?limit=2000&continue=t%2F1{Selector}"],
            server.Sent.Select(sent => sent.Line));
    }

    [Fact]
    public async Task APageThatHasExpiredMakesTheListStartAgainWithoutPages()
    {
        var server = new ScenarioHandler(
            _ => Page("9", "t", "a", "b"), _ => ScenarioHandler.Status(410, "Expired", "too old"), _ => Page("12", null, "a", "c"));

        var list = await ListWatch(server).ListAsync("", default);

        Assert.Equal(("12", "a c"), (list.ResourceVersion, Names(list)));
        Assert.Equal($"GET {Path}?resourceVersion={Selector}", server.Sent[2].Line);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("17")]
    [InlineData("")]
    public async Task NothingOfAnAttemptThatBrokeOffIsInTheList(string version)
    {
        var server = new ScenarioHandler(_ => Broken("9", null, "deleted", "a", "b"), _ => Broken("10", null, "a"), _ => Page("11", null, "a", "b"));

        var list = await ListWatch(server).ListAsync(version, default);

        Assert.Equal(("11", "a b"), (list.ResourceVersion, Names(list)));
        Assert.Equal(3, server.Sent.Count);
    }

    [Fact]
    public async Task APageThatBrokeOffIsAskedForAgainAndTheOnesBeforeItStay()
    {
        var server = new ScenarioHandler(
            _ => Page("9", "t", "a", "b"), _ => Broken("9", "u", "c", "d"), _ => Page("9", "u", "c", "d"), _ => Page("9", null, "e"));

        var list = await ListWatch(server).ListAsync("", default);

        Assert.Equal("a b c d e", Names(list));
        Assert.Equal(server.Sent[1].Line, server.Sent[2].Line);
    }

    [Fact]
    public async Task TheWholeListAfterAnExpiredPageMayBreakOffToo()
    {
        var server = new ScenarioHandler(
            _ => Page("9", "t", "deleted", "a"),
            _ => Broken("9", null, "b"),
            _ => ScenarioHandler.Status(410, "Expired", "too old"),
            _ => Broken("12", null, "deleted later", "a"),
            _ => Page("13", null, "a", "c"));

        var list = await ListWatch(server).ListAsync("", default);

        Assert.Equal(("13", "a c"), (list.ResourceVersion, Names(list)));
    }

    [Theory]
    [InlineData("17")]
    [InlineData("")]
    public async Task AListThatHasExpiredAtItsStartIsTheCallersAffair(string version)
    {
        var server = new ScenarioHandler(_ => ScenarioHandler.Status(410, "Expired", "too old"));

        var refusal = await Assert.ThrowsAsync<ApiException>(() => ListWatch(server).ListAsync(version, default));

        Assert.True(refusal.IsExpired);
    }

    [Fact]
    public async Task OneNamespaceIsAskedForInThePath()
    {
        var server = new ScenarioHandler(_ => Page("9", null));
        var client = new ApiClient(Product.Identity, server, new Uri("https://api.test"), new FakeTimeProvider());
        var listWatch = new ListWatch(client, Deployments, "team-a", null, Thing.From);

        await listWatch.ListAsync("0", default);

        Assert.Equal("deployments.apps in team-a", listWatch.Name);
        Assert.Equal("GET https://api.test/apis/apps/v1/namespaces/team-a/deployments?resourceVersion=0", server.Sent[0].Line);
    }

    [Fact]
    public async Task AWatchBeginsWhereItIsToldAndEndsWithItsStream()
    {
        var server = new ScenarioHandler(_ => ScenarioHandler.Json(
            """{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"10"} } }""" + "\n"));

        var events = new List<WatchEvent>();
        await foreach (var e in ListWatch(server).WatchAsync("9", TimeSpan.FromSeconds(301.5), default))
            events.Add(e);

        Assert.Equal([new(WatchEventType.Added, new Thing(new("a", "a"), "1"), "10", null)], events.Select(e => e with { Print = 0 }));
        Assert.Equal(
            $"GET {Path}?watch=1&resourceVersion=9&allowWatchBookmarks=true&timeoutSeconds=301{Selector}", server.Sent[0].Line);
    }

    [Fact]
    public async Task ASilentWatchIsNotBoundByTheDeadlineButEndsWhenCancelled()
    {
        var time = new FakeTimeProvider();
        var line = Encoding.UTF8.GetBytes("""{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"10"} } }""" + "\n");
        var server = new ScenarioHandler(_ => new(HttpStatusCode.OK) { Content = new StreamContent(new StalledStream(line)) });
        using var cancel = new CancellationTokenSource();
        await using var events = ListWatch(server, time).WatchAsync("9", TimeSpan.FromMinutes(5), cancel.Token).GetAsyncEnumerator(default);

        Assert.True(await events.MoveNextAsync());
        var next = events.MoveNextAsync().AsTask();
        time.Advance(TimeSpan.FromHours(1));
        Assert.False(next.IsCompleted);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
    }

    [Fact]
    public async Task AWatchThatTheServerRefusesIsAnApiException()
    {
        var server = new ScenarioHandler(_ => ScenarioHandler.Status(410, "Gone", "too old"));
        await using var events = ListWatch(server).WatchAsync("9", TimeSpan.FromMinutes(5), default).GetAsyncEnumerator(default);

        var refusal = await Assert.ThrowsAsync<ApiException>(async () => await events.MoveNextAsync());

        Assert.True(refusal.IsExpired);
    }

    [Fact]
    public async Task AConnectionThatBreaksIsAnHttpRequestException()
    {
        var server = new ScenarioHandler(_ => new(HttpStatusCode.OK) { Content = new StreamContent(new BrokenStream([])) });
        await using var events = ListWatch(server).WatchAsync("9", TimeSpan.FromMinutes(5), default).GetAsyncEnumerator(default);

        await Assert.ThrowsAsync<HttpRequestException>(async () => await events.MoveNextAsync());
    }

    private static ListWatch ListWatch(HttpMessageHandler server, TimeProvider? time = null) => new(
        new ApiClient(Product.Identity, server, new Uri("https://api.test"), time ?? new FakeTimeProvider()),
        Deployments,
        null,
        "app.kubernetes.io/managed-by=mcp-runtime",
        Thing.From);

    private static string Names(ListResult list) => string.Join(' ', list.Items.Select(thing => thing.Key.Name));

    private static HttpResponseMessage Page(string version, string? token, params string[] names) =>
        ScenarioHandler.Json(PageText(version, token, names));

    /// <summary>All the items arrive, enough for them to be read, and then the connection breaks.</summary>
    private static HttpResponseMessage Broken(string version, string? token, params string[] names) => new(HttpStatusCode.OK)
    {
        Content = new StreamContent(new BrokenStream(Encoding.UTF8.GetBytes(PageText(version, token, names)[..^1].PadRight(200_000)))),
    };

    private static string PageText(string version, string? token, string[] names)
    {
        var items = string.Join(",", names.Select(name => $$$"""{"metadata":{"name":"{{{name}}}"}}"""));
        return $$$"""{"kind":"DeploymentList","metadata":{"resourceVersion":"{{{version}}}","continue":"{{{token}}}"},"items":[{{{items}}}]}""";
    }

    private sealed class BrokenStream(byte[] first) : MemoryStream(first)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            await base.ReadAsync(buffer, cancellationToken) is > 0 and var read ? read : throw new IOException("connection reset by peer");
    }
}
