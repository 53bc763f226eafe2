using System.Globalization;

namespace McpOperator.Envtest;

/// <summary>The running process: signals, probes, metrics, log.</summary>
public sealed class ProcessTests(ControlPlaneFixture fixture)
{
    [Fact]
    [Trait("Suite", "smoke")]
    public async Task SigtermStopsItWithExitCodeZeroAndTheLastLineSaysSo()
    {
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await using var process = await OperatorProcess.StartAsync(fixture.ControlPlane, ns);
        await process.WaitForLogAsync("WorkersStarted");

        Assert.Equal(0, await process.StopAsync());
        Assert.Equal(["Stopping", "Stopped"], process.Log.TakeLast(2).Select(entry => (string?)entry["event"]));
        Assert.DoesNotContain(process.Log, entry => (string?)entry["level"] is not "info");
    }

    [Fact]
    [Trait("Suite", "smoke")]
    public async Task ProbesAnswerWithTheirChecks()
    {
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await using var process = await OperatorProcess.StartAsync(fixture.ControlPlane, ns);
        await process.WaitForLogAsync("Synced");

        Assert.Equal((200, "ok"), await AnswerAsync("/healthz"));
        Assert.Equal((200, "[+]ping ok\n[+]reconcile ok\n[+]watches ok\nhealthz check passed\n"), await AnswerAsync("/healthz?verbose"));
        Assert.Equal((200, "ok"), await AnswerAsync("/readyz"));
        Assert.Equal((200, "ok"), await AnswerAsync("/readyz/caches"));
        Assert.Equal((200, "[+]shutdown ok\n[+]caches ok\nreadyz check passed\n"), await AnswerAsync("/readyz?verbose"));
        Assert.Equal((200, "[+]shutdown ok\n[+]caches excluded: ok\nreadyz check passed\n"), await AnswerAsync("/readyz?verbose&exclude=caches"));
        Assert.Equal(404, (await AnswerAsync("/healthz/nothing")).Code);

        async Task<(int Code, string Text)> AnswerAsync(string path)
        {
            var (code, text) = await process.GetAsync(path);
            return ((int)code, text);
        }
    }

    [Fact]
    [Trait("Suite", "smoke")]
    public async Task MetricsCountWhatTheAuditLogHas()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync("{image: example.org/web}");
        await scenario.EventuallyPhaseAsync("PartiallyReady");
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        await scenario.PassAsync();
        var process = scenario.Operator!;

        var patches = (await scenario.Namespace.OperatorRequestsAsync()).Where(request => request.Verb == "patch").ToList();
        Assert.Equal(patches.Count(request => request.Code == 200), await process.MetricAsync("rest_client_requests_total", "code=\"200\",method=\"PATCH\""));
        Assert.Equal(patches.Count(request => request.Code == 201), await process.MetricAsync("rest_client_requests_total", "code=\"201\",method=\"PATCH\""));
        // Of PodDisruptionBudgets before 1.21; and of Services before 1.23, which are not among those requests (TestNamespace): two servers.
        var missed = (await scenario.Namespace.OperatorRequestsAsync()).Count(request => request is { Code: 404, Resource: "poddisruptionbudgets" });
        Assert.Contains(await process.MetricAsync("rest_client_requests_total", "code=\"404\",method=\"GET\"") - missed, new long[] { 0, 2 });
        Assert.True(await process.MetricAsync("controller_runtime_reconcile_total", "controller=\"mcpserver\",result=\"success\"") > 0);
        Assert.True(await process.MetricAsync("controller_runtime_reconcile_total", "result=\"requeue_after\"") > 0);
        Assert.Equal(0, await process.MetricAsync("controller_runtime_reconcile_errors_total"));
        Assert.Equal(1, await process.MetricAsync("controller_runtime_max_concurrent_reconciles", "controller=\"mcpserver\""));
        var passes = await process.MetricAsync("controller_runtime_reconcile_total");
        foreach (var histogram in new[] { "controller_runtime_reconcile_time_seconds", "workqueue_work_duration_seconds", "workqueue_queue_duration_seconds" })
            Assert.InRange(await process.MetricAsync($"{histogram}_count"), passes, passes + 1);
        // A scraper refuses a page with one line that it cannot read.
        var (_, text) = await process.GetAsync("/metrics");
        Assert.All(text.TrimEnd('\n').Split('\n'), line => Assert.Matches(
            """^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [-+0-9.eE]+)$""", line));
        foreach (var series in text.Split('\n').Where(line => line.Length > 0 && line[0] != '#').Select(line => line[..line.LastIndexOf(' ')]).GroupBy(name => name))
            Assert.Single(series);
    }

    [Fact]
    public async Task EveryLogLineIsJsonWithItsFieldsAndThoseOfAReconcileShareAnId()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--log-level", "debug", "--workers", "1");
        await scenario.CreateServerAsync("{image: example.org/web}");
        await scenario.CreateServerAsync("{image: \"\\n{\\\"level\\\":\\\"error\\\"}\"}", "broken");
        await scenario.SettledAsync();
        await scenario.SettledAsync("broken");
        var process = scenario.Operator!;
        await scenario.StopOperatorAsync();

        Assert.Equal(process.Lines.Count, process.Log.Count());
        Assert.All(process.Log, entry =>
        {
            Assert.True(DateTimeOffset.TryParseExact(
                (string?)entry["ts"], "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _), entry.ToJsonString());
            Assert.Contains((string?)entry["level"], new[] { "debug", "info", "warn", "error", "critical" });
            Assert.False(string.IsNullOrEmpty((string?)entry["msg"]));
            Assert.False(string.IsNullOrEmpty((string?)entry["logger"]));
            Assert.False(string.IsNullOrEmpty((string?)entry["event"]));
        });
        var reconciling = process.Log.Where(entry => (int)entry["eventId"]! is >= 300 and < 400).ToList();
        Assert.All(reconciling, entry =>
        {
            Assert.False(string.IsNullOrEmpty((string?)entry["reconcileId"]));
            Assert.Equal(scenario.Namespace.Name, (string?)entry["namespace"]);
        });
        // The pass that made the objects said so in lines that belong together.
        var pass = Assert.Single(reconciling.Where(entry => (string?)entry["event"] == "ObjectCreated").Select(entry => (string)entry["reconcileId"]!).Distinct());
        Assert.Equal(["web"], reconciling.Where(entry => (string?)entry["reconcileId"] == pass).Select(entry => (string)entry["name"]!).Distinct());
    }

    [Fact]
    public async Task TheConsoleFormatIsForPeople()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--log-format", "console");
        await scenario.CreateServerAsync("{image: example.org/web}");
        await scenario.SettledAsync();
        var process = scenario.Operator!;
        await scenario.StopOperatorAsync();

        Assert.All(process.Lines, line => Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (INFO|WARN|ERROR) +\S+ +\S", line));
        Assert.Contains(process.Lines, line => line.Contains("Created the Deployment", StringComparison.Ordinal) && line.Contains("name=web", StringComparison.Ordinal));
        Assert.DoesNotContain(process.Lines, line => line.Contains('\u001b', StringComparison.Ordinal));
    }
}
