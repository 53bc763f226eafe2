using System.Diagnostics;
using System.Runtime.InteropServices;

namespace McpOperator.Testing;

/// <summary>
/// A child process in a process group of its own that cannot outlive this one, not even when this one is killed with
/// SIGKILL: <c>hack/tether</c> stands between them and holds the other end of a pipe.
/// </summary>
public sealed class TetheredProcess : IAsyncDisposable
{
    public const int SigKill = 9;
    public const int SigTerm = 15;
    public const int SigCont = 18;
    public const int SigStop = 19;

    private readonly Process _tether;

    private TetheredProcess(Process tether, int id, Task<int> exited)
    {
        _tether = tether;
        Id = id;
        Exited = exited;
    }

    /// <summary>The id of the command itself, not of the tether; also the id of its process group.</summary>
    public int Id { get; }

    /// <summary>Ends when the command has exited and its output was read to the end; 128 + n after signal n.</summary>
    public Task<int> Exited { get; }

    /// <param name="onLine">Gets every line of both streams, in order within a stream, on any thread.</param>
    /// <param name="removeWhenOrphaned">A directory that is deleted when this process dies without having stopped the command.</param>
    public static async Task<TetheredProcess> StartAsync(
        string file,
        IEnumerable<string> arguments,
        Action<string> onLine,
        IReadOnlyDictionary<string, string?>? environment = null,
        string? removeWhenOrphaned = null)
    {
        var start = new ProcessStartInfo(Repository.PathTo("hack", "tether"), [file, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
            start.Environment[name] = value;
        if (removeWhenOrphaned is not null)
            start.Environment["TETHER_REMOVE"] = removeWhenOrphaned;

        var tether = Process.Start(start)!;
        var firstLine = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var output = Pump(tether.StandardOutput, line =>
        {
            if (!firstLine.TrySetResult(line))
                onLine(line);
        });
        var errors = Pump(tether.StandardError, onLine);
        _ = output.ContinueWith(_ => firstLine.TrySetResult(null), TaskScheduler.Default);
        var exited = WaitAsync(tether, Task.WhenAll(output, errors));
        if (!int.TryParse(await firstLine.Task, out var id))
        {
            tether.StandardInput.Close();
            await exited;
            tether.Dispose();
            throw new InvalidOperationException($"hack/tether could not start {file}");
        }
        return new(tether, id, exited);
    }

    /// <summary>Sends the signal to the command alone. Nothing happens when it has exited.</summary>
    public void Signal(int signal)
    {
        if (!Exited.IsCompleted)
            _ = NativeMethods.Kill(Id, signal);
    }

    /// <summary>Kills the command and all its descendants in the group, and waits until they are gone.</summary>
    public async Task<int> KillAsync()
    {
        // Not by closing the pipe, which means that the holder has died and takes removeWhenOrphaned along.
        if (!Exited.IsCompleted)
            _ = NativeMethods.Kill(_tether.Id, SigTerm);
        return await Exited;
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _tether.Dispose();
    }

    private static async Task<int> WaitAsync(Process tether, Task drained)
    {
        await tether.WaitForExitAsync();
        await drained;
        return tether.ExitCode;
    }

    // A thread of its own: on Unix an "asynchronous" read of a child's pipe blocks a thread of the pool, and a dozen
    // children would starve everything else that runs there.
    private static Task Pump(StreamReader reader, Action<string> onLine)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                while (reader.ReadLine() is { } line)
                    onLine(line);
                done.SetResult();
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        })
        { IsBackground = true, Name = "output of a child process" }.Start();
        return done.Task;
    }

    private static class NativeMethods
    {
        [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int Kill(int pid, int signal);
    }
}
