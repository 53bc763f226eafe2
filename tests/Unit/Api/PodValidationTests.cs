using System.Text;
using System.Text.Json;
using McpOperator.Api;
using McpOperator.Commands;

namespace McpOperator.Unit.Api;

/// <summary>What a spec may say of its pods; the rules of single fields are in <see cref="ValidationTests"/>.</summary>
public sealed class PodValidationTests
{
    [Theory]
    [InlineData("""{"metadata":{"labels":{"app.kubernetes.io/managed-by":"x"}}}""", "metadata.labels[app.kubernetes.io/managed-by]", "is the operator's")]
    [InlineData("""{"metadata":{"labels":{"mcpruntime.org/rollout-track":"canary"}}}""", "metadata.labels[mcpruntime.org/rollout-track]", "is the operator's")]
    [InlineData("""{"metadata":{"annotations":{"mcpruntime.org/policy-uid":"x"}}}""", "metadata.annotations[mcpruntime.org/policy-uid]", "is the operator's")]
    [InlineData("""{"metadata":{"annotations":{"a b":"x"}}}""", "metadata.annotations[a b]", "no valid key")]
    [InlineData("""{"metadata":{"labels":[]}}""", "metadata.labels", "must be a map")]
    [InlineData("""{"metadata":{"name":"x"}}""", "metadata.name", "is no field of it: use labels, annotations")]
    [InlineData("""{"status":{}}""", "status", "use metadata, spec")]
    [InlineData("""{"spec":[]}""", "spec", "must be an object")]
    [InlineData("""{"spec":{"serviceAccount":"x"}}""", "spec.serviceAccount", "set spec.serviceAccountName")]
    [InlineData("""{"spec":{"terminationGracePeriodSeconds":1}}""", "spec.terminationGracePeriodSeconds", "set spec.terminationGracePeriodSeconds")]
    [InlineData("""{"spec":{"ephemeralContainers":[]}}""", "spec.ephemeralContainers", "must not be set")]
    [InlineData("""{"spec":{"containers":{}}}""", "spec.containers", "must be a list")]
    [InlineData("""{"spec":{"containers":[null]}}""", "spec.containers[0]", "must not be null")]
    [InlineData("""{"spec":{"containers":[{}]}}""", "spec.containers[0].name", "is required")]
    [InlineData("""{"spec":{"containers":["demo"]}}""", "spec.containers[0].name", "is required")]
    [InlineData("""{"spec":{"containers":[{"name":"a b"}]}}""", "spec.containers[0].name", "DNS label")]
    [InlineData("""{"spec":{"containers":[{"name":"demo"},{"name":"demo"}]}}""", "spec.containers[1]", "in this list already")]
    [InlineData("""{"spec":{"containers":[{"name":"demo","env":[{"name":"A"},{"name":"A"}]}]}}""", "spec.containers[0].env[1]", "in this list already")]
    [InlineData("""{"spec":{"containers":[{"name":"demo","ports":[{"containerPort":1},{"containerPort":1,"protocol":"TCP"}]}]}}""", "spec.containers[0].ports[1]", "in this list already")]
    [InlineData("""{"spec":{"initContainers":[{"name":"demo"}]}}""", "spec.initContainers[demo]", "name of the server's container")]
    [InlineData("""{"spec":{"initContainers":[{"name":"mcp-gateway"}]}}""", "spec.initContainers[mcp-gateway]", "is the gateway's container")]
    [InlineData("""{"spec":{"containers":[{"name":"mcp-gateway","image":"x"}]}}""", "spec.containers[mcp-gateway]", "is the gateway's container, which spec.gateway describes")]
    [InlineData("""{"spec":{"volumes":[{"name":"gateway-policy","emptyDir":{}}]}}""", "spec.volumes[gateway-policy]", "is the operator's")]
    [InlineData("""{"spec":{"containers":[{"name":"demo","image":"x"}]}}""", "spec.containers[demo].image", "set spec.image")]
    [InlineData("""{"spec":{"containers":[{"name":"demo","command":["x"]}]}}""", "spec.containers[demo].command", "set spec.command")]
    [InlineData("""{"spec":{"containers":[{"name":"demo","livenessProbe":{"exec":{"command":["x"]}}}]}}""", "spec.containers[demo].livenessProbe", "set spec.probes.liveness")]
    [InlineData("""{"spec":{"containers":[{"name":"demo","resources":{"limits":{"cpu":"1"}}}]}}""", "spec.containers[demo].resources.limits.cpu", "set spec.resources.limits.cpu")]
    [InlineData("""{"spec":{"containers":[{"name":"demo","env":[{"name":"A","value":"2"}]}]}}""", "spec.containers[demo].env[A]", "set it there")]
    [InlineData("""{"spec":{"containers":[{"name":"demo","env":[{"name":"S","value":"2"}]}]}}""", "spec.containers[demo].env[S]", "set it there")]
    [InlineData("""{"spec":{"containers":[{"name":"demo","ports":[{"containerPort":8088,"name":"x"}]}]}}""", "spec.containers[demo].ports[8088]", "set spec.port")]
    [InlineData("""{"spec":{"containers":[{"name":"demo","ports":[{"containerPort":1,"name":"http"}]}]}}""", "spec.containers[demo].ports[1].name", "whose Service leads to")]
    [InlineData("""{"spec":{"containers":[{"name":"demo","ports":[{"containerPort":1,"name":"gateway"}]}]}}""", "spec.containers[demo].ports[1].name", "whose Service leads to")]
    [InlineData("""{"spec":{"containers":[{"name":"demo","ports":[{"containerPort":8091}]}]}}""", "spec.containers[demo].ports[8091]", "a port of the gateway")]
    [InlineData("""{"spec":{"containers":[{"name":"demo","ports":[{"containerPort":9103}]}]}}""", "spec.containers[demo].ports[9103]", "a port of the gateway")]
    [InlineData("""{"spec":{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[null]}}}}}""", "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]", "must not be null")]
    public void WhatIsNotTheTemplatesToSayIsRefused(string template, string field, string reason)
    {
        var fault = Assert.Single(FaultsOf(template));
        Assert.Equal($"spec.podTemplate.{field}", fault.Field);
        Assert.Contains(reason, fault.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"metadata":{"labels":{"ports":"x","team":"a"},"annotations":{"example.org/a":""}}}""")]
    [InlineData("""{"spec":{"nodeSelector":{"env":"prod","ports":"x"},"containers":[{"name":"demo","resources":{"limits":{"nvidia.com/gpu":1}}}]}}""")]
    [InlineData("""{"spec":{"automountServiceAccountToken":true,"imagePullSecrets":[{"name":"x"}],"notAField":1}}""")]
    public void TheRestIsTheApiServersToJudge(string template) => Assert.Empty(FaultsOf(template));

    [Theory]
    [InlineData(50, false)]
    [InlineData(70, true)]
    [InlineData(5000, true)]
    public void WhatIsNestedTooDeeplyIsRefused(int depth, bool refused)
    {
        var nested = string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "1" + new string('}', depth);
        var json = $$"""{"metadata":{"name":"demo","namespace":"team"},"spec":{"image":"a:1","podTemplate":{"spec":{{nested}} } } }""";
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 6000 });
        var server = StoredServer.Decode(document.RootElement, Product.Identity.OwnedFields).Read();
        Assert.Equal(refused ? ["spec"] : [], server.Unreadable?.Select(fault => fault.Field) ?? []);
    }

    /// <summary>What is merged is compared with each other, and one server's spec is judged while all others wait.</summary>
    [Theory]
    [InlineData("containers", 250, null)]
    [InlineData("containers", 251, "spec.podTemplate.spec.containers: has 251 items, and may have 250 at most")]
    [InlineData("tolerations", 5000, "spec.podTemplate: has 70019 bytes, and may have 65536 at most")]
    public void ATemplateIsBounded(string list, int count, string? fault)
    {
        var items = string.Join(',', Enumerable.Range(0, count).Select(i => $$"""{"name":"c{{i:0000}}"}""")); // 14 bytes with the comma
        using var document = JsonDocument.Parse($$"""{"metadata":{"name":"demo","namespace":"team"},"spec":{"image":"a:1","podTemplate":{"spec":{"{{list}}":[{{items}}]} } } }""");
        var server = StoredServer.Decode(document.RootElement, Product.Identity.OwnedFields).Read();
        var faults = Validation.Validate(server, SampleServers.Settings).Select(found => $"{found}").ToList();
        if (fault is null)
            Assert.DoesNotContain(faults, found => found.Contains("may have", StringComparison.Ordinal));
        else
            Assert.Matches("^" + System.Text.RegularExpressions.Regex.Replace(System.Text.RegularExpressions.Regex.Escape(fault), @"70019", @"\d+") + "$", Assert.Single(faults));
    }

    [Fact]
    public void BesideAGatewayNoProcessesAreShared()
    {
        Assert.Empty(FaultsOf(""));
        Assert.Contains("spec.podTemplate.spec.shareProcessNamespace", FaultsOf(""","gateway":{"enabled":true,"image":"g:1"}"""));

        static IEnumerable<string> FaultsOf(string gateway)
        {
            using var document = JsonDocument.Parse($$"""{"metadata":{"name":"demo","namespace":"team"},"spec":{"image":"a:1","podTemplate":{"spec":{"shareProcessNamespace":true} }{{gateway}} } }""");
            return Validation.Validate(StoredServer.Decode(document.RootElement, Product.Identity.OwnedFields).Read(), SampleServers.Settings).Select(fault => fault.Field);
        }
    }

    /// <summary>A spec comes out of the store as it went in, and its outline holds nothing that may be long.</summary>
    [Fact]
    public void TheFieldsComeThroughTheStore()
    {
        const string fields = """
            "command":["a"],"args":["b"],"envFrom":[{"secretRef":{"name":"s"}}],"imagePullPolicy":"Always","serviceAccountName":"x","terminationGracePeriodSeconds":5,
            "probes":{"startup":{"periodSeconds":2}},"podTemplate":{"spec":{"priorityClassName":"p"}},"suspend":true,"restartOnChange":true,
            "disruptionBudget":{"minAvailable":"50%"},"network":{"ingressFrom":[],"egressTo":[{"ports":[{"port":53}]}]}
            """;
        var spec = Read("").Spec;
        Assert.Equal(spec, Defaults.Apply("demo", spec, SampleServers.Settings) with
        {
            ImageTag = null,
            IngressClass = null,
            IngressPath = null,
            IngressPathType = null,
            PublicPathPrefix = null,
            Replicas = null,
            Port = null,
            ServicePort = null,
        });
        var full = Read("," + fields).Spec;
        Json.AssertEqual($$"""{"image":"a:1",{{fields}}}""", JsonSerializer.SerializeToUtf8Bytes(full, ApiJsonContext.Default.MCPServerSpec));
        Assert.Equal(full, full with { });
        var effective = Defaults.Apply("demo", full, SampleServers.Settings);
        var added = Encoding.UTF8.GetString(JsonSerializer.SerializeToUtf8Bytes(Defaults.Added(full, effective)!, ApiJsonContext.Default.MCPServerSpec));
        Assert.All(new[] { "command", "args", "env", "Pull", "Account", "Period", "probes", "podTemplate", "suspend", "restart", "disruption", "network" }, name => Assert.DoesNotContain(name, added, StringComparison.Ordinal));

        using var document = JsonDocument.Parse($$"""{"metadata":{"name":"demo","namespace":"team"},"spec":{"image":"a:1","description":"{{new string('x', StoredServer.LongestKept)}}",{{fields}} } }""");
        var outline = StoredServer.DecodeOutline(document.RootElement, Product.Identity.OwnedFields, SampleServers.Settings);
        Assert.True(outline.IsOutline);
        Assert.DoesNotContain("podTemplate", Encoding.UTF8.GetString(outline.Spec.Span), StringComparison.Ordinal);

        static MCPServer Read(string fields)
        {
            using var document = JsonDocument.Parse($$"""{"metadata":{"name":"demo","namespace":"team"},"spec":{"image":"a:1"{{fields}} } }""");
            return StoredServer.Decode(document.RootElement, Product.Identity.OwnedFields).Read();
        }
    }

    private static IReadOnlyList<SpecFault> FaultsOf(string template)
    {
        var server = SampleServers.WithGateway(new MCPServerSpec
        {
            Image = "a:1",
            EnvVars = [new() { Name = "A", Value = "1" }],
            SecretEnvVars = [new() { Name = "S", SecretKeyRef = new() { Name = "s", Key = "k" } }],
            PodTemplate = JsonElement.Parse(template),
        });
        return Validation.Validate(server, new OperatorSettings { PodSecurity = PodSecurityLevel.Privileged });
    }
}
