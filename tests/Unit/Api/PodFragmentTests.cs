using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Api;
using McpOperator.Kubernetes;
using McpOperator.Servers.Pods;

namespace McpOperator.Unit.Api;

/// <summary>How what a spec says of its pods becomes a part of their template.</summary>
public sealed class PodFragmentTests
{
    [Fact]
    public void TheFieldsAtTheTopAreThoseOfTheContainerAndThePod()
    {
        var pod = PodOf(new MCPServerSpec
        {
            Image = "a:1",
            Command = ["c"],
            Args = ["x", ""],
            ImagePullPolicy = "Never",
            ServiceAccountName = "me",
            TerminationGracePeriodSeconds = 0,
            EnvFrom = JsonElement.Parse("""[{"prefix":"","configMapRef":{"name":"a","optional":false}},{"prefix":"P_","secretRef":{"name":"b"}}]"""),
        });
        var container = pod["containers"]![0]!;
        Assert.Equal("""["c"] ["x",""] Never me 0""",
            $"{container["command"]!.ToJsonString()} {container["args"]!.ToJsonString()} {container["imagePullPolicy"]} {pod["serviceAccountName"]} {pod["terminationGracePeriodSeconds"]}");
        Assert.Equal("""[{"configMapRef":{"name":"a","optional":false}},{"prefix":"P_","secretRef":{"name":"b"}}]""", container["envFrom"]!.ToJsonString());
        Assert.True((bool)pod["automountServiceAccountToken"]! == false);
    }

    [Theory]
    [InlineData("{}", null, """{"tcpSocket":{"port":8088},"initialDelaySeconds":5,"periodSeconds":10}""", """{"tcpSocket":{"port":8088},"initialDelaySeconds":3,"periodSeconds":5}""")]
    [InlineData("""{"startup":{}}""", """{"tcpSocket":{"port":8088},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3}""", """{"tcpSocket":{"port":8088},"periodSeconds":10}""", """{"tcpSocket":{"port":8088},"periodSeconds":5}""")]
    [InlineData(
        """{"startup":{"httpGet":{"path":"/up"},"failureThreshold":40,"successThreshold":0},"liveness":{"initialDelaySeconds":7},"readiness":{"exec":{"command":["x"]}}}""",
        """{"httpGet":{"path":"/up","scheme":"HTTP","port":8088},"failureThreshold":40,"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1}""", """{"tcpSocket":{"port":8088},"periodSeconds":10,"initialDelaySeconds":7}""", """{"periodSeconds":5,"exec":{"command":["x"]}}""")]
    [InlineData(
        """{"liveness":{"grpc":{},"initialDelaySeconds":0},"readiness":{"tcpSocket":{"port":"http"},"periodSeconds":1}}""",
        null, """{"periodSeconds":10,"grpc":{"service":"","port":8088}}""", """{"initialDelaySeconds":3,"periodSeconds":1,"tcpSocket":{"port":"http"}}""")]
    public void ProbesTakeThePlaceOfTheDefaultOnes(string probes, string? startup, string liveness, string readiness)
    {
        var container = PodOf(new MCPServerSpec { Image = "a:1", Probes = JsonElement.Parse(probes) })["containers"]![0]!;
        Assert.Equal(startup, container["startupProbe"]?.ToJsonString());
        Assert.Equal(liveness, container["livenessProbe"]!.ToJsonString());
        Assert.Equal(readiness, container["readinessProbe"]!.ToJsonString());
    }

