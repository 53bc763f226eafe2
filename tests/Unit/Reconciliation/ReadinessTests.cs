using System.Text.Json;
using McpOperator.Reconciliation;
using McpOperator.Resources;

namespace McpOperator.Unit.Reconciliation;

public sealed class ReadinessTests
{
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
    public void ADeploymentIsReadyOnceAllItsReplicasAreNewAndAvailable(
        long generation, long observed, int wanted, int replicas, int updated, int available, int ready,
        bool isReady, string reason, string message)
    {
        var surface = Readiness.Of(Decode(ObservedDeployment.Decode, $$"""
            {
              "metadata": { "name": "demo", "generation": {{generation}} },
              "spec": { "replicas": {{wanted}} },
              "status": {
                "observedGeneration": {{observed}}, "replicas": {{replicas}}, "updatedReplicas": {{updated}},
                "availableReplicas": {{available}}, "readyReplicas": {{ready}}
              }
            }
            """));

        Assert.Equal((isReady, reason), (surface.IsReady, surface.Reason));
        Assert.Contains(message, surface.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mcp-gateway", 1, true, Reasons.GatewayAvailable)]
    [InlineData("mcp-gateway", 0, false, Reasons.GatewayProgressing)]
    [InlineData("sidecar", 1, false, Reasons.GatewayProgressing)]
    public void AGatewayIsReadyWhenTheDeploymentIsAndHasIt(string container, int available, bool isReady, string reason)
    {
        var surface = Readiness.OfGateway(Decode(ObservedDeployment.Decode, $$"""
            {
              "metadata": { "name": "demo", "generation": 2 },
              "spec": { "replicas": 1, "template": { "spec": { "containers": [ { "name": "demo" }, { "name": "{{container}}" } ] } } },
              "status": { "observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "availableReplicas": {{available}} }
            }
            """));

        Assert.Equal((ConditionTypes.GatewayReady, isReady, reason), (surface.ConditionType, surface.IsReady, surface.Reason));
    }

    [Fact]
    public void NothingIsReadyThatIsNotThere()
    {
        Surface[] missing = [Readiness.OfGateway(null), Readiness.OfCanary(null), Readiness.OfPolicy(exists: false, isCurrent: false, isShown: false)];
        Assert.All(missing, surface => Assert.Equal((false, Reasons.NotCreated), (surface.IsReady, surface.Reason)));
        Assert.Equal([ConditionTypes.GatewayReady, ConditionTypes.CanaryReady, ConditionTypes.PolicyReady], missing.Select(surface => surface.ConditionType));
    }

    [Theory]
    [InlineData(true, true, true, Reasons.PolicyCurrent)]
    [InlineData(true, false, false, Reasons.PolicyOutdated)]
    [InlineData(false, true, false, Reasons.PolicyOutdated)]
    public void APolicyIsReadyWhenItIsTheCurrentOneAndEachPodIsShownIt(bool isCurrent, bool isShown, bool expected, string reason)
    {
        var surface = Readiness.OfPolicy(exists: true, isCurrent, isShown);

        Assert.Equal((expected, reason), (surface.IsReady, surface.Reason));
    }

    [Theory]
    [InlineData("""{"name":"http","port":80}""", false)]
    [InlineData("""{"name":"http","port":9103}""", false)]
    [InlineData("""{"name":"http","port":80},{"name":"metrics","port":9103}""", true)]
    public void AServiceLeadsToTheGatewaysWhenItHasTheirMetrics(string ports, bool leads) => Assert.Equal(leads, Decode(
        ObservedService.Decode, $$"""{"metadata":{},"spec":{"ports":[{{ports}}]} }""").LeadsToGateway);

    [Fact]
    public void ADeploymentWithoutAStatusIsNotReady() =>
        Assert.False(Readiness.Of(Decode(ObservedDeployment.Decode, """{"metadata":{"generation":1},"spec":{"replicas":0}}""")).IsReady);

    [Theory]
    [InlineData("""{"metadata":{},"spec":{"clusterIP":"10.0.0.1"}}""", true)]
    [InlineData("""{"metadata":{},"spec":{"clusterIP":""}}""", false)]
    [InlineData("""{"metadata":{}}""", false)]
    public void AServiceIsReadyOnceItHasAClusterIp(string json, bool expected) =>
        Assert.Equal(expected, Readiness.Of(Decode(ObservedService.Decode, json)).IsReady);

    [Theory]
    [InlineData("""{"metadata":{},"spec":{"rules":[{}]},"status":{"loadBalancer":{}}}""", false, true)]
    [InlineData("""{"metadata":{},"spec":{"rules":[{}]},"status":{"loadBalancer":{"ingress":[]}}}""", false, true)]
    [InlineData("""{"metadata":{},"spec":{"rules":[{}]},"status":{"loadBalancer":{"ingress":[{"ip":"1.2.3.4"}]}}}""", true, true)]
    [InlineData("""{"metadata":{},"spec":{}}""", false, false)]
    public void AnIngressIsReadyByItsModesRule(string json, bool strict, bool permissive)
    {
        var ingress = Decode(ObservedIngress.Decode, json);

        Assert.Equal(strict, Readiness.Of(ingress, permissive: false).IsReady);
        Assert.Equal(permissive, Readiness.Of(ingress, permissive: true).IsReady);
    }

    [Fact]
    public void WhatIsNotThereIsNotReady()
    {
        Assert.Equal(Reasons.NotCreated, Readiness.Of((ObservedDeployment?)null).Reason);
        Assert.Equal(Reasons.NotCreated, Readiness.Of((ObservedService?)null).Reason);
        Assert.Equal(Reasons.NotCreated, Readiness.Of(null, permissive: true).Reason);
    }

    private static T Decode<T>(Func<JsonElement, T> decode, string json) => decode(JsonDocument.Parse(json).RootElement);
}
