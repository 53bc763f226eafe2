using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace McpOperator.Envtest;

/// <summary>A server's gateway: what it is made of, and how it is switched on and off.</summary>
public sealed partial class GatewayTests(ControlPlaneFixture fixture)
{
    private const string On = "gateway: {enabled: true}";
    private const string Off = "gateway: {enabled: false}";

    /// <summary>A name that stands in no object but where the server's does.</summary>
    private const string Switched = "switched";

    private const string ServerPorts = """[{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]""";

    private const string GatewayPorts = """
        [{"name": "http", "port": 80, "targetPort": "gateway", "protocol": "TCP"}, {"name": "metrics", "port": 9103, "targetPort": "metrics", "protocol": "TCP"}]
        """;

    private const string Scraped = "{prometheus.io/scrape: 'true', prometheus.io/port: '9103', prometheus.io/path: /metrics}";

    [Fact]
    public async Task AServerIsCreatedWithItsGateway()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--workers", "1");
        var ns = scenario.Namespace.Name;
        await scenario.CreateServerAsync(
            "{image: 'example.org/web:1', ingressHost: web.example.org, gateway: {enabled: true, image: 'example.org/gateway:1', resources: {limits: {memory: 1Gi}}}}");
        var server = await scenario.SettledAsync();

        var pod = (await scenario.DeploymentAsync())["spec"]!["template"]!["spec"]!;
        Assert.Equal(["web", "mcp-gateway"], pod["containers"]!.AsArray().Select(container => (string)container!["name"]!));
        ServerScenario.AssertJson($$$"""
            name: mcp-gateway
            image: example.org/gateway:1
            imagePullPolicy: IfNotPresent
            ports:
            - {name: gateway, containerPort: 8091, protocol: TCP}
            - {name: metrics, containerPort: 9103, protocol: TCP}
            env:
            - {name: PORT, value: "8091"}
            - {name: METRICS_PORT, value: "9103"}
            - {name: UPSTREAM_URL, value: "http://127.0.0.1:8088"}
            - {name: POLICY_FILE, value: /var/run/mcp-runtime/policy/policy.json}
            - {name: MCP_SERVER_NAME, value: web}
            - {name: MCP_SERVER_NAMESPACE, value: {{{ns}}}}
            - {name: MCP_CLUSTER_NAME, value: local}
            - {name: EXTERNAL_BASE_URL, value: "http://web.example.org"}
            - {name: POLICY_MODE, value: allow-list}
            - {name: POLICY_DEFAULT_DECISION, value: deny}
            - {name: POLICY_VERSION, value: v1}
            - {name: HUMAN_ID_HEADER, value: X-MCP-Human-ID}
            - {name: AGENT_ID_HEADER, value: X-MCP-Agent-ID}
            - {name: TEAM_ID_HEADER, value: X-MCP-Team-ID}
            - {name: SESSION_ID_HEADER, value: X-MCP-Agent-Session}
            - {name: AUTH_MODE, value: header}
            resources: {requests: {cpu: 50m, memory: 64Mi}, limits: {cpu: 500m, memory: 1Gi}}
            volumeMounts: [{name: gateway-policy, mountPath: /var/run/mcp-runtime/policy, readOnly: true}]
            livenessProbe: {tcpSocket: {port: 8091 }, initialDelaySeconds: 5, periodSeconds: 10, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 3}
            readinessProbe: {httpGet: {path: /ready, port: 8091, scheme: HTTP}, initialDelaySeconds: 3, periodSeconds: 5, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 3}
            securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, runAsNonRoot: true, capabilities: {drop: [ALL]}}
            terminationMessagePath: /dev/termination-log
            terminationMessagePolicy: File
            """, pod["containers"]![1]);
        ServerScenario.AssertJson(
            """[{"name": "gateway-policy", "configMap": {"name": "web-gateway-policy", "defaultMode": 420}}]""".AsJson(), pod["volumes"]);
        // The server is as it is without a gateway.
        Assert.Equal(8088, (int)pod["containers"]![0]!["ports"]!.AsArray().Single()!["containerPort"]!);
        Assert.Null(pod["containers"]![0]!["volumeMounts"]);

