using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Commands;
using McpOperator.Kubernetes;
using McpOperator.Servers.Kinds;

namespace McpOperator.Unit.Servers.Kinds;

public sealed class HttpRouteKindTests
{
    private static readonly MCPServerSpec Spec = new() { Image = "i", Route = "HTTPRoute", HttpRoute = Json.Element("""{"parentRefs":[{"name":"shared","namespace":"edge"}]}""") };

    [Fact]
    public void ItHasTheDefaultsOfTheSchemaSoThatARestartWritesNothing() => Json.AssertEqual(
        """
        {
          "apiVersion": "gateway.networking.k8s.io/v1",
          "kind": "HTTPRoute",
          "metadata": {
            "name": "demo",
            "namespace": "team",
            "labels": { "app": "demo", "app.kubernetes.io/managed-by": "mcp-runtime" },
            "ownerReferences": [
              {
                "apiVersion": "mcpruntime.org/v1alpha1", "kind": "MCPServer", "name": "demo", "uid": "uid-of-demo",
                "controller": true, "blockOwnerDeletion": true
              }
            ]
          },
          "spec": {
            "parentRefs": [{ "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "shared", "namespace": "edge" }],
            "rules": [
              {
                "matches": [{ "path": { "type": "PathPrefix", "value": "/demo/mcp" } }],
                "backendRefs": [{ "kind": "Service", "name": "demo", "port": 80, "weight": 1 }],
                "timeouts": { "request": "0s" }
              }
            ]
          }
        }
        """, Build(Spec));

    [Fact]
    public void AllThatTheSpecSaysIsInIt()
    {
        var server = SampleServers.WithGateway(Spec with
        {
            ServicePort = 81,
            IngressPath = "/tools",
            IngressPathType = "Exact",
            IngressHost = "unused.example",
            Auth = new AuthConfig { Mode = "oauth", IssuerURL = "https://id.example" },
            HttpRoute = Json.Element("""
                {"parentRefs":[{"name":"a","sectionName":"https","port":443},{"name":"b"}],"hostnames":["one.example","*.two.example"],
                 "timeouts":{"request":"1m","backendRequest":"30s"}}
                """),
        });

        var spec = System.Text.Json.Nodes.JsonNode.Parse(HttpRouteKind.Build(server, SampleServers.Settings))!["spec"]!;

        Json.AssertEqual(
            """
            {
              "parentRefs": [
                { "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "a", "sectionName": "https", "port": 443 },
                { "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "b" }
              ],
              "hostnames": ["one.example", "*.two.example"],
              "rules": [
                {
                  "matches": [
                    { "path": { "type": "Exact", "value": "/tools" } },
                    { "path": { "type": "Exact", "value": "/.well-known/oauth-protected-resource/tools" } }
                  ],
                  "backendRefs": [{ "kind": "Service", "name": "demo", "port": 81, "weight": 1 }],
                  "timeouts": { "request": "1m", "backendRequest": "30s" }
                }
              ]
            }
            """, System.Text.Encoding.UTF8.GetBytes(spec.ToJsonString()));
    }

    [Fact]
    public void WithoutAGatewayOfItsOwnItHasTheOperators()
    {
        var body = System.Text.Encoding.UTF8.GetString(Build(
            new MCPServerSpec { Image = "i", Route = "HTTPRoute", IngressHost = "h.example" }, new OperatorSettings { DefaultGateway = new ObjectKey("edge", "shared") }));

        Assert.Contains("\"name\":\"shared\",\"namespace\":\"edge\"", body, StringComparison.Ordinal);
        Assert.Contains("\"hostnames\":[\"h.example\"]", body, StringComparison.Ordinal);
    }

    private const string Good = """{"type":"Accepted","status":"True","observedGeneration":2},{"type":"ResolvedRefs","status":"True","observedGeneration":2}""";

