using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Commands;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using McpOperator.Unit.Kubernetes;
using Microsoft.Extensions.Logging.Abstractions;

namespace McpOperator.Unit.Apply;

public class StatusWriterTests
{
    /// <summary>A status is never that of a spec before: an edit before the take-over makes its write a conflict.</summary>
    [Theory]
    [InlineData(1, "12")]
    [InlineData(2, "10")]
    public async Task TheVersionAfterATakeOverCountsOnlyForTheSpecThatWasRead(int generation, string expected)
    {
        using var server = new ScenarioHandler(
            _ => ScenarioHandler.Json(Session("11", generation)), _ => ScenarioHandler.Json(Session("12", generation)),
            _ => ScenarioHandler.Status(409, "Conflict", "changed"));
        using var api = new ApiClient(Product.Identity, server, new Uri("https://api.example.org"), TimeProvider.System);
        var store = new Store<StoredAccess>((_, _, _) => { }, IReportedObject.DifferOnlyInStatus);
        var writer = new StatusWriter<StoredAccess>(
            MCPAgentSession.Type, Decode, store, api, new WriteCounters(), TimeProvider.System, NullLogger.Instance, predecessorsConditions: []);
        var read = Decode(JsonElement.Parse(Session("10", generation: 1)));

        var refusal = await Assert.ThrowsAsync<ApiException>(() => writer.WriteAsync(
            read.Metadata, read.Reported, json => JsonElement.Parse("""{"phase":"New"}""").WriteTo(json), new ApplyMemory(), takesOver: true, CancellationToken.None));

        Assert.True(refusal.IsConflict);
        Assert.Equal(expected, (string?)JsonNode.Parse(server.Sent[2].Body)!["metadata"]!["resourceVersion"]);
    }

    private static StoredAccess Decode(JsonElement json) => StoredAccess.Decode(json, Product.Identity.OwnedFields);

    private static string Session(string version, int generation) => $$$"""
        {"metadata":{"namespace":"team","name":"s","uid":"u","resourceVersion":"{{{version}}}","generation":{{{generation}}},
           "managedFields":[{"manager":"manager","operation":"Update","fieldsV1":{"f:status":{"f:phase":{} } } }]},
         "spec":{"serverRef":{"name":"web"},"subject":{"agentID":"a"} },"status":{"phase":"Old"}}
        """;
}