        var service = await scenario.ServiceAsync();
        ServerScenario.AssertJson(GatewayPorts.AsJson(), service["spec"]!["ports"]);
        ServerScenario.AssertJson(Scraped, service["metadata"]!["annotations"]);
        ServerScenario.AssertJson(
            """[{"path": "/web/mcp", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]""".AsJson(),
            (await scenario.IngressAsync())["spec"]!["rules"]![0]!["http"]!["paths"]);

        var configMap = await scenario.ConfigMapAsync();
        Assert.Equal(["policy.json"], configMap["data"]!.AsObject().Select(member => member.Key));
        ServerScenario.AssertJson("{app: web, app.kubernetes.io/managed-by: mcp-runtime}", configMap["metadata"]!["labels"]);
        var owner = configMap["metadata"]!["ownerReferences"]!.AsArray().Single()!;
        Assert.Equal(((string)server["metadata"]!["uid"]!, true), ((string)owner["uid"]!, (bool)owner["controller"]!));
        ServerScenario.AssertJson($"{{name: web, namespace: {ns}, cluster: local}}", Gateways.Policy(configMap)["server"]);

        var status = server["status"]!;
        Assert.Equal("False GatewayProgressing", ServerScenario.StatusAndReason(status, "GatewayReady"));
        Assert.Equal("True PolicyCurrent", ServerScenario.StatusAndReason(status, "PolicyReady"));
        await scenario.RollOutAsync();
        status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal("True GatewayAvailable", ServerScenario.StatusAndReason(status, "GatewayReady"));
        Assert.Equal(
            ["Ready", "DeploymentReady", "ServiceReady", "IngressReady", "GatewayReady", "PolicyReady"],
            status["conditions"]!.AsArray().Select(condition => (string)condition!["type"]!));
        Assert.Equal((true, true, false), ((bool)status["gatewayReady"]!, (bool)status["policyReady"]!, (bool)status["canaryReady"]!));

