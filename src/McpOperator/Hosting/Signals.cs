using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace McpOperator.Hosting;

/// <summary>
/// SIGTERM and SIGINT. The first signal asks the process to stop, and a second one ends it at once, for a person who does not
/// want to wait (as in kubert's shutdown).
/// </summary>
internal sealed class Signals : IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly ILogger _logger;
    private readonly Action<int> _exit;
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _received;

    private Signals(ILogger logger, Action<int> exit)
    {
        _logger = logger;
        _exit = exit;
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Takes over the two signals of this process until disposed of.</summary>
    public static Signals Register(ILogger logger)
    {
        var signals = new Signals(logger, Environment.Exit);
        foreach (var signal in new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT })
        {
            signals._registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true; // the default action would end the process
                signals.Receive(context.Signal);
            }));
        }
        return signals;
    }

    /// <summary>Listens to no signal; a test calls <see cref="Receive"/>.</summary>
    internal static Signals ForTests(ILogger logger, Action<int> exit) => new(logger, exit);

    internal void Receive(PosixSignal signal)
    {
        if (Interlocked.Increment(ref _received) > 1)
        {
            _exit(signal == PosixSignal.SIGINT ? 130 : 143); // 128 + number, as a shell reports a killed process
            return;
        }
        _logger.Stopping(signal);
        // Not on this thread: the callbacks of the token must not delay the second signal.
        _ = _stopping.CancelAsync();
    }

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _stopping.Dispose();
    }
}
