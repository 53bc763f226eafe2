using System.Net;
using System.Net.Sockets;

namespace McpOperator.Testing;

/// <summary>
/// etcd or kube-apiserver: starts it, waits until it is healthy, keeps its log. A port that the kernel gave away again
/// between our choosing it and the server's binding it costs a retry, not the run.
/// </summary>
internal sealed class ServerProcess(string name, string binary, string logFile, ControlPlaneOptions options, string removeWhenOrphaned)
{
    private const int Attempts = 5;

    private readonly Lock _logLock = new();
    private TetheredProcess? _process;

    public int Id => _process?.Id ?? throw new InvalidOperationException($"{name} does not run");

    public bool IsRunning => _process is { Exited.IsCompleted: false };

    /// <param name="port">Zero: the kernel chooses, and chooses anew for every attempt. Else the same one is tried again.</param>
    /// <returns>The port that it listens on.</returns>
    public async Task<int> StartAsync(int port, Func<int, IEnumerable<string>> arguments, Func<int, Task<bool>> isHealthy)
    {
        for (var attempt = 1; ; attempt++)
        {
            var chosen = port == 0 ? FreePort() : port;
            if (File.Exists(logFile))
                await File.AppendAllTextAsync(logFile, $"--- started again, attempt {attempt}\n");
            _process = await TetheredProcess.StartAsync(binary, arguments(chosen), Log, removeWhenOrphaned: removeWhenOrphaned);
            try
            {
                await Eventually.TrueAsync(
                    $"{name} became healthy",
                    async () => !IsRunning || await isHealthy(chosen),
                    healthy => healthy,
                    options.StartTimeout);
                if (IsRunning)
                    return chosen;
            }
            catch (TimeoutException e)
            {
                await StopAsync();
                throw new InvalidOperationException($"{e.Message}\nThe end of its log:\n{LogTail()}", e);
            }

            var code = await _process.Exited;
            if (attempt == Attempts || !LogTail().Contains("address already in use", StringComparison.Ordinal))
                throw new InvalidOperationException($"{name} exited with {code} instead of starting. The end of its log:\n{LogTail()}");
            options.Progress($"port {chosen} was taken by somebody else before {name} could have it: trying again");
            await Task.Delay(TimeSpan.FromMilliseconds(200));
        }
    }

    public void Signal(int signal) => _process?.Signal(signal);

    /// <summary>SIGKILL: what they hold is thrown away, and a graceful stop of kube-apiserver takes a minute.</summary>
    public async Task StopAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
        _process = null;
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private void Log(string line)
    {
        lock (_logLock)
            File.AppendAllText(logFile, line + "\n");
        if (options.AttachOutput)
            Console.Error.WriteLine($"[{name}] {line}");
    }

    private string LogTail()
    {
        lock (_logLock)
            return File.Exists(logFile) ? string.Join('\n', File.ReadLines(logFile).TakeLast(30)) : "(it wrote nothing)";
    }
}
