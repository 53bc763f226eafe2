using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Commands;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using McpOperator.Mirror;
using McpOperator.Servers.Kinds;
using McpOperator.Unit.Mirror;

namespace McpOperator.Unit.Servers;

/// <summary>
/// What a server costs in memory, by objects as an API server sent them (Recorded/). Bytes do not jitter as times do, and
/// an object is as large here as in the native binary.
/// </summary>
[Collection(nameof(Alone))]
public sealed class FootprintTests(ITestOutputHelper output)
{
    private const int Count = 1000;

    [Fact]
    public void AServerAndItsObjectsTakeFewBytesInTheStores() => Assert.InRange(BytesOf(FillServers), 500, 2700);

    /// <summary>Whatever is in its spec: whoever writes much into one takes no memory from the others.</summary>
    [Fact]
    public void ALargeServerTakesNoMoreThanASmallOne() => Assert.InRange(
        BytesOf((stores, _) => Fill(
            stores.Servers, "mcpserver", json => StoredServer.DecodeOutline(json, Product.Identity.OwnedFields, SampleServers.Settings), Enlarged)),
        300, 1500);

    [Fact]
    public void AGrantTakesFewBytesInTheStores() =>
        Assert.InRange(BytesOf((_, access) => Fill(access.Grants.Store, "mcpaccessgrant", json => StoredAccess.Decode(json, Product.Identity.OwnedFields))), 300, 1200);

    /// <summary>Of each of what is filled in.</summary>
    private long BytesOf(Func<Stores, AccessStores, object> fill)
    {
        // What the code itself allocates once (types, pools), and what earlier tests left in pools that shrink with time,
        // is in a measurement or not: two that agree have neither.
        var (last, each) = (0L, Measure(fill));
        for (var i = 0; Math.Abs(each - last) > 20; i++)
        {
            Assert.True(i < 20, $"no two measurements agree: {last}, {each}");
            (last, each) = (each, Measure(fill));
        }

        output.WriteLine($"{each} bytes each");
        return each;
    }

    private static long Measure(Func<Stores, AccessStores, object> fill)
    {
        var stores = new Stores(Looks.None, Looks.None, SampleServers.Settings);
        var access = new AccessStores(Looks.None, stores.ImmutablePolicies);
        var before = Live();
        var filled = fill(stores, access);
        var each = (Live() - before) / Count;
        Assert.Equal(Count, stores.Servers.Count + access.Grants.Store.Count);
        GC.KeepAlive((stores, access, filled));
        return each;
    }

    [Theory]
    [InlineData("mcpserver", 1000)]
    [InlineData("deployment", 500)]
    [InlineData("service", 500)]
    [InlineData("ingress", 500)]
    [InlineData("configmap", 1700)]
    [InlineData("mcpaccessgrant", 1000)]
    public async Task AWatchEventAllocatesLittleMoreThanWhatIsKept(string kind, long most)
    {
        const int events = 500;
        var lines = new MemoryStream();
        for (var i = 0; i < events; i++)
        {
            lines.Write("{\"type\":\"MODIFIED\",\"object\":"u8);
            lines.Write(Recorded(kind, 7));
            lines.Write("}\n"u8);
        }

        Func<Task<int>> read = kind switch
        {
            "mcpserver" => () => ReadAsync(lines, json => StoredServer.Decode(json, Product.Identity.OwnedFields)),
            "deployment" => () => ReadAsync(lines, json => new ObservedDeployment(json, Product.Identity.OwnedFields)),
            "service" => () => ReadAsync(lines, json => new ObservedService(json, Product.Identity.OwnedFields)),
            "configmap" => () => ReadAsync(lines, json => new ObservedConfigMap(json, Product.Identity.OwnedFields)),
            "mcpaccessgrant" => () => ReadAsync(lines, json => StoredAccess.Decode(json, Product.Identity.OwnedFields)),
            _ => () => ReadAsync(lines, json => new ObservedIngress(json, Product.Identity.OwnedFields)),
        };
        await read();
        // A MemoryStream never makes anyone wait, so that all of it happens on this thread.
        var (before, thread) = (GC.GetAllocatedBytesForCurrentThread(), Environment.CurrentManagedThreadId);
        var seen = await read();
        var each = (GC.GetAllocatedBytesForCurrentThread() - before) / events;

        output.WriteLine($"{each} bytes an event of a {kind}");
        Assert.Equal((events, thread), (seen, Environment.CurrentManagedThreadId));
        Assert.InRange(each, 1, most);
    }

    /// <summary>Once nothing more goes: what earlier tests left behind needs more than one collection.</summary>
    private static long Live()
    {
        long before, after = long.MaxValue;
        do
        {
            before = after;
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
            after = GC.GetTotalMemory(forceFullCollection: false);
        }
        while (before - after > 16 * 1024);
        return after;
    }

    private static async Task<int> ReadAsync(MemoryStream lines, Decoder<IKubernetesObject> decode)
    {
        lines.Position = 0;
        var count = 0;
        await foreach (var line in WatchStream.ReadAsync(lines, decode, CancellationToken.None))
            count += line.Object is null ? 0 : 1;
        return count;
    }

    private static object FillServers(Stores stores, AccessStores access) => new object[]
    {
        Fill(stores.Servers, "mcpserver", json => StoredServer.Decode(json, Product.Identity.OwnedFields)),
        Fill(stores.CreateOwnedStore<ObservedDeployment>(runsPods: true, ""), "deployment", json => new ObservedDeployment(json, Product.Identity.OwnedFields)),
        Fill(stores.CreateOwnedStore<ObservedService>(runsPods: false, ""), "service", json => new ObservedService(json, Product.Identity.OwnedFields)),
        Fill(stores.CreateOwnedStore<ObservedIngress>(runsPods: false, ""), "ingress", json => new ObservedIngress(json, Product.Identity.OwnedFields)),
    };

    private static byte[] Enlarged(byte[] server)
    {
        var json = JsonNode.Parse(server)!;
        json["spec"]!["description"] = new string('x', 20_000);
        return Encoding.UTF8.GetBytes(json.ToJsonString());
    }

    private static Store<T> Fill<T>(Store<T> store, string kind, Decoder<T> decode, Func<byte[], byte[]>? change = null)
        where T : class, IKubernetesObject
    {
        var items = new List<T>();
        for (var i = 0; i < Count; i++)
        {
            using var document = JsonDocument.Parse(change?.Invoke(Recorded(kind, i)) ?? Recorded(kind, i));
            items.Add(decode(document.RootElement));
        }

        store.Replace(null, items, "900000");
        return store;
    }

    /// <summary>Without the blanks that make the file readable; the API server sends none.</summary>
    private static byte[] Recorded(string kind, int number) => Encoding.UTF8.GetBytes(
        JsonNode.Parse(File.ReadAllText(RepositoryRoot.File($"tests/Unit/Servers/Recorded/{kind}.json")))!
            .ToJsonString()
            .Replace("NNNNN", $"{number:d5}", StringComparison.Ordinal)
            .Replace("team-N", $"team-{number % 10}", StringComparison.Ordinal));
}