    [Fact]
    public void AFragmentIsMergedByTheListsKeys()
    {
        const string fragment = """
            {"metadata": {"labels": {"team": "a"}, "annotations": {"x": ""}},
             "spec": {
               "priorityClassName": "high", "automountServiceAccountToken": true, "imagePullSecrets": [{"name": "own"}, {"name": "more"}],
               "securityContext": {"runAsUser": 1000, "fsGroup": 2000},
               "tolerations": [{"key": "a", "operator": "Exists", "value": ""}],
               "containers": [
                 {"name": "side", "image": "s:1"},
                 {"name": "demo", "tty": false, "volumeMounts": [{"name": "data", "mountPath": "/d", "readOnly": false}],
                  "env": [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}], "ports": [{"containerPort": 9000}],
                  "resources": {"limits": {"ephemeral-storage": "1024Mi"}}, "securityContext": {"readOnlyRootFilesystem": true, "capabilities": {"add": ["NET_BIND_SERVICE"]}}}],
               "volumes": [{"name": "data", "emptyDir": {"sizeLimit": "1.5Gi"}}]}}
            """;
        var plain = TemplateOf(SampleServers.WithGateway(Spec(null)));
        var merged = TemplateOf(SampleServers.WithGateway(Spec(fragment)));

        var expected = plain.DeepClone().AsObject();
        var (pod, demo) = (expected["spec"]!.AsObject(), expected["spec"]!["containers"]![0]!.AsObject());
        expected["metadata"]!["labels"]!["team"] = "a";
        expected["metadata"]!["annotations"] = new JsonObject { ["x"] = "" };
        pod["priorityClassName"] = "high";
        pod["automountServiceAccountToken"] = true;
        pod["imagePullSecrets"] = JsonNode.Parse("""[{"name": "own"}, {"name": "more"}]""");
        pod["securityContext"]!["runAsUser"] = 1000;
        pod["securityContext"]!["fsGroup"] = 2000;
        pod["tolerations"] = JsonNode.Parse("""[{"key": "a", "operator": "Exists"}]""");
        demo["volumeMounts"] = JsonNode.Parse("""[{"name": "data", "mountPath": "/d"}]""");
        demo["env"] = JsonNode.Parse("""[{"name": "A", "value": "1"}, {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP", "apiVersion": "v1"}}}]""");
        demo["ports"]!.AsArray().Add(JsonNode.Parse("""{"containerPort": 9000, "protocol": "TCP"}"""));
        demo["resources"]!["limits"]!["ephemeral-storage"] = "1Gi";
        demo["securityContext"]!["readOnlyRootFilesystem"] = true;
        demo["securityContext"]!["capabilities"]!["add"] = new JsonArray("NET_BIND_SERVICE");
        pod["containers"]!.AsArray().Add(JsonNode.Parse("""{"name": "side", "image": "s:1"}"""));
        pod["volumes"]!.AsArray().Add(JsonNode.Parse("""{"name": "data", "emptyDir": {"sizeLimit": "1536Mi"}}"""));
        Assert.Equal(expected.ToJsonString(), JsonNode.DeepEquals(expected, merged) ? expected.ToJsonString() : merged.ToJsonString());

        static MCPServerSpec Spec(string? fragment) => new()
        {
            EnvVars = [new() { Name = "A", Value = "1" }],
            ImagePullSecrets = ["own"],
            PodTemplate = fragment is null ? null : JsonElement.Parse(fragment),
        };
    }

    /// <summary>In the form in which API servers store it.</summary>
    [Theory]
    [InlineData("""{"overhead":{"cpu":1,"memory":"0.5Gi"}}""", """{"overhead":{"cpu":"1","memory":"512Mi"}}""")]
    [InlineData("""{"overhead":{"cpu":"much"}}""", """{"overhead":{"cpu":"much"}}""")]
    [InlineData("""{"nodeSelector":{"limits":"1000m","sizeLimit":"1000m","tty":"","none":null}}""", """{"nodeSelector":{"limits":"1000m","sizeLimit":"1000m","tty":""}}""")]
    [InlineData("""{"hostNetwork":false,"hostPID":true,"shareProcessNamespace":false,"priority":0}""", """{"hostPID":true,"shareProcessNamespace":false,"priority":0}""")]
    [InlineData("""{"schedulerName":"","volumes":[{"name":"c","csi":{"driver":"d"}},{"name":"s","secret":{"secretName":"s","defaultMode":256}}]}""", """{"volumes":[{"name":"c","csi":{"driver":"d"}},{"name":"s","secret":{"secretName":"s","defaultMode":256}}]}""")]
    [InlineData("""{"initContainers":[{"name":"i","args":[""],"startupProbe":{"httpGet":{"port":1}}}]}""", """{"initContainers":[{"name":"i","args":[""],"startupProbe":{"httpGet":{"port":1,"path":"/","scheme":"HTTP"},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3}}]}""")]
    [InlineData("""{"tolerations":[],"dnsConfig":{},"hostAliases":null}""", "{}")]
    [InlineData("""{"dnsConfig":{"options":[{"name":"ndots","value":"2"}]}}""", """{"dnsConfig":{"options":[{"name":"ndots","value":"2"}]}}""")]
    [InlineData("""{"topologySpreadConstraints":[{"topologyKey":"a","whenUnsatisfiable":"b","labelSelector":{}}]}""", """{"topologySpreadConstraints":[{"topologyKey":"a","whenUnsatisfiable":"b","labelSelector":{}}]}""")]
    [InlineData(
        """{"volumes":[{"name":"p","projected":{"sources":[{"serviceAccountToken":{"path":"t","audience":""}},{"downwardAPI":{"items":[{"path":"c","resourceFieldRef":{"resource":"limits.cpu"}}]}}]}}]}""",
        """{"volumes":[{"name":"p","projected":{"sources":[{"serviceAccountToken":{"path":"t","expirationSeconds":3600}},{"downwardAPI":{"items":[{"path":"c","resourceFieldRef":{"resource":"limits.cpu","divisor":"0"}}]}}],"defaultMode":420}}]}""")]
    [InlineData(
        """{"volumes":[{"name":"d","downwardAPI":{"items":[{"path":"c","resourceFieldRef":{"resource":"limits.cpu","divisor":"1000m"}}]}}]}""",
        """{"volumes":[{"name":"d","downwardAPI":{"items":[{"path":"c","resourceFieldRef":{"resource":"limits.cpu","divisor":"1"}}],"defaultMode":420}}]}""")]
    public void WhatIsSentIsWhatIsStored(string pod, string stored)
    {
        var template = new JsonObject { ["spec"] = new JsonObject { ["containers"] = new JsonArray(new JsonObject { ["name"] = "demo" }) } };
        PodFragment.Merge(template, SampleServers.Effective(new MCPServerSpec { PodTemplate = JsonElement.Parse($$"""{"spec":{{pod}}}""") }));
        template["spec"]!.AsObject().Remove("containers");
        Assert.Equal(stored, template["spec"]!.ToJsonString());
    }

