using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>What a new MCPServer leads to: every field of its objects as a real API server stored them.</summary>
public sealed class CreateTests(ControlPlaneFixture fixture)
{
    [Fact]
    [Trait("Suite", "smoke")]
    public async Task AMinimalServerGetsADeploymentAServiceAndAnIngress()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture);
        await scenario.CreateServerAsync("image: example.org/acme/web");
        var server = await scenario.SettledAsync();

        var deployment = await scenario.DeploymentAsync();
        AssertMetadata(server, deployment, "{app: web, app.kubernetes.io/managed-by: mcp-runtime, mcpruntime.org/rollout-track: stable}", null);
        ServerScenario.AssertJson("""
            replicas: 1
            revisionHistoryLimit: 10          # from here on down, what nobody set is the API server's
            progressDeadlineSeconds: 600
            selector: {matchLabels: {app: web, mcpruntime.org/rollout-track: stable}}
            strategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 25%, maxSurge: 25%}}
            template:
              metadata:
                labels: {app: web, app.kubernetes.io/managed-by: mcp-runtime, mcpruntime.org/rollout-track: stable}
              spec:
                serviceAccountName: mcp-workload
                serviceAccount: mcp-workload
                automountServiceAccountToken: false
                securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
                restartPolicy: Always
                dnsPolicy: ClusterFirst
                schedulerName: default-scheduler
                terminationGracePeriodSeconds: 30
                containers:
                - name: web
                  image: example.org/acme/web:latest
                  imagePullPolicy: IfNotPresent
                  ports: [{name: http, containerPort: 8088, protocol: TCP}]
                  resources: {requests: {cpu: 50m, memory: 64Mi}, limits: {cpu: 500m, memory: 256Mi}}
                  livenessProbe: {tcpSocket: {port: 8088}, initialDelaySeconds: 5, periodSeconds: 10, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 3}
                  readinessProbe: {tcpSocket: {port: 8088}, initialDelaySeconds: 3, periodSeconds: 5, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 3}
                  securityContext: {allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: {drop: [ALL]}}
                  terminationMessagePath: /dev/termination-log
                  terminationMessagePolicy: File
            """, deployment["spec"]);

        var service = await scenario.ServiceAsync();
        AssertMetadata(server, service, "{app: web, app.kubernetes.io/managed-by: mcp-runtime}", null);
        ServerScenario.AssertJson("""
            type: ClusterIP
            selector: {app: web, app.kubernetes.io/managed-by: mcp-runtime}
            ports: [{name: http, port: 80, targetPort: http, protocol: TCP}]
            sessionAffinity: None
            """, Without(service["spec"]!, "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"));

        var ingress = await scenario.IngressAsync();
        AssertMetadata(
            server, ingress, "{app: web, app.kubernetes.io/managed-by: mcp-runtime}", "{traefik.ingress.kubernetes.io/router.entrypoints: web}");
        ServerScenario.AssertJson("""
            ingressClassName: traefik
            rules:
            - http:
                paths: [{path: /web/mcp, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]
            """, ingress["spec"]);

        var account = await scenario.Client.GetAsync(Resource.ServiceAccounts, scenario.Namespace.Name, "mcp-workload");
        Assert.False((bool)account["automountServiceAccountToken"]!);
        ServerScenario.AssertJson("{app.kubernetes.io/managed-by: mcp-runtime}", account["metadata"]!["labels"]);
        Assert.Null(account["metadata"]!["ownerReferences"]);

        Assert.Empty(await scenario.Client.ListAsync(Resource.Secrets, scenario.Namespace.Name));
        Assert.Empty(await scenario.Client.ListAsync(Resource.ConfigMaps, scenario.Namespace.Name, "app.kubernetes.io/managed-by=mcp-runtime"));
    }

    [Fact]
    public async Task EveryFieldOfASpecReachesItsObject()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture);
        await scenario.CreateServerAsync("""
            image: ghcr.io/acme/web
            imageTag: "1.4"
            registryOverride: mirror.example.org:5000
            imagePullSecrets: [one, " ", two, one]
            replicas: 3
            port: 9000
            servicePort: 8000
            ingressHost: mcp.example.org
            publicPathPrefix: /team/a/
            ingressClass: custom
            ingressAnnotations: {example.org/note: kept}
            resources: {requests: {cpu: "1", memory: 300Mi}, limits: {cpu: "2"}}
            envVars: [{name: Z, value: last}, {name: A}, {name: "N", value: "1"}]
            secretEnvVars: [{name: TOKEN, secretKeyRef: {name: tokens, key: web}}]
            rollout: {strategy: RollingUpdate, maxUnavailable: "0", maxSurge: "2"}
            """);
        var status = (await scenario.SettledAsync())["status"]!;

        var deployment = (await scenario.DeploymentAsync())["spec"]!;
        Assert.Equal(3, (int)deployment["replicas"]!);
        ServerScenario.AssertJson("{type: RollingUpdate, rollingUpdate: {maxUnavailable: 0, maxSurge: 2}}", deployment["strategy"]);
        ServerScenario.AssertJson("""[{"name": "one"}, {"name": "two"}]""".AsJson(), deployment["template"]!["spec"]!["imagePullSecrets"]);
        var container = await scenario.ContainerAsync();
        Assert.Equal("mirror.example.org:5000/acme/web:1.4", (string?)container["image"]);
        Assert.Equal(9000, (int)container["ports"]![0]!["containerPort"]!);
        Assert.Equal(9000, (int)container["livenessProbe"]!["tcpSocket"]!["port"]!);
        Assert.Equal(9000, (int)container["readinessProbe"]!["tcpSocket"]!["port"]!);
        ServerScenario.AssertJson("{requests: {cpu: '1', memory: 300Mi}, limits: {cpu: '2', memory: 300Mi}}", container["resources"]);
        ServerScenario.AssertJson(
            """
            [
              {"name": "Z", "value": "last"},
              {"name": "A"},
              {"name": "N", "value": "1"},
              {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "tokens", "key": "web"}}}
            ]
            """.AsJson(),
            container["env"]);

        ServerScenario.AssertJson(
            """[{"name": "http", "port": 8000, "targetPort": "http", "protocol": "TCP"}]""".AsJson(), (await scenario.ServiceAsync())["spec"]!["ports"]);

        var ingress = await scenario.IngressAsync();
        ServerScenario.AssertJson("{example.org/note: kept}", ingress["metadata"]!["annotations"]);
        ServerScenario.AssertJson("""
            ingressClassName: custom
            rules:
            - host: mcp.example.org
              http:
                paths: [{path: /team/a/mcp, pathType: Prefix, backend: {service: {name: web, port: {number: 8000}}}}]
            """, ingress["spec"]);

        Assert.Equal("http://mcp.example.org/team/a/mcp", (string?)status["url"]);
        Assert.Equal("mirror.example.org:5000/acme/web:1.4", (string?)status["image"]);
    }

    [Fact]
    public async Task TheFirstStatusSaysWhatIsThereAndWhatIsWaitedFor()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture);
        await scenario.CreateServerAsync("{image: example.org/web, replicas: 2}");
        var server = await scenario.SettledAsync();

        var generation = (long)server["metadata"]!["generation"]!;
        var since = (string)server["status"]!["conditions"]![0]!["lastTransitionTime"]!;
        ServerScenario.AssertJson($$"""
            observedGeneration: {{generation}}
            phase: PartiallyReady
            message: &message "Deployment not ready: the latest change has not been taken up by the Deployment controller yet; Ingress not ready: no ingress controller has published an address yet"
            deploymentReady: false
            serviceReady: true
            ingressReady: false
            gatewayReady: false
            policyReady: false
            canaryReady: false
            url: /web/mcp
            image: example.org/web:latest
            replicas: 0
            readyReplicas: 0
            selector: app=web,app.kubernetes.io/managed-by=mcp-runtime
            conditions:
            - {type: Ready, status: "False", observedGeneration: {{generation}}, lastTransitionTime: "{{since}}", reason: DeploymentProgressing, message: *message }
            - {type: DeploymentReady, status: "False", observedGeneration: {{generation}}, lastTransitionTime: "{{since}}", reason: DeploymentProgressing, message: the latest change has not been taken up by the Deployment controller yet}
            - {type: ServiceReady, status: "True", observedGeneration: {{generation}}, lastTransitionTime: "{{since}}", reason: ClusterIPAssigned, message: the Service has its cluster IP}
            - {type: IngressReady, status: "False", observedGeneration: {{generation}}, lastTransitionTime: "{{since}}", reason: LoadBalancerPending, message: no ingress controller has published an address yet}
            """, server["status"]);
    }

    [Fact]
    public async Task AServerComesUpWithOneApplyForEachObjectAndOneStatus()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, null, "--workers", "1");
        await scenario.CreateServerAsync("image: example.org/web");
        await scenario.SettledAsync();
        await scenario.PassAsync();

        var requests = (await scenario.Namespace.OperatorRequestsAsync()).Where(request => request.Name == ServerScenario.Name);
        Assert.Equal(
            [
                "patch mcpservers",
                "patch deployments",
                "patch services",
                "patch ingresses",
                "patch mcpservers/status",
            ],
            requests.Select(request => $"{request.Verb} {request.Resource}{(request.Subresource is "" ? "" : "/")}{request.Subresource}"));
    }

    /// <summary>Name, labels, annotations and owner as given, and our field manager as the only one, by apply.</summary>
    private static void AssertMetadata(JsonObject server, JsonObject actual, string labels, string? annotations)
    {
        var metadata = actual["metadata"]!;
        Assert.Equal(ServerScenario.Name, (string?)metadata["name"]);
        ServerScenario.AssertJson(labels, metadata["labels"]);
        ServerScenario.AssertJson(annotations is null ? null : Manifest.Parse(annotations), metadata["annotations"]);
        ServerScenario.AssertJson(
            new JsonArray(new JsonObject
            {
                ["apiVersion"] = "mcpruntime.org/v1alpha1",
                ["kind"] = "MCPServer",
                ["name"] = ServerScenario.Name,
                ["uid"] = (string)server["metadata"]!["uid"]!,
                ["controller"] = true,
                ["blockOwnerDeletion"] = true,
            }),
            metadata["ownerReferences"]);
        Assert.Equal(
            [(ServerScenario.FieldManager, "Apply")],
            metadata["managedFields"]!.AsArray().Select(entry => ((string)entry!["manager"]!, (string)entry["operation"]!)));
    }

    private static JsonObject Without(JsonNode node, params string[] members)
    {
        var copy = node.DeepClone().AsObject();
        foreach (var member in members)
            copy.Remove(member);
        return copy;
    }
}
