namespace McpOperator.Testing;

/// <summary>The checkout that the running assembly was built from.</summary>
public static class Repository
{
    /// <summary>The directory that holds McpOperator.sln, found by walking up from the assembly.</summary>
    public static string Root { get; } = Find();

    public static string PathTo(params ReadOnlySpan<string> parts) => Path.Combine([Root, .. parts]);

    private static string Find()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
            if (File.Exists(Path.Combine(directory.FullName, "McpOperator.sln")))
                return directory.FullName;
        throw new InvalidOperationException($"McpOperator.sln is in no directory above {AppContext.BaseDirectory}");
    }
}
