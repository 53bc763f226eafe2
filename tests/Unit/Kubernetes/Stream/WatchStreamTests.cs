using System.Text;
using System.Text.Json;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Kubernetes;

public sealed class WatchStreamTests
{
    private static string Event(string type, string name, string version) =>
        $$$"""{"type":"{{{type}}}","object":{"metadata":{"name":"{{{name}}}","resourceVersion":"{{{version}}}" } } }""" + "\n";

    [Fact]
    public async Task EventsAreTheSameWhereverTheStreamIsCut()
    {
        var bytes = Encoding.UTF8.GetBytes(
            Event("ADDED", "zwölf\\u00e4\\n", "1") + "\n" + Event("MODIFIED", "日本", "2") + Event("DELETED", "😀", "3"));
        for (var cut = 1; cut < bytes.Length; cut++)
        {
            var events = await ReadAsync(new ChunkedStream(bytes, cut, bytes.Length));

            Assert.Equal(
                [
                    new(WatchEventType.Added, new Named("zwölfä\n"), "1", null),
                    new(WatchEventType.Modified, new Named("日本"), "2", null),
                    new(WatchEventType.Deleted, new Named("😀"), "3", null),
                ],
                events);
        }
    }

    [Fact]
    public async Task EventsAreTheSameByteForByte()
    {
        var bytes = Encoding.UTF8.GetBytes(Event("ADDED", "ä", "1") + Event("DELETED", "b", "2"));

        var events = await ReadAsync(new ChunkedStream(bytes, 1));

        Assert.Equal(["ä", "b"], events.Select(e => e.Object?.Key.Name));
    }

    [Fact]
    public async Task ALineMayBeMegabytesLong()
    {
        var name = new string('x', 3_000_000);
        var bytes = Encoding.UTF8.GetBytes(Event("ADDED", "a", "1") + Event("ADDED", name, "2") + Event("ADDED", "b", "3"));

        var events = await ReadAsync(new ChunkedStream(bytes, 1000, 7000));

        Assert.Equal(["a", name, "b"], events.Select(e => e.Object?.Key.Name));
    }

    [Fact]
    public async Task ABookmarkCarriesAResourceVersionAndNothingElse()
    {
        const string bookmark = """{"type":"BOOKMARK","object":{"kind":"Deployment","metadata":{"resourceVersion":"42"},"spec":null}}""";

        Assert.Equal(
            [new WatchEvent(WatchEventType.Bookmark, null, "42", null)],
            await ReadAsync(new ChunkedStream(Encoding.UTF8.GetBytes(bookmark + "\n"), 1000)));
    }

    [Fact]
    public async Task AnErrorCarriesItsStatus()
    {
        const string gone = """{"type":"ERROR","object":{"kind":"Status","status":"Failure","message":"too old resource version: 1 (9)","reason":"Expired","code":410}}""";

        var watchEvent = Assert.Single(await ReadAsync(new ChunkedStream(Encoding.UTF8.GetBytes(gone + "\n"), 1000)));

        Assert.Equal(WatchEventType.Error, watchEvent.Type);
        Assert.Equal(new Status { Code = 410, Reason = "Expired", Message = "too old resource version: 1 (9)" }, watchEvent.Error);
    }

    [Fact]
    public async Task AnErrorWithoutAStatusIsAnErrorStill()
    {
        var watchEvent = Assert.Single(
            await ReadAsync(new ChunkedStream(Encoding.UTF8.GetBytes("{\"type\":\"ERROR\",\"object\":{\"code\":\"x\"}}\n"), 1000)));

        Assert.NotNull(watchEvent.Error?.Message);
    }

    [Fact]
    public async Task TypesThatAreNotKnownAreSkipped()
    {
        var bytes = Encoding.UTF8.GetBytes(Event("WHATEVER", "a", "1") + Event("ADDED", "b", "2"));

        Assert.Equal(["b"], (await ReadAsync(new ChunkedStream(bytes, 1000))).Select(e => e.Object?.Key.Name));
    }

    [Fact]
    public async Task AHalfLineAtTheEndIsAnErrorAndNoEvent()
    {
        var bytes = Encoding.UTF8.GetBytes(Event("ADDED", "a", "1") + Event("ADDED", "b", "2"));
        var seen = new List<string?>();

        var fault = await Assert.ThrowsAsync<HttpRequestException>(
            () => ReadAsync(new ChunkedStream(bytes[..^1], 1000), seen));

        Assert.Equal(HttpRequestError.ResponseEnded, fault.HttpRequestError);
        Assert.Equal(["a"], seen);
    }

    [Theory]
    [InlineData("<html>502</html>\n")]
    [InlineData("{\"type\":\"ADDED\"}\n")]
    [InlineData("[]\n")]
    [InlineData("{\"type\":\"DELETED\",\"object\":{}}\n")]
    [InlineData("{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"\"}}}\n")]
    public async Task WhatIsNoEventIsAFault(string line) => await Assert.ThrowsAsync<HttpRequestException>(
        () => ReadAsync(new ChunkedStream(Encoding.UTF8.GetBytes(line), 1000)));

    [Fact]
    public async Task AnObjectMayNestDeeply()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 300)) + "1" + new string('}', 300);
        var line = "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\"},\"spec\":" + deep + "}}" + "\n";

        Assert.Single(await ReadAsync(new ChunkedStream(Encoding.UTF8.GetBytes(line), 1000)));
    }

    private static Named Decode(JsonElement json) => new(json.GetProperty("metadata").GetProperty("name").GetString()!);

    private static async Task<List<WatchEvent>> ReadAsync(Stream stream, List<string?>? seen = null)
    {
        var events = new List<WatchEvent>();
        await foreach (var watchEvent in WatchStream.ReadAsync(stream, Decode, CancellationToken.None))
        {
            events.Add(watchEvent);
            seen?.Add(watchEvent.Object?.Key.Name);
        }
        return events;
    }

    private sealed record Named(string Name) : IKubernetesObject
    {
        public ObjectKey Key => new("", Name);

        public string ResourceVersion => "";
    }
}
