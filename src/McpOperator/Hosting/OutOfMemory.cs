using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace McpOperator.Hosting;

/// <summary>
/// Ends the process as soon as an allocation finds no room, with one line that says what to do. To go on would be worse: whatever was at
/// work is half done, a watch that failed begins again and fails again, and the servers of everybody else wait.
/// </summary>
/// <remarks>
/// The line is written beforehand, whenever there is another largest object, for nothing can be allocated when it is needed; nor can
/// it wait in the log's queue.
/// </remarks>
internal sealed partial class OutOfMemory
{
    private const int StandardError = 2;
    private const int ExitCode = 1;

    private readonly Line _line;
    private int _ended;

    private OutOfMemory(Line line) => _line = line;

    /// <summary>For the rest of the process.</summary>
    /// <param name="largest">What the line names.</param>
    public static void EndsTheProcess(LogFormat format, LargestObject largest)
    {
        if (OperatingSystem.IsWindows())
            return;
        var line = new Line(Logging.Formatter(format, new Epoch(), colour: false));
        Render("none", 0);
        line.Stamp(); // what formatting a time needs for the first time is there then
        largest.Changed += Render;
        var watch = new OutOfMemory(line);
        // Whoever catches it, and be it the framework.
        AppDomain.CurrentDomain.FirstChanceException += (_, thrown) =>
        {
            if (thrown.Exception is OutOfMemoryException)
                watch.End();
        };

        void Render(string name, int bytes)
        {
            var objects = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
            line.OutOfMemory(objects / 3 * 4 >> 20, objects >> 20, name, bytes);
        }
    }

    private unsafe void End()
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
            return;
        var bytes = _line.Stamp();
        fixed (byte* start = bytes)
        {
            for (nint written = 0, count; written < bytes.Length; written += count)
            {
                count = Write(StandardError, start + written, bytes.Length - written);
                if (count <= 0)
                    break;
            }
        }

        Exit(ExitCode);
    }

    [LibraryImport("libc", EntryPoint = "write")]
    private static unsafe partial nint Write(int file, byte* bytes, nint count);

    /// <summary>At once: the exit of .NET runs handlers, which allocate.</summary>
    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int code);

    /// <summary>Keeps the last entry as its bytes, with a place for the time.</summary>
    private sealed class Line(ConsoleFormatter formatter) : ILogger
    {
        private const string Time = "yyyy-MM-ddTHH:mm:ss";

        // The line, and a copy to put the time into.
        private byte[][] _bytes = [[], []];

        /// <summary>The line with the present time. Allocates nothing.</summary>
        public byte[] Stamp()
        {
            var bytes = Volatile.Read(ref _bytes);
            if (bytes[0].AsSpan().IndexOf("1970-01-01T00:00:00"u8) is var place and >= 0)
                DateTime.UtcNow.TryFormat(bytes[1].AsSpan(place), out _, Time, CultureInfo.InvariantCulture);
            return bytes[1];
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> message)
        {
            using var text = new StringWriter(CultureInfo.InvariantCulture);
            formatter.Write(new LogEntry<TState>(logLevel, nameof(OutOfMemory), eventId, state, exception, message), null, text);
            var bytes = Encoding.UTF8.GetBytes(text.ToString());
            Volatile.Write(ref _bytes, [bytes, [.. bytes]]);
        }
    }

    private sealed class Epoch : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch;
    }
}
