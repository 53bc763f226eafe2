using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>Servers with client certificates. A test plays cert-manager; Traefik reports nothing.</summary>
public sealed class MtlsTests(HttpRouteTests.WithGatewayApi own) : IClassFixture<HttpRouteTests.WithGatewayApi>
{
    internal const string Auth = "auth: {mode: mtls, trustDomain: example.org}";
    internal const string Spec = $"{{image: 'example.org/web:1', gateway: {{enabled: true, image: 'example.org/gateway:1'}}, ingressHost: mcp.example.org, {Auth}}}";

    internal static readonly Dictionary<string, string?> Environment = new(ServerScenario.Permissive) { ["MCP_MTLS_CLUSTER_ISSUER"] = "workloads" };

    private const string GatewayCertificate = "web-gateway-mtls";
    private const string IngressCertificate = "web-traefik-client-mtls";

    private static readonly (Resource Resource, string Name)[] Objects =
    [
        (Resource.Certificates, GatewayCertificate), (Resource.Certificates, IngressCertificate), (Resource.TlsOptions, "web-mtls"),
        (Resource.ServersTransports, "web-gateway"), (Resource.Middlewares, "web-spiffe-identity"), (Resource.IngressRoutes, "web"), (Resource.NetworkPolicies, "web-mtls-gateway"),
    ];

