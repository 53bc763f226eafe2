using System.Collections;

namespace McpOperator.Testing;

/// <summary>The program under test: $MCP_OPERATOR_BINARY, else the published bin/mcp-operator.</summary>
public static class OperatorBinary
{
    public static string Find()
    {
        var binary = Environment.GetEnvironmentVariable("MCP_OPERATOR_BINARY");
        if (string.IsNullOrEmpty(binary))
            binary = Repository.PathTo("bin", "mcp-operator");
        return File.Exists(binary)
            ? binary
            : throw new FileNotFoundException($"There is no {binary}: `make publish` builds it, MCP_OPERATOR_BINARY names another one", binary);
    }

    /// <summary>Removes what configures an operator in the shell of whoever runs this: it must not reach the one under test.</summary>
    public static Dictionary<string, string?> CleanEnvironment() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(entry => (string)entry.Key)
            .Where(name => name is "KUBECONFIG" or "DEFAULT_INGRESS_HOST" or "DEFAULT_INGRESS_CLASS" or "REQUEUE_DELAY_SECONDS"
                || name.StartsWith("MCP_", StringComparison.Ordinal)
                || name.StartsWith("PROVISIONED_REGISTRY_", StringComparison.Ordinal))
            .ToDictionary(name => name, _ => (string?)null);
}