    public static TheoryData<string, string, string> Answers => new()
    {
        { "", "False HTTPRoutePending", "no controller has said yet whether Gateway edge/shared serves it: is there such a Gateway, and does its controller run?" },
        { Parent(Good), "True HTTPRouteAccepted", "each Gateway serves it" },
        { Parent(Good, to: "\"name\":\"shared\",\"namespace\":\"other\""), "False HTTPRoutePending", "no controller" },
        { Parent(Good, to: "\"name\":\"shared\",\"namespace\":\"edge\",\"sectionName\":\"https\""), "False HTTPRoutePending", "no controller" },
        // As they were before the last edit.
        { Parent(Good.Replace(":2}", ":1}", StringComparison.Ordinal)), "False HTTPRoutePending", "no controller" },
        // Not every controller writes it.
        { Parent(Good.Replace(",\"observedGeneration\":2", "", StringComparison.Ordinal)), "True HTTPRouteAccepted", "each" },
        { Parent("""{"type":"Accepted","status":"True","observedGeneration":2}"""), "False HTTPRoutePending", "no controller" },
        { Parent("""{"type":"Accepted","status":"Unknown","reason":"Pending","observedGeneration":2}"""), "False HTTPRoutePending", "no controller" },
        { Parent(Good + """,{"type":"Programmed","status":"False","reason":"Invalid","message":"no address","observedGeneration":2}"""),
            "False HTTPRouteNotAccepted", "Gateway edge/shared does not serve it: Invalid: no address" },
        { Parent(Good + """,{"type":"Programmed","status":"True","observedGeneration":2},{"type":"example.com/Odd","status":"False"},{"type":"PartiallyInvalid","status":"False"}"""),
            "True HTTPRouteAccepted", "each" },
        { Parent(Good + """,{"type":"PartiallyInvalid","status":"True","reason":"UnsupportedValue","message":"a rule was dropped","observedGeneration":2}"""),
            "False HTTPRouteNotAccepted", "Gateway edge/shared does not serve it: UnsupportedValue: a rule was dropped" },
        { Parent("""{"type":"Accepted","status":"False","reason":"NotAllowedByListeners","message":"No.\n","observedGeneration":2}"""), "False HTTPRouteNotAccepted",
            "Gateway edge/shared does not serve it: NotAllowedByListeners: No (allowedRoutes of the Gateway's listeners must let in routes of this namespace)" },
        { Parent("""{"type":"Accepted","status":"True","observedGeneration":2},{"type":"ResolvedRefs","status":"False","reason":"RefNotPermitted","observedGeneration":2}"""),
            "False HTTPRouteNotAccepted", "Gateway edge/shared does not serve it: RefNotPermitted (a ReferenceGrant must allow it, in the namespace that is referred to)" },
        // Of two controllers one is enough, and a refusal says more than silence.
        { Parent("""{"type":"Accepted","status":"False","reason":"No","observedGeneration":2}""") + "," + Parent(Good), "True HTTPRouteAccepted", "each" },
        { Parent("") + "," + Parent("""{"type":"Accepted","status":"False","reason":"No","observedGeneration":2}"""), "False HTTPRouteNotAccepted", "Gateway edge/shared does not serve it: No" },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task ItIsReadyWhenEachGatewaySaysSoOfThisGeneration(string parents, string expected, string message)
    {
        var condition = await JudgeAsync(Spec, parents);

        Assert.Equal(expected, $"{condition.IsReady} {condition.Reason}");
        Assert.StartsWith(message, condition.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OfTwoGatewaysTheOneThatRefusesIsTold()
    {
        var both = Spec with { HttpRoute = Json.Element("""{"parentRefs":[{"name":"shared","namespace":"edge"},{"name":"own","sectionName":"web"}]}""") };

        Assert.Equal(Reasons.HttpRoutePending, (await JudgeAsync(both, Parent(Good))).Reason);
        var refused = await JudgeAsync(both, Parent(Good) + "," + Parent(
            """{"type":"Accepted","status":"False","reason":"NoMatchingParent","observedGeneration":2}""", to: "\"name\":\"own\",\"sectionName\":\"web\""));
        Assert.StartsWith("Gateway team/own, listener web does not serve it: NoMatchingParent (", refused.Message, StringComparison.Ordinal);
    }

    private static async Task<ComponentCondition> JudgeAsync(MCPServerSpec spec, string parents)
    {
        var kinds = Passes.Kinds();
        var live = Passes.Decode(json => new ObservedHttpRoute(json, Product.Identity.OwnedFields),
            $$$"""{"metadata":{"name":"demo","namespace":"team","generation":2},"status":{"parents":[{{{parents}}}]}}""");
        var said = await Passes.Over(SampleServers.Effective(spec)).JudgeAsync(kinds, kind => kind == kinds.HttpRoute ? live : null);
        return said.Single(condition => condition.ConditionType == ConditionTypes.HttpRouteReady);
    }

    private static string Parent(string conditions, string to = "\"name\":\"shared\",\"namespace\":\"edge\"") => $$$"""
        {"parentRef":{"group":"gateway.networking.k8s.io","kind":"Gateway",{{{to}}}},"controllerName":"example.com/gateway","conditions":[{{{conditions}}}]}
        """;

    private static byte[] Build(MCPServerSpec spec, OperatorSettings? settings = null) =>
        HttpRouteKind.Build(SampleServers.Effective(spec, settings), settings ?? SampleServers.Settings);
}
