using System.Text.Json;
using McpOperator.Api;
using McpOperator.Commands;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Api;

public sealed class StoredServerTests
{
    private static MCPServer Decode(string json)
    {
        using var document = JsonDocument.Parse(json);
        return StoredServer.Decode(document.RootElement, Product.Identity.OwnedFields).Read();
    }

    private static string Normal(string json) => JsonSerializer.Serialize(JsonDocument.Parse(json).RootElement);

    [Fact]
    public void ReadsAnObject()
    {
        var server = Decode("""
            {"apiVersion":"mcpruntime.org/v1alpha1","kind":"MCPServer",
             "metadata":{"name":"hello","namespace":"team","uid":"u","resourceVersion":"7","generation":3,
              "creationTimestamp":"2026-01-02T03:04:05Z","deletionTimestamp":"2026-01-02T03:04:06Z","managedFields":[{}]},
             "spec":{"image":"a","replicas":2,"unknown":{"x":[null]},"envVars":[{"name":"A","value":""}]},
             "status":{"observedGeneration":2,"conditions":[{"type":"Ready","status":"True","reason":"R","message":"",
              "lastTransitionTime":"2026-01-02T03:04:05Z"}]}}
            """);
        Assert.Null(server.Unreadable);
        Assert.Equal("team/hello", server.Key.ToString());
        Assert.Equal(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero), server.Metadata.CreationTimestamp);
        Assert.NotNull(server.Metadata.DeletionTimestamp);
        Assert.Equal(("u", "7", 3L), (server.Metadata.Uid, server.Metadata.ResourceVersion, server.Metadata.Generation));
        Assert.Equal(("a", 2), (server.Spec.Image, server.Spec.Replicas));
        Assert.Equal(new LastCondition("Ready", "True", "2026-01-02T03:04:05Z", "R"), server.Reported!.Conditions.Single());
    }

    /// <summary>Of a long spec the store keeps what routes come from, and whether it is valid.</summary>
    [Theory]
    [InlineData(1, 20_000, true)]
    [InlineData(1200, 300, true)]
    [InlineData(2, 20_000, false)]
    public void OfALongSpecItKeepsAnOutline(int tools, int description, bool isValid)
    {
        var settings = new OperatorSettings();
        var names = isValid ? "tool-{0}" : "tool";
        var json = JsonSerializer.SerializeToElement(new
        {
            metadata = new { name = "hello", @namespace = "team" },
            spec = new
            {
                image = "a:1",
                ingressHost = "example.org",
                ingressPath = "/" + new string('p', 2000),
                ingressAnnotations = new Dictionary<string, string> { ["kubernetes.io/ingress.class"] = "other", ["example.org/long"] = new string('a', 3000) },
                gateway = new { enabled = true, image = "g:1" },
                auth = new { mode = "oauth", issuerURL = "https://id.example.org" },
                tools = Enumerable.Range(0, tools).Select(i => new { name = string.Format(null, names, i), sideEffect = "read", description = new string('x', description) }),
                envVars = new[] { new { name = "A", value = new string('v', 9000) } },
            },
        });
        var (whole, kept) = (StoredServer.Decode(json, Product.Identity.OwnedFields), StoredServer.DecodeOutline(json, Product.Identity.OwnedFields, settings));

        Assert.False(whole.IsOutline);
        Assert.True(kept.IsOutline);
        Assert.Equal(whole.Spec.Length, whole.Length);
        Assert.Equal(whole.Length, kept.Length);
        Assert.InRange(kept.Spec.Length, isValid ? 2000 : 0, 4000);
        var (before, after) = (RouteClaims.Of(whole.Read(), settings, null), RouteClaims.Of(kept.Read(), settings, null));
        Assert.Equal(isValid, after is not null);
        Assert.Equal(isValid, after is not null && before!.IsSameAs(after));
    }

    [Fact]
    public void AShortSpecIsKeptAsItIs()
    {
        var json = JsonElement.Parse("""{"metadata":{"name":"hello"},"spec":{"image":"a","unknown":1}}""");
        var kept = StoredServer.DecodeOutline(json, Product.Identity.OwnedFields, new OperatorSettings());
        Assert.False(kept.IsOutline);
        Assert.Equal("""{"image":"a","unknown":1}""", System.Text.Encoding.UTF8.GetString(kept.Spec.Span));
    }

    /// <summary>Nothing of one that is too large is kept or looked at: whoever wrote it is told so, and its access stays frozen.</summary>
    [Fact]
    public void ATooLargeSpecIsOneThatCannotBeRead()
    {
        var spec = new string('x', SpecSize.Most);
        var json = JsonElement.Parse($$"""{"metadata":{"name":"hello"},"spec":{"image":"a","description":"{{spec}}"} }""");
        var bytes = spec.Length + """{"image":"a","description":""}""".Length;
        foreach (var stored in new[] { StoredServer.Decode(json, Product.Identity.OwnedFields), StoredServer.DecodeOutline(json, Product.Identity.OwnedFields, new OperatorSettings()) })
        {
            Assert.True(stored.Spec.IsEmpty);
            Assert.Equal(bytes, stored.Length);
            Assert.Equal([$"spec: has {bytes} bytes, and must not have more than 524288: shorten its lists and descriptions"], Validation.AccessFaults(stored.Read()).Select(fault => $"{fault}"));
        }
    }

    [Fact]
    public void AConsentThatIsTooLongAllowsNobody()
    {
        static MCPServer With(int length) => Decode($$$"""{"metadata":{"name":"hello","annotations":{"mcpruntime.org/allow-access-from":"*,{{{new string('n', length - 2)}}}"}},"spec":{"image":"a"}}""");
        Assert.True(With(MCPServer.LongestConsent).AllowsAccessFrom("other"));
        var tooLong = With(200_000);
        Assert.False(tooLong.AllowsAccessFrom("other"));
        Assert.True(tooLong.AllowsAccessFrom(""));
        Assert.Equal(MCPServer.LongestConsent + 1, tooLong.AllowAccessFrom!.Length);
        Assert.Contains(Validation.Validate(tooLong, new OperatorSettings()), fault => fault.Field == "metadata.annotations[mcpruntime.org/allow-access-from]");
        Assert.Empty(Validation.AccessFaults(tooLong));
    }

    [Theory]
    [InlineData("""{"port":"x"}""", "spec.port: must be a whole number below 2147483648, without quotes")]
    [InlineData("""{"port":1.5}""", "spec.port: must be a whole number below 2147483648, without quotes")]
    [InlineData("""{"port":99999999999}""", "spec.port: must be a whole number below 2147483648, without quotes")]
    [InlineData("""{"image":5}""", "spec.image: must be text: put it in quotes")]
    [InlineData("""{"useProvisionedRegistry":"yes"}""", "spec.useProvisionedRegistry: must be true or false, without quotes")]
    [InlineData("""{"envVars":[{"name":"A"},{"name":"B","value":8080}]}""", "spec.envVars[1].value: must be text: put it in quotes")]
    [InlineData("""{"envVars":{"A":"b"}}""", "spec.envVars: must be a list")]
    [InlineData("""{"envVars":["A"]}""", "spec.envVars[0]: must be an object")]
    [InlineData("""{"envVars":[null]}""", "spec.envVars[0]: must not be null: remove it or give it a value")]
    [InlineData("""{"imagePullSecrets":["a",null]}""", "spec.imagePullSecrets[1]: must not be null: remove it or give it a value")]
    [InlineData("""{"ingressAnnotations":["a"]}""", "spec.ingressAnnotations: must be a map of names to text")]
    [InlineData("""{"ingressAnnotations":{"a":null}}""", "spec.ingressAnnotations[a]: must not be null: remove it or give it a value")]
    [InlineData("""{"tools":[{"labels":{"a":null}}]}""", "spec.tools[0].labels[a]: must not be null: remove it or give it a value")]
    [InlineData("""{"gateway":true}""", "spec.gateway: must be an object")]
    [InlineData("""{"resources":{"limits":{"cpu":1}}}""", "spec.resources.limits.cpu: must be text: put it in quotes")]
    [InlineData("[]", "spec: must be an object")]
    [InlineData("\"x\"", "spec: must be an object")]
    [InlineData("7", "spec: must be an object")]
    public void ASpecThatDoesNotFitIsAFaultAndTheRestIsKept(string spec, string fault)
    {
        var server = Decode($$"""{"metadata":{"name":"hello","namespace":"team","generation":3},"spec":{{spec}}}""");
        Assert.Equal(fault, server.Unreadable?.Single().ToString());
        Assert.Equal(("hello", "team", 3L), (server.Metadata.Name, server.Metadata.Namespace, server.Metadata.Generation));
        Assert.Equal(new MCPServerSpec(), server.Spec);
        Assert.Equal(server.Unreadable!, Validation.Validate(server, new OperatorSettings()));
    }

    [Fact]
    public void EveryPlaceThatDoesNotFitIsNamed() => Assert.Equal(
        ["spec.image", "spec.replicas", "spec.envVars[0].value", "spec.envVars[2]"],
        Decode("""{"spec":{"image":5,"replicas":"three","port":8080,"envVars":[{"name":"A","value":1},{"name":"B"},"C"]}}""")
            .Unreadable!.Select(fault => fault.Field));

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{"metadata":null,"spec":null,"status":null}""")]
    [InlineData("""{"metadata":{"name":5,"generation":"x","creationTimestamp":"yesterday","deletionTimestamp":null}}""")]
    [InlineData("""{"spec":{"gateway":null,"envVars":null,"replicas":null}}""")]
    [InlineData("""{"spec":{},"status":{"conditions":[{"type":"Ready","lastTransitionTime":null}]}}""")]
    [InlineData("""{"spec":{},"status":{"conditions":[{"lastTransitionTime":5}],"phase":[]}}""")]
    [InlineData("""{"spec":{},"status":"fine"}""")]
    public void WhateverIsStoredIsRead(string json)
    {
        var server = Decode(json);
        Assert.Null(server.Unreadable);
        Assert.NotNull(server.Spec);
    }

    [Fact]
    public void TextThatIsNoUnicodeIsAFault() =>
        Assert.NotNull(Decode("""{"spec":{"image":"\ud800"}}""").Unreadable);

    [Fact]
    public void AStatusIsWrittenWithItsZerosAndWholeSeconds()
    {
        var status = new MCPServerStatus
        {
            ObservedGeneration = 1,
            Conditions =
            [
                new Condition
                {
                    Type = "Ready", Status = "False", Reason = "R", Message = "",
                    LastTransitionTime = KubernetesTime.Format(new DateTimeOffset(2026, 1, 2, 5, 4, 5, 999, TimeSpan.FromHours(2))),
                },
            ],
        };
        Assert.Equal(
            Normal("""
            {"observedGeneration":1,"deploymentReady":false,"serviceReady":false,"ingressReady":false,
             "gatewayReady":false,"policyReady":false,"canaryReady":false,"conditions":[{"type":"Ready","status":"False",
             "observedGeneration":0,"lastTransitionTime":"2026-01-02T03:04:05Z","reason":"R","message":""}],
             "replicas":0,"readyReplicas":0}
            """),
            JsonSerializer.Serialize(status, ApiJsonContext.Default.MCPServerStatus));
    }
}