    [Fact]
    public async Task ItIsMadeInOrderKeptAndARestartWritesNothing()
    {
        await using var scenario = await ServerScenario.StartAsync(own.Require(), Environment, ServerScenario.OneWorker);
        await scenario.CreateServerAsync(Spec);
        await scenario.EventuallyConditionAsync("MTLSReady", "False CertificatePending");
        var status = await scenario.EventuallyConditionAsync("PolicyReady", "True PolicyCurrent");
        Assert.Equal("False NotCreated", ServerScenario.StatusAndReason(status, "IngressRouteReady"));
        Assert.Equal("", ServerScenario.StatusAndReason(status, "IngressReady"));
        Assert.Equal("mtls example.org", await scenario.PolicyAsync() is var policy ? $"{policy["auth"]!["mode"]} {policy["auth"]!["trust_domain"]}" : "");
        await AssertSpecAsync(
            scenario, Resource.Certificates, GatewayCertificate,
            $$"""
            secretName: web-gateway-mtls
            duration: 24h0m0s
            renewBefore: 8h0m0s
            dnsNames: [web, web.{{scenario.Namespace.Name}}, web.{{scenario.Namespace.Name}}.svc, web.{{scenario.Namespace.Name}}.svc.cluster.local]
            usages: [digital signature, key encipherment, server auth]
            issuerRef: {group: cert-manager.io, kind: ClusterIssuer, name: workloads}
            """);
        await AssertSpecAsync(
            scenario, Resource.Certificates, IngressCertificate,
            $$"""
            secretName: web-traefik-client-mtls
            duration: 24h0m0s
            renewBefore: 8h0m0s
            uris: ['spiffe://example.org/ns/{{scenario.Namespace.Name}}/ingress/web']
            usages: [digital signature, key encipherment, client auth]
            issuerRef: {group: cert-manager.io, kind: ClusterIssuer, name: workloads}
            """);
        await AssertSpecAsync(
            scenario, Resource.TlsOptions, "web-mtls", "{minVersion: VersionTLS12, clientAuth: {secretNames: [web-gateway-mtls], clientAuthType: RequireAndVerifyClientCert}}");
        await AssertSpecAsync(
            scenario, Resource.ServersTransports, "web-gateway",
            $"{{serverName: web.{scenario.Namespace.Name}.svc.cluster.local, certificatesSecrets: [web-traefik-client-mtls], rootCAsSecrets: [web-gateway-mtls]}}");
        await AssertSpecAsync(
            scenario, Resource.Middlewares, "web-spiffe-identity", "{plugin: {spiffe-identity: {verifiedHeader: X-MCP-Verified-SPIFFE-ID, trustDomain: example.org}}}");

        // Pods would hang, and the route lead nowhere.
        await SayAsync(scenario, GatewayCertificate, "False", "Issuing certificate as Secret does not exist");
        status = await scenario.EventuallyConditionAsync("MTLSReady", "False CertificateNotReady");
        Assert.Equal(
            "Issuing certificate as Secret does not exist (Certificate web-gateway-mtls, ClusterIssuer workloads)", (string?)ServerScenario.Condition(status, "MTLSReady")!["message"]);
        Assert.Null(await scenario.Client.FindAsync(Resource.Deployments, scenario.Namespace.Name, "web"));
        await SayAsync(scenario, GatewayCertificate);
        await Eventually.TrueAsync("there were pods", () => scenario.Client.FindAsync(Resource.Deployments, scenario.Namespace.Name, "web"), pods => pods is not null);
        Assert.Null(await FindAsync(scenario, Resource.IngressRoutes, "web"));
        await SayAsync(scenario, IngressCertificate);
        await scenario.EventuallyConditionAsync("IngressRouteReady", "True IngressRouteCreated");
        await AssertSpecAsync(
            scenario, Resource.IngressRoutes, "web",
            """
            entryPoints: [websecure]
            routes:
            - kind: Rule
              match: Host(`mcp.example.org`) && (Path(`/web/mcp`) || PathPrefix(`/web/mcp/`))
              middlewares: [{name: web-spiffe-identity}]
              services: [{name: web, port: 80, scheme: https, serversTransport: web-gateway}]
            tls: {options: {name: web-mtls}}
            """);
        await AssertSpecAsync(
            scenario, Resource.NetworkPolicies, "web-mtls-gateway",
            """
            podSelector: {matchLabels: {app: web, app.kubernetes.io/managed-by: mcp-runtime}}
            policyTypes: [Ingress]
            ingress:
            - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: traefik}}, podSelector: {matchLabels: {app: traefik}}}]
              ports: [{port: gateway, protocol: TCP}]
            - ports: [{port: metrics, protocol: TCP}]
            """);
        await scenario.RollOutAsync();
        status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal("https://mcp.example.org/web/mcp", (string?)status["url"]);
        Assert.Equal("True MTLSConfigured", ServerScenario.StatusAndReason(status, "MTLSReady"));
        foreach (var (resource, name) in Objects)
        {
            var made = (await FindAsync(scenario, resource, name))!;
            Assert.Equal("MCPServer", (string?)made["metadata"]!["ownerReferences"]![0]!["kind"]);
            Assert.Equal("web", (string?)made["metadata"]!["labels"]!["mcpruntime.org/server"]);
        }

        // Whoever weakens them is corrected.
        await scenario.Client.PatchAsync(Resource.TlsOptions, scenario.Namespace.Name, "web-mtls", """{"spec": {"clientAuth": {"clientAuthType": "NoClientCert"}}}""");
        await EventuallyAsync(scenario, Resource.TlsOptions, "web-mtls", option => (string?)option?["spec"]!["clientAuth"]!["clientAuthType"] == "RequireAndVerifyClientCert");
        foreach (var (resource, name) in Objects[2..])
        {
            await scenario.Client.DeleteAsync(resource, scenario.Namespace.Name, name);
            await EventuallyAsync(scenario, resource, name, live => live is not null);
        }

        // One that is issued anew, or cannot be, keeps no edit from pods that have their Secret.
        await SayAsync(scenario, GatewayCertificate, "False", "The certificate request has failed");
        await scenario.EventuallyConditionAsync("MTLSReady", "False CertificateNotReady");
        await scenario.EditAndSettleAsync("image: 'example.org/web:2'");
        Assert.Equal("example.org/web:2", (string?)(await scenario.ContainerAsync())["image"]);
        await SayAsync(scenario, GatewayCertificate);
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");

        var diff = await DiffAsync(scenario, Spec.Replace("web:1", "web:2", StringComparison.Ordinal), "web");
        Assert.Equal((0, "No changes\n", ""), diff);
        var writes = await WritesAsync(scenario);
        await scenario.StartOperatorAsync(Environment, ServerScenario.OneWorker);
        await scenario.PassAsync();
        Assert.Equal(writes, await WritesAsync(scenario));
        Assert.DoesNotContain(await scenario.Namespace.OperatorRequestsAsync(), request => request.Resource == "secrets");
    }

