using System.Diagnostics;

namespace McpOperator.Bench;

/// <summary>Says on stderr what is happening now, with the time since the start.</summary>
internal static class Progress
{
    private static readonly Stopwatch Clock = Stopwatch.StartNew();

    public static void Say(string what) => Console.Error.WriteLine($"{Clock.Elapsed:mm\\:ss} {what}");

    /// <summary>Awaits something long, and says now and then how far it is.</summary>
    public static async Task DuringAsync(Task work, Func<string> line, TimeSpan? every = null)
    {
        while (await Task.WhenAny(work, Task.Delay(every ?? TimeSpan.FromSeconds(10))) != work)
            Say($"  {line()}");
        await work;
    }
}
