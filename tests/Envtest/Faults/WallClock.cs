namespace McpOperator.Envtest.Faults;

/// <summary>The wall clock of one operator, which can be set while it runs. Needs a C compiler, as publishing does.</summary>
internal sealed class WallClock : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mcp-operator-clock-");

    private string Library => Path.Combine(_directory.FullName, "wallclock.so");

    private string Offset => Path.Combine(_directory.FullName, "offset");

    public static async Task<WallClock> CreateAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs a library that is preloaded, as Linux does it");
        var clock = new WallClock();
        clock.Put(TimeSpan.Zero);
        var source = Repository.PathTo("tests", "Envtest", "Faults", "wallclock.c");
        var compiled = await Command.RunAsync("gcc", ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", clock.Library, source]);
        Assert.True(compiled.ExitCode == 0, compiled.Errors);
        return clock;
    }

    /// <summary>The operator as it is started with this clock.</summary>
    public OperatorOptions Of(OperatorOptions options) => options with
    {
        Binary = OperatorBinary.FindDynamic(),
        Environment = new Dictionary<string, string?>(options.Environment) { ["LD_PRELOAD"] = Library, ["WALL_CLOCK_FILE"] = Offset },
    };

    /// <summary>Sets it to so much after the true time, at once.</summary>
    public void Put(TimeSpan afterTheTruth)
    {
        // In place: the operator has the file mapped.
        using var file = File.Open(Offset, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite);
        file.Write(BitConverter.GetBytes((long)afterTheTruth.TotalSeconds));
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
