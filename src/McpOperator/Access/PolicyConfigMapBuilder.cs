using System.Globalization;
using System.Text;
using McpOperator.Api;
using McpOperator.Kubernetes.Types;

namespace McpOperator.Access;

/// <summary>The ConfigMap by which a server's gateway gets its policy.</summary>
internal static class PolicyConfigMapBuilder
{
    public const string Key = "policy.json";

    /// <summary>What the API server lets the values of a ConfigMap have together (core.MaxSecretSize in pkg/apis/core/types.go).</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>What others put there can keep the API server from taking ours: the same key, or too much beside it.</summary>
    public static readonly IReadOnlyList<IReadOnlyList<string>> Exclusive = [["f:binaryData"], ["f:data"]];

    /// <summary>
    /// On a ConfigMap that took the place of an immutable one. It stays, so that a restarted operator knows what the pods
    /// that mount it need (<see cref="ObjectNames.PolicyUid"/>).
    /// </summary>
    public const string ReplacesPods = "mcpruntime.org/policy-needs-new-pods";

    /// <param name="found">The ConfigMap that it is written over, and no other; null where there is none.</param>
    /// <param name="replacesPods">Whether pods from before it are never shown it.</param>
    public static ConfigMap Build(MCPServer server, string policy, ObservedConfigMap? found, bool replacesPods)
    {
        var name = server.Metadata.Name;
        var annotations = replacesPods ? new Dictionary<string, string> { [ReplacesPods] = "true" } : null;
        return new ConfigMap
        {
            Metadata = Labels.MetadataOf(server, Labels.Of(name), annotations, ObjectNames.Policy(name)) with
            {
                // The uid keeps one that was deleted from being made again, the version everything else from being overwritten.
                Uid = found?.Uid,
                ResourceVersion = found?.ResourceVersion,
            },
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
