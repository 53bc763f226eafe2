using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Commands;
using McpOperator.Kubernetes;
using McpOperator.Mirror;
using McpOperator.Servers.Kinds;

namespace McpOperator.Unit.Servers.Kinds;

public sealed class ReadinessTests
{
    private static readonly OwnedFields Ours = Product.Identity.OwnedFields;

    [Theory]
    [InlineData(2, 2, 3, 3, 3, 3, 3, true, Reasons.DeploymentAvailable, "3 of 3 replicas are available")]
    [InlineData(2, 1, 3, 3, 3, 3, 3, false, Reasons.DeploymentProgressing, "has not been taken up")]
    [InlineData(2, 2, 3, 3, 2, 3, 3, false, Reasons.DeploymentProgressing, "2 of 3 replicas are of the latest revision")]
    [InlineData(2, 2, 3, 4, 3, 3, 3, false, Reasons.DeploymentProgressing, "1 replicas of an old revision remain")]
    [InlineData(2, 2, 3, 4, 4, 3, 3, false, Reasons.DeploymentProgressing, "1 surplus replicas remain")]
    [InlineData(2, 2, 3, 3, 3, 1, 3, false, Reasons.DeploymentProgressing, "1 of 3 replicas are available")]
    [InlineData(2, 2, 0, 0, 0, 0, 0, true, Reasons.ScaledToZero, "no replicas are wanted")]
    [InlineData(2, 2, 0, 1, 1, 1, 1, false, Reasons.DeploymentProgressing, "1 surplus replicas remain")]
    [InlineData(2, 0, 0, 0, 0, 0, 0, false, Reasons.DeploymentProgressing, "has not been taken up")]
    public async Task ADeploymentIsReadyOnceAllItsReplicasAreNewAndAvailable(
        long generation, long observed, int wanted, int replicas, int updated, int available, int ready,
        bool isReady, string reason, string message)
    {
        var component = await JudgeAsync(ConditionTypes.DeploymentReady, $$"""
            {
              "metadata": { "name": "demo", "generation": {{generation}} },
              "spec": { "replicas": {{wanted}} },
              "status": {
                "observedGeneration": {{observed}}, "replicas": {{replicas}}, "updatedReplicas": {{updated}},
                "availableReplicas": {{available}}, "readyReplicas": {{ready}}
              }
            }
            """);

        Assert.Equal((isReady, reason), (component.IsReady, component.Reason));
        Assert.Contains(message, component.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mcp-gateway", 1, true, Reasons.GatewayAvailable)]
    [InlineData("mcp-gateway", 0, false, Reasons.GatewayProgressing)]
    [InlineData("sidecar", 1, false, Reasons.GatewayProgressing)]
    public async Task AGatewayIsReadyWhenTheDeploymentIsAndHasIt(string container, int available, bool isReady, string reason)
    {
        var component = await JudgeAsync(ConditionTypes.GatewayReady, $$"""
            {
              "metadata": { "name": "demo", "generation": 2 },
              "spec": { "replicas": 1, "template": { "spec": { "containers": [ { "name": "demo" }, { "name": "{{container}}" } ] } } },
              "status": { "observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "availableReplicas": {{available}} }
            }
            """);

        Assert.Equal((isReady, reason), (component.IsReady, component.Reason));
    }

    [Fact]
    public async Task NothingIsReadyThatIsNotThere()
    {
        var kinds = Passes.Kinds();
        var server = Complete();

        var missing = await Passes.Over(server).JudgeAsync(kinds, _ => null);

        Assert.All(missing, component => Assert.Equal((false, Reasons.NotCreated), (component.IsReady, component.Reason)));
        Assert.Equal(
            ConditionTypes.All[1..11].Except([ConditionTypes.HttpRouteReady, ConditionTypes.IngressRouteReady, ConditionTypes.CertificateReady, ConditionTypes.MtlsReady]), missing.Select(component => component.ConditionType));
    }

    [Theory]
    [InlineData(true, true, true, Reasons.PolicyCurrent)]
    [InlineData(true, false, false, Reasons.PolicyOutdated)]
    [InlineData(false, true, false, Reasons.PolicyOutdated)]
    public void APolicyIsReadyWhenItIsTheCurrentOneAndEachPodIsShownIt(bool isCurrent, bool seenByPods, bool expected, string reason)
    {
        var component = PolicyState.ConditionOf(exists: true, isCurrent, seenByPods);

        Assert.Equal((expected, reason), (component.IsReady, component.Reason));
    }

    [Theory]
    [InlineData("""{"name":"http","port":80}""", false)]
    [InlineData("""{"name":"http","port":9103}""", false)]
    [InlineData("""{"name":"http","port":80},{"name":"metrics","port":9103}""", true)]
    public void AServiceLeadsToTheGatewaysWhenItHasTheirMetrics(string ports, bool leads) => Assert.Equal(leads, Passes.Decode(
        json => new ObservedService(json, Ours), $$"""{"metadata":{},"spec":{"ports":[{{ports}}]} }""").TargetsGateway);

    [Fact]
    public async Task ADeploymentWithoutAStatusIsNotReady() =>
        Assert.False((await JudgeAsync(ConditionTypes.DeploymentReady, """{"metadata":{"generation":1},"spec":{"replicas":0}}""")).IsReady);

    [Theory]
    [InlineData("""{"metadata":{},"spec":{"clusterIP":"10.0.0.1"}}""", true)]
    [InlineData("""{"metadata":{},"spec":{"clusterIP":""}}""", false)]
    [InlineData("""{"metadata":{}}""", false)]
    public async Task AServiceIsReadyOnceItHasAClusterIp(string json, bool expected) =>
        Assert.Equal(expected, (await JudgeAsync(ConditionTypes.ServiceReady, json)).IsReady);

    [Theory]
    [InlineData("", "", null)]
    [InlineData(""", "track": "blue" """, "", "no pod has the label track=blue that its selector asks for (by kubectl-edit), so that it leads nowhere; take it out of the selector: kubectl edit service demo")]
    [InlineData(""", "track": "blue" """, """, "track": "green" """, "no pod has the label track=blue that its selector asks for (by kubectl-edit), so that it leads nowhere; take it out of the selector: kubectl edit service demo")]
    [InlineData(""", "track": "blue" """, """, "track": "blue" """, null)]
    [InlineData(""", "other": "x" """, "", "no pod has the label other=x that its selector asks for (by somebody whom its managedFields do not name), so that it leads nowhere; take it out of the selector: kubectl edit service demo")]
    public async Task AServiceWhoseSelectorAsksForMoreThanItsPodsHaveIsNotReady(string asked, string onPods, string? message)
    {
        var kinds = Passes.Kinds();
        var service = Passes.Decode(json => new ObservedService(json, Ours), $$"""
            {
              "metadata": {
                "name": "demo",
                "managedFields": [
                  {"manager":"mcp-runtime-operator","operation":"Apply","fieldsType":"FieldsV1","fieldsV1":{"f:spec":{"f:selector":{"f:app":{},"f:app.kubernetes.io/managed-by":{} } } } },
                  {"manager":"kubectl-edit","operation":"Update","fieldsType":"FieldsV1","fieldsV1":{"f:spec":{"f:selector":{"f:track":{} } } } }
                ]
              },
              "spec": { "clusterIP": "10.0.0.1", "selector": { "app": "demo", "app.kubernetes.io/managed-by": "mcp-runtime"{{asked}} } }
            }
            """);
        var deployment = Passes.Decode(json => new ObservedDeployment(json, Ours), $$"""
            {
              "metadata": { "name": "demo" },
              "spec": { "template": { "metadata": { "labels": { "app": "demo", "mcpruntime.org/rollout-track": "stable"{{onPods}} } } } }
            }
            """);

        var component = (await Passes.Over(SampleServers.Of()).JudgeAsync(kinds, kind => kind is ServiceKind ? service : kind == kinds.Stable ? deployment : null))
            .Single(component => component.ConditionType == ConditionTypes.ServiceReady);

        Assert.Equal(message is null ? (true, Reasons.ClusterIPAssigned) : (false, Reasons.SelectorMismatch), (component.IsReady, component.Reason));
        Assert.Equal(message ?? "the Service has its cluster IP", component.Message);
    }

    [Theory]
    [InlineData("""{"metadata":{},"spec":{"rules":[{}]},"status":{"loadBalancer":{}}}""", false, true)]
    [InlineData("""{"metadata":{},"spec":{"rules":[{}]},"status":{"loadBalancer":{"ingress":[]}}}""", false, true)]
    [InlineData("""{"metadata":{},"spec":{"rules":[{}]},"status":{"loadBalancer":{"ingress":[{"ip":"1.2.3.4"}]}}}""", true, true)]
    [InlineData("""{"metadata":{},"spec":{"rules":[{}]},"status":{"loadBalancer":{"ingress":[{"ip":""},{"hostname":"lb.example"}]}}}""", true, true)]
    [InlineData("""{"metadata":{},"spec":{"rules":[{}]},"status":{"loadBalancer":{"ingress":[{}]}}}""", false, true)]
    [InlineData("""{"metadata":{},"spec":{"rules":[{}]},"status":{"loadBalancer":{"ingress":[{"ip":"","hostname":"","ports":[]}]}}}""", false, true)]
    [InlineData("""{"metadata":{},"spec":{}}""", false, false)]
    public async Task AnIngressIsReadyByItsModesRule(string json, bool strict, bool permissive)
    {
        Assert.Equal(strict, (await JudgeAsync(ConditionTypes.IngressReady, json)).IsReady);
        Assert.Equal(permissive, (await JudgeAsync(
            ConditionTypes.IngressReady, json, new OperatorSettings { PermissiveIngressReadiness = true })).IsReady);
    }

    [Theory]
    [InlineData(ConditionTypes.DeploymentReady, "Deployment")]
    [InlineData(ConditionTypes.GatewayReady, "Deployment")]
    [InlineData(ConditionTypes.CanaryReady, "canary Deployment")]
    [InlineData(ConditionTypes.ServiceReady, "Service")]
    [InlineData(ConditionTypes.IngressReady, "Ingress")]
    public async Task WhatIsBeingDeletedIsNotReadyAndTellsWhoHoldsIt(string condition, string name)
    {
        const string ready = """
            "spec": { "replicas": 1, "clusterIP": "10.0.0.1", "rules": [ {} ], "template": { "spec": { "containers": [ { "name": "mcp-gateway" } ] } } },
            "status": { "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "loadBalancer": { "ingress": [ { "ip": "1.2.3.4" } ] } }
            """;
        Assert.True((await JudgeAsync(condition, $$"""{ "metadata": {}, {{ready}} }""")).IsReady);

        var held = await JudgeAsync(condition, $$"""
            { "metadata": { "deletionTimestamp": "2026-01-02T03:04:05Z", "finalizers": [ "example.org/a", "example.org/b" ] }, {{ready}} }
            """);
        var going = await JudgeAsync(condition, $$"""{ "metadata": { "deletionTimestamp": "2026-01-02T03:04:05Z" }, {{ready}} }""");

        Assert.Equal((false, Reasons.Terminating), (held.IsReady, held.Reason));
        Assert.Equal($"the {name} is being deleted, and is held by its finalizers: example.org/a, example.org/b", held.Message);
        Assert.Equal((false, Reasons.Terminating, $"the {name} is being deleted"), (going.IsReady, going.Reason, going.Message));
    }

    /// <summary>With a gateway and a canary, so that everything that there is says something.</summary>
    private static MCPServer Complete() => SampleServers.WithGateway(new MCPServerSpec
    {
        Replicas = 3,
        Rollout = new RolloutConfig { Strategy = RolloutConfig.Canary, CanaryReplicas = 1 },
    });

    /// <summary>What the object of every kind says, when it is this one.</summary>
    private static async Task<ComponentCondition> JudgeAsync(string condition, string json, OperatorSettings? settings = null)
    {
        var components = await Passes.Over(Complete(), settings: settings).JudgeAsync(Passes.Kinds(), kind => kind switch
        {
            DeploymentKind => Passes.Decode(json => new ObservedDeployment(json, Ours), json),
            ServiceKind => Passes.Decode(json => new ObservedService(json, Ours), json),
            IngressKind => Passes.Decode(json => new ObservedIngress(json, Ours), json),
            _ => null,
        });
        return components.Single(component => component.ConditionType == condition);
    }
}
