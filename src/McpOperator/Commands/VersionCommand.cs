namespace McpOperator.Commands;

/// <summary><c>version</c>: version, commit, runtime.</summary>
internal static class VersionCommand
{
    public static int Execute(IReadOnlyList<string> arguments, TextWriter output, TextWriter error)
    {
        if (arguments.Count > 0)
            return Usage.Fail(error, "version takes no arguments");
        output.WriteLine($"mcp-operator {BuildInfo.Version} (commit {BuildInfo.Commit}, {BuildInfo.Runtime})");
        return 0;
    }
}
