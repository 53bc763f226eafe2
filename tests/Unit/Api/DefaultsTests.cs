using System.Text.Json;
using McpOperator.Api;

namespace McpOperator.Unit.Api;

public sealed class DefaultsTests
{
    private static readonly OperatorSettings Settings = new()
    {
        DefaultIngressHost = "mcp.example.com",
        DefaultIngressClass = "nginx",
        AnalyticsIngestUrl = "http://ingest.example.com",
    };

    private static string Json(MCPServerSpec? spec) =>
        JsonSerializer.Serialize(spec, ApiJsonContext.Default.MCPServerSpec);

    private static MCPServerSpec Spec(string json) =>
        JsonSerializer.Deserialize(json, ApiJsonContext.Default.MCPServerSpec)!;

    public static TheoryData<string, string> Added => new()
    {
        // The smallest.
        {
            """{"image":"a"}""",
            """
            {"imageTag":"latest","replicas":1,"port":8088,"servicePort":80,"ingressPath":"/hello/mcp",
             "ingressHost":"mcp.example.com","publicPathPrefix":"hello","ingressClass":"nginx","ingressPathType":"Prefix"}
            """
        },
        // Blank and zero are unset; zero replicas are not.
        {
            """
            {"image":"a","imageTag":" ","replicas":0,"port":0,"servicePort":0,"ingressPath":"","ingressHost":" ",
             "publicPathPrefix":"","ingressClass":"","ingressPathType":" ","teamID":"","gateway":{"port":0,"image":" "}}
            """,
            """
            {"imageTag":"latest","port":8088,"servicePort":80,"ingressPath":"/hello/mcp",
             "ingressHost":"mcp.example.com","publicPathPrefix":"hello","ingressClass":"nginx","ingressPathType":"Prefix","gateway":{"port":8091}}
            """
        },
        // The path given: no prefix. The host is the operator's all the same.
        {
            """{"image":"a:1","replicas":1,"port":1,"servicePort":1,"ingressClass":"x","ingressPathType":"Exact","ingressPath":"tools"}""",
            """{"ingressHost":"mcp.example.com"}"""
        },
        // The prefix given: no host, and no path that would outlive it.
        { """{"image":"a@sha256:1","replicas":1,"port":1,"servicePort":1,"ingressClass":"x","ingressPathType":"Exact","publicPathPrefix":"p"}""", "null" },
        // The host given.
        {
            """{"image":"a:1","replicas":1,"port":1,"servicePort":1,"ingressClass":"x","ingressPathType":"Exact","ingressHost":"h"}""",
            """{"ingressPath":"/hello/mcp","publicPathPrefix":"hello"}"""
        },
        // A gateway brings the rest; the upstream follows the port.
        {
            """
            {"image":"a:1","replicas":1,"port":9,"servicePort":1,"ingressClass":"x","ingressPathType":"Exact","publicPathPrefix":"p",
             "gateway":{"enabled":true},"auth":{"mode":"none","tokenHeader":""},"tools":[{"name":"t","sideEffect":"read"},
             {"name":"u","sideEffect":"read","requiredTrust":"high","labels":{"a":"b"}}]}
            """,
            """
            {"tools":[{"name":"t","requiredTrust":"low","sideEffect":"read"},
              {"name":"u","requiredTrust":"high","sideEffect":"read","labels":{"a":"b"}}],
             "auth":{"humanIDHeader":"X-MCP-Human-ID","agentIDHeader":"X-MCP-Agent-ID","teamIDHeader":"X-MCP-Team-ID",
              "sessionIDHeader":"X-MCP-Agent-Session","tokenHeader":"Authorization"},
             "policy":{"mode":"allow-list","defaultDecision":"deny","enforceOn":"call_tool","policyVersion":"v1"},
             "session":{"store":"kubernetes","headerName":"X-MCP-Agent-Session","maxLifetime":"24h","idleTimeout":"1h",
              "upstreamTokenHeader":"Authorization"},
             "gateway":{"port":8091,"upstreamURL":"http://127.0.0.1:9"}}
            """
        },
        // A gateway that is off brings nothing but its constant.
        {
            """
            {"image":"a:1","replicas":1,"port":9,"servicePort":1,"ingressClass":"x","ingressPathType":"Exact","publicPathPrefix":"p",
             "gateway":{"enabled":false}}
            """,
            """{"gateway":{"port":8091}}"""
        },
        {
            """
            {"image":"a:1","replicas":1,"port":9,"servicePort":1,"ingressClass":"x","ingressPathType":"Exact","publicPathPrefix":"p",
             "analytics":{},"rollout":{"maxSurge":"1"},"policy":{"mode":"observe"},"session":{"required":true}}
            """,
            """
            {"policy":{"defaultDecision":"deny","enforceOn":"call_tool","policyVersion":"v1"},
             "session":{"store":"kubernetes","headerName":"X-MCP-Agent-Session","maxLifetime":"24h","idleTimeout":"1h",
              "upstreamTokenHeader":"Authorization"},
             "analytics":{"ingestURL":"http://ingest.example.com","source":"hello-gateway","eventType":"mcp.request"},
             "rollout":{"strategy":"RollingUpdate","maxUnavailable":"25%"}}
            """
        },
        {
            """
            {"image":"a:1","replicas":1,"port":9,"servicePort":1,"ingressClass":"x","ingressPathType":"Exact","publicPathPrefix":"p",
             "analytics":{"disabled":true}}
            """,
            "null"
        },
        // Amounts are not written into the spec.
        {
            """
            {"image":"a:1","replicas":1,"port":9,"servicePort":1,"ingressClass":"x","ingressPathType":"Exact","publicPathPrefix":"p",
             "resources":{"requests":{}}}
            """,
            "null"
        },
    };

