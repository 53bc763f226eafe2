using System.Text.Json;
using McpOperator.Api;
using McpOperator.Kubernetes.Types;

namespace McpOperator.Access;

/// <summary>The ConfigMap with the policy of a server's gateways.</summary>
internal static class PolicyConfigMapBuilder
{
    public const string Key = "policy.json";

    /// <summary>The API server's limit for the values of a ConfigMap together (core.MaxSecretSize in pkg/apis/core/types.go).</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>Where fields of others can make ours invalid: the same key, or too much beside it.</summary>
    public static readonly IReadOnlyList<IReadOnlyList<string>> ExclusivePaths = [["f:binaryData"], ["f:data"]];

    /// <summary>
    /// Annotation of a ConfigMap that replaced an immutable one. It stays, so that a restarted operator knows what the pods that
    /// mount it need (<see cref="ObjectNames.PolicyUid"/>).
    /// </summary>
    public const string NeedsNewPods = "mcpruntime.org/policy-needs-new-pods";

    /// <summary>The body of its apply. The policy is streamed into it: a large one is not in memory twice.</summary>
    /// <param name="found">The ConfigMap that it updates; null to create one.</param>
    /// <param name="needsNewPods">Whether older pods never see it.</param>
    public static byte[] Build(MCPServer server, PolicyDocument policy, DateTimeOffset? generatedAt, ObservedConfigMap? found, bool needsNewPods)
    {
        var name = server.Metadata.Name;
        var annotations = needsNewPods ? new Dictionary<string, string> { [NeedsNewPods] = "true" } : null;
        var metadata = Labels.MetadataOf(server, Labels.Of(name), annotations, ObjectNames.Policy(name)) with
        {
            // With the uid a deleted one is not created again; with the version no other change is overwritten.
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
