using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using McpOperator.Reconciliation;
using McpOperator.Resources;
using McpOperator.Unit.Resources;

namespace McpOperator.Unit.Reconciliation;

/// <summary>
/// What a server costs in memory, by objects as an API server sent them (Recorded/). Bytes do not jitter as times do, and
/// an object is as large here as in the native binary.
/// </summary>
[Collection(nameof(Alone))]
public sealed class FootprintTests(ITestOutputHelper output)
{
    private const int Count = 1000;

    [Fact]
    public void AServerAndItsObjectsTakeFewBytesInTheStores() => Assert.InRange(BytesOf(FillServers), 500, 2600);

    [Fact]
    public void AGrantTakesFewBytesInTheStores() =>
        Assert.InRange(BytesOf((_, access) => Fill(access.Grants.Store, "mcpaccessgrant", StoredMember.Decode)), 300, 1200);

    /// <summary>Of each of what is filled in.</summary>
    private long BytesOf(Action<Stores, AccessStores> fill)
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

    private static long Measure(Action<Stores, AccessStores> fill)
    {
        var stores = new Stores(Looks.None, Looks.None, Servers.Settings);
        var access = new AccessStores(Looks.None);
        var before = Live();
        fill(stores, access);
        var each = (Live() - before) / Count;
        Assert.Equal(Count, stores.Servers.Count + access.Grants.Store.Count);
        GC.KeepAlive((stores, access));
        return each;
    }

    [Theory]
    [InlineData("mcpserver", 1000)]
    [InlineData("deployment", 500)]
    [InlineData("service", 500)]
    [InlineData("ingress", 500)]
    [InlineData("configmap", 1500)]
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
            "mcpserver" => () => ReadAsync(lines, StoredServer.Decode),
            "deployment" => () => ReadAsync(lines, ObservedDeployment.Decode),
            "service" => () => ReadAsync(lines, ObservedService.Decode),
            "configmap" => () => ReadAsync(lines, ObservedConfigMap.Decode),
            "mcpaccessgrant" => () => ReadAsync(lines, StoredMember.Decode),
            _ => () => ReadAsync(lines, ObservedIngress.Decode),
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

    private static async Task<int> ReadAsync<T>(MemoryStream lines, Decoder<T> decode)
    {
        lines.Position = 0;
        var count = 0;
        await foreach (var line in WatchStream.ReadAsync(lines, decode, CancellationToken.None))
            count += line.Object is null ? 0 : 1;
        return count;
    }

    private static void FillServers(Stores stores, AccessStores access)
    {
        Fill(stores.Servers, "mcpserver", StoredServer.Decode);
        Fill(stores.Deployments, "deployment", ObservedDeployment.Decode);
        Fill(stores.Services, "service", ObservedService.Decode);
        Fill(stores.Ingresses, "ingress", ObservedIngress.Decode);
    }

    private static void Fill<T>(Store<T> store, string kind, Decoder<T> decode)
        where T : class, IKubernetesObject
    {
        var items = new List<T>();
        for (var i = 0; i < Count; i++)
        {
            using var document = JsonDocument.Parse(Recorded(kind, i));
            items.Add(decode(document.RootElement));
        }

        store.Replace(null, items, "900000");
    }

    /// <summary>Without the blanks that make the file readable; the API server sends none.</summary>
    private static byte[] Recorded(string kind, int number) => Encoding.UTF8.GetBytes(
        JsonNode.Parse(File.ReadAllText(RepositoryRoot.File($"tests/Unit/Reconciliation/Recorded/{kind}.json")))!
            .ToJsonString()
            .Replace("NNNNN", $"{number:d5}", StringComparison.Ordinal)
            .Replace("team-N", $"team-{number % 10}", StringComparison.Ordinal));
}

/// <summary>For tests that look at the whole process.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
