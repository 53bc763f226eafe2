using System.Text;
using McpOperator.Hosting;
using McpOperator.Kubernetes;
using McpOperator.Unit.Controller;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace McpOperator.Unit.Hosting;

public sealed class HealthEndpointTests
{
    private readonly HealthEndpoint _endpoint = new("readyz", NullLogger.Instance, LogLevel.Debug);

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
    public void TheReasonIsInTheLogOnlyAtTheLevelOfTheEndpoint()
    {
        var log = new Lines();
        var endpoint = new HealthEndpoint("healthz", log, LogLevel.Error);
        endpoint.Add("reconcile", () => "ns/web hangs");
        using var body = new PooledBuffer();

        endpoint.Answer(new AdminRequest("/healthz", "", body));

        var line = Assert.Single(log.All);
        Assert.Equal((LogLevel.Error, "healthz check reconcile failed: ns/web hangs"), (line.Level, line.Text));
        Assert.DoesNotContain("hangs", Encoding.UTF8.GetString(body.Written.Span), StringComparison.Ordinal);
    }

    [Fact]
    public void ACheckThatThrowsHasFailed()
    {
        _endpoint.Add("caches", () => throw new InvalidOperationException("x"));
        Assert.Equal(500, Get("/readyz").Status);
        Assert.Equal(500, Get("/readyz/caches").Status);
    }
}