    [Fact]
    public async Task FromAnIngressAndBackOneOfTheTwoIsThereAtAnyTimeAlsoOverARestart()
    {
        await using var scenario = await ServerScenario.StartAsync(own.Require(), Environment, ServerScenario.OneWorker);
        await scenario.CreateServerAsync(Spec.Replace(", " + Auth, "", StringComparison.Ordinal));
        await scenario.EventuallyConditionAsync("PolicyReady", "True PolicyCurrent");
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        var ingress = await scenario.IngressAsync();

        // Before the certificates are issued the pods stay, and then the Ingress until there are others.
        await scenario.EditAndSettleAsync(Auth);
        var status = await scenario.EventuallyConditionAsync("MTLSReady", "False CertificatePending");
        Assert.Equal("http://mcp.example.org/web/mcp", (string?)status["url"]);
        Assert.False(await SpeaksTlsAsync(scenario));
        await SayAsync(scenario, GatewayCertificate);
        await SayAsync(scenario, IngressCertificate);
        await Eventually.TrueAsync("the gateways spoke TLS", () => SpeaksTlsAsync(scenario), speaks => speaks);
        await scenario.PassAsync();
        Assert.Null(await FindAsync(scenario, Resource.IngressRoutes, "web"));
        ServerScenario.AssertJson(ingress["spec"]!, (await scenario.IngressAsync())["spec"]);
        ServerScenario.AssertJson(ingress["metadata"]!["annotations"]!, (await scenario.IngressAsync())["metadata"]!["annotations"]);
        await scenario.RollOutAsync();
        status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal("https://mcp.example.org/web/mcp", (string?)status["url"]);
        Assert.Null(await scenario.Client.FindAsync(Resource.Ingresses, scenario.Namespace.Name, "web"));
        await AssertOrderAsync(scenario, "ingressroutes", "ingresses");

        await scenario.EditAndSettleAsync("auth: null");
        await scenario.EventuallyConditionAsync("IngressReady", "True IngressCreated");
        await Eventually.TrueAsync("the gateways spoke it no more", () => SpeaksTlsAsync(scenario), speaks => !speaks);
        await scenario.PassAsync();
        status = (await scenario.ServerAsync())["status"]!;
        Assert.Equal("True IngressRouteCreated", ServerScenario.StatusAndReason(status, "IngressRouteReady"));
        Assert.Equal("https://mcp.example.org/web/mcp", (string?)status["url"]);
        // The next operator knows of it, though no spec asks for any.
        await scenario.StopOperatorAsync();
        foreach (var (resource, name) in Objects)
            Assert.NotNull(await FindAsync(scenario, resource, name));
        await scenario.RollOutAsync();
        await scenario.StartOperatorAsync(Environment, ServerScenario.OneWorker);
        foreach (var (resource, name) in Objects)
            await EventuallyAsync(scenario, resource, name, live => live is null);
        await scenario.EventuallyStatusAsync("it was forgotten", now => ServerScenario.Condition(now, "IngressRouteReady") is null && ServerScenario.Condition(now, "MTLSReady") is null);
        status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal("http://mcp.example.org/web/mcp", (string?)status["url"]);
        await AssertOrderAsync(scenario, "ingresses", "ingressroutes");
    }

    [Fact]
    public async Task WhatIsNotOursIsLeftAlone()
    {
        await using var scenario = await ServerScenario.StartAsync(own.Require(), Environment);
        foreach (var (resource, name) in ((Resource, string)[])[(Resource.TlsOptions, "web-mtls"), (Resource.IngressRoutes, "web"), (Resource.NetworkPolicies, "web-mtls-gateway")])
        {
            var spec = resource == Resource.NetworkPolicies ? "{podSelector: {}}" : "{}";
            await scenario.Client.CreateAsync($"{{apiVersion: {resource.ApiVersion}, kind: {resource.Kind}, metadata: {{name: {name}}}, spec: {spec}}}", scenario.Namespace.Name);
        }

        var (option, route, policy) = (await FindAsync(scenario, Resource.TlsOptions, "web-mtls"), await FindAsync(scenario, Resource.IngressRoutes, "web"), await FindAsync(scenario, Resource.NetworkPolicies, "web-mtls-gateway"));
        await scenario.CreateServerAsync(Spec);
        var status = await scenario.EventuallyConditionAsync("MTLSReady", "False NameConflict");
        Assert.Contains($"TLSOption {scenario.Namespace.Name}/web-mtls was not made by this operator", (string)ServerScenario.Condition(status, "MTLSReady")!["message"]!, StringComparison.Ordinal);
        await SayAsync(scenario, GatewayCertificate);
        await SayAsync(scenario, IngressCertificate);
        await scenario.EventuallyConditionAsync("DeploymentReady", "False DeploymentProgressing");
        ServerScenario.AssertJson(option, await FindAsync(scenario, Resource.TlsOptions, "web-mtls"));
        await scenario.Client.DeleteAsync(Resource.TlsOptions, scenario.Namespace.Name, "web-mtls");
        await scenario.EditServerAsync("servicePort: 81");
        await scenario.EventuallyConditionAsync("MTLSReady", "True MTLSConfigured");
        await scenario.EventuallyConditionAsync("IngressRouteReady", "False NameConflict");
        ServerScenario.AssertJson(route, await FindAsync(scenario, Resource.IngressRoutes, "web"));
        await scenario.Client.DeleteAsync(Resource.IngressRoutes, scenario.Namespace.Name, "web");
        await scenario.EditServerAsync("servicePort: 82");
        await scenario.EventuallyConditionAsync("IngressRouteReady", "True IngressRouteCreated");
        await scenario.EventuallyConditionAsync("MTLSReady", "False NameConflict");

        await scenario.EditServerAsync("auth: null");
        await Eventually.TrueAsync("the gateways spoke TLS no more", () => SpeaksTlsAsync(scenario), speaks => !speaks);
        await scenario.RollOutAsync();
        await EventuallyAsync(scenario, Resource.Certificates, GatewayCertificate, live => live is null);
        ServerScenario.AssertJson(policy, await FindAsync(scenario, Resource.NetworkPolicies, "web-mtls-gateway"));
    }