    /// <summary>A difference that means something is one, and no other.</summary>
    [Theory]
    [InlineData("""{"initContainers":[{"name":"a"},{"name":"b"}]}""", """{"initContainers":[{"name":"b"},{"name":"a"}]}""", false)]
    [InlineData("""{"volumes":[{"name":"a"},{"name":"b"}]}""", """{"volumes":[{"name":"b"},{"name":"a"}]}""", true)]
    [InlineData("""{"topologySpreadConstraints":[{"topologyKey":"a","whenUnsatisfiable":"b"}]}""", """{"topologySpreadConstraints":[{"topologyKey":"a","whenUnsatisfiable":"b","labelSelector":{}}]}""", false)]
    [InlineData("""{"volumes":[{"name":"a"}]}""", """{"volumes":[{"name":"a","emptyDir":{}}]}""", true)]
    [InlineData("""{"containers":[{"name":"demo","envFrom":[{"configMapRef":{"name":"a"}},{"configMapRef":{"name":"b"}}]}]}""", """{"containers":[{"name":"demo","envFrom":[{"configMapRef":{"name":"b"}},{"configMapRef":{"name":"a"}}]}]}""", false)]
    public void TheFingerprintTellsThemApart(string one, string other, bool same)
    {
        Assert.Equal(same, FingerprintOf(one) == FingerprintOf(other));

        static ulong FingerprintOf(string pod)
        {
            var server = SampleServers.Effective(new MCPServerSpec { Image = "a:1", PodTemplate = JsonElement.Parse($$"""{"spec":{{pod}}}""") });
            return OwnedFields.FingerprintOf(DeploymentManifest.Body(DeploymentManifest.Build(server, SampleServers.Settings), server));
        }
    }

    /// <summary>Both tracks have the same pods, but for the image.</summary>
    [Fact]
    public void TheCanaryHasItToo()
    {
        var server = SampleServers.Effective(new MCPServerSpec
        {
            Image = "a:1",
            Args = ["x"],
            Replicas = 2,
            Rollout = new RolloutConfig { Strategy = "Canary", CanaryReplicas = 1, CanaryImage = "a:2" },
            PodTemplate = JsonElement.Parse("""{"metadata":{"labels":{"l":"v"}},"spec":{"containers":[{"name":"side"}]}}"""),
        });
        var canary = JsonNode.Parse(DeploymentManifest.Body(DeploymentManifest.BuildCanary(server, SampleServers.Settings), server))!["spec"]!["template"]!;
        var stable = TemplateOf(server);
        stable["metadata"]!["labels"]!["mcpruntime.org/rollout-track"] = "canary";
        stable["spec"]!["containers"]![0]!["image"] = "a:2";
        Assert.True(JsonNode.DeepEquals(stable, canary));
    }

    private static JsonNode PodOf(MCPServerSpec spec) => TemplateOf(SampleServers.Effective(spec))["spec"]!;

    private static JsonObject TemplateOf(MCPServer server) =>
        JsonNode.Parse(DeploymentManifest.Body(DeploymentManifest.Build(server, SampleServers.Settings), server))!["spec"]!["template"]!.AsObject();
}
