using System.Text;
using McpOperator.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace McpOperator.Unit.Hosting;

public sealed class HealthEndpointTests
{
    private readonly HealthEndpoint _endpoint = new("readyz", NullLogger.Instance);

    private (int? Status, string Body) Get(string path, string query = "")
    {
        using var body = new PooledBuffer();
        var response = _endpoint.Answer(new AdminRequest(path, query, body));
        return (response?.Status, Encoding.UTF8.GetString(body.Written.Span));
    }

    public HealthEndpointTests()
    {
        _endpoint.Add("caches", () => null);
        _endpoint.Add("lease", () => null);
    }

    [Theory]
    [InlineData("/readyz", "", 200, "ok")]
    [InlineData("/readyz/", "", 200, "ok")]
    [InlineData("/readyz/caches", "", 200, "ok")]
    [InlineData("/readyz", "verbose", 200, "[+]caches ok\n[+]lease ok\nreadyz check passed\n")]
    [InlineData("/readyz", "verbose=1&exclude=lease", 200, "[+]caches ok\n[+]lease excluded: ok\nreadyz check passed\n")]
    [InlineData("/readyz", "verbose&exclude=no%22pe", 200,
        "[+]caches ok\n[+]lease ok\nwarn: some health checks cannot be excluded: no matches for \"no\"pe\"\nreadyz check passed\n")]
    [InlineData("/readyz/nope", "", null, "")]
    [InlineData("/readyzzz", "", null, "")]
    [InlineData("/", "", null, "")]
    public void AllIsWell(string path, string query, int? status, string body) =>
        Assert.Equal((status, body), Get(path, query));

    [Theory]
    [InlineData("/readyz", "", 500, "[+]lease ok\n[-]caches failed: reason withheld\nreadyz check failed\n")]
    [InlineData("/readyz", "exclude=caches", 200, "ok")]
    [InlineData("/readyz", "exclude=lease&exclude=caches&verbose", 200,
        "[+]lease excluded: ok\n[+]caches excluded: ok\nreadyz check passed\n")]
    [InlineData("/readyz/caches", "", 500, "internal server error: reason withheld\n")]
    [InlineData("/readyz/lease", "", 200, "ok")]
    public void OneCheckFails(string path, string query, int? status, string body)
    {
        _endpoint.Add("caches", () => "secret reason");
        Assert.Equal((status, body), Get(path, query));
    }

    [Fact]
    public void ACheckThatThrowsHasFailed()
    {
        _endpoint.Add("caches", () => throw new InvalidOperationException("x"));
        Assert.Equal(500, Get("/readyz").Status);
        Assert.Equal(500, Get("/readyz/caches").Status);
    }
}
