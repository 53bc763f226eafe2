using System.Text.Json;
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

    /// <summary>The body of its apply. The policy is written right into it: the text of a large one is not in memory a second time.</summary>
    /// <param name="generatedAt">Of the policy.</param>
    /// <param name="found">The ConfigMap that it is written over, and no other; null where there is none.</param>
    /// <param name="replacesPods">Whether pods from before it are never shown it.</param>
    public static byte[] Build(MCPServer server, PolicyDocument policy, DateTimeOffset? generatedAt, ObservedConfigMap? found, bool replacesPods)
    {
        var name = server.Metadata.Name;
        var annotations = replacesPods ? new Dictionary<string, string> { [ReplacesPods] = "true" } : null;
        var metadata = Labels.MetadataOf(server, Labels.Of(name), annotations, ObjectNames.Policy(name)) with
        {
            // The uid keeps one that was deleted from being made again, the version everything else from being overwritten.
            Uid = found?.Uid,
            ResourceVersion = found?.ResourceVersion,
        };
        return ApplyBody.Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("apiVersion"u8, ResourceTypes.ConfigMap.ApiVersion);
            json.WriteString("kind"u8, ResourceTypes.ConfigMap.Kind);
            json.WritePropertyName("metadata"u8);
            JsonSerializer.Serialize(json, metadata, ManifestJsonContext.Default.Metadata);
            json.WriteStartObject("data"u8);
            json.WritePropertyName(Key);
            policy.Write(generatedAt, piece => json.WriteStringValueSegment(piece, isFinalSegment: false));
            json.WriteStringValueSegment(""u8, isFinalSegment: true);
            json.WriteEndObject();
            json.WriteEndObject();
        }, length: policy.Length / 2 * 3);
    }
}
