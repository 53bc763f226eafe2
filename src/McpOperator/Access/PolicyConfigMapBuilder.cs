using System.Globalization;
using System.Text;
using McpOperator.Api;
using McpOperator.Resources;
using McpOperator.Resources.Types;

namespace McpOperator.Access;

/// <summary>The ConfigMap by which a server's gateway gets its policy.</summary>
public static class PolicyConfigMapBuilder
{
    public const string Key = "policy.json";

    /// <summary>What the API server lets the values of a ConfigMap have together (core.MaxSecretSize in pkg/apis/core/types.go).</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>Of its name, after the server's.</summary>
    public const string Suffix = "-gateway-policy";

    /// <summary>What others put there can keep the API server from taking ours: a key is either in these or in the data.</summary>
    public static readonly IReadOnlyList<IReadOnlyList<string>> Exclusive = [["f:binaryData"]];

    public static string NameOf(string server) => server + Suffix;

    /// <param name="server">Whose policy it is.</param>
    /// <param name="policy">The text of the document.</param>
    public static ConfigMap Build(MCPServer server, string policy)
    {
        var name = server.Metadata.Name;
        return new ConfigMap
        {
            Metadata = Labels.MetadataOf(server, Labels.Of(name), name: NameOf(name)),
            Data = new Dictionary<string, string> { [Key] = policy },
        };
    }

    /// <summary>Null when the API server would take it; else why not, and what to do.</summary>
    public static string? TooLarge(string policy)
    {
        var size = Encoding.UTF8.GetByteCount(policy);
        return size <= MaxBytes ? null : string.Create(CultureInfo.InvariantCulture,
            $"the policy would take {size:N0} bytes, and a ConfigMap holds {MaxBytes:N0}: " +
            $"shorten descriptions and labels of the server's tools");
    }
}
