namespace McpOperator.Commands;

/// <summary>What a wrong command line gets: one line, and exit code 2.</summary>
internal static class Usage
{
    public static int Fail(TextWriter error, string message)
    {
        error.WriteLine($"mcp-operator: {message}");
        return 2;
    }
}
