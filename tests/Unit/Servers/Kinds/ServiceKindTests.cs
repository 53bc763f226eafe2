using System.Text.Json;
using McpOperator.Api;
using McpOperator.Kubernetes.Types;
using McpOperator.Servers.Kinds;

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
            "ports": [ { "name": "http", "port": 8443, "targetPort": 9000, "protocol": "TCP" } ]
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
              { "name": "http", "port": 80, "targetPort": 8091, "protocol": "TCP" },
              { "name": "metrics", "port": 9103, "targetPort": 9103, "protocol": "TCP" }
            ]
          }
        }
        """,
        ApplyConfiguration.Of(ServiceKind.Build(SampleServers.WithGateway())));

    [Fact]
    public void TheGatewaysOwnPortIsTheTarget() => Assert.Equal(
        7000, ServiceKind.Build(SampleServers.WithGateway(new MCPServerSpec { Gateway = new GatewayConfig { Port = 7000 } })).Spec.Ports[0].TargetPort);

    [Fact]
    public void NothingOfAGatewayThatIsSwitchedOffIsLeft() => Assert.Equal(
        ApplyConfiguration.Of(ServiceKind.Build(SampleServers.Effective())),
        ApplyConfiguration.Of(ServiceKind.Build(SampleServers.Off(SampleServers.WithGateway()))));
}
