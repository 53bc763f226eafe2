namespace McpOperator.Envtest;

/// <summary>What only root may do on Linux, and containers often may not: skipped with the reason where it does not work.</summary>
internal static class Isolation
{
    public static async Task RequireAsync(string command, string purpose)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), $"needs Linux ({purpose})");
        var tried = await Command.RunAsync("/bin/sh", ["-c", command]);
        Assert.SkipUnless(tried.ExitCode == 0, $"`{command}` is not allowed here ({purpose}): {tried.Errors.Trim()}");
    }

    public static async Task<string> ScriptAsync(DirectoryInfo directory, string content)
    {
        var path = Path.Combine(directory.FullName, "run.sh");
        await File.WriteAllTextAsync(path, "#!/bin/sh\n" + content + "\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return path;
    }
}
