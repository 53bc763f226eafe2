using System.Diagnostics;

namespace McpOperator.Envtest;

/// <summary>One short call of a program, with its two streams apart.</summary>
internal sealed record Command(int ExitCode, string Output, string Errors)
{
    public string[] ErrorLines => Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The operator's binary, in an environment that says nothing of any cluster.</summary>
    public static Task<Command> OperatorAsync(params IReadOnlyList<string> arguments) => RunAsync(OperatorBinary.Find(), arguments);

    public static async Task<Command> RunAsync(string file, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in new[] { "KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT" })
            start.Environment.Remove(name);
        start.Environment["HOME"] = "/nonexistent";
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(Eventually.Limit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new TimeoutException($"{file} {string.Join(' ', arguments)} did not end");
        }
        return new(process.ExitCode, await output, await errors);
    }
}
