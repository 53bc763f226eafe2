using System.Text.Json;
using McpOperator.Api;
using McpOperator.Kubernetes.Types;
using McpOperator.Servers.Kinds;
using McpOperator.Servers.Pods;

namespace McpOperator.Unit.Servers.Kinds;

public sealed class ServiceKindTests
{
    [Fact]
    public void TheServiceLeadsItsPortToTheServersPortOnAllTracks() => Json.AssertEqual(
        """
        {
          "apiVersion": "v1",
          "kind": "Service",
          "metadata": {
            "name": "demo",
            "namespace": "team",
            "labels": { "app": "demo", "app.kubernetes.io/managed-by": "mcp-runtime" },
            "ownerReferences": [
              {
                "apiVersion": "mcpruntime.org/v1alpha1", "kind": "MCPServer", "name": "demo", "uid": "uid-of-demo",
                "controller": true, "blockOwnerDeletion": true
              }
            ]
          },
          "spec": {
            "type": "ClusterIP",
            "selector": { "app": "demo", "app.kubernetes.io/managed-by": "mcp-runtime" },
            "ports": [ { "name": "http", "port": 8443, "targetPort": "http", "protocol": "TCP" } ]
          }
        }
        """,
        JsonSerializer.SerializeToUtf8Bytes(
            ServiceKind.Build(SampleServers.Effective(new MCPServerSpec { Image = "i", Port = 9000, ServicePort = 8443 })),
            ManifestJsonContext.Default.Service));

    [Fact]
    public void WithAGatewayItLeadsThereAndToItsMetrics() => Json.AssertEqual(
        """
        {
          "apiVersion": "v1",
          "kind": "Service",
          "metadata": {
            "name": "demo",
            "namespace": "team",
            "labels": { "app": "demo", "app.kubernetes.io/managed-by": "mcp-runtime" },
            "annotations": {
              "prometheus.io/scrape": "true", "prometheus.io/port": "9103", "prometheus.io/path": "/metrics"
            },
            "ownerReferences": [
              {
                "apiVersion": "mcpruntime.org/v1alpha1", "kind": "MCPServer", "name": "demo", "uid": "uid-of-demo",
                "controller": true, "blockOwnerDeletion": true
              }
            ]
          },
          "spec": {
            "type": "ClusterIP",
            "selector": { "app": "demo", "app.kubernetes.io/managed-by": "mcp-runtime" },
            "ports": [
              { "name": "http", "port": 80, "targetPort": "gateway", "protocol": "TCP" },
              { "name": "metrics", "port": 9103, "targetPort": "metrics", "protocol": "TCP" }
            ]
          }
        }
        """,
        ApplyConfiguration.Of(ServiceKind.Build(SampleServers.WithGateway())));

    /// <summary>The pods are replaced one by one, or not at all when the new ones never become ready: the old ones listen where they did.</summary>
    [Fact]
    public void ItIsTheSameWhateverNumbersTheContainersPortsHave()
    {
        Assert.Equal(
            ApplyConfiguration.Of(ServiceKind.Build(SampleServers.Effective())),
            ApplyConfiguration.Of(ServiceKind.Build(SampleServers.Effective(new MCPServerSpec { Image = "i", Port = 9000 }))));
        Assert.Equal(
            ApplyConfiguration.Of(ServiceKind.Build(SampleServers.WithGateway())),
            ApplyConfiguration.Of(ServiceKind.Build(
                SampleServers.WithGateway(new MCPServerSpec { Port = 9000, Gateway = new GatewayConfig { Port = 7000 } }))));
    }

    [Fact]
    public void EachTargetIsAPortOfAContainer()
    {
        var server = SampleServers.WithGateway(new MCPServerSpec { Port = 9000, Gateway = new GatewayConfig { Port = 7000 } });
        var ports = DeploymentManifest.Build(server, SampleServers.Settings).Spec.Template.Spec.Containers
            .SelectMany(container => container.Ports!).ToDictionary(port => port.Name, port => port.Number);

        Assert.Equal([7000, 9103], ServiceKind.Build(server).Spec.Ports.Select(port => ports[port.TargetPort]));
        Assert.Equal([9000], ServiceKind.Build(server, targetsGateway: false).Spec.Ports.Select(port => ports[port.TargetPort]));
    }

    [Fact]
    public void NothingOfAGatewayThatIsSwitchedOffIsLeft() => Assert.Equal(
        ApplyConfiguration.Of(ServiceKind.Build(SampleServers.Effective())),
        ApplyConfiguration.Of(ServiceKind.Build(SampleServers.Off(SampleServers.WithGateway()))));
}
