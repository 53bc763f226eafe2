using System.Text.Json.Nodes;
using McpOperator.Testing;

namespace McpOperator.Unit.TestIngress;

/// <summary>What the Ingress controller of the tests (hack/TestIngress) makes of Ingresses and Services.</summary>
public sealed class IngressTableTests
{
    [Fact]
    public void APathLeadsToThePortOfItsService()
    {
        var table = Table([Ingress("a", "2026-01-01", null, "/a/mcp", "number: 80")], [Service("a", "10.0.0.7")]);
        var route = Assert.Single(table.Routes);
        Assert.Equal(("/a/mcp/{**rest}", null, 2), (route.Match.Path, route.Match.Hosts, route.Order));
        Assert.Equal("http://10.0.0.7:80/", Assert.Single(Assert.Single(table.Clusters).Destinations!).Value.Address);
    }

    [Theory]
    [InlineData("name: http", "10.0.0.7", "http://10.0.0.7:80/")]
    [InlineData("number: 80", "fd00::7", "http://[fd00::7]:80/")]
    [InlineData("number: 81", "10.0.0.7", null)]
    [InlineData("number: 80", "None", null)]
    [InlineData("number: 80", null, null)]
    public void WhereNoServiceIsNothingIsServed(string port, string? address, string? expected)
    {
        var table = Table([Ingress("a", "2026-01-01", "a.example", "/", port)], address is null ? [] : [Service("a", address)]);
        Assert.Equal(expected, Assert.Single(table.Clusters).Destinations?.Single().Value.Address);
        Assert.Equal(("/{**rest}", 0), (Assert.Single(table.Routes).Match.Path, table.Routes[0].Order));
    }

    [Fact]
    public void OfTwoThatWantTheSameTheOlderHasIt()
    {
        var table = Table(
            [Ingress("a", "2026-01-02", null, "/x", "number: 80"), Ingress("b", "2026-01-01", null, "/x", "number: 80"), Ingress("c", "2026-01-03", "c.example", "/x", "number: 80")],
            []);
        Assert.Equal(["ns/b", "ns/c"], table.Routes.Select(route => route.RouteId.Split('#')[0]));
    }

    [Fact]
    public void WhatDidNotChangeIsTheSame()
    {
        JsonObject[] ingresses = [Ingress("a", "2026-01-01", "a.example", "/a", "number: 80")];
        Assert.True(Table(ingresses, [Service("a", "10.0.0.7")]).SameAs(Table(ingresses, [Service("a", "10.0.0.7")])));
        Assert.False(Table(ingresses, [Service("a", "10.0.0.7")]).SameAs(Table(ingresses, [Service("a", "10.0.0.8")])));
    }

    [Fact]
    public void AnHttpRouteLeadsThereToo()
    {
        var route = Manifest.Parse("""
            metadata: {name: a, namespace: ns, creationTimestamp: '2026-01-01'}
            spec:
              parentRefs: [{name: shared}]
              hostnames: [a.example, b.example]
              rules:
              - matches: [{path: {type: PathPrefix, value: /a}}, {path: {type: Exact, value: /x}}]
                backendRefs: [{name: a, port: 80}]
            """);
        var table = IngressTable.Of([], [Service("a", "10.0.0.7")], [route]);

        Assert.Equal(
            ["a.example/a/{**rest}", "a.example/x", "b.example/a/{**rest}", "b.example/x"], table.Routes.Select(one => one.Match.Hosts![0] + one.Match.Path));
        Assert.All(table.Clusters, cluster => Assert.Equal("http://10.0.0.7:80/", Assert.Single(cluster.Destinations!).Value.Address));
    }

    private static IngressTable Table(JsonObject[] ingresses, JsonObject[] services) => IngressTable.Of(ingresses, services);

    private static JsonObject Ingress(string name, string created, string? host, string path, string port) => Manifest.Parse($$"""
        metadata: {name: {{name}}, namespace: ns, creationTimestamp: '{{created}}'}
        spec:
          rules:
          - host: '{{host}}'
            http:
              paths:
              - path: {{path}}
                pathType: Prefix
                backend: {service: {name: {{name}}, port: { {{port}} } } }
        """);

    private static JsonObject Service(string name, string address) => Manifest.Parse($$"""
        metadata: {name: {{name}}, namespace: ns}
        spec: {clusterIP: '{{address}}', ports: [{name: http, port: 80}]}
        """);
}
