using System.Globalization;

namespace McpOperator.Soak;

/// <summary>An operator: started anew whenever it has ended.</summary>
/// <param name="isElected">Whether it leads by a lease, or without asking anybody.</param>
internal sealed class Replica(ControlPlane controlPlane, string user, Settings settings, string logs, bool isElected = true) : IAsyncDisposable
{
    private const int Kept = 40;

    private static readonly string[] Election =
    [
        "--leader-elect",
        "--leader-elect-lease-duration", "6s",
        "--leader-elect-renew-deadline", "4s",
        "--leader-elect-retry-period", "500ms",
        "--leader-elect-resource-namespace", "default",
    ];

    private readonly Lock _lock = new();
    private readonly Queue<string> _last = new();
    private readonly string _logFile = Path.Combine(logs, $"{user}.log");
    private TetheredProcess? _process;
    private bool _endIsOurs;
    private bool _lostLease;

    public string User => user;

    public int Starts { get; private set; }

    /// <summary>How often it gave up its lease and ended.</summary>
    public int LostLeases { get; private set; }

    public bool Leads { get; private set; }

    public bool IsPaused { get; private set; }

    public bool IsRunning => _process is { Exited.IsCompleted: false };

    public IReadOnlyList<string> LastLines
    {
        get
        {
            lock (_lock)
                return [.. _last];
        }
    }

    /// <summary>Starts it if it does not run.</summary>
    /// <exception cref="SoakFailedException">It ended, and not because it was told to or had lost its lease.</exception>
    public async Task EnsureRunningAsync()
    {
        if (IsRunning)
            return;
        if (_process is not null)
        {
            var code = await _process.Exited;
            if (!_endIsOurs && !(code == 1 && _lostLease))
                throw new SoakFailedException($"{user} exited with {code}, which nobody had asked for");
            LostLeases += _lostLease ? 1 : 0;
            await _process.DisposeAsync();
        }
        (Leads, IsPaused, _endIsOurs, _lostLease) = (false, false, false, false);
        Starts++;
        File.AppendAllText(_logFile, $"--- start {Starts}\n");
        _process = await TetheredProcess.StartAsync(
            OperatorBinary.Find(),
            [
                "run",
                "--kubeconfig", controlPlane.Kubeconfig(user),
                "--metrics-bind-address", "0",
                "--health-probe-bind-address", "127.0.0.1:0",
                .. isElected ? Election : [],
                .. settings.Arguments(),
            ],
            OnLine,
            settings.Environment());
    }

    /// <summary>As a kubelet stops it. It may take its five seconds when the API server is away, and then end with 1.</summary>
    public void Terminate()
    {
        _endIsOurs = true;
        _process?.Signal(TetheredProcess.SigTerm);
    }

    public void Kill()
    {
        _endIsOurs = true;
        _process?.Signal(TetheredProcess.SigKill);
    }

    public void Pause()
    {
        IsPaused = true;
        _process?.Signal(TetheredProcess.SigStop);
    }

    public void Resume()
    {
        IsPaused = false;
        _process?.Signal(TetheredProcess.SigCont);
    }

    public Task UntilEndedAsync() => _process is null ? Task.CompletedTask : _process.Exited.WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>VmRSS; null when it is not there to be asked.</summary>
    public long? ResidentBytes()
    {
        if (!IsRunning)
            return null;
        var line = File.ReadLines($"/proc/{_process!.Id}/status").FirstOrDefault(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return line is null ? null : 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
    }

    private void OnLine(string line)
    {
        lock (_lock)
        {
            Leads |= line.Contains("\"LeaseAcquired\"", StringComparison.Ordinal);
            _lostLease |= line.Contains("\"LeaseLost\"", StringComparison.Ordinal);
            _last.Enqueue(line);
            while (_last.Count > Kept)
                _last.Dequeue();
            File.AppendAllText(_logFile, line + "\n");
        }
    }
}

/// <summary>The run has found something.</summary>
internal sealed class SoakFailedException(string message) : Exception(message);
