using System.Text.Json;
using McpOperator.Api;
using McpOperator.Commands;

namespace McpOperator.Unit.Api;

/// <summary>A table of specs, each a merge over a valid one, with the faults that it must have.</summary>
public sealed class ValidationTests
{
    private static readonly OperatorSettings Settings = new();

    private static IReadOnlyList<SpecFault> Validate(string spec, string name = "hello", OperatorSettings? settings = null)
    {
        using var document = JsonDocument.Parse($$"""{"metadata":{"name":{{JsonSerializer.Serialize(name)}},"namespace":"team"},"spec":{{spec}}}""");
        var server = StoredServer.Decode(document.RootElement, Product.Identity.OwnedFields).Read();
        settings ??= Settings;
        return Validation.Validate(server with { Spec = Defaults.Apply(name, server.Spec, settings) }, settings);
    }

    private static string With(string fields) => fields.Length == 0 ? """{"image":"a"}""" : $$"""{"image":"a",{{fields}}}""";

    /// <summary>It goes into the status, an event and the log.</summary>
    [Theory]
    [InlineData("\"image\":\"https://robot:geheim@reg.example.com/tools\"", "\"https://…@reg.example.com/tools\"")]
    [InlineData("\"image\":\"robot:ge/heim@reg.example.com/tools\"", "\"…@reg.example.com/tools\"")]
    [InlineData("\"registryOverride\":\"robot:geheim@reg.example.com\"", "\"…@reg.example.com\"")]
    [InlineData("\"image\":\"acme/Tools@sha256:0\"", "\"acme/Tools@sha256:0\"")]
    public void APasswordInAnAddressIsNotQuoted(string fields, string quoted)
    {
        var fault = Assert.Single(Validate(fields.StartsWith("\"image", StringComparison.Ordinal) ? $"{{{fields}}}" : With(fields)));

        Assert.Contains(quoted, fault.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("heim", fault.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void AFaultOfThePrefixIsNotOneOfThePathThatFollowsFromIt() =>
        Assert.Equal(["spec.publicPathPrefix"], Validate(With("\"publicPathPrefix\":\"a..b\"")).Select(fault => fault.Field));

    private const string Digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private static readonly string[] ProbeNames = ["startup", "liveness", "readiness"];
    private static readonly string[] ProbeFields =
    [
        "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold", "terminationGracePeriodSeconds",
        "httpGet.port", "tcpSocket.port", "grpc.port", "exec.command",
    ];

    private static string BadProbes => $"\"probes\":{{{string.Join(',', ProbeNames.Select(static name => $$"""
        "{{name}}":{"initialDelaySeconds":-1,"timeoutSeconds":"1","periodSeconds":1.5,"successThreshold":-1,"failureThreshold":true,"terminationGracePeriodSeconds":-1,
        "httpGet":{"port":0},"tcpSocket":{"port":"a-name-that-is-too-long"},"grpc":{"port":"x"},"exec":{"command":[1]},"x":{} }
        """))}}}";

    private static string[] BadProbeFields =>
    [
        .. ProbeNames.SelectMany(static name => (string[])
        [
            $"spec.probes.{name}.x", .. ProbeFields[..6].Select(timing => $"spec.probes.{name}.{timing}"),
            .. name == "readiness" ? [$"spec.probes.{name}.terminationGracePeriodSeconds"] : Array.Empty<string>(),
            .. ProbeFields[6..].Select(handler => $"spec.probes.{name}.{handler}"), $"spec.probes.{name}",
        ]),
    ];

    /// <summary>Fields of a spec, and the fields with faults; none for a valid one.</summary>
    public static TheoryData<string, string[]> Rules => new()
    {
        { "", [] },

        { """
            "command":["/bin/tools"],"args":["--x",""],"imagePullPolicy":" Always ","serviceAccountName":"tools.v1","terminationGracePeriodSeconds":0,
            "envFrom":[{"configMapRef":{"name":"a","optional":true}},{"prefix":"P_","secretRef":{"name":"b"}}],
            "probes":{"startup":{},"liveness":{"httpGet":{"path":"/","port":"http","scheme":"HTTPS","httpHeaders":[{"name":"A","value":"b"}]},"initialDelaySeconds":0},
            "readiness":{"grpc":{"service":"x"},"periodSeconds":1,"successThreshold":2}},"podTemplate":{"metadata":null,"spec":{"nodeSelector":{"a":"b"}}}
            """, [] },
        { "\"command\":[null]", ["spec.command[0]"] },
        { "\"args\":[null]", ["spec.args[0]"] },
        { "\"imagePullPolicy\":\"Sometimes\"", ["spec.imagePullPolicy"] },
        { "\"readiness\":\" mcp \"", [] },
        { "\"readiness\":\"MCP\"", ["spec.readiness"] },
        { "\"serviceAccountName\":\"A_b\"", ["spec.serviceAccountName"] },
        { "\"terminationGracePeriodSeconds\":-1", ["spec.terminationGracePeriodSeconds"] },
        { "\"envFrom\":{}", ["spec.envFrom"] },
        { "\"envFrom\":[1,{},{\"configMapRef\":{\"name\":\"a\"},\"secretRef\":{\"name\":\"a\"}}]", ["spec.envFrom[0]", "spec.envFrom[1]", "spec.envFrom[2]"] },
        {
            "\"envFrom\":[{\"prefix\":\"A=\",\"configMapRef\":{\"name\":\"A_b\",\"optional\":1}},{\"secretRef\":{\"optional\":\"no\"}},{\"prefix\":1,\"secretRef\":{\"name\":\"a\",\"key\":\"b\"}}]",
            [
                "spec.envFrom[0].configMapRef.name", "spec.envFrom[0].configMapRef.optional", "spec.envFrom[0].prefix",
                "spec.envFrom[1].secretRef.name", "spec.envFrom[1].secretRef.optional", "spec.envFrom[2].secretRef.key", "spec.envFrom[2].prefix",
            ]
        },
        { "\"probes\":1", ["spec.probes"] },
        { "\"probes\":{\"started\":{}}", ["spec.probes.started"] },
        { BadProbes, BadProbeFields },
        { "\"podTemplate\":[]", ["spec.podTemplate"] },
        { "\"podTemplate\":{\"metadata\":{\"labels\":{\"app\":\"x\"},\"annotations\":{\"a\":1}}}", ["spec.podTemplate.metadata.labels[app]", "spec.podTemplate.metadata.annotations[a]"] },
        { "\"podTemplate\":{\"spec\":{\"serviceAccountName\":\"x\"}}", ["spec.podTemplate.spec.serviceAccountName"] },

        { "\"teamID\":\"team-1\"", [] },
        { "\"teamID\":\"a b\"", ["spec.teamID"] },
        { "\"teamID\":\" a\"", ["spec.teamID"] },
        { $"\"teamID\":\"{new string('x', 128)}\"", [] },
        { $"\"teamID\":\"{new string('x', 129)}\"", ["spec.teamID"] },
        { $"\"teamID\":\"{new string('ü', 65)}\"", ["spec.teamID"] },

        { "\"image\":\"ghcr.io/acme/tools:1.4\"", [] },
        { $"\"image\":\"ghcr.io/acme/tools:1.4@{Digest}\"", [] },
        { "\"image\":\"localhost:5000/tools\"", [] },
        { "\"image\":\"Reg.example.com/tools\"", [] },
        { "\"image\":\"[::1]:5000/tools\"", [] },
        { "\"image\":\"a__b/c--d/e.f_g\"", [] },
        { "\"image\":\"\"", ["spec.image"] },
        { "\"image\":\" \"", ["spec.image"] },
        { "\"image\":\"a b\"", ["spec.image"] },
        { "\"image\":\"a\\u0000\"", ["spec.image"] },
        { "\"image\":\"http://reg.example.com/a\"", ["spec.image"] },
        { "\"image\":\"HTTPS://reg.example.com/a\"", ["spec.image"] },
        { "\"image\":\"acme/Tools\"", ["spec.image"] },
        { "\"image\":\"acme//tools\"", ["spec.image"] },
        { "\"image\":\"/tools\"", ["spec.image"] },
        { "\"image\":\"tools/\"", ["spec.image"] },
        { "\"image\":\"tools:\"", ["spec.image"] },
        { "\"image\":\"tools:-a\"", ["spec.image"] },
        { "\"image\":\"tools@latest\"", ["spec.image"] },
        { "\"image\":\"reg.example.com:99999/tools\"", ["spec.image"] },

        { "\"imageTag\":\"v1.2_3-rc\"", [] },
        { "\"imageTag\":\".1\"", ["spec.imageTag"] },
        { "\"imageTag\":\"a:b\"", ["spec.imageTag"] },
        { $"\"imageTag\":\"{new string('x', 129)}\"", ["spec.imageTag"] },

        { "\"registryOverride\":\"reg.example.com:5000/team\"", [] },
        { "\"registryOverride\":\"https://reg.example.com/\"", [] },
        { "\"registryOverride\":\"reg\"", [] },
        { "\"registryOverride\":\"https://\"", ["spec.registryOverride"] },
        { "\"registryOverride\":\"reg example\"", ["spec.registryOverride"] },
        { "\"registryOverride\":\"reg.example.com/Team\"", ["spec.registryOverride"] },

        { "\"imagePullSecrets\":[\"\",\"a.b-c\"]", [] },
        { "\"imagePullSecrets\":[\"a\",\"A_b\"]", ["spec.imagePullSecrets[1]"] },

        { "\"replicas\":0", [] },
        { "\"replicas\":-1", ["spec.replicas"] },
        { "\"port\":1,\"servicePort\":65535", [] },
        { "\"port\":0,\"servicePort\":0", [] },
        { "\"port\":65536,\"servicePort\":-1", ["spec.port", "spec.servicePort"] },

        { "\"ingressHost\":\"tools.example.com\"", [] },
        { "\"ingressHost\":\"*.example.com\"", [] },
        { "\"ingressHost\":\"localhost\"", [] },
        { "\"ingressHost\":\"Tools.example.com\"", ["spec.ingressHost"] },
        { "\"ingressHost\":\"https://tools.example.com\"", ["spec.ingressHost"] },
        { "\"ingressHost\":\"tools.example.com:443\"", ["spec.ingressHost"] },
        { "\"ingressHost\":\"tools..example.com\"", ["spec.ingressHost"] },
        { "\"ingressHost\":\"a.*.example.com\"", ["spec.ingressHost"] },
        { "\"ingressHost\":\"*\"", ["spec.ingressHost"] },
        { "\"ingressHost\":\"10.0.0.1\"", ["spec.ingressHost"] },
        { $"\"ingressHost\":\"{new string('x', 254)}\"", ["spec.ingressHost"] },

        { "\"ingressPath\":\"/a/b.c~d\"", [] },
        { "\"ingressPath\":\"/\"", [] },
        { "\"ingressPath\":\"/a\\tb\"", ["spec.ingressPath"] },
        { "\"ingressPath\":\"/a b\"", [] },
        { "\"ingressPath\":\"/a`b\",\"publicPathPrefix\":\"p\"", [] },
        { "\"ingressPath\":\"/a\\u0007\"", ["spec.ingressPath"] },
        { "\"ingressPath\":\"/a`b\"", ["spec.ingressPath"] },
        { "\"ingressPath\":\"/../b\"", ["spec.ingressPath"] },
        { "\"ingressPath\":\"/a//b\"", ["spec.ingressPath"] },
        { "\"ingressPath\":\"/a/./b\"", ["spec.ingressPath"] },
        { "\"ingressPath\":\"/a/.\"", ["spec.ingressPath"] },
        { "\"ingressPath\":\"/a%2Fb\"", ["spec.ingressPath"] },
        { "\"publicPathPrefix\":\"/team/a/\"", [] },
        { "\"publicPathPrefix\":\"/\"", ["spec.publicPathPrefix"] },
        { "\"publicPathPrefix\":\"a\\tb\",\"ingressPath\":\"/x\"", ["spec.publicPathPrefix"] },
        { "\"publicPathPrefix\":\"a`b\",\"ingressPath\":\"/x\"", ["spec.publicPathPrefix"] },
        { "\"publicPathPrefix\":\"..\",\"ingressPath\":\"/x\"", ["spec.publicPathPrefix"] },

        { "\"ingressClass\":\"nginx.internal\"", [] },
        { "\"ingressClass\":\"Nginx\"", ["spec.ingressClass"] },
        { "\"ingressPathType\":\"Exact\"", [] },
        { "\"ingressPathType\":\"Regex\"", ["spec.ingressPathType"] },

        { "\"ingressAnnotations\":{\"nginx.ingress.kubernetes.io/x\":\"\",\"Plain_1.a\":\"b\"}", [] },
        { "\"ingressAnnotations\":{\"a b\":\"\"}", ["spec.ingressAnnotations[a b]"] },
        { "\"ingressAnnotations\":{\"\":\"\"}", ["spec.ingressAnnotations[]"] },
        { "\"ingressAnnotations\":{\"a/b/c\":\"\"}", ["spec.ingressAnnotations[a/b/c]"] },
        { "\"ingressAnnotations\":{\"/c\":\"\"}", ["spec.ingressAnnotations[/c]"] },
        { "\"ingressAnnotations\":{\"a.b/\":\"\"}", ["spec.ingressAnnotations[a.b/]"] },
        { "\"ingressAnnotations\":{\"-a\":\"\"}", ["spec.ingressAnnotations[-a]"] },
        { $"\"ingressAnnotations\":{{\"a\":\"{new string('x', 256 * 1024)}\"}}", ["spec.ingressAnnotations"] },

        { "\"resources\":{\"requests\":{\"cpu\":\"1\"},\"limits\":{\"cpu\":\"1000m\"}}", [] },
        { "\"resources\":{\"requests\":{\"cpu\":\"4\",\"memory\":\"4Gi\"}}", [] },
        { "\"resources\":{\"limits\":{\"cpu\":\"1m\",\"memory\":\"1Mi\"}}", [] },
        { "\"resources\":{\"requests\":{\"cpu\":\" \"},\"limits\":{\"memory\":\"\"}}", [] },
        { "\"resources\":{\"requests\":{\"cpu\":\"2\"},\"limits\":{\"cpu\":\"1\"}}", ["spec.resources.requests.cpu"] },
        { "\"resources\":{\"requests\":{\"memory\":\"1Gi\"},\"limits\":{\"memory\":\"1G\"}}", ["spec.resources.requests.memory"] },
        { "\"resources\":{\"requests\":{\"cpu\":\"x\"},\"limits\":{\"memory\":\"-1\"}}", ["spec.resources.requests.cpu", "spec.resources.limits.memory"] },

        { "\"envVars\":[{\"name\":\"A\"},{\"name\":\"_a.b-C1\",\"value\":\"\"}]", [] },
        { "\"envVars\":[{\"value\":\"x\"}]", ["spec.envVars[0].name"] },
        { "\"envVars\":[{\"name\":\"1A\"},{\"name\":\"A B\"},{\"name\":\".\"},{\"name\":\"A\"},{\"name\":\"A\"}]", [] },
        { "\"envVars\":[{\"name\":\"A=B\"},{\"name\":\"A\\tB\"},{\"name\":\"Ä\"}]", ["spec.envVars[0].name", "spec.envVars[1].name", "spec.envVars[2].name"] },
        { "\"secretEnvVars\":[{\"name\":\"A\",\"secretKeyRef\":{\"name\":\"s\",\"key\":\"k.a_b\"}}]", [] },
        { "\"envVars\":[{\"name\":\"A\"}],\"secretEnvVars\":[{\"name\":\"A\",\"secretKeyRef\":{\"name\":\"s\",\"key\":\"k\"}}]", [] },
        { "\"secretEnvVars\":[{\"secretKeyRef\":{\"name\":\"s\",\"key\":\"k\"}}]", ["spec.secretEnvVars[0].name"] },
        { "\"secretEnvVars\":[{\"name\":\"A\"}]", ["spec.secretEnvVars[0].secretKeyRef"] },
        { "\"secretEnvVars\":[{\"name\":\"A\",\"secretKeyRef\":{}}]", ["spec.secretEnvVars[0].secretKeyRef.name", "spec.secretEnvVars[0].secretKeyRef.key"] },
        { "\"secretEnvVars\":[{\"name\":\"A\",\"secretKeyRef\":{\"name\":\"S\",\"key\":\"k/\"}}]", ["spec.secretEnvVars[0].secretKeyRef.name", "spec.secretEnvVars[0].secretKeyRef.key"] },

        { "\"tools\":[{\"name\":\"t\",\"sideEffect\":\"read\",\"riskLevel\":\"high\"},{\"name\":\"T\",\"sideEffect\":\"destructive\",\"requiredTrust\":\"medium\"}]", [] },
        { "\"tools\":[{\"sideEffect\":\"read\"}]", ["spec.tools[0].name"] },
        { "\"tools\":[{\"name\":\"t\"}]", ["spec.tools[0].sideEffect"] },
        { "\"tools\":[{\"name\":\"t\",\"sideEffect\":\"Read\"}]", ["spec.tools[0].sideEffect"] },
        { "\"tools\":[{\"name\":\"t\",\"sideEffect\":\"write\",\"requiredTrust\":\"total\",\"riskLevel\":\"none\"}]", ["spec.tools[0].requiredTrust", "spec.tools[0].riskLevel"] },
        { "\"tools\":[{\"name\":\"t\",\"sideEffect\":\"read\"},{\"name\":\"t\",\"sideEffect\":\"read\"}]", ["spec.tools[1].name"] },
        { "\"prompts\":[{\"name\":\"p\"}],\"mcpResources\":[{\"name\":\"p\"}],\"tasks\":[{\"name\":\"p\"}]", [] },
        { "\"prompts\":[{}],\"mcpResources\":[{\"name\":\" \"}],\"tasks\":[{\"name\":\"p\"},{}]", ["spec.prompts[0].name", "spec.mcpResources[0].name", "spec.tasks[1].name"] },

        { "\"gateway\":{\"enabled\":false}", [] },
        { "\"gateway\":{\"enabled\":false},\"port\":8091", [] },
        { "\"gateway\":{\"port\":9103},\"port\":9103", [] },
        { "\"gateway\":{\"port\":70000,\"image\":\"A b\",\"upstreamURL\":\"x\",\"stripPrefix\":\"/a b\",\"resources\":{\"limits\":{\"cpu\":\"x\"}}}",
            ["spec.gateway.port", "spec.gateway.image", "spec.gateway.resources.limits.cpu"] },
        { "\"gateway\":{\"image\":\"g\",\"upstreamURL\":\"http://127.0.0.1:8088\",\"stripPrefix\":\"/a\",\"enabled\":true}", [] },
        { "\"gateway\":{\"image\":\"g\",\"enabled\":true,\"port\":8088}", ["spec.gateway.port"] },
        { "\"gateway\":{\"image\":\"g\",\"enabled\":true},\"port\":8091", ["spec.gateway.port"] },
        { "\"gateway\":{\"image\":\"g\",\"enabled\":true,\"port\":9103}", ["spec.gateway.port"] },
        { "\"gateway\":{\"image\":\"g\",\"enabled\":true},\"port\":9103", ["spec.port"] },
        { "\"gateway\":{\"image\":\"g\",\"enabled\":true},\"servicePort\":9103", ["spec.servicePort"] },
        { "\"gateway\":{\"image\":\"g\",\"enabled\":false},\"servicePort\":9103", [] },
        { "\"gateway\":{\"enabled\":true}", ["spec.gateway.image"] },

        { "\"auth\":{\"mode\":\"none\"}", [] },
        { "\"auth\":{\"mode\":\"oauth\"}", [] },
        { "\"auth\":{\"mode\":\"oauth\",\"issuerURL\":\"https://id.example.com/x\"},\"gateway\":{\"image\":\"g\",\"enabled\":true}", [] },
        { "\"auth\":{\"mode\":\"oauth\",\"issuerURL\":\" \"},\"gateway\":{\"image\":\"g\",\"enabled\":true}", ["spec.auth.issuerURL"] },
        { "\"auth\":{\"mode\":\"mtls\",\"trustDomain\":\"x\"}", ["spec.auth.mode"] },
        { "\"auth\":{\"mode\":\"mtls\",\"trustDomain\":\"a/b\"},\"gateway\":{\"image\":\"g\",\"enabled\":true}", ["spec.auth.mode", "spec.auth.trustDomain", "spec.ingressHost"] },
        // For mtls alone it means anything.
        { "\"auth\":{\"mode\":\"header\",\"trustDomain\":\"a/b\"},\"gateway\":{\"image\":\"g\",\"enabled\":true}", [] },
        { "\"auth\":{\"mode\":\"Header\"}", ["spec.auth.mode"] },
        { "\"auth\":{\"humanIDHeader\":\"a b\",\"agentIDHeader\":\"a:\",\"teamIDHeader\":\"(\",\"sessionIDHeader\":\"ü\",\"tokenHeader\":\"a\\nb\"}",
            ["spec.auth.humanIDHeader", "spec.auth.agentIDHeader", "spec.auth.teamIDHeader", "spec.auth.sessionIDHeader", "spec.auth.tokenHeader"] },

        { "\"policy\":{\"mode\":\"observe\",\"defaultDecision\":\"allow\"}", [] },
        { "\"policy\":{\"mode\":\"off\",\"defaultDecision\":\"maybe\"}", ["spec.policy.mode", "spec.policy.defaultDecision"] },
        { "\"session\":{\"maxLifetime\":\"1h30m\",\"idleTimeout\":\"45s\"}", [] },
        { "\"session\":{\"maxLifetime\":\"1d\",\"idleTimeout\":\"60\",\"headerName\":\"a b\",\"upstreamTokenHeader\":\"a,b\"}",
            ["spec.session.headerName", "spec.session.upstreamTokenHeader"] },

        { "\"analytics\":{\"disabled\":true}", [] },
        { "\"analytics\":{\"ingestURL\":\"http://i\",\"apiKeySecretRef\":{\"name\":\"s\",\"key\":\"k\"}},\"gateway\":{\"image\":\"g\",\"enabled\":true}", [] },
        { "\"analytics\":{\"ingestURL\":\"http://i\"}", ["spec.analytics"] },
        { "\"analytics\":{},\"gateway\":{\"image\":\"g\",\"enabled\":true}", ["spec.analytics.ingestURL"] },
        { "\"analytics\":{\"disabled\":true,\"ingestURL\":\"i\",\"apiKeySecretRef\":{}}",
            ["spec.analytics.apiKeySecretRef.name", "spec.analytics.apiKeySecretRef.key"] },

        { "\"route\":\"None\"", [] },
        { "\"route\":\" HTTPRoute \",\"httpRoute\":{\"parentRefs\":[{\"name\":\"g\",\"namespace\":\"edge\",\"sectionName\":\"https\",\"port\":443},{\"name\":\"g\"}]}", [] },
        { "\"route\":\"HTTPRoute\",\"httpRoute\":{\"parentRefs\":[{\"name\":\"g\"}],\"hostnames\":[\"a.example\",\"*.b.example\"],\"timeouts\":{\"request\":\"0s\",\"backendRequest\":\"1h30m\"}}", [] },
        { "\"httpRoute\":{\"timeouts\":{\"request\":\"1m\",\"backendRequest\":\"59s999ms\"}}", [] },
        { "\"route\":\"Gateway\"", ["spec.route"] },
        { "\"route\":\"HTTPRoute\"", ["spec.httpRoute.parentRefs"] },
        { "\"route\":\"HTTPRoute\",\"httpRoute\":{\"parentRefs\":[]}", ["spec.httpRoute.parentRefs"] },
        { "\"httpRoute\":{\"parentRefs\":[{},{\"name\":\"A\"},{\"name\":\"g\",\"namespace\":\"a.b\",\"sectionName\":\"-\",\"port\":0},{\"name\":\"g\",\"namespace\":\"a\"},{\"name\":\"g\",\"namespace\":\"a\"}]}", ["spec.httpRoute.parentRefs[0].name", "spec.httpRoute.parentRefs[1].name", "spec.httpRoute.parentRefs[2].namespace", "spec.httpRoute.parentRefs[2].sectionName", "spec.httpRoute.parentRefs[2].port", "spec.httpRoute.parentRefs[4]"] },
        { "\"httpRoute\":{\"hostnames\":[\"a.example\",\"a.example\",\"10.0.0.1\",\"A\",\"x`) || Host(`y\"]}", ["spec.httpRoute.hostnames[1]", "spec.httpRoute.hostnames[2]", "spec.httpRoute.hostnames[3]", "spec.httpRoute.hostnames[4]"] },
        { "\"httpRoute\":{\"timeouts\":{\"request\":\"1d\",\"backendRequest\":\"1.5s\"}}", ["spec.httpRoute.timeouts.request", "spec.httpRoute.timeouts.backendRequest"] },
        { "\"httpRoute\":{\"timeouts\":{\"request\":\"10s\",\"backendRequest\":\"11s\"}}", ["spec.httpRoute.timeouts.backendRequest"] },
        { "\"httpRoute\":{\"timeouts\":{\"request\":\"10s\",\"backendRequest\":\"0s\"}}", ["spec.httpRoute.timeouts.backendRequest"] },
        { "\"httpRoute\":{\"timeouts\":{\"request\":\"\",\"backendRequest\":\"123456s\"}}", ["spec.httpRoute.timeouts.request", "spec.httpRoute.timeouts.backendRequest"] },
        { "\"tls\":{}", [] },
        { "\"httpRoute\":[],\"tls\":\"x\"", ["spec.tls", "spec.httpRoute"] },
        { "\"httpRoute\":{\"parentRefs\":{},\"hostnames\":[1,null],\"timeouts\":[]}", ["spec.httpRoute.parentRefs", "spec.httpRoute.hostnames[0]", "spec.httpRoute.hostnames[1]", "spec.httpRoute.timeouts"] },
        { "\"httpRoute\":{\"parentRefs\":[1,{\"name\":1,\"port\":1.5}],\"timeouts\":{\"request\":1}}",
            ["spec.httpRoute.parentRefs[0]", "spec.httpRoute.parentRefs[1].name", "spec.httpRoute.parentRefs[1].port", "spec.httpRoute.timeouts.request"] },
        { "\"tls\":{\"secretName\":1,\"issuer\":1}", ["spec.tls.secretName", "spec.tls.issuer"] },
        { "\"tls\":{\"secretName\":\"cert\"}", [] },
        { "\"ingressHost\":\"a.example\",\"tls\":{\"issuer\":{\"name\":\"ca\"}}", [] },
        { "\"tls\":{\"issuer\":{\"name\":\"ca\"}}", ["spec.tls.issuer"] },
        { "\"ingressHost\":\"a.example\",\"tls\":{\"secretName\":\"A\",\"issuer\":{\"kind\":\"Vault\",\"name\":\"C\"}}", ["spec.tls.secretName", "spec.tls.issuer.kind", "spec.tls.issuer.name"] },
        { "\"ingressHost\":\"a.example\",\"tls\":{\"issuer\":{}}", ["spec.tls.issuer.name"] },
        { "\"disruptionBudget\":{\"minAvailable\":1}", [] },
        { "\"disruptionBudget\":{\"maxUnavailable\":\"50%\"}", [] },
        { "\"disruptionBudget\":{}", ["spec.disruptionBudget"] },
        { "\"disruptionBudget\":{\"minAvailable\":1,\"maxUnavailable\":1}", ["spec.disruptionBudget"] },
        { "\"disruptionBudget\":{\"minAvailable\":-1}", ["spec.disruptionBudget.minAvailable"] },
        { "\"disruptionBudget\":{\"minAvailable\":\"3\"}", ["spec.disruptionBudget.minAvailable"] },
        { "\"disruptionBudget\":{\"maxUnavailable\":\"101%\"}", ["spec.disruptionBudget.maxUnavailable"] },
        { "\"disruptionBudget\":{\"maxUnavailable\":[1]}", ["spec.disruptionBudget.maxUnavailable"] },

        { "\"network\":{\"ingressFrom\":[],\"egressTo\":[{}]}", [] },
        { "\"network\":{\"ingressFrom\":[{\"podSelector\":{}},{\"namespaceSelector\":{\"matchLabels\":{\"a\":\"b\"}}},{\"ipBlock\":{\"cidr\":\"10.0.0.0/8\"}}]}", [] },
        { "\"network\":{}", ["spec.network"] },
        { "\"network\":{\"ingressFrom\":{}}", ["spec.network.ingressFrom"] },
        { "\"network\":{\"egressTo\":\"x\"}", ["spec.network.egressTo"] },
        { "\"network\":{\"ingressFrom\":[{},1,{\"podSelectr\":{}}]}",
            ["spec.network.ingressFrom[0]", "spec.network.ingressFrom[1]", "spec.network.ingressFrom[2].podSelectr", "spec.network.ingressFrom[2]"] },
        { "\"network\":{\"ingressFrom\":[{\"ipBlock\":{\"cidr\":\"\"}},{\"podSelector\":{},\"ipBlock\":{\"cidr\":\"::/0\"}}]}",
            ["spec.network.ingressFrom[0].ipBlock.cidr", "spec.network.ingressFrom[1]"] },
        { "\"network\":{\"ingressFrom\":[{\"namespaceSelector\":{\"matchLabels\":{\"team\":null}}},{\"podSelector\":{\"matchLabels\":[]}}]}",
            ["spec.network.ingressFrom[0].namespaceSelector.matchLabels[team]", "spec.network.ingressFrom[1].podSelector.matchLabels"] },
        { "\"network\":{\"ingressFrom\":[{\"podSelector\":{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\",\"values\":[null]}]}},{\"ipBlock\":{\"cidr\":\"10.0.0.0/8\",\"except\":[1]}}]}",
            ["spec.network.ingressFrom[0].podSelector.matchExpressions[0].values[0]", "spec.network.ingressFrom[1].ipBlock.except[0]"] },
        { $"\"network\":{{\"egressTo\":[{string.Join(',', Enumerable.Repeat("{}", 30_000))}]}}", ["spec.network"] },
        { "\"network\":{\"egressTo\":[{\"from\":[]},{\"to\":{},\"ports\":[53]}]}",
            ["spec.network.egressTo[0].from", "spec.network.egressTo[1].to", "spec.network.egressTo[1].ports[0]"] },

        { "\"rollout\":{}", [] },
        { "\"rollout\":{\"strategy\":\"RollingUpdate\",\"maxUnavailable\":\"0\",\"maxSurge\":\"200%\"}", [] },
        { "\"rollout\":{\"maxUnavailable\":\"100%\",\"maxSurge\":\"0\"}", [] },
        { "\"rollout\":{\"maxUnavailable\":\"200\",\"maxSurge\":\"0\"}", [] },
        { "\"rollout\":{\"strategy\":\"Recreate\",\"maxUnavailable\":\"0\",\"maxSurge\":\"0\"}", [] },
        { "\"rollout\":{\"maxUnavailable\":\"0\",\"maxSurge\":\"0%\"}", ["spec.rollout.maxUnavailable"] },
        { "\"rollout\":{\"maxUnavailable\":\"101%\"}", ["spec.rollout.maxUnavailable"] },
        { "\"rollout\":{\"maxUnavailable\":\"-1\",\"maxSurge\":\"a\"}", ["spec.rollout.maxUnavailable", "spec.rollout.maxSurge"] },
        { "\"rollout\":{\"maxUnavailable\":\"%\",\"maxSurge\":\"1.5%\"}", ["spec.rollout.maxUnavailable", "spec.rollout.maxSurge"] },
        { "\"rollout\":{\"maxUnavailable\":\"1%%\",\"maxSurge\":\"99999999999\"}", ["spec.rollout.maxUnavailable", "spec.rollout.maxSurge"] },
        { "\"rollout\":{\"strategy\":\"BlueGreen\"}", ["spec.rollout.strategy"] },
        { "\"rollout\":{\"canaryReplicas\":-1}", ["spec.rollout.canaryReplicas"] },
        { "\"replicas\":3,\"rollout\":{\"strategy\":\"Canary\",\"canaryReplicas\":2}", [] },
        { "\"replicas\":3,\"rollout\":{\"strategy\":\"Canary\",\"canaryReplicas\":3}", [] },
        { "\"replicas\":0,\"rollout\":{\"strategy\":\"Canary\",\"canaryReplicas\":3}", [] },
        { "\"replicas\":3,\"rollout\":{\"strategy\":\"Canary\",\"canaryReplicas\":0}", ["spec.rollout.canaryReplicas"] },
        { "\"rollout\":{\"strategy\":\"Canary\"}", ["spec.rollout.canaryReplicas"] },
        { "\"rollout\":{\"strategy\":\"Canary\",\"canaryReplicas\":1}", [] },
        { "\"replicas\":2,\"rollout\":{\"strategy\":\" Canary \",\"canaryReplicas\":1,\"canaryImage\":\"ghcr.io/acme/tools:1.5\"}", [] },
        { "\"replicas\":2,\"rollout\":{\"strategy\":\"Canary\",\"canaryReplicas\":1,\"canaryImage\":\" \"}", [] },
        // Left from a canary that is over.
        { "\"rollout\":{\"canaryReplicas\":5,\"canaryImage\":\"tools\"}", [] },
        { "\"rollout\":{\"strategy\":\"Recreate\",\"canaryReplicas\":5,\"canaryImage\":\"acme/Tools\"}", ["spec.rollout.canaryImage"] },
    };

    [Theory]
    [MemberData(nameof(Rules))]
    public void NamesEachFieldWithAFault(string fields, string[] faulty)
    {
        // A later member of the same name wins.
        var faults = Validate(With(fields));
        Assert.Equal(faulty.Order(), faults.Select(fault => fault.Field).Order());
        Assert.All(faults, fault =>
        {
            Assert.True(fault.Reason.Length is > 5 and < 300, fault.Reason);
            Assert.DoesNotContain(fault.Reason, char.IsControl);
        });
    }

    [Fact]
    public void EveryFieldWithARuleHasACaseThatBreaksIt()
    {
        // Fields that hold anything, and those that hold only others.
        string[] free =
        [
            "description", "useProvisionedRegistry", "envVars[].value", "tools[].description", "tools[].labels", "auth.audience",
            "policy.enforceOn", "policy.policyVersion", "session.required", "session.store",
            "gateway.enabled", "gateway.upstreamURL", "gateway.stripPrefix", "session.maxLifetime", "session.idleTimeout", "analytics.disabled", "analytics.source", "analytics.eventType",
            "prompts[].description", "prompts[].labels", "mcpResources[].description", "mcpResources[].labels",
            "tasks[].description", "tasks[].labels", "suspend", "restartOnChange",
            // For the API server to judge.
            .. from probe in new[] { "startup", "liveness", "readiness" }
               from field in new[] { "httpGet.path", "httpGet.scheme", "httpGet.httpHeaders[].name", "httpGet.httpHeaders[].value", "grpc.service" }
               select $"probes.{probe}.{field}",
        ];
        var broken = Rules.SelectMany(row => row.Data.Item2)
            .Select(field => System.Text.RegularExpressions.Regex.Replace(field, @"\[\d*\]", "[]")["spec.".Length..])
            .Select(field => field.Replace("PullSecrets[]", "PullSecrets", StringComparison.Ordinal).Replace("hostnames[]", "hostnames", StringComparison.Ordinal))
            .Select(field => field.StartsWith("ingressAnnotations[", StringComparison.Ordinal) ? "ingressAnnotations" : field)
            .Select(field => System.Text.RegularExpressions.Regex.Replace(field, @"^(command|args)\[\]$|^(podTemplate\.metadata\.[a-z]+)\[.*|^(podTemplate\.spec)\b.*", "$1$2$3"))
            .ToHashSet();
        var leaves = Crd.Load().Leaves("spec").Select(leaf => leaf["spec.".Length..]).ToList();
        Assert.Empty(free.Except(leaves));
        // One set of amounts stands for all of them: they share their rule.
        var unbroken = leaves.Except(free).Except(broken).Where(field => !field.Contains("resources.", StringComparison.Ordinal)).ToList();
        Assert.Equal([], unbroken);
    }

    [Theory]
    [InlineData("hello", true)]
    [InlineData("h", true)]
    [InlineData("a-1", true)]
    [InlineData("1a", true)]
    [InlineData("a.b", false)]
    [InlineData("a-", false)]
    [InlineData("A", false)]
    [InlineData("", false)]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true)]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
    public void TheNameMustNameAServiceToo(string name, bool valid) =>
        Assert.Equal(valid ? [] : ["metadata.name"], Validate("""{"image":"a","ingressPath":"/x"}""", name).Select(fault => fault.Field));

    /// <summary>A user's Ingress could ask it for a certificate of any name, and so be somebody else.</summary>
    [Theory]
    [InlineData("\"tls\":{\"issuer\":{\"kind\":\"ClusterIssuer\",\"name\":\"identities\"}}", "spec.tls.issuer.name")]
    [InlineData("\"tls\":{\"secretName\":\"s\"},\"ingressAnnotations\":{\"cert-manager.io/cluster-issuer\":\"identities\"}", "spec.ingressAnnotations[cert-manager.io/cluster-issuer]")]
    [InlineData("\"tls\":{\"issuer\":{\"name\":\"identities\"}},\"ingressAnnotations\":{\"cert-manager.io/issuer-kind\":\"ClusterIssuer\"}", "spec.ingressAnnotations[cert-manager.io/issuer-kind]")]
    [InlineData("\"tls\":{\"secretName\":\"s\"},\"ingressAnnotations\":{\"cert-manager.io/issuer\":\"identities\",\"cert-manager.io/issuer-kind\":\"ClusterIssuer\"}", "spec.ingressAnnotations[cert-manager.io/issuer-kind]")]
    [InlineData("\"tls\":{\"issuer\":{\"name\":\"other\"}},\"ingressAnnotations\":{\"cert-manager.io/issuer-kind\":\"OriginIssuer\"}", null)]
    [InlineData("\"tls\":{\"issuer\":{\"name\":\"identities\"}}", null)]
    [InlineData("\"tls\":{\"issuer\":{\"kind\":\"ClusterIssuer\",\"name\":\"other\"}}", null)]
    public void TheIssuerOfIdentitiesIssuesNoCertificateOfAnIngress(string fields, string? fault)
    {
        var settings = new OperatorSettings { MtlsClusterIssuer = "identities" };
        Assert.Equal(fault is null ? [] : [fault], Validate(With("\"ingressHost\":\"a.example\"," + fields), settings: settings).Select(one => one.Field));
    }

    [Fact]
    public void TheOperatorsEnvironmentCanStandIn()
    {
        var settings = new OperatorSettings { GatewayImage = "g", AnalyticsIngestUrl = "http://ingest" };
        Assert.Empty(Validate(With("\"gateway\":{\"enabled\":true},\"analytics\":{}"), settings: settings));
    }

    [Fact]
    public void WhatNeedsTheGatewaySaysSo() => Assert.Equal(
        ["spec.auth.mode: mtls needs the gateway, which asks for the certificates: set spec.gateway.enabled to true"],
        Validate(With("\"auth\":{\"mode\":\"mtls\"}")).Select(fault => fault.ToString()));

    [Theory]
    [InlineData("mcp-gateway", true, false)]
    [InlineData("mcp-gateway", false, true)]
    [InlineData("mcp-gateway-2", true, true)]
    public void AServerIsNotCalledLikeTheContainerBesideIt(string name, bool gateway, bool valid) => Assert.Equal(
        valid ? [] : ["metadata.name"],
        Validate(With($$"""
            "gateway":{"image":"g","enabled":{{(gateway ? "true" : "false")}}}
            """), name).Select(fault => fault.Field));

    [Theory]
    [InlineData("plain", "\"plain\"")]
    [InlineData(null, "\"\"")]
    [InlineData("a\u001b[31m\n\u202e\u2028b", "\"a\\u001b[31m\\u000a\\u202e\\u2028b\"")]
    public void TextOfAUserIsMadeHarmless(string? text, string quoted) => Assert.Equal(quoted, SpecFaults.Quote(text));

    [Fact]
    public void LongTextIsCutBetweenCharacters() =>
        Assert.Equal("\"" + string.Concat(Enumerable.Repeat("😀", 60)) + "…\"", SpecFaults.Quote(string.Concat(Enumerable.Repeat("😀", 61))));
}
