using System.Text.Json;
using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Commands;
using McpOperator.Kubernetes;
using McpOperator.Mirror;
using McpOperator.Unit.Kubernetes;
using McpOperator.Unit.Mirror;
using Microsoft.Extensions.Logging.Abstractions;

namespace McpOperator.Unit.Access;

public sealed class GatewayPolicyTests
{
    /// <summary>The one before may be gone before anybody looked: of what was to be replaced nothing is replaced for its namesake.</summary>
    [Fact]
    public async Task WhatIsRememberedOfAServerIsNotItsNamesakes()
    {
        using var deletion = new ScenarioHandler(_ => ScenarioHandler.Json("{}"));
        using var api = new ApiClient(Product.Identity, deletion, new Uri("https://api.example.org"), TimeProvider.System);
        var stores = new Stores(Looks.None, Looks.None, SampleServers.Settings);
        var access = new AccessStores(Looks.None, stores.ImmutablePolicies);
        var policies = new GatewayPolicy(stores, access, _ => [], refresh: null, api, new WriteCounters(), TimeProvider.System, NullLogger.Instance);
        var server = SampleServers.WithGateway();
        var document = new PolicyDocument(PolicyHead.Of(server, SampleServers.Settings), [], []);
        access.ConfigMaps.Replace(null, [Immutable(server)], "7");

        Assert.True((await policies.ApplyAsync(server, document, mayCreate: true, CancellationToken.None)).IsConflict);
        access.ConfigMaps.Replace(null, [], "8");
        var namesake = server with { Metadata = server.Metadata with { Uid = "namesake" } };

        Assert.Equal(default, await policies.ApplyAsync(namesake, document, mayCreate: false, CancellationToken.None));
        Assert.Single(deletion.Sent);
    }

    private static ObservedConfigMap Immutable(MCPServer server) => new(
        JsonElement.Parse($$"""
        {"metadata":{"namespace":"{{server.Metadata.Namespace}}","name":"{{ObjectNames.Policy(server.Metadata.Name)}}","uid":"c","resourceVersion":"7",
           "ownerReferences":[{"controller":true,"uid":"{{server.Metadata.Uid}}"}]},"immutable":true}
        """), Product.Identity.OwnedFields);
}