        if (!fixture.ControlPlane.IsOwn)
            return;
        await scenario.PassAsync();
        Assert.Equal(
            ["configmaps", "deployments", "services", "ingresses"],
            (await scenario.AllWritesAsync())
                .Where(write => write.Name is "web" or "web-gateway-policy" && write.Resource != "mcpservers").Select(write => write.Resource));
    }

    [Fact]
    public async Task TheEnvironmentIsAsDocumentedAndInThatOrder()
    {
        var environment = new Dictionary<string, string?>(ServerScenario.Permissive)
        {
            ["MCP_GATEWAY_PROXY_IMAGE"] = "example.org/gateway:of-the-operator",
            ["MCP_GATEWAY_OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://otel.example.org:4318",
            ["MCP_SENTINEL_INGEST_URL"] = "http://sentinel.example.org/ingest",
            ["MCP_CLUSTER_NAME"] = "east",
        };
        await using var scenario = await ServerScenario.StartAsync(fixture, environment);
        await scenario.CreateServerAsync("""
            image: example.org/web:1
            port: 9000
            ingressHost: web.example.org
            gateway: {enabled: true, port: 9001, stripPrefix: /web}
            policy: {mode: observe, defaultDecision: allow, policyVersion: v7}
            auth: {mode: none, humanIDHeader: X-H, agentIDHeader: X-A, teamIDHeader: X-T, sessionIDHeader: X-S}
            analytics: {source: me, eventType: call, apiKeySecretRef: {name: sentinel, key: api-key}}
            """);
        await scenario.SettledAsync();

        var gateway = await GatewayAsync(scenario);
        Assert.Equal("example.org/gateway:of-the-operator", (string?)gateway["image"]);
        // The table of docs/gateway.md, row by row; a server with mTLS has more.
        Assert.Equal(
            File.ReadLines(Repository.PathTo("docs", "gateway.md")).Where(line => !line.Contains("mTLS", StringComparison.Ordinal)).Select(line => DocumentedVariable().Match(line))
                .Where(match => match.Success).Select(match => match.Groups[1].Value),
            gateway["env"]!.AsArray().Select(variable => (string)variable!["name"]!));
        ServerScenario.AssertJson(
            $$"""
            PORT: "9001"
            METRICS_PORT: "9103"
            UPSTREAM_URL: http://127.0.0.1:9000
            POLICY_FILE: /var/run/mcp-runtime/policy/policy.json
            MCP_SERVER_NAME: web
            MCP_SERVER_NAMESPACE: {{scenario.Namespace.Name}}
            MCP_CLUSTER_NAME: east
            EXTERNAL_BASE_URL: http://web.example.org
            OTEL_SERVICE_NAME: web-gateway
            OTEL_EXPORTER_OTLP_ENDPOINT: http://otel.example.org:4318
            POLICY_MODE: observe
            POLICY_DEFAULT_DECISION: allow
            POLICY_VERSION: v7
            HUMAN_ID_HEADER: X-H
            AGENT_ID_HEADER: X-A
            TEAM_ID_HEADER: X-T
            SESSION_ID_HEADER: X-S
            AUTH_MODE: none
            STRIP_PREFIX: /web
            ANALYTICS_INGEST_URL: http://sentinel.example.org/ingest
            ANALYTICS_SOURCE: me
            ANALYTICS_EVENT_TYPE: call
            ANALYTICS_API_KEY: {secretKeyRef: {name: sentinel, key: api-key} }
            """,
            new JsonObject(gateway["env"]!.AsArray().Select(variable =>
                KeyValuePair.Create((string)variable!["name"]!, (variable["value"] ?? variable["valueFrom"])?.DeepClone()))));
        Assert.Equal("east", (string?)(await scenario.PolicyAsync())["server"]!["cluster"]);

        await scenario.EditAndSettleAsync("analytics: {disabled: true}");
        gateway = await GatewayAsync(scenario);
        Assert.DoesNotContain(gateway["env"]!.AsArray(), variable => ((string)variable!["name"]!).StartsWith("ANALYTICS_", StringComparison.Ordinal));
        Assert.Contains(gateway["env"]!.AsArray(), variable => (string?)variable!["name"] == "STRIP_PREFIX");
    }

    [Fact]
    public async Task SwitchedOnAndOffAndOnAgainItIsAsIfItHadBeenCreatedThatWay()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--workers", "1");
        await scenario.CreateServerAsync("{image: 'example.org/web:1', gateway: {enabled: true, image: 'example.org/gateway:1'}}", "always");
        await scenario.CreateServerAsync("{image: 'example.org/web:1'}", "never");
        await scenario.CreateServerAsync("{image: 'example.org/web:1'}", Switched);
        foreach (var name in (string[])["always", "never", Switched])
        {
            await scenario.SettledAsync(name);
            await scenario.RollOutAsync(name);
            await scenario.EventuallyPhaseAsync("Ready", name);
        }

        var (on, off) = (await AllOfAsync(scenario, "always"), await AllOfAsync(scenario, "never"));
        Assert.Contains("mcp-gateway", on);
        Assert.DoesNotContain("gateway", off);
        Assert.Equal(off, await AllOfAsync(scenario, Switched));
        await AssertOneRolloutAsync("gateway: {enabled: true, image: 'example.org/gateway:1'}", SwitchOnAsync);
        await AssertOneRolloutAsync(Off, SwitchOffAsync);
        await AssertOneRolloutAsync(On, SwitchOnAsync);
        // The other way to say it; what the API server and the operator have filled in beside it has no effect.
        await AssertOneRolloutAsync("gateway: null", SwitchOffAsync);

        async Task AssertOneRolloutAsync(string edit, Func<string, Task> switchAsync)
        {
            var before = (long)(await scenario.DeploymentAsync(Switched))["metadata"]!["generation"]!;
            await switchAsync(edit);
            await scenario.PassAsync(Switched);
            Assert.Equal(before + 1, (long)(await scenario.DeploymentAsync(Switched))["metadata"]!["generation"]!);
        }

        async Task SwitchOnAsync(string edit)
        {
            await scenario.EditAndSettleAsync(edit, Switched);
            var status = await scenario.EventuallyStatusAsync(
                "the policy was current", seen => ServerScenario.StatusAndReason(seen, "PolicyReady") == "True PolicyCurrent", Switched);
            Assert.Equal("False GatewayProgressing", ServerScenario.StatusAndReason(status, "GatewayReady"));
            // Nobody is sent to a gateway that is not there yet.
            await AssertServiceAsync(ServerPorts, null);
            await scenario.Client.PatchStatusAsync(Resource.Deployments, scenario.Namespace.Name, Switched, new JsonObject
            {
                ["observedGeneration"] = (long)(await scenario.DeploymentAsync(Switched))["metadata"]!["generation"]!,
                ["updatedReplicas"] = 0,
            });
            await scenario.EventuallyStatusAsync("an old pod was left", seen => ((string)seen["message"]!).Contains("latest revision", StringComparison.Ordinal), Switched);
            await scenario.PassAsync(Switched);
            await AssertServiceAsync(ServerPorts, null);

            await scenario.RollOutAsync(Switched);
            await scenario.EventuallyPhaseAsync("Ready", Switched);
            await AssertServiceAsync(GatewayPorts, Scraped);
            Assert.Equal(on, await AllOfAsync(scenario, Switched));
        }

        async Task SwitchOffAsync(string edit)
        {
            var status = (await scenario.EditAndSettleAsync(edit, Switched))["status"]!;
            Assert.Null(ServerScenario.Condition(status, "GatewayReady"));
            Assert.Null(ServerScenario.Condition(status, "PolicyReady"));
            Assert.Equal((false, false), ((bool)status["gatewayReady"]!, (bool)status["policyReady"]!));
            await AssertServiceAsync(ServerPorts, null);
            // The pods that are still there mount it.
            var policy = await scenario.ConfigMapAsync(Switched);
            await scenario.PassAsync(Switched);
            ServerScenario.AssertJson(policy, await scenario.ConfigMapAsync(Switched));

            await scenario.RollOutAsync(Switched);
            await scenario.EventuallyPhaseAsync("Ready", Switched);
            await Eventually.TrueAsync("the policy was gone", () => scenario.FindConfigMapAsync(Switched), found => found is null);
            Assert.Equal(off, await AllOfAsync(scenario, Switched));
        }

        async Task AssertServiceAsync(string ports, string? annotations)
        {
            var service = await scenario.ServiceAsync(Switched);
            ServerScenario.AssertJson(ports.AsJson(), service["spec"]!["ports"]);
            ServerScenario.AssertJson(annotations is null ? null : Manifest.Parse(annotations), service["metadata"]!["annotations"]);
        }
    }

    [Fact]
    public async Task NothingThatOnlyThePolicyNeedsReplacesThePods()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--workers", "1");
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.SettledAsync();
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        var deployment = await scenario.DeploymentAsync();
        var revisions = new List<string> { (string)(await scenario.PolicyAsync())["revision"]! };

        await scenario.CreateGrantAsync("g");
        await scenario.IsAcceptedAsync("g");
        await NoteAsync();
        await scenario.CreateSessionAsync("s");
        await scenario.IsToldAsync(Resource.MCPAgentSessions, "s", "Accepted", "Accepted");
        await NoteAsync();
        foreach (var edit in (string[])["tools: [{name: t, sideEffect: read}]", "session: {required: true, idleTimeout: 5m}", "teamID: blue", "auth: {tokenHeader: X-Token}", "policy: {enforceOn: all}"])
        {
            await scenario.EditAndSettleAsync(edit);
            await scenario.EventuallyPolicyAsync($"the document followed {edit}", seen => (string?)seen["revision"] != revisions[^1]);
            await NoteAsync();
        }

        await scenario.EventuallyPhaseAsync("Ready");
        var policy = await scenario.ConfigMapAsync();
        Assert.Equal(revisions.Count, revisions.Distinct().Count());
        ServerScenario.AssertJson(deployment, await scenario.DeploymentAsync());

        // generated_at and all: a restart reads what it wrote.
        var writes = (await scenario.AllWritesAsync()).Count;
        await scenario.StartOperatorAsync(ServerScenario.Permissive, "--workers", "1");
        await scenario.PassAsync();
        await scenario.AccessPassAsync();
        ServerScenario.AssertJson(policy, await scenario.ConfigMapAsync());
        ServerScenario.AssertJson(deployment, await scenario.DeploymentAsync());
        Assert.Equal(["serviceaccounts"], (await scenario.AllWritesAsync()).Skip(writes).Select(write => write.Resource));

        async Task NoteAsync() => revisions.Add((string)(await scenario.PolicyAsync())["revision"]!);
    }

    [Fact]
    public async Task WithOAuthClientsFindTheAuthorizationServer()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync(
            "{image: 'example.org/web:1', gateway: {enabled: true, image: 'example.org/gateway:1'}, auth: {mode: oauth, issuerURL: 'https://id.example.org', audience: web}}");
        await scenario.SettledAsync();
        Assert.Equal(["/web/mcp Prefix", "/.well-known/oauth-protected-resource/web/mcp Prefix"], await PathsAsync());
        ServerScenario.AssertJson("{issuer_url: 'https://id.example.org', audience: web}", new JsonObject(
            (await scenario.PolicyAsync())["auth"]!.AsObject().Where(member => member.Key is "issuer_url" or "audience")
                .Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone()))));

        await scenario.EditAndSettleAsync(Off);
        Assert.Equal(["/web/mcp Prefix"], await PathsAsync());
        await scenario.EditAndSettleAsync(On);
        Assert.Equal(["/web/mcp Prefix", "/.well-known/oauth-protected-resource/web/mcp Prefix"], await PathsAsync());
        await scenario.EditAndSettleAsync("auth: {mode: header}");
        Assert.Equal(["/web/mcp Prefix"], await PathsAsync());

        async Task<IEnumerable<string>> PathsAsync() =>
            (await scenario.IngressAsync())["spec"]!["rules"]!.AsArray().Single()!["http"]!["paths"]!.AsArray().Select(path => $"{path!["path"]} {path["pathType"]}");
    }

    [Fact]
    public async Task WhatCannotRunIsRefusedAndLeavesWhatRuns()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.SettledAsync();
        var before = await AllOfAsync(scenario, "web");

        foreach (var (edit, fault, policy) in new[]
        {
            // What the spec says now is not what the gateways go by.
            ("{auth: {mode: mtls}}", "spec.auth.trustDomain: is required with spec.auth.mode mtls", "False PolicyOutdated"),
            ("{auth: {mode: oauth}}", "spec.auth.issuerURL", "False PolicyOutdated"),
            ("{auth: null, port: 9103}", "spec.port: 9103 is where the gateway in the same pod serves its metrics", "True PolicyCurrent"),
            ("{port: null, gateway: {image: null}}", "spec.gateway.image", "True PolicyCurrent"),
        })
        {
            var status = (await scenario.EditAndSettleAsync(edit))["status"]!;
            Assert.Equal("False InvalidSpec", ServerScenario.StatusAndReason(status, "Ready"));
            Assert.Contains(fault, (string)status["message"]!, StringComparison.Ordinal);
            await scenario.EventuallyStatusAsync($"the policy was {policy}", seen => ServerScenario.StatusAndReason(seen, "PolicyReady") == policy);
            Assert.Equal(before, await AllOfAsync(scenario, "web"));
        }
    }

    [Fact]
    public async Task APolicyThatSomebodyChangesOrDeletesIsPutRight()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.CreateGrantAsync("g");
        await scenario.IsAcceptedAsync("g");
        var right = await scenario.ConfigMapAsync();
        var text = (string)right["data"]!["policy.json"]!;
        var claiming = JsonNode.Parse(text)!;
        claiming["policy"]!["default_decision"] = "allow";
        var rehashed = claiming.DeepClone();
        rehashed["revision"] = Gateways.Rehash(claiming.ToJsonString());

        foreach (var (what, policy) in new[]
        {
            ("a policy that claims the same revision", claiming.ToJsonString()),
            ("a policy with a revision of its own", rehashed.ToJsonString()),
            ("no JSON", "nothing"),
            ("the same document in one line", JsonNode.Parse(text)!.ToJsonString()),
        })
        {
            await WriteAsync(policy);
            await IsRightAsync(what);
        }

        await scenario.Client.DeleteAsync(Resource.ConfigMaps, scenario.Namespace.Name, Gateways.PolicyName());
        await IsRightAsync("it was deleted");

        // What happens while nobody looks is found at the start.
        await scenario.StopOperatorAsync();
        await WriteAsync(claiming.ToJsonString());
        await scenario.StartOperatorAsync(ServerScenario.Permissive);
        var again = await scenario.EventuallyPolicyAsync("the restarted operator put it right", seen => (string?)seen["policy"]!["default_decision"] == "deny");
        Assert.Equal((string?)JsonNode.Parse(text)!["revision"], (string?)again["revision"]);

        Task WriteAsync(string policy) => scenario.Client.PatchAsync(
            Resource.ConfigMaps, scenario.Namespace.Name, Gateways.PolicyName(), new JsonObject { ["data"] = new JsonObject { ["policy.json"] = policy } });

        Task IsRightAsync(string what) => Eventually.TrueAsync(
            $"the policy was put right after {what}",
            () => scenario.ConfigMapAsync(), live => (string?)live["data"]!["policy.json"] == text && OwnedLeaves.Text(live) == OwnedLeaves.Text(right));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AGatewayNeverRunsWithSomebodyElsesPolicy(bool runs)
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--workers", "1");
        var foreign = await scenario.Client.CreateAsync(
            $$$"""
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: {{{Gateways.PolicyName()}}}}
            data: {policy.json: '{"policy": {"default_decision": "allow"}}'}
            """,
            scenario.Namespace.Name);
        if (runs)
        {
            await scenario.CreateServerAsync("{image: 'example.org/web:1'}");
            await scenario.SettledAsync();
            await scenario.RollOutAsync();
            await scenario.EventuallyPhaseAsync("Ready");
            await scenario.EditServerAsync("{image: 'example.org/web:2', gateway: {enabled: true, image: 'example.org/gateway:1'}}");
        }
        else
        {
            await scenario.CreateServerAsync(Gateways.Spec);
        }

        await scenario.CreateGrantAsync("g");
        var status = await scenario.EventuallyPhaseAsync("Error");
        await scenario.AccessPassAsync();
        await scenario.PassAsync();

        Assert.Equal("False NameConflict", ServerScenario.StatusAndReason(status, "PolicyReady"));
        Assert.Equal("False NameConflict", ServerScenario.StatusAndReason(status, "Ready"));
        Assert.Contains($"ConfigMap {scenario.Namespace.Name}/web-gateway-policy was not made by this operator", (string)status["message"]!, StringComparison.Ordinal);
        ServerScenario.AssertJson(foreign, await scenario.ConfigMapAsync());
        var deployment = await scenario.Client.FindAsync(Resource.Deployments, scenario.Namespace.Name, "web");
        Assert.Equal(runs ? 1 : null, (long?)deployment?["metadata"]!["generation"]);
        if (runs)
            ServerScenario.AssertJson(ServerPorts.AsJson(), (await scenario.ServiceAsync())["spec"]!["ports"]);
        Assert.Null((await scenario.Client.GetAsync(Resource.MCPAccessGrants, scenario.Namespace.Name, "g"))["status"]);

        await scenario.EditAndSettleAsync(Off);
        ServerScenario.AssertJson(foreign, await scenario.ConfigMapAsync());
        await scenario.EditAndSettleAsync(On);

        await scenario.Client.DeleteAsync(Resource.ConfigMaps, scenario.Namespace.Name, Gateways.PolicyName());
        await scenario.AnnotateServerAsync("example.org/touched", "again");
        Assert.Equal(["g"], Gateways.NamesIn(await scenario.EventuallyPolicyAsync("there was a policy", _ => true), "grants"));
        await scenario.IsAcceptedAsync("g");
        await Eventually.TrueAsync("the pods had a gateway", () => GatewayAsync(scenario), _ => true);
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
    }

    [Fact]
    public async Task AServiceThatIsTamperedWithDuringARolloutLeadsToTheGatewaysAgain()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.SettledAsync();
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        // A rollout that does not come to its end, for ever perhaps: its image cannot be pulled.
        await scenario.EditAndSettleAsync("image: example.org/web:2");

        foreach (var patch in (string[])
        [
            """{"spec": {"ports": [{"name": "http", "port": 80, "targetPort": 8088}]}}""",
            """{"spec": {"ports": [{"name": "http", "port": 80, "targetPort": "http"}]}}""",
            """{"spec": {"ports": [{"name": "http", "port": 80, "targetPort": 8091}]}}""",
            """{"metadata": {"annotations": null}, "spec": {"ports": [{"name": "web", "port": 80, "targetPort": 8088}]}}""",
        ])
        {
            await scenario.Client.PatchAsync(Resource.Services, scenario.Namespace.Name, "web", patch);
            await Eventually.TrueAsync(
                $"it led to the gateways after {patch}", () => scenario.ServiceAsync(),
                service => service["spec"]!["ports"]!.AsArray() is [{ } http, { }] && http["targetPort"]!.ToString() == "gateway"
                    && service["metadata"]!["annotations"] is not null,
                TimeSpan.FromSeconds(20));
        }
    }

    /// <summary>The objects of a server as text, without what no two servers share.</summary>
    private static async Task<string> AllOfAsync(ServerScenario scenario, string server)
    {
        var lines = new List<string>();
        foreach (var resource in (Resource[])[Resource.ConfigMaps, Resource.Deployments, Resource.Services, Resource.Ingresses])
        {
            var name = resource == Resource.ConfigMaps ? Gateways.PolicyName(server) : server;
            if (await scenario.Client.FindAsync(resource, scenario.Namespace.Name, name) is not { } live)
                continue;
            var owned = OwnedLeaves.Text(live).Split('\n').Where(line => !line.StartsWith("/metadata/ownerReferences[owner]/uid", StringComparison.Ordinal));
            foreach (var member in (string[])["clusterIP", "clusterIPs"])
                live["spec"]?.AsObject().Remove(member);
            if (resource == Resource.ConfigMaps)
            {
                var policy = Gateways.Policy(live);
                policy.Remove("generated_at");
                policy.Remove("revision");
                live["data"]!["policy.json"] = policy;
                owned = owned.Where(line => !line.StartsWith("/data/policy.json", StringComparison.Ordinal));
            }

            lines.Add($"{resource.Kind} labels {live["metadata"]!["labels"]!.ToJsonString()}");
            lines.Add($"{resource.Kind} annotations {live["metadata"]!["annotations"]?.ToJsonString()}");
            lines.Add($"{resource.Kind} {(live["spec"] ?? live["data"])!.ToJsonString()}");
            lines.AddRange(owned.Select(line => $"{resource.Kind} owned {line}"));
        }

        return string.Join('\n', lines.Select(line => Regex.Replace(line, $@"\b{server}\b", "NAME")).Order(StringComparer.Ordinal));
    }

    private static async Task<JsonNode> GatewayAsync(ServerScenario scenario) =>
        (await scenario.DeploymentAsync())["spec"]!["template"]!["spec"]!["containers"]!.AsArray()
            .Single(container => (string?)container!["name"] == "mcp-gateway")!;

    [GeneratedRegex(@"^\| `([A-Z_]+)` \| ")]
    private static partial Regex DocumentedVariable();
}
