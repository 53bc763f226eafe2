using System.Text;
using System.Text.Json.Nodes;
using McpOperator.Commands;
using McpOperator.Unit.Kubernetes;

namespace McpOperator.Unit.Commands;

public sealed class RenderCommandTests : IDisposable
{
    private const string Server = "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\n";
    private const string Grant = "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPAccessGrant\n";
    private const string Session = "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPAgentSession\n";

    /// <summary>One that has all kinds of objects.</summary>
    private const string Whole = Server + "metadata: {name: web}\nspec: {image: 'a:1', replicas: 2, gateway: {enabled: true, image: 'g:1'}, rollout: {strategy: Canary, canaryReplicas: 1}}\n";

    private static readonly string[] Registry =
    [
        "--set-env", "PROVISIONED_REGISTRY_URL=registry.example.org", "--set-env", "PROVISIONED_REGISTRY_USERNAME=puller",
        "--set-env", "PROVISIONED_REGISTRY_PASSWORD=pass",
    ];

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task AServerWithMtlsHasTheseInPlaceOfAnIngress()
    {
        const string spec = "{image: 'a:1', gateway: {enabled: true, image: 'g:1'}, ingressHost: a.example.org, auth: {mode: mtls, trustDomain: example.org}}";
        var (code, output, error) = await RunAsync(Server + $"metadata: {{name: web}}\nspec: {spec}\n", "-f", "-", "-o", "json", "--set-env", "MCP_MTLS_CLUSTER_ISSUER=ca");

        Assert.Equal((0, ""), (code, error));
        Assert.Equal(
            "ConfigMap web-gateway-policy, Certificate web-gateway-mtls, Certificate web-traefik-client-mtls, TLSOption web-mtls, ServersTransport web-gateway, "
                + "Middleware web-spiffe-identity, ServiceAccount mcp-workload, Deployment web, Service web, IngressRoute web, NetworkPolicy web-mtls-gateway",
            string.Join(", ", JsonNode.Parse(output)!["items"]!.AsArray().Select(item => $"{item!["kind"]} {item["metadata"]!["name"]}")));
    }

    /// <summary>To the byte, so that whoever keeps it under version control sees what a new version does otherwise.</summary>
    [Fact]
    public async Task TheSmallestServerIsThis()
    {
        var (code, output, error) = await RunAsync(Server + "metadata: {name: web}\nspec: {image: 'example.org/web:1'}\n", "-f", "-");
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(
            """
            apiVersion: v1
            kind: ServiceAccount
            metadata:
              name: mcp-workload
              namespace: default
              labels:
                app.kubernetes.io/managed-by: mcp-runtime
            automountServiceAccountToken: false
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              name: web
              namespace: default
              labels:
                app: web
                app.kubernetes.io/managed-by: mcp-runtime
                mcpruntime.org/rollout-track: stable
            spec:
              replicas: 1
              selector:
                matchLabels:
                  app: web
                  mcpruntime.org/rollout-track: stable
              strategy:
                type: RollingUpdate
                rollingUpdate:
                  maxUnavailable: 25%
                  maxSurge: 25%
              template:
                metadata:
                  labels:
                    app: web
                    app.kubernetes.io/managed-by: mcp-runtime
                    mcpruntime.org/rollout-track: stable
                spec:
                  serviceAccountName: mcp-workload
                  automountServiceAccountToken: false
                  securityContext:
                    runAsNonRoot: true
                    runAsUser: 65532
                    seccompProfile:
                      type: RuntimeDefault
                  containers:
                  - name: web
                    image: example.org/web:1
                    imagePullPolicy: IfNotPresent
                    ports:
                    - name: http
                      containerPort: 8088
                      protocol: TCP
                    resources:
                      requests:
                        cpu: 50m
                        memory: 64Mi
                      limits:
                        cpu: 500m
                        memory: 256Mi
                    livenessProbe:
                      tcpSocket:
                        port: 8088
                      initialDelaySeconds: 5
                      periodSeconds: 10
                    readinessProbe:
                      tcpSocket:
                        port: 8088
                      initialDelaySeconds: 3
                      periodSeconds: 5
                    securityContext:
                      allowPrivilegeEscalation: false
                      runAsNonRoot: true
                      capabilities:
                        drop:
                        - ALL
            ---
            apiVersion: v1
            kind: Service
            metadata:
              name: web
              namespace: default
              labels:
                app: web
                app.kubernetes.io/managed-by: mcp-runtime
            spec:
              type: ClusterIP
              selector:
                app: web
                app.kubernetes.io/managed-by: mcp-runtime
              ports:
              - name: http
                port: 80
                targetPort: http
                protocol: TCP
            ---
            apiVersion: networking.k8s.io/v1
            kind: Ingress
            metadata:
              name: web
              namespace: default
              labels:
                app: web
                app.kubernetes.io/managed-by: mcp-runtime
              annotations:
                traefik.ingress.kubernetes.io/router.entrypoints: web
            spec:
              ingressClassName: traefik
              rules:
              - http:
                  paths:
                  - path: /web/mcp
                    pathType: Prefix
                    backend:
                      service:
                        name: web
                        port:
                          number: 80

            """, output);
    }

