using McpOperator.Api;

namespace McpOperator.Unit.Api;

public sealed class RoutingTests
{
    [Theory]
    [InlineData(null, null, null, null, "/hello/mcp")]
    [InlineData("", " ", "", null, "/hello/mcp")]
    [InlineData(null, null, "/tools", null, "/tools")]
    [InlineData(null, null, "tools", null, "/tools")]
    [InlineData(null, null, "/", null, "/")]
    [InlineData(null, "team/a", null, null, "/team/a/mcp")]
    [InlineData(null, "/team/a//", null, null, "/team/a/mcp")]
    [InlineData(null, "team/a", "/tools", null, "/team/a/mcp")]
    [InlineData("mcp.example.com", null, null, "mcp.example.com", "/hello/mcp")]
    [InlineData(" mcp.example.com ", null, " /tools ", "mcp.example.com", "/tools")]
    [InlineData("mcp.example.com", "team/a", null, "mcp.example.com", "/team/a/mcp")]
    // Both defaults, as we (or the Go operator) persisted them.
    [InlineData(null, "hello", "/hello/mcp", null, "/hello/mcp")]
    [InlineData(null, "/hello/", "hello/mcp", null, "/hello/mcp")]
    // The Go operator's webhook writes such a prefix beside a path of the user's, and serves the prefix.
    [InlineData(null, "hello", "/tools", null, "/hello/mcp")]
    [InlineData(null, "hello", "tools", null, "/hello/mcp")]
    // The Go operator's default path next to a prefix of the user's.
    [InlineData(null, "team/a", "/hello/mcp", null, "/team/a/mcp")]
    // Another server's name is a prefix like any other.
    [InlineData(null, "hello2", "/tools", null, "/hello2/mcp")]
    [InlineData(null, "/", null, null, "/mcp")]
    public void FindsTheRoute(string? host, string? prefix, string? path, string? expectedHost, string expectedPath)
    {
        var spec = new MCPServerSpec { IngressHost = host, PublicPathPrefix = prefix, IngressPath = path };
        Assert.Equal(new Route(expectedHost, expectedPath), Routing.Resolve("hello", spec));
        // Defaults (without a default host) move nobody.
        Assert.Equal(new Route(expectedHost, expectedPath), Routing.Resolve("hello", Defaults.Apply("hello", spec, new OperatorSettings())));
    }

    [Theory]
    [InlineData("mcp.example.com", true, "https://mcp.example.com/hello/mcp")]
    [InlineData("mcp.example.com", false, "http://mcp.example.com/hello/mcp")]
    [InlineData(null, true, "/hello/mcp")]
    public void SpellsTheUrl(string? host, bool tls, string url) =>
        Assert.Equal(url, new Route(host, "/hello/mcp").Url(tls));

    [Theory]
    [InlineData(true, "oauth", "/hello/mcp /.well-known/oauth-protected-resource/hello/mcp")]
    [InlineData(false, "oauth", "/hello/mcp")]
    [InlineData(true, "header", "/hello/mcp")]
    public void TheMetadataOfOAuthHasARouteOfItsOwnOnTheSameHost(bool gateway, string mode, string expected)
    {
        var routes = Routing.Routes("hello", new MCPServerSpec
        {
            IngressHost = "mcp.example.com",
            Gateway = new GatewayConfig { Enabled = gateway },
            Auth = new AuthConfig { Mode = mode },
        });

        Assert.Equal(expected, string.Join(' ', routes.Select(route => route.Path)));
        Assert.All(routes, route => Assert.Equal("mcp.example.com", route.Host));
    }

    [Theory]
    [InlineData("mcp.example.com", true, "https://mcp.example.com")]
    [InlineData("mcp.example.com", false, "http://mcp.example.com")]
    [InlineData("*.example.com", true, null)]
    [InlineData(null, true, null)]
    public void TheBaseUrlIsThatOfOneHost(string? host, bool tls, string? url) =>
        Assert.Equal(url, new Route(host, "/hello/mcp").BaseUrl(tls));
}
