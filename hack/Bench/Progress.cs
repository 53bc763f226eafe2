using System.Diagnostics;

namespace McpOperator.Bench;

/// <summary>Says on stderr what is happening now, with the time since the start.</summary>
internal static class Progress
{
    private static readonly Stopwatch Clock = Stopwatch.StartNew();

    public static void Say(string what) => Console.Error.WriteLine($"{Clock.Elapsed:mm\\:ss} {what}");
}
