using System.Collections;

namespace McpOperator.Testing;

/// <summary>The program under test.</summary>
public static class OperatorBinary
{
    /// <summary>$MCP_OPERATOR_BINARY, else the published bin/mcp-operator.</summary>
    public static string Find() => Find("mcp-operator", "MCP_OPERATOR_BINARY", "make publish");

    /// <summary>$MCP_OPERATOR_DYNAMIC_BINARY, else bin/mcp-operator-dynamic: the one that takes a library which is preloaded.</summary>
    public static string FindDynamic() => Find("mcp-operator-dynamic", "MCP_OPERATOR_DYNAMIC_BINARY", "hack/publish dynamic");

    private static string Find(string name, string variable, string command)
    {
        var binary = Environment.GetEnvironmentVariable(variable);
        if (string.IsNullOrEmpty(binary))
            binary = Repository.PathTo("bin", name);
        return File.Exists(binary)
            ? binary
            : throw new FileNotFoundException($"There is no {binary}: `{command}` builds it, {variable} names another one", binary);
    }

    /// <summary>Removes what configures an operator in the shell of whoever runs this: it must not reach the one under test.</summary>
    public static Dictionary<string, string?> CleanEnvironment() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(entry => (string)entry.Key)
            .Where(name => name is "KUBECONFIG" or "DEFAULT_INGRESS_HOST" or "DEFAULT_INGRESS_CLASS" or "REQUEUE_DELAY_SECONDS"
                || name.StartsWith("MCP_", StringComparison.Ordinal)
                || name.StartsWith("PROVISIONED_REGISTRY_", StringComparison.Ordinal))
            .ToDictionary(name => name, _ => (string?)null);
}
