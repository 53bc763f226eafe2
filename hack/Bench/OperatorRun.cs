using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace McpOperator.Bench;

/// <summary>The operator has ended by itself.</summary>
internal sealed class OperatorExitedException(int code, string log) : Exception($"The operator exited with {code}. {log}");

/// <summary>
/// The published binary, running, as a user of its own, so that its requests can be told from those of an earlier run.
/// It has its default flags and environment, but for the addresses it listens on; its log goes to a file, as a container's does.
/// </summary>
internal sealed class OperatorRun : IAsyncDisposable
{
    private static readonly HttpClient Probes = new() { Timeout = TimeSpan.FromSeconds(5) };
    private static int _runs;

    private readonly TetheredProcess _process;
    private readonly string _logFile;
    private readonly Uri _readyz;

    private OperatorRun(TetheredProcess process, string user, DateTimeOffset started, string logFile, Uri readyz)
    {
        _process = process;
        User = user;
        Started = started;
        _logFile = logFile;
        _readyz = readyz;
    }

    public string User { get; }

    /// <summary>The moment of its exec.</summary>
    public DateTimeOffset Started { get; }

    /// <param name="controlPlane">Where it works; everywhere in there.</param>
    /// <param name="user">Default: a new one, with the role of config/rbac.</param>
    /// <param name="group">A memory cgroup to run in.</param>
    /// <param name="arguments">Flags after the usual ones.</param>
    public static async Task<OperatorRun> StartAsync(
        ControlPlane controlPlane, string? user = null, MemoryGroup? group = null, params IReadOnlyList<string> arguments)
    {
        user ??= $"operator-{Interlocked.Increment(ref _runs)}";
        await OperatorRole.GrantAsync(controlPlane, user);
        var probes = $"127.0.0.1:{FreePort()}";
        var logFile = Path.Combine(controlPlane.Directory, $"{user}.log");
        var started = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        // The shell says the time, and becomes the operator: the next thing that this process does is its exec.
        var process = await TetheredProcess.StartAsync(
            "bash",
            [
                "-c", $"""{group?.Enter ?? ""} log=$1; shift; echo "$EPOCHREALTIME"; exec "$@" >"$log" 2>&1""", "bash", logFile,
                group?.Program ?? OperatorBinary.Find(), "run",
                "--kubeconfig", controlPlane.Kubeconfig(user),
                "--metrics-bind-address", "127.0.0.1:0",
                "--health-probe-bind-address", probes,
                .. arguments,
            ],
            line => started.TrySetResult(line),
            // Nobody makes pods here, and why they are not ready is no part of what is measured.
            new Dictionary<string, string?>(OperatorBinary.CleanEnvironment()) { ["LC_ALL"] = "C", ["MCP_DIAGNOSE_AFTER"] = "1h" });
        var first = await Task.WhenAny(started.Task, process.Exited) == started.Task
            ? await started.Task
            : throw new InvalidOperationException($"the operator's shell exited with {await process.Exited}");
        var seconds = decimal.Parse(first, CultureInfo.InvariantCulture);
        return new(
            process, user, DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerSecond)), logFile,
            new Uri($"http://{probes}/readyz"));
    }

    /// <summary>Waits until /readyz is ok: every list is in.</summary>
    /// <returns>When it was, to some milliseconds.</returns>
    public async Task<DateTimeOffset> UntilReadyzAsync()
    {
        var deadline = DateTimeOffset.UtcNow.AddMinutes(5);
        while (true)
        {
            Sample();
            try
            {
                using var answer = await Probes.GetAsync(_readyz);
                if (answer.StatusCode == HttpStatusCode.OK)
                    return DateTimeOffset.UtcNow;
            }
            catch (HttpRequestException) when (DateTimeOffset.UtcNow < deadline)
            {
                // It does not listen yet.
            }
            if (DateTimeOffset.UtcNow > deadline)
                throw new TimeoutException($"{_readyz} was not ok in five minutes. {LogTail()}");
            await Task.Delay(5);
        }
    }

    /// <exception cref="OperatorExitedException"/>
    public ProcessSample Sample() => _process.Exited.IsCompleted
        ? throw new OperatorExitedException(_process.Exited.Result, LogTail())
        : ProcessSample.Of(_process.Id);

    public async Task StopAsync()
    {
        _process.Signal(TetheredProcess.SigTerm);
        var code = await _process.Exited.WaitAsync(TimeSpan.FromSeconds(30));
        if (code != 0)
            throw new OperatorExitedException(code, LogTail());
    }

    /// <summary>SIGKILL if it still runs.</summary>
    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private string LogTail() => $"The end of its log:\n{string.Join('\n', File.ReadLines(_logFile).TakeLast(20))}";

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