    [Theory]
    [MemberData(nameof(Added))]
    public void AddsOnlyWhatIsUnset(string spec, string added)
    {
        var before = Spec(spec);
        var actual = Json(Defaults.Added(before, Defaults.Apply("hello", before, Settings)));
        Assert.Equal(JsonSerializer.Serialize(JsonDocument.Parse(added).RootElement), Normal(actual));
    }

    [Theory]
    [MemberData(nameof(Added))]
    public void ApplyingTwiceChangesNothing(string spec, string added)
    {
        var once = Defaults.Apply("hello", Spec(spec), Settings);
        Assert.Equal(Json(once), Json(Defaults.Apply("hello", once, Settings)));

        // And so after the merge patch: nothing is left to be persisted, and the route is the same.
        var persisted = Merge(spec, added);
        Assert.Null(Defaults.Added(persisted, Defaults.Apply("hello", persisted, Settings)));
        Assert.Equal(Routing.Resolve("hello", once), Routing.Resolve("hello", Defaults.Apply("hello", persisted, Settings)));
    }

    /// <summary>Every pass asks, and only the first of a server finds something.</summary>
    [Theory]
    [InlineData("""{"image":"a"}""")]
    [InlineData("""{"image":"a","publicPathPrefix":"p","gateway":{"enabled":true},"tools":[{"name":"t"}]}""")]
    public void WhereNothingIsToBePersistedNoJsonIsMade(string given)
    {
        var spec = Spec(given);
        spec = Merge(given, Json(Defaults.Added(spec, Defaults.Apply("hello", spec, Settings))));
        var effective = Defaults.Apply("hello", spec, Settings);
        Defaults.Added(spec, effective);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var added = Defaults.Added(spec, effective);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 500);
        Assert.Null(added);
    }

    [Fact]
    public void APersistedPrefixCountsAsGivenWhenADefaultHostComesLater()
    {
        var spec = new MCPServerSpec { Image = "a" };
        var persisted = Defaults.Apply("hello", spec, new OperatorSettings());
        Assert.Equal(new Route(null, "/hello/mcp"), Routing.Resolve("hello", Defaults.Apply("hello", persisted, Settings)));
    }

    [Fact]
    public void APathThatIsSetLaterLeadsNowhereBeforeThePrefixIsTakenOut()
    {
        var persisted = Defaults.Apply("hello", new MCPServerSpec { Image = "a" }, Settings);
        var edited = persisted with { IngressPath = "/tools" };
        Assert.Equal(new Route("mcp.example.com", "/hello/mcp"), Routing.Resolve("hello", Defaults.Apply("hello", edited, Settings)));

        edited = edited with { PublicPathPrefix = null };
        Assert.Equal(new Route("mcp.example.com", "/tools"), Routing.Resolve("hello", Defaults.Apply("hello", edited, Settings)));
    }

    [Theory]
    [InlineData("q", "/q/mcp")]
    [InlineData("hello", "/hello/mcp")]
    [InlineData(null, "/hello/mcp")]
    public void APrefixThatIsChangedLaterIsHonoured(string? changed, string path)
    {
        var spec = new MCPServerSpec { Image = "a", PublicPathPrefix = "p" };
        var added = Defaults.Added(spec, Defaults.Apply("hello", spec, new OperatorSettings()));
        var persisted = Merge(Json(spec), Json(added));
        var edited = persisted with { PublicPathPrefix = changed };
        Assert.Equal(path, Routing.Resolve("hello", Defaults.Apply("hello", edited, new OperatorSettings())).Path);
    }

    [Fact]
    public void WordsAreTrimmedAndTextIsNot()
    {
        var spec = Spec("""
            {"image":" a ","imageTag":" 1 ","ingressHost":" h ","ingressClass":" c ","description":" d ","teamID":" t ",
             "envVars":[{"name":"A","value":" v "}],"rollout":{"strategy":" Canary ","canaryImage":" b "}}
            """);
        var effective = Defaults.Apply("hello", spec, Settings);
        Assert.Equal(("a", "1", "h", "c", "Canary", "b"),
            (effective.Image, effective.ImageTag, effective.IngressHost, effective.IngressClass,
                effective.Rollout!.Strategy, effective.Rollout.CanaryImage));
        Assert.Equal((" d ", " t ", " v "), (effective.Description, effective.TeamID, effective.EnvVars![0].Value));
    }

    [Theory]
    [InlineData(null, null, "50m/500m")]
    [InlineData("0.1", null, "100m/500m")]
    [InlineData("2", null, "2/2")]
    [InlineData(null, "20m", "20m/20m")]
    [InlineData(null, "1000m", "50m/1")]
    [InlineData(" ", "", "50m/500m")]
    public void AmountsAreOverriddenOneByOne(string? request, string? limit, string expected)
    {
        var effective = Defaults.Resources(new ResourceRequirements
        {
            Requests = new ResourceList { Cpu = request },
            Limits = limit is null ? null : new ResourceList { Cpu = limit },
        });
        Assert.Equal(expected, $"{effective.Requests!.Cpu}/{effective.Limits!.Cpu}");
        Assert.Equal(("64Mi", "256Mi"), (effective.Requests.Memory, effective.Limits.Memory));
    }

    [Fact]
    public void AMemoryRequestAboveTheDefaultLimitRaisesIt()
    {
        var effective = Defaults.Resources(new ResourceRequirements { Requests = new ResourceList { Memory = "1024Mi" } });
        Assert.Equal(("1Gi", "1Gi"), (effective.Requests!.Memory, effective.Limits!.Memory));
    }

    private static string Normal(string json) => JsonSerializer.Serialize(JsonDocument.Parse(json).RootElement);

    /// <summary>RFC 7396, as far as it is needed here.</summary>
    private static MCPServerSpec Merge(string target, string patch)
    {
        var result = System.Text.Json.Nodes.JsonNode.Parse(target)!.AsObject();
        if (System.Text.Json.Nodes.JsonNode.Parse(patch) is System.Text.Json.Nodes.JsonObject changes)
            Into(result, changes);
        return Spec(result.ToJsonString());

        static void Into(System.Text.Json.Nodes.JsonObject result, System.Text.Json.Nodes.JsonObject changes)
        {
            foreach (var (name, value) in changes)
            {
                if (value is System.Text.Json.Nodes.JsonObject nested && result[name] is System.Text.Json.Nodes.JsonObject inner)
                    Into(inner, nested);
                else
                    result[name] = value?.DeepClone();
            }
        }
    }
}
