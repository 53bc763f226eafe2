using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>How one operator is started; the defaults confine it to the test's namespace and let the kernel choose ports.</summary>
public sealed record OperatorOptions
{
    /// <summary>Appended to the default flags; a later flag of the same name wins.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Added to the environment; null removes a variable.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>Empty: no --kubeconfig. Default: one for <see cref="TestNamespace.OperatorUser"/>, who may do what config/rbac grants, in that namespace.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>Default: $MCP_OPERATOR_BINARY, else bin/mcp-operator.</summary>
    public string? Binary { get; init; }
}

/// <summary>
/// The published binary, running. Its log goes to the output of the running test when it is disposed, and the test
/// runner shows that output for a test that failed.
/// </summary>
public sealed class OperatorProcess : IAsyncDisposable
{
    private const int TailLines = 200;
    private static readonly HttpClient Http = new();

    private readonly TetheredProcess _process;
    private readonly Recorder _recorder;

    private OperatorProcess(TetheredProcess process, Recorder recorder)
    {
        _process = process;
        _recorder = recorder;
    }

    public int Id => _process.Id;

    /// <summary>Ends with the exit code: 128 + n after signal n.</summary>
    public Task<int> Exited => _process.Exited;

    /// <summary>Everything it wrote so far to stdout and stderr.</summary>
    public IReadOnlyList<string> Lines => _recorder.Snapshot();

    /// <summary>The lines that are JSON objects.</summary>
    public IEnumerable<JsonObject> Log => Lines.Select(TryParse).OfType<JsonObject>();

    /// <summary>Those of warn and above: what somebody who looks after it would read.</summary>
    public IEnumerable<JsonObject> Complaints => Log.Where(entry => (string?)entry["level"] is "warn" or "error" or "critical");

    public static async Task<OperatorProcess> StartAsync(ControlPlane controlPlane, TestNamespace @namespace, OperatorOptions? options = null)
    {
        options ??= new();
        var kubeconfig = options.Kubeconfig
            ?? (controlPlane.IsOwn ? controlPlane.Kubeconfig(@namespace.OperatorUser) : controlPlane.AdminKubeconfig);
        return await RunAsync(
            options.Binary ?? OperatorBinary.Find(),
            [
                "run",
                .. kubeconfig.Length == 0 ? (string[])[] : ["--kubeconfig", kubeconfig],
                "--watch-namespaces", @namespace.Name,
                "--metrics-bind-address", "0",
                "--health-probe-bind-address", "127.0.0.1:0",
                "--log-format", "json",
                .. options.Arguments,
            ],
            options.Environment);
    }

    /// <summary>The binary with just these arguments.</summary>
    /// <param name="environment">Beside it, nothing that is set here configures it.</param>
    public static async Task<OperatorProcess> RunAsync(
        string binary, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string?> environment)
    {
        var all = OperatorBinary.CleanEnvironment();
        foreach (var (name, value) in environment)
            all[name] = value;
        var recorder = new Recorder();
        return new(await TetheredProcess.StartAsync(binary, arguments, recorder.Add, all), recorder);
    }

    /// <summary>Waits for a line that contains the text, and returns it. Fails at once when the process exits without it.</summary>
    public Task<string> WaitForLogAsync(string text) => WaitForLineAsync($"the operator logged '{text}'", line => line.Contains(text, StringComparison.Ordinal));

    /// <inheritdoc cref="WaitForLogAsync(string)"/>
    /// <param name="what">Completes the sentence "it never happened that …".</param>
    public async Task<JsonObject> WaitForLogAsync(string what, Func<JsonObject, bool> matches) =>
        TryParse(await WaitForLineAsync(what, line => TryParse(line) is { } entry && matches(entry)))!;

    /// <summary>SIGTERM, as a kubelet stops it; returns the exit code.</summary>
    public async Task<int> StopAsync()
    {
        _process.Signal(TetheredProcess.SigTerm);
        return await Exited.WaitAsync(Eventually.Limit);
    }

    public void Signal(int signal) => _process.Signal(signal);

    /// <summary>SIGKILL, as a crash ends it.</summary>
    public Task KillAsync()
    {
        _process.Signal(TetheredProcess.SigKill);
        return Exited;
    }

    /// <summary>
    /// What a probe or a scrape gets: /healthz, /readyz and their sub-paths, or /metrics, for which the operator needs
    /// <c>--metrics-bind-address 127.0.0.1:0</c>.
    /// </summary>
    public async Task<(HttpStatusCode Code, string Text)> GetAsync(string path)
    {
        var first = path.Split('/', '?')[1] is "metrics" ? "/metrics" : "/healthz and /readyz";
        var serving = await WaitForLogAsync(
            $"it served {first}", entry => (string?)entry["event"] == "Serving" && (string?)entry["paths"] == first);
        using var answer = await Http.GetAsync(new Uri($"http://{(string)serving["address"]!}{path}"));
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>The sum of a metric's samples whose labels contain the text, as in <c>result="success"</c>.</summary>
    public async Task<long> MetricAsync(string name, string labels = "")
    {
        var (_, text) = await GetAsync("/metrics");
        return text.Split('\n')
            .Where(line => line.StartsWith(name, StringComparison.Ordinal) && line[name.Length..] is ['{' or ' ', ..])
            .Where(line => line.Contains(labels, StringComparison.Ordinal))
            .Sum(line => (long)double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }

    /// <summary>VmRSS; null where there is no /proc.</summary>
    public long? ResidentBytes()
    {
        var file = $"/proc/{Id}/status";
        if (!File.Exists(file))
            return null;
        var kilobytes = File.ReadLines(file).First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        return long.Parse(kilobytes, CultureInfo.InvariantCulture) * 1024;
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        var lines = Lines;
        var output = TestContext.Current.TestOutputHelper;
        output?.WriteLine($"--- operator {Id}, exit code {await Exited}, {lines.Count} lines, of which the last:");
        foreach (var line in lines.TakeLast(TailLines))
            output?.WriteLine(line);
    }

    private static JsonObject? TryParse(string line)
    {
        if (!line.StartsWith('{'))
            return null;
        try
        {
            return JsonNode.Parse(line) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task<string> WaitForLineAsync(string what, Func<string, bool> matches)
    {
        var found = await Eventually.TrueAsync(
            what,
            () =>
            {
                // Asked before the lines are looked at: when it has exited, all of its lines are there.
                var exited = Exited.IsCompleted;
                var line = Lines.FirstOrDefault(matches);
                return Task.FromResult((Line: line, Over: exited));
            },
            seen => seen.Line is not null || seen.Over);
        return found.Line
            ?? throw new InvalidOperationException($"The operator exited with {await Exited} before {what}. It wrote:\n{string.Join('\n', Lines.TakeLast(TailLines))}");
    }

    private sealed class Recorder
    {
        private readonly Lock _lock = new();
        private readonly List<string> _lines = [];

        public void Add(string line)
        {
            lock (_lock)
                _lines.Add(line);
        }

        public IReadOnlyList<string> Snapshot()
        {
            lock (_lock)
                return [.. _lines];
        }
    }
}
