using System.Text.Json;
using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Access;

[Collection(nameof(Alone))]
public sealed class PolicyConfigMapBuilderTests(ITestOutputHelper output)
{
    private static readonly DateTimeOffset Time = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void IsNamedAndLabelledAfterItsServer()
    {
        var policy = Of("<é\u2028😀");
        Json.AssertEqual(
            $$"""
            {"apiVersion":"v1","kind":"ConfigMap",
             "metadata":{"name":"demo-gateway-policy","namespace":"team",
              "labels":{"app":"demo","app.kubernetes.io/managed-by":"mcp-runtime"},
              "ownerReferences":[{"apiVersion":"mcpruntime.org/v1alpha1","kind":"MCPServer","name":"demo","uid":"uid-of-demo","controller":true,"blockOwnerDeletion":true}]},
             "data": {"policy.json": {{JsonSerializer.Serialize(policy.ToText(Time))}} } }
            """,
            Build(policy));
    }

    /// <summary>It is written in pieces, and a character of four bytes may stand across the end of one, wherever it begins.</summary>
    [Fact]
    public void WhateverStandsAtTheEndOfAPieceIsWhole()
    {
        for (var shift = 0; shift < 8; shift++)
        {
            var policy = Of(new string('x', shift) + string.Concat(Enumerable.Repeat("é😀\"\\<\n", 20_000)));
            using var json = JsonDocument.Parse(Build(policy));
            Assert.Equal(policy.ToText(Time), json.RootElement.GetProperty("data").GetProperty("policy.json").GetString());
        }
    }

    [Fact]
    public void TheLargestPolicyFitsIntoTheBodyOfARequest()
    {
        // Quotes and backslashes get longest on the way: four bytes for what are two in the document. The API server takes 3 MiB.
        var policy = Of(string.Concat(Enumerable.Repeat("\"\\", (PolicyConfigMapBuilder.MaxBytes / 4) - 200)));
        var text = policy.ToText(Time);
        Assert.InRange(text.Length, PolicyConfigMapBuilder.MaxBytes - 1000, PolicyConfigMapBuilder.MaxBytes);
        var body = Build(policy);
        Assert.InRange(body.Length, PolicyConfigMapBuilder.MaxBytes, 3 * 1024 * 1024);
        using var json = JsonDocument.Parse(body);
        Assert.Equal(text, json.RootElement.GetProperty("data").GetProperty("policy.json").GetString());
    }

    /// <summary>From the spec to what is sent, its fingerprint included: a large one is not in memory ten times.</summary>
    [Fact]
    public void ALargePolicyAllocatesFewTimesItsSize()
    {
        var server = SampleServers.Of() with
        {
            Spec = new MCPServerSpec
            {
                Tools = [.. Enumerable.Range(0, 1500).Select(i => new ToolConfig { Name = $"tool-{i}", SideEffect = "read", Description = new string('x', 300) })],
            },
        };
        var size = AccessObjects.Document(server).ToText(Time).Length;
        Allocated(server);
        var allocated = Allocated(server);

        output.WriteLine($"{allocated} bytes for a policy of {size}: {(double)allocated / size:0.0} times");
        Assert.InRange(allocated, size, 6 * size);

        static long Allocated(MCPServer server)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            GC.KeepAlive(OwnedFields.FingerprintOf(Build(AccessObjects.Document(server))));
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    private static byte[] Build(PolicyDocument policy) => PolicyConfigMapBuilder.Build(SampleServers.Of(), policy, Time, found: null, needsNewPods: false);

    private static PolicyDocument Of(string description) => AccessObjects.Document(
        SampleServers.Of() with { Spec = new MCPServerSpec { Tools = [new ToolConfig { Name = "t", Description = description }] } });
}
