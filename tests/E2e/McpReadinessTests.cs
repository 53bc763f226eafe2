using System.Text.Json.Nodes;

namespace McpOperator.E2e;

/// <summary>Servers that are ready once they have answered MCP, asked by the operator's own pod.</summary>
public sealed class McpReadinessTests(Cluster cluster)
{
    private const string Tools = "tools: [{name: echo, sideEffect: read}, {name: add, sideEffect: read}, {name: time, sideEffect: read}]";

    [Fact]
    public async Task WhatAServerSaysOfItselfIsInTheStatusAndSoIsItsNextVersion()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var hello = await ns.HelloAsync("hello", $"readiness: mcp, replicas: 2, {Tools}");

        var server = await hello.GetAsync();
        Assert.Equal("True McpAnswered", Said(server, "McpReady"));
        Assert.Equal("True ToolsMatched", Said(server, "ToolsMatch"));
        Assert.Equal(("hello-mcp", "1.0.0", 3), Named(server));

        await hello.EditAsync("image: 'ghcr.io/example/hello-mcp:1.1.0'");
        server = await Eventually.TrueAsync(
            "the next version was told", hello.GetAsync, now => Hello.IsReady(now) && Named(now) == ("hello-mcp", "1.1.0", 3), Cluster.Limit);

        await hello.EditAsync("tools: [{name: echo, sideEffect: read}, {name: refund, sideEffect: write}]");
        server = await SaysAsync(hello, "ToolsMatch", "False ToolsDiffer");
        Assert.Contains("refund", (string)Hello.Condition(server, "ToolsMatch")!["message"]!, StringComparison.Ordinal);
        // It serves all the same.
        await hello.ReadyAsync();
    }

    [Theory]
    [InlineData("slow=20", "True McpAnswered", "True ToolsMatched", "True")]
    [InlineData("auth", "True AuthRequired", "Unknown AuthRequired", "True")]
    [InlineData("protocol", "False ProtocolMismatch", "Unknown McpPending", "False")]
    [InlineData("crash", "False McpPending", "Unknown McpPending", "False")]
    public async Task WhatAServerAnswersDecides(string fault, string answered, string tools, string ready)
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var name = fault.Split('=')[0];
        await ns.ServerAsync(
            name, $"image: 'ghcr.io/example/hello-mcp:1.0.0', ingressClass: {Cluster.IngressClass}, readiness: mcp, {Tools}, "
                + $"envVars: [{{name: HELLO_FAULT, value: '{fault}'}}, {{name: HELLO_DRAIN, value: '0'}}]");
        var hello = new Hello(cluster, ns, name);

        var server = await SaysAsync(hello, "McpReady", answered);
        Assert.Equal(tools, Said(server, "ToolsMatch"));
        await Eventually.TrueAsync($"Ready was {ready}", hello.GetAsync, now => (string?)Hello.Condition(now, "Ready")?["status"] == ready, Cluster.Limit);
    }

    private static Task<JsonObject> SaysAsync(Hello hello, string type, string expected) =>
        Eventually.TrueAsync($"{type} was {expected}", hello.GetAsync, server => Said(server, type) == expected, Cluster.Limit);

    private static string Said(JsonObject server, string type) =>
        Hello.Condition(server, type) is { } condition ? $"{condition["status"]} {condition["reason"]}" : "";

    private static (string?, string?, int?) Named(JsonObject server) =>
        ((string?)server["status"]!["mcp"]?["name"], (string?)server["status"]!["mcp"]?["version"], (int?)server["status"]!["mcp"]?["tools"]);
}