    [Fact]
    public async Task TheRouteOfAnotherIsNotTakenByAnIngressRouteEither()
    {
        await using var scenario = await ServerScenario.StartAsync(own.Require(), Environment);
        await scenario.CreateServerAsync("{image: 'example.org/a:1', ingressHost: mcp.example.org, ingressPath: /web/mcp}", "a");
        await scenario.EventuallyConditionAsync("IngressReady", "True IngressCreated", "a");
        await scenario.CreateServerAsync(Spec);
        await scenario.EventuallyConditionAsync("MTLSReady", "False CertificatePending");
        await SayAsync(scenario, GatewayCertificate);
        await SayAsync(scenario, IngressCertificate);
        await scenario.EventuallyConditionAsync("IngressRouteReady", "False RouteConflict");
        Assert.Null(await FindAsync(scenario, Resource.IngressRoutes, "web"));
        await scenario.EditServerAsync("route: None", "a");
        await scenario.EventuallyConditionAsync("IngressRouteReady", "True IngressRouteCreated");
    }

    internal static Task<JsonObject?> FindAsync(ServerScenario scenario, Resource resource, string name) => scenario.Client.FindAsync(resource, scenario.Namespace.Name, name);

    /// <summary>What cert-manager says of a certificate as it is.</summary>
    internal static async Task SayAsync(ServerScenario scenario, string name, string status = "True", string message = "Certificate is up to date and has not expired")
    {
        var live = (await FindAsync(scenario, Resource.Certificates, name))!;
        await scenario.Client.PatchStatusAsync(Resource.Certificates, scenario.Namespace.Name, name, new JsonObject
        {
            ["conditions"] = new JsonArray(new JsonObject
            {
                ["type"] = "Ready",
                ["status"] = status,
                ["reason"] = "Any",
                ["message"] = message,
                ["observedGeneration"] = (long)live["metadata"]!["generation"]!,
            }),
        });
    }

