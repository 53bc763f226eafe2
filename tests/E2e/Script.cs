using System.Diagnostics;

namespace McpOperator.E2e;

/// <summary>The scripts of hack/, as a person calls them.</summary>
internal static class Script
{
    /// <summary>Runs one of hack/ to its end, and returns what it printed.</summary>
    /// <exception cref="InvalidOperationException">It failed; with its output.</exception>
    public static Task<string> RunAsync(string name, IReadOnlyList<string> arguments, params IEnumerable<(string Name, string Value)> environment) =>
        RunFileAsync(Repository.PathTo("hack", name), arguments, environment);

    /// <summary>The one that <c>hack/node up</c> has put into PATH.</summary>
    public static Task<string> KubectlAsync(params string[] arguments) => RunFileAsync("kubectl", arguments, []);

    private static async Task<string> RunFileAsync(string file, IReadOnlyList<string> arguments, IEnumerable<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (variable, value) in environment)
            start.Environment[variable] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException($"{file} {string.Join(' ', arguments)} failed:\n{await output}\n{await errors}");
    }
}
