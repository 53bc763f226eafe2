using System.Text.Json;
using McpOperator.Api;
using McpOperator.Resources;
using McpOperator.Resources.Types;

namespace McpOperator.Unit.Resources;

public sealed class ServiceBuilderTests
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
            ServiceBuilder.Build(Servers.Effective(new MCPServerSpec { Image = "i", Port = 9000, ServicePort = 8443 })),
            ManifestJsonContext.Default.Service));
}
