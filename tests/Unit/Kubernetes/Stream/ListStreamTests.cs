using System.Text;
using System.Text.Json;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Kubernetes;

public sealed class ListStreamTests
{
    private const string Items = """[{"metadata":{"name":"ä","resourceVersion":"7"},"items":[1]},{"metadata":{"name":"b"}}]""";
    private const string Metadata = """{"resourceVersion":"42","continue":"","remainingItemCount":0}""";

    [Theory]
    [InlineData("""{"kind":"List","apiVersion":"v1","metadata":""" + Metadata + ""","items":""" + Items + "}")]
    [InlineData("""{"items":""" + Items + ""","metadata":""" + Metadata + ""","kind":"List"}""")]
    [InlineData(""" { "other" : {"items":[1,{"metadata":{}}]}, "items" : """ + Items + """ , "more":[[],"]"], "metadata" : """ + Metadata + " } ")]
    public async Task TheOrderOfMembersAndTheCutsOfTheStreamDoNotMatter(string list)
    {
        var bytes = Encoding.UTF8.GetBytes(list);
        for (var cut = 1; cut <= bytes.Length; cut++)
        {
            var (result, items) = await ReadAsync(new ChunkedStream(bytes, cut, bytes.Length));

            Assert.Equal("42", result.ResourceVersion);
            Assert.Null(result.Continue);
            Assert.Equal(["ä", "b"], items);
        }
    }

    [Theory]
    [InlineData("""{"metadata":{"resourceVersion":"1"},"items":[]}""")]
    [InlineData("""{"metadata":{"resourceVersion":"1"},"items":null}""")]
    [InlineData("""{"metadata":{"resourceVersion":"1"}}""")]
    public async Task AListMayBeEmpty(string list)
    {
        var (result, items) = await ReadAsync(new ChunkedStream(Encoding.UTF8.GetBytes(list), 1000));

        Assert.Equal("1", result.ResourceVersion);
        Assert.Empty(items);
    }

    [Fact]
    public async Task ItemsCrossTheBuffersEnd()
    {
        // Sizes around the buffer's 64 KiB, and one that it must grow for, between small ones.
        var names = new[] { 10, 65_500, 20, 70_000, 65_536, 1_500_000, 30, 131_072 }
            .Select((length, index) => new string((char)('a' + index), length)).ToArray();
        var list = "{\"items\":[" + string.Join(",", names.Select(name => $$$"""{"metadata":{"name":"{{{name}}}"}}"""))
            + "],\"metadata\":{\"resourceVersion\":\"9\"}}";

        var (result, items) = await ReadAsync(new ChunkedStream(Encoding.UTF8.GetBytes(list), 4093));

        Assert.Equal("9", result.ResourceVersion);
        Assert.Equal(names, items);
    }

    [Fact]
    public async Task ItemsAreHandedOverBeforeTheListHasEnded()
    {
        var filler = new string('x', 200_000);
        var list = $$$"""{"items":[{"metadata":{"name":"first"}},{"metadata":{"name":"{{{filler}}}"}}""";
        var items = new List<string>();

        await Assert.ThrowsAsync<HttpRequestException>(
            () => ListStream.ReadAsync(new ChunkedStream(Encoding.UTF8.GetBytes(list), 4096), Decode, items.Add, default));

        Assert.Equal("first", items[0]);
    }

    [Fact]
    public async Task AListCutAnywhereIsAFault()
    {
        var bytes = Encoding.UTF8.GetBytes("{\"metadata\":" + Metadata + ",\"items\":" + Items + "}");
        for (var length = 0; length < bytes.Length; length++)
            await Assert.ThrowsAsync<HttpRequestException>(() => ReadAsync(new ChunkedStream(bytes[..length], 1000)));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("<html>")]
    [InlineData("""{"items":{}}""")]
    [InlineData("""{"metadata":{"resourceVersion":"1"},"items":[]} trailing""")]
    [InlineData("{}")]
    [InlineData("""{"items":[]}""")]
    [InlineData("""{"metadata":{"resourceVersion":"1"},"items":["web"]}""")]
    [InlineData("""{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{}}]}""")]
    public async Task WhatIsNoListIsAFault(string body) =>
        await Assert.ThrowsAsync<HttpRequestException>(() => ReadAsync(new ChunkedStream(Encoding.UTF8.GetBytes(body), 1000)));

    private static string Decode(JsonElement json) => json.GetProperty("metadata").GetProperty("name").GetString()!;

    private static async Task<(ListStream List, List<string> Items)> ReadAsync(Stream stream)
    {
        var items = new List<string>();
        return (await ListStream.ReadAsync(stream, Decode, items.Add, CancellationToken.None), items);
    }
}
