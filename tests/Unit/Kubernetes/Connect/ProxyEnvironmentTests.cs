using McpOperator.Kubernetes;

namespace McpOperator.Unit.Kubernetes;

/// <summary>The cases are those of golang.org/x/net/http/httpproxy.</summary>
public sealed class ProxyEnvironmentTests
{
    private readonly Dictionary<string, string> _variables = [];

    [Theory]
    // Networks, as clusters inject them.
    [InlineData("10.0.0.0/8", "https://10.43.0.1", false)]
    [InlineData("10.43.0.1/16", "https://10.43.200.7:6443", false)]
    [InlineData("10.0.0.0/8", "https://11.0.0.1", true)]
    [InlineData("192.168.4.0/23", "https://192.168.5.1", false)]
    [InlineData("192.168.4.0/23", "https://192.168.6.1", true)]
    [InlineData("0.0.0.0/0", "https://192.0.2.1", false)]
    [InlineData("0.0.0.0/0", "https://[2001:db8::1]", true)]
    [InlineData("2001:db8::/32", "https://[2001:db8:1::1]:6443", false)]
    [InlineData("2001:db8::/32", "https://[2001:db9::1]", true)]
    [InlineData("10.0.0.0/8", "https://10.example.org", true)]
    [InlineData("10.0.0.0/33", "https://10.0.0.1", true)]
    // Addresses, with and without a port.
    [InlineData("192.0.2.1", "https://192.0.2.1:6443", false)]
    [InlineData("192.0.2.1", "https://192.0.2.10", true)]
    [InlineData("192.0.2.1:6443", "https://192.0.2.1:6443", false)]
    [InlineData("192.0.2.1:6443", "https://192.0.2.1", true)]
    [InlineData("192.0.2.1:443", "https://192.0.2.1", false)]
    [InlineData("2001:db8::1", "https://[2001:DB8:0::1]:6443", false)]
    [InlineData("[2001:db8::1]", "https://[2001:db8::1]:6443", false)]
    [InlineData("[2001:db8::1]:6443", "https://[2001:db8::1]:6443", false)]
    [InlineData("[2001:db8::1]:6443", "https://[2001:db8::1]:6444", true)]
    // Names: with or without a dot before them.
    [InlineData("example.org", "https://example.org", false)]
    [InlineData("example.org", "https://api.example.org", false)]
    [InlineData("example.org", "https://an-example.org", true)]
    [InlineData(".example.org", "https://api.example.org", false)]
    [InlineData(".example.org", "https://example.org", true)]
    [InlineData("*.example.org", "https://api.example.org", false)]
    [InlineData("*.example.org", "https://example.org", true)]
    [InlineData("example.org:6443", "https://api.example.org:6443", false)]
    [InlineData("example.org:6443", "https://api.example.org", true)]
    [InlineData(".example.org:6443", "https://api.example.org:6443", false)]
    [InlineData("EXAMPLE.org", "https://api.Example.ORG", false)]
    [InlineData("svc,.cluster.local", "https://kubernetes.default.svc", false)]
    [InlineData("0.1", "https://10.0.0.1", true)]
    // Lists, and what is none.
    [InlineData("a.test, 10.0.0.0/8 ,b.test", "https://10.0.0.1", false)]
    [InlineData("a.test,*", "https://example.org", false)]
    [InlineData("*", "https://192.0.2.1", false)]
    [InlineData("", "https://192.0.2.1", true)]
    [InlineData(",, ,:6443,[,]:,/8,*.,.", "https://192.0.2.1:6443", true)]
    [InlineData("a.test b.test", "https://b.test", true)]
    // This machine, whatever the list says.
    [InlineData("", "https://localhost:6443", false)]
    [InlineData("", "https://127.0.0.1:6443", false)]
    [InlineData("", "https://127.9.9.9", false)]
    [InlineData("", "https://[::1]:6443", false)]
    [InlineData("", "https://localhost.example.org", true)]
    public void TheListOfExceptionsIsGos(string exceptions, string server, bool throughProxy)
    {
        _variables["HTTPS_PROXY"] = "http://proxy.test:3128";
        _variables["NO_PROXY"] = exceptions;

        Assert.Equal(throughProxy, Proxy(server) is not null);
    }

    [Fact]
    public void CapitalsGoFirstAndEmptyIsUnset()
    {
        _variables["https_proxy"] = "http://lower.test:3128";
        Assert.Equal("http://lower.test:3128/", Proxy("https://a.test"));

        _variables["HTTPS_PROXY"] = "";
        Assert.Equal("http://lower.test:3128/", Proxy("https://a.test"));

        _variables["HTTPS_PROXY"] = "http://upper.test:3128";
        Assert.Equal("http://upper.test:3128/", Proxy("https://a.test"));

        _variables["no_proxy"] = "a.test";
        Assert.Null(Proxy("https://a.test"));
        _variables["NO_PROXY"] = "b.test";
        Assert.NotNull(Proxy("https://a.test"));
    }

    [Fact]
    public void EachSchemeHasItsOwnAndThereIsNoneForAll()
    {
        _variables["ALL_PROXY"] = "http://all.test";
        Assert.Null(Proxy("https://a.test"));

        _variables["HTTP_PROXY"] = "http://plain.test";
        Assert.Null(Proxy("https://a.test"));
        Assert.Equal("http://plain.test/", Proxy("http://a.test"));
    }

    [Theory]
    [InlineData("proxy.test:3128", "http://proxy.test:3128/")]
    [InlineData("proxy.test", "http://proxy.test/")]
    [InlineData("192.0.2.1:3128", "http://192.0.2.1:3128/")]
    [InlineData("https://proxy.test", "https://proxy.test/")]
    [InlineData("socks5://proxy.test:1080", "socks5://proxy.test:1080/")]
    [InlineData("socks5h://proxy.test:1080", "socks5://proxy.test:1080/")]
    [InlineData("http://me:p%40ss@proxy.test:3128", "http://me:p%40ss@proxy.test:3128/")]
    public void AProxyIsAnAddressWithOrWithoutAScheme(string value, string proxy)
    {
        _variables["HTTPS_PROXY"] = value;

        Assert.Equal(proxy, Proxy("https://a.test"));
    }

    [Theory]
    [InlineData("http://")]
    [InlineData("ftp://me:s3cr3t@proxy.test")]
    [InlineData("http://me:s3cr3t@pro xy")]
    public void WhatIsNoProxyIsNamedAndNotQuoted(string value)
    {
        _variables["https_proxy"] = value;

        var fault = Assert.Throws<ConnectionException>(() => Proxy("https://a.test"));

        Assert.Equal("$HTTPS_PROXY is no address of a proxy", fault.Message);
    }

    private string? Proxy(string server) => ProxyEnvironment.For(new Uri(server), _variables.GetValueOrDefault)?.AbsoluteUri;
}