    /// <summary>What the operator would change for a server, by a user with its rights.</summary>
    internal static async Task<(int ExitCode, string Output, string Errors)> DiffAsync(ServerScenario scenario, string spec, string name)
    {
        var reviewer = $"reviewer-{scenario.Namespace}";
        await OperatorRole.GrantAsync(scenario.ControlPlane, reviewer, scenario.Namespace.Name);
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, scenario.ServerManifest(spec, name).ToJsonString());
        var diff = await Command.OperatorAsync(
            ["diff", "--kubeconfig", scenario.ControlPlane.Kubeconfig(reviewer), "-n", scenario.Namespace.Name, "-f", file, .. Environment.SelectMany(variable => new[] { "--set-env", $"{variable.Key}={variable.Value}" })]);
        File.Delete(file);
        return (diff.ExitCode, diff.Output, string.Concat(diff.ErrorLines.Where(line => !line.Contains(" are not readable in ", StringComparison.Ordinal))));
    }

    private static async Task AssertSpecAsync(ServerScenario scenario, Resource resource, string name, string expected) =>
        ServerScenario.AssertJson(expected, (await FindAsync(scenario, resource, name))?["spec"]);

    private static Task<JsonObject?> EventuallyAsync(ServerScenario scenario, Resource resource, string name, Func<JsonObject?, bool> condition) =>
        Eventually.TrueAsync($"{resource.Kind} {name} was as wanted", () => FindAsync(scenario, resource, name), condition);

    private static async Task<bool> SpeaksTlsAsync(ServerScenario scenario)
    {
        var pod = (await scenario.DeploymentAsync())["spec"]!["template"]!["spec"]!;
        var isMounted = pod["volumes"]!.AsArray().Any(volume => (string?)volume!["secret"]?["secretName"] == GatewayCertificate);
        var probe = pod["containers"]!.AsArray().Single(container => (string?)container!["name"] == "mcp-gateway")!["readinessProbe"]!;
        Assert.Equal((isMounted, !isMounted), (probe["tcpSocket"] is not null, probe["httpGet"] is not null));
        return isMounted;
    }

    /// <summary>The last creation of one came before the last deletion of the other.</summary>
    private static async Task AssertOrderAsync(ServerScenario scenario, string created, string deleted)
    {
        var writes = (await scenario.WritesAsync()).ToList();
        Assert.InRange(writes.FindLastIndex(request => request.Resource == created && request.Verb is "patch"), 0, writes.FindLastIndex(request => request.Resource == deleted && request.Verb is "delete"));
    }

    private static async Task<int> WritesAsync(ServerScenario scenario) =>
        (await scenario.Namespace.OperatorRequestsAsync()).Count(request => request.IsWrite && request.Name?.StartsWith("web", StringComparison.Ordinal) == true && request.Resource != "events");
}

/// <summary>The same where neither cert-manager nor Traefik is installed.</summary>
public sealed class MtlsWithoutCrdsTests(OwnControlPlane own) : IClassFixture<OwnControlPlane>
{
    private static readonly string[] Kinds = ["certificates", "tlsoptions", "middlewares", "serverstransports", "ingressroutes"];

    [Fact]
    public async Task WhoWantsItIsToldAndNobodyElseIsHeldUp()
    {
        await using var scenario = await ServerScenario.StartAsync(own.Require(), MtlsTests.Environment);
        await scenario.CreateServerAsync("image: example.org/plain:1", "plain");
        await scenario.EventuallyConditionAsync("IngressReady", "True IngressCreated", "plain");
        await scenario.RollOutAsync("plain");
        await scenario.EventuallyPhaseAsync("Ready", "plain");
        // Whoever does not use it pays nothing for it.
        Assert.DoesNotContain(await scenario.Namespace.OperatorRequestsAsync(), request => Kinds.Contains(request.Resource));
        Assert.Equal((0, "No changes\n", ""), await MtlsTests.DiffAsync(scenario, "image: example.org/plain:1", "plain"));
        Assert.DoesNotContain(await scenario.Namespace.RequestsOfAsync($"reviewer-{scenario.Namespace}"), request => Kinds.Contains(request.Resource));

        await scenario.CreateServerAsync(MtlsTests.Spec);
        var status = await scenario.EventuallyConditionAsync("MTLSReady", "False NotInstalled");
        Assert.Equal(
            "the cluster has no Certificate of cert-manager.io/v1: install the CustomResourceDefinition certificates.cert-manager.io",
            (string?)ServerScenario.Condition(status, "MTLSReady")!["message"]);
        await scenario.EditAndSettleAsync("image: example.org/plain:2", "plain");
        await scenario.RollOutAsync("plain");
        await scenario.EventuallyPhaseAsync("Ready", "plain");

        await scenario.EditServerAsync("auth: null");
        await scenario.EventuallyConditionAsync("PolicyReady", "True PolicyCurrent");
        await Eventually.TrueAsync("there were pods", () => MtlsTests.FindAsync(scenario, Resource.Deployments, "web"), pods => pods is not null);
        await scenario.RollOutAsync();
        status = await scenario.EventuallyPhaseAsync("Ready");
        Assert.Equal("", ServerScenario.StatusAndReason(status, "MTLSReady"));
        Assert.Equal("", ServerScenario.StatusAndReason(status, "IngressRouteReady"));
        Assert.Empty(scenario.Operator!.Complaints);

        await scenario.ControlPlane.InstallCrdsAsync(Repository.PathTo("tests", "Envtest", "Data", "crds"));
        await scenario.EditServerAsync(MtlsTests.Auth);
        await scenario.EventuallyConditionAsync("MTLSReady", "False CertificatePending");
    }
}
