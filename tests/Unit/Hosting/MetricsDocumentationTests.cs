using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Commands;
using McpOperator.Controller;
using McpOperator.Hosting;
using McpOperator.Kubernetes;
using McpOperator.Mirror;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Hosting;

[Trait("Checks", "docs")]
public sealed partial class MetricsDocumentationTests
{
    private static readonly string Document = File.ReadAllText(RepositoryRoot.File("docs/metrics.md"));

    [Fact]
    public void EveryMetricIsDocumentedWithItsTypeAndNoneThatDoesNotExist()
    {
        var time = new FakeTimeProvider();
        using var queue = new WorkQueue(time, () => 0);
        var page = new ArrayBufferWriter<byte>();
        var metrics = new PrometheusWriter(page);
        new ControllerMetrics([new Lane("things", queue, (_, _) => Task.FromResult(Outcome.Done), workers: 4, time)], []).Write(metrics);
        new ClientMetrics(new RequestCounter(), new Uri("https://api.example:6443")).Write(metrics);
        using var api = new ApiClient(Product.Identity, new SocketsHttpHandler(), new Uri("https://api.example:6443"), time);
        var elector = new LeaderElector(api, new("ns", "lease"), "us", LeaseTiming.Default, NullLogger.Instance, time, () => 0);
        new ElectionMetrics(elector).Write(metrics);
        using var recorder = new EventRecorder(api, Product.EventReporter, "us", new EndingNamespaces(), time, NullLogger.Instance);
        new OperatorMetrics(new WriteCounters(), () => 0, new Stores(queue, queue, new OperatorSettings()), recorder).Write(metrics);
        new ProcessMetrics(time.GetUtcNow()).Write(metrics);

        var written = Family().Matches(Encoding.UTF8.GetString(page.WrittenSpan))
            .Select(match => $"{match.Groups[1].Value} {match.Groups[2].Value}");
        var documented = Row().Matches(Document).Select(match => $"{match.Groups[1].Value} {match.Groups[2].Value}");

        Assert.Equal(documented.Order(), written.Order());
    }

    [GeneratedRegex(@"^# TYPE (\w+) (\w+)$", RegexOptions.Multiline)]
    private static partial Regex Family();

    [GeneratedRegex(@"^\| `(\w+)` \| (\w+) \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
