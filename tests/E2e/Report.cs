namespace McpOperator.E2e;

/// <summary>What was measured on the way, for a person: no test asks for it. hack/test prints it at the end.</summary>
internal static class Report
{
    private static readonly Lock Gate = new();

    public static void Line(string text)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(text);
        if (Environment.GetEnvironmentVariable("MCP_E2E_REPORT") is not { Length: > 0 } file)
            return;
        lock (Gate)
            File.AppendAllText(file, text + "\n");
    }
}
