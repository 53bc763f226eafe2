using System.Text.Json;
using McpOperator.Api;
using McpOperator.Kubernetes.Types;
using McpOperator.Servers.Pods;

namespace McpOperator.Unit.Servers.Pods;

public sealed class DeploymentManifestTests
{
    [Fact]
    public void AMinimalServerGetsThisDeploymentAndNothingElse() => Json.AssertEqual(
        """
        {
          "apiVersion": "apps/v1",
          "kind": "Deployment",
          "metadata": {
            "name": "demo",
            "namespace": "team",
            "labels": {
              "app": "demo",
              "app.kubernetes.io/managed-by": "mcp-runtime",
              "mcpruntime.org/rollout-track": "stable"
            },
            "ownerReferences": [
              {
                "apiVersion": "mcpruntime.org/v1alpha1", "kind": "MCPServer", "name": "demo", "uid": "uid-of-demo",
                "controller": true, "blockOwnerDeletion": true
              }
            ]
          },
          "spec": {
            "replicas": 1,
            "selector": { "matchLabels": { "app": "demo", "mcpruntime.org/rollout-track": "stable" } },
            "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": "25%", "maxSurge": "25%" } },
            "template": {
              "metadata": {
                "labels": {
                  "app": "demo",
                  "app.kubernetes.io/managed-by": "mcp-runtime",
                  "mcpruntime.org/rollout-track": "stable"
                }
              },
              "spec": {
                "serviceAccountName": "mcp-workload",
                "automountServiceAccountToken": false,
                "securityContext": {
                  "runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": { "type": "RuntimeDefault" }
                },
                "containers": [
                  {
                    "name": "demo",
                    "image": "example.org/demo:1",
                    "imagePullPolicy": "IfNotPresent",
                    "ports": [ { "name": "http", "containerPort": 8088, "protocol": "TCP" } ],
                    "resources": {
                      "requests": { "cpu": "50m", "memory": "64Mi" },
                      "limits": { "cpu": "500m", "memory": "256Mi" }
                    },
                    "livenessProbe": { "tcpSocket": { "port": 8088 }, "initialDelaySeconds": 5, "periodSeconds": 10 },
                    "readinessProbe": { "tcpSocket": { "port": 8088 }, "initialDelaySeconds": 3, "periodSeconds": 5 },
                    "securityContext": {
                      "allowPrivilegeEscalation": false, "runAsNonRoot": true, "capabilities": { "drop": ["ALL"] }
                    }
                  }
                ]
              }
            }
          }
        }
        """,
        Serialize(Build(new MCPServerSpec { Image = "example.org/demo:1" })));

    [Fact]
    public void EnvironmentIsTheLiteralVariablesInOrderThenTheSecretOnes()
    {
        var env = ContainerOf(new MCPServerSpec
        {
            Image = "i",
            EnvVars = [new EnvVar { Name = "B", Value = "2" }, new EnvVar { Name = "A", Value = "1" }],
            SecretEnvVars = [new SecretEnvVar { Name = "S", SecretKeyRef = new SecretKeyRef { Name = "n", Key = "k" } }],
        }).Env!;

        Assert.Equal(["B", "A", "S"], env.Select(variable => variable.Name));
        Assert.Equal("k", env[2].ValueFrom!.SecretKeyRef.Key);
        Assert.Null(env[2].Value);
    }

    [Fact]
    public void AnEmptyValueIsAppliedSoThatNobodyElseGivesTheVariableOne() =>
        Assert.Equal("", ContainerOf(new MCPServerSpec { Image = "i", EnvVars = [new EnvVar { Name = "A" }] }).Env![0].Value);

    [Fact]
    public void ADefaultLimitBelowTheRequestIsRaisedToIt()
    {
        var resources = ContainerOf(new MCPServerSpec
        {
            Image = "i",
            Resources = new ResourceRequirements { Requests = new ResourceList { Memory = "1024Mi" } },
        }).Resources;

        Assert.Equal(new Quantities { Cpu = "50m", Memory = "1Gi" }, resources.Requests);
        Assert.Equal(new Quantities { Cpu = "500m", Memory = "1Gi" }, resources.Limits);
    }

    [Fact]
    public void RecreateHasNoRollingUpdateBlock()
    {
        var strategy = Build(new MCPServerSpec { Image = "i", Rollout = new RolloutConfig { Strategy = "Recreate" } }).Spec.Strategy;

        Assert.Equal("Recreate", strategy.Type);
        Assert.Null(strategy.RollingUpdate);
    }

    [Fact]
    public void SurgeIsANumberWhenItLooksLikeOneElseAString()
    {
        var json = JsonSerializer.SerializeToElement(
            Build(new MCPServerSpec { Image = "i", Rollout = new RolloutConfig { MaxSurge = "2", MaxUnavailable = "10%" } }),
            ManifestJsonContext.Default.Deployment);

        var rolling = json.GetProperty("spec").GetProperty("strategy").GetProperty("rollingUpdate");
        Assert.Equal(2, rolling.GetProperty("maxSurge").GetInt32());
        Assert.Equal("10%", rolling.GetProperty("maxUnavailable").GetString());
    }

    [Fact]
    public void PullSecretsOfTheSpecAreUsedWithoutBlanksAndRepeats() =>
        Assert.Equal(
            ["a", "b"],
            Build(new MCPServerSpec { Image = "i", ImagePullSecrets = ["a", " ", "b ", "a"] })
                .Spec.Template.Spec.ImagePullSecrets!.Select(secret => secret.Name));

    [Theory]
    [InlineData("https://r", "u", "p", "mcp-runtime-registry-pull")]
    [InlineData("https://r", "u", null, null)]
    [InlineData(null, "u", "p", null)]
    public void TheOperatorsPullSecretIsUsedOnlyWithUrlUserAndPassword(
        string? url, string? username, string? password, string? expected)
    {
        var settings = new OperatorSettings
        {
            ProvisionedRegistry = new ProvisionedRegistry { Url = url, Username = username, Password = password },
        };
        var spec = new MCPServerSpec { Image = "i" };

        var secrets = DeploymentManifest.Build(SampleServers.Effective(spec, settings), settings).Spec.Template.Spec.ImagePullSecrets;

        Assert.Equal(expected, secrets?.Single().Name);
        Assert.Equal(expected is not null, DeploymentManifest.UsesOperatorPullSecret(spec, settings));
        Assert.False(DeploymentManifest.UsesOperatorPullSecret(spec with { ImagePullSecrets = ["own"] }, settings));
    }

    private static Deployment Build(MCPServerSpec spec) => DeploymentManifest.Build(SampleServers.Effective(spec), SampleServers.Settings);

    private static Container ContainerOf(MCPServerSpec spec) => Build(spec).Spec.Template.Spec.Containers.Single();

    private static byte[] Serialize(Deployment deployment) =>
        JsonSerializer.SerializeToUtf8Bytes(deployment, ManifestJsonContext.Default.Deployment);

    [Fact]
    public void NothingOfASidecarIsTakenOver()
    {
        var places = DeploymentManifest.ExclusivePaths(Serialize(DeploymentManifest.Build(SampleServers.WithGateway(), SampleServers.Settings)));

        Assert.Equal(
            ["""k:{"name":"demo"}""", """k:{"name":"mcp-gateway"}"""],
            places.Where(place => place.Contains("f:containers")).Select(place => place[4]).Distinct());
        Assert.DoesNotContain(places, place => place is ["f:spec", "f:template"] or ["f:spec", "f:template", "f:spec"] or [.., "f:containers"]);
    }
}
