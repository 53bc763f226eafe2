using System.Text.Json;

namespace McpOperator.Servers.Diagnosis;

/// <summary>Whose a pod is.</summary>
internal static class PodOwner
{
    /// <summary>The hash in the name of its ReplicaSet; null of somebody else's pod with our labels.</summary>
    public static string? RevisionOf(JsonElement pod) => pod.Child("metadata"u8)?.Child("labels"u8)?.Text("pod-template-hash"u8);

    /// <summary>The name of the Deployment whose ReplicaSet it is of; null of somebody else's.</summary>
    public static string? DeploymentOf(JsonElement pod)
    {
        var hash = RevisionOf(pod);
        if (hash is null || pod.Child("metadata"u8)?.Child("ownerReferences"u8) is not { ValueKind: JsonValueKind.Array } owners)
            return null;
        foreach (var owner in owners.EnumerateArray())
        {
            if (owner.Is("kind"u8, "ReplicaSet") && owner.Text("apiVersion"u8)?.StartsWith("apps/", StringComparison.Ordinal) == true
                && owner.Child("controller"u8) is { ValueKind: JsonValueKind.True } && owner.Text("name"u8) is { } name && name.EndsWith($"-{hash}", StringComparison.Ordinal))
                return name[..^(hash.Length + 1)];
        }

        return null;
    }
}