    [Fact]
    public async Task AllKindsStandInTheOrderInWhichTheyAreAppliedTheSameEachTime()
    {
        var first = await RunAsync(Whole, ["-f", "-", .. Registry]);
        Assert.Equal((0, "note: Secret default/mcp-runtime-registry-pull is left out: secrets are not printed\n"), (first.Code, first.Error));
        Assert.Equal(
            [
                "ConfigMap/web-gateway-policy", "ServiceAccount/mcp-workload", "Deployment/web-canary", "Deployment/web", "Service/web",
                "Ingress/web",
            ],
            await NamesAsync(Whole, Registry));
        Assert.Equal(first, await RunAsync(Whole, ["-f", "-", .. Registry]));
        Assert.DoesNotContain("generated_at", first.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatTheServersOfANamespaceShareStandsThereOnce()
    {
        var yaml = string.Join("---\n", new[] { "a/one", "b/two", "a/three" }.Select(name => name.Split('/')).Select(
            name => Server + $"metadata: {{name: {name[1]}, namespace: {name[0]}}}\nspec: {{image: 'a:1'}}\n"));

        var shared = (await ObjectsAsync(yaml, Registry)).Where(item => (string?)item["kind"] is "ServiceAccount" or "Secret");

        Assert.Equal(["a ServiceAccount", "b ServiceAccount"], shared.Select(item => $"{item["metadata"]!["namespace"]} {item["kind"]}"));
        Assert.Equal(
            ["a/mcp-runtime-registry-pull", "b/mcp-runtime-registry-pull"],
            Lines((await RunAsync(yaml, ["-f", "-", .. Registry])).Error).Select(line => line.Split(' ')[2]));
    }

    [Theory]
    [InlineData("yaml")]
    [InlineData("json")]
    public async Task NoPasswordIsPrinted(string format)
    {
        var (_, output, error) = await RunAsync(Whole, ["-f", "-", "-o", format, .. Registry]);

        Assert.Contains("mcp-runtime-registry-pull", output, StringComparison.Ordinal); // which the pods refer to
        foreach (var secret in new[] { "dockerconfigjson", Convert.ToBase64String(Encoding.UTF8.GetBytes("puller:pass")), ":pass" })
            Assert.DoesNotContain(secret, output + error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithoutRoomForItsPolicyAServerHasNeitherThatNorPods()
    {
        // A label that takes eight bytes here takes eighteen in the document, each on a line of its own.
        var labels = string.Join(", ", Enumerable.Range(0, 64).Select(i => $"'{i}': ''"));
        var tools = string.Join(", ", Enumerable.Range(0, 850).Select(i => $"{{name: t{i}, sideEffect: read, labels: {{{labels}}}}}"));

        var (code, output, error) = await RunAsync($"{Server}metadata: {{name: web}}\nspec: {{image: 'a:1', gateway: {{enabled: true, image: 'g:1'}}, tools: [{tools}]}}\n", "-f", "-");

        Assert.Equal(0, code);
        Assert.StartsWith("warning: -: document 1 (MCPServer/web): spec.tools: PolicyTooLarge: ", Assert.Single(Lines(error)), StringComparison.Ordinal);
        Assert.Equal(["Service", "Ingress"], Lines(output).Where(line => line.StartsWith("kind: ", StringComparison.Ordinal)).Select(line => line["kind: ".Length..]));
    }

    [Theory]
    [InlineData("a\u202eb", "a\\u202eb")]
    [InlineData("\ufeff", "\\ufeff")]
    [InlineData("\u2028", "\\u2028")]
    [InlineData("\U000e0041ö", "\\udb40\\udc41ö")]
    public async Task JsonHidesNothing(string value, string expected)
    {
        var yaml = $"{Server}metadata: {{name: web}}\nspec: {{image: 'a:1', envVars: [{{name: A, value: {System.Text.Json.JsonSerializer.Serialize(value)}}}]}}\n";

        var (code, output, _) = await RunAsync(yaml, "-f", "-", "-o", "json");

        Assert.Equal(0, code);
        Assert.DoesNotContain(value, output, StringComparison.Ordinal);
        Assert.Contains($"\"{expected}\"", output, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(value, (string?)JsonNode.Parse(output)!["items"]![1]!["spec"]!["template"]!["spec"]!["containers"]![0]!["env"]![0]!["value"]);
    }

    [Fact]
    public async Task GrantsAndSessionsOfTheInputStandInThePolicyOfTheirServer()
    {
        const string yaml = Grant + "metadata: {name: own}\nspec: {serverRef: {name: web}, subject: {humanID: h}}\n---\n" + Whole + "---\n"
            + Session + "metadata: {name: session}\nspec: {serverRef: {name: web}, subject: {agentID: a}}\n---\n"
            + Grant + "metadata: {name: of-another}\nspec: {serverRef: {name: other}, subject: {humanID: h}}\n---\n"
            + Grant + "metadata: {name: foreign, namespace: b}\nspec: {serverRef: {name: web, namespace: default}, subject: {humanID: h}}\n";

        var (code, _, error) = await RunAsync(yaml, "-f", "-");
        var policy = JsonNode.Parse((string)(await ObjectsAsync(yaml))[0]["data"]!["policy.json"]!)!;

        Assert.Equal(["own"], policy["grants"]!.AsArray().Select(grant => (string?)grant!["name"]));
        Assert.Equal(["session"], policy["sessions"]!.AsArray().Select(session => (string?)session!["name"]));
        Assert.Equal(0, code);
        Assert.StartsWith("warning: -: document 5 (MCPAccessGrant/foreign): spec.serverRef.namespace: NamespaceNotAllowed: ", Assert.Single(Lines(error)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task JsonIsOneListOfTheSameObjects()
    {
        var (code, output, error) = await RunAsync(Whole, "-f", "-", "-o", "json");
        Assert.Equal((0, ""), (code, error));
        var list = JsonNode.Parse(output)!;
        Assert.Equal(("v1", "List"), ((string?)list["apiVersion"], (string?)list["kind"]));
        _directory.Write("rendered.yaml", (await RunAsync(Whole, "-f", "-")).Output);

        // Read again, it is what other kinds there are: nothing of it is lost.
        var (_, nothing, notes) = await RunAsync("", "-f", _directory.Path);
        Assert.Equal("", nothing);
        Assert.Equal(list["items"]!.AsArray().Count, Lines(notes).Sum(note => int.Parse(note.Split(' ')[3], System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task NamespaceAndSettingsAreThoseThatWereGiven()
    {
        const string yaml = Server + "metadata: {name: web}\nspec: {image: a, gateway: {enabled: true}}\n";

        var objects = await ObjectsAsync(yaml, "-n", "shop", "--set-env", "MCP_GATEWAY_PROXY_IMAGE=g:2", "--set-env", "DEFAULT_INGRESS_CLASS=nginx");

        Assert.All(objects, item => Assert.Equal("shop", (string?)item["metadata"]!["namespace"]));
        Assert.Equal(
            ["a:latest", "g:2"],
            objects.Single(item => (string?)item["kind"] == "Deployment")["spec"]!["template"]!["spec"]!["containers"]!.AsArray().Select(container => (string?)container!["image"]));
        Assert.Equal("nginx", (string?)objects[^1]["spec"]!["ingressClassName"]);
    }

    [Theory]
    [InlineData("{imag: a}", "spec.imag: unknown field", "spec.image: Required value")]
    [InlineData("{image: a, port: 70000}", "spec.port: ")]
    [InlineData("{image: a, gateway: {enabled: true}}", "spec.gateway.image: ")]
    public async Task OfInvalidInputNothingIsPrintedButItsFaults(string spec, params string[] faults)
    {
        var (code, output, error) = await RunAsync($"{Whole}---\n{Server}metadata: {{name: bad}}\nspec: {spec}\n", "-f", "-");

        Assert.Equal((1, ""), (code, output));
        Assert.All(Lines(error), line => Assert.StartsWith("-: document 2 (MCPServer/bad): ", line, StringComparison.Ordinal));
        Assert.All(faults, fault => Assert.Contains(fault, error, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "", "one")]
    [InlineData("", ", creationTimestamp: '2026-01-01T00:00:00Z'", "two")]
    [InlineData(", creationTimestamp: '2026-01-01T00:00:00Z'", ", creationTimestamp: '2025-01-01T00:00:00Z'", "two")]
    [InlineData(", creationTimestamp: '2025-01-01T00:00:00Z'", ", creationTimestamp: '2026-01-01T00:00:00Z'", "one")]
    public async Task WhoComesSecondAtARouteHasNoIngress(string one, string two, string winner)
    {
        var yaml = $"{Server}metadata: {{name: one{one}}}\nspec: {{image: 'a:1', ingressPath: /x}}\n---\n{Server}metadata: {{name: two{two}}}\nspec: {{image: 'a:1', ingressPath: /x/}}\n";

        var (code, _, error) = await RunAsync(yaml, "-f", "-");

        Assert.Equal(0, code);
        Assert.Contains($"RouteConflict: MCPServer default/{winner} has the route ", Assert.Single(Lines(error)), StringComparison.Ordinal);
        var names = await NamesAsync(yaml);
        Assert.Equal([$"Ingress/{winner}"], names.Where(name => name.StartsWith("Ingress", StringComparison.Ordinal)));
        Assert.Equal(2, names.Count(name => name.StartsWith("Service/", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task OtherKindsArePassedOverWithANote()
    {
        var (code, output, error) = await RunAsync("apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData: {a: b}\n---\n" + Whole, "-f", "-");

        Assert.Equal((0, "note: passed over 1 Secret (v1)\n"), (code, error));
        Assert.Equal((await RunAsync(Whole, "-f", "-")).Output, output);
        Assert.Equal((0, ""), ((await RunAsync("", "-f", "-")).Code, (await RunAsync("", "-f", "-")).Output));
    }

    [Fact]
    public async Task OwnersAreNamedWhereTheServerHasAUid()
    {
        Assert.All(await ObjectsAsync(Whole), item => Assert.Null(item["metadata"]!["ownerReferences"]));

        var owned = await ObjectsAsync(Whole.Replace("name: web", "name: web, uid: 0b5f", StringComparison.Ordinal), Registry);

        Assert.All(owned, item =>
        {
            if ((string?)item["kind"] is "ServiceAccount" or "Secret")
                Assert.Null(item["metadata"]!["ownerReferences"]);
            else
                Assert.Equal("0b5f", (string?)Assert.Single(item["metadata"]!["ownerReferences"]!.AsArray())!["uid"]);
        });
    }

    [Fact]
    public async Task TheSamplesAreRendered()
    {
        var (code, output, error) = await RunAsync("", "-f", RepositoryRoot.File("config/samples"));

        Assert.Equal((0, "note: passed over 1 Kustomization (kustomize.config.k8s.io/v1beta1)\n"), (code, error));
        Assert.Contains("desk-may-refund", output, StringComparison.Ordinal);
        Assert.Contains("name: search-canary", output, StringComparison.Ordinal);
    }

    private static async Task<List<JsonNode>> ObjectsAsync(string yaml, params string[] arguments)
    {
        var (code, output, _) = await RunAsync(yaml, ["-f", "-", "-o", "json", .. arguments]);
        Assert.Equal(0, code);
        return [.. JsonNode.Parse(output)!["items"]!.AsArray().Select(item => item!)];
    }

    private static async Task<List<string>> NamesAsync(string yaml, params string[] arguments) =>
        [.. (await ObjectsAsync(yaml, arguments)).Select(item => $"{item["kind"]}/{item["metadata"]!["name"]}")];

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static async Task<(int Code, string Output, string Error)> RunAsync(string input, params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var code = await RenderCommand.ExecuteAsync(arguments, () => new MemoryStream(Encoding.UTF8.GetBytes(input)), output, error);
        return (code, output.ToString(), error.ToString());
    }
}
