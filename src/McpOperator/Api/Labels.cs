using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Kubernetes.Types;

namespace McpOperator.Api;

/// <summary>The labels and the owner by which a server's objects are told from everybody else's.</summary>
internal static class Labels
{
    public const string App = "app";
    public const string ManagedBy = "app.kubernetes.io/managed-by";
    public const string ManagedByValue = "mcp-runtime";
    public const string RolloutTrack = "mcpruntime.org/rollout-track";
    public const string StableTrack = "stable";
    public const string CanaryTrack = "canary";

    /// <summary>What the watches of owned objects select.</summary>
    public const string ManagedSelector = $"{ManagedBy}={ManagedByValue}";

    /// <summary>On what the servers of a namespace share.</summary>
    public static IReadOnlyDictionary<string, string> Managed { get; } = new Dictionary<string, string> { [ManagedBy] = ManagedByValue };

    /// <summary>On every object; also the Service's selector, so that it covers all tracks of a rollout.</summary>
    public static Dictionary<string, string> Of(string server) => new()
    {
        [App] = server,
        [ManagedBy] = ManagedByValue,
    };

    /// <summary>On Deployments and their pods.</summary>
    public static Dictionary<string, string> OfTrack(string server, string track) => new()
    {
        [App] = server,
        [ManagedBy] = ManagedByValue,
        [RolloutTrack] = track,
    };

    /// <summary>The selector of all of a server's pods, as the scale subresource wants it.</summary>
    public static string PodSelector(string server) => $"{App}={server},{ManagedSelector}";

    /// <summary>The same as a LabelSelector.</summary>
    public static JsonObject SelectorOf(string server) =>
        new() { ["matchLabels"] = new JsonObject { [App] = server, [ManagedBy] = ManagedByValue } };

    /// <summary>The server that the labels of an object name; null when they are not ours.</summary>
    public static string? OwnerOf(JsonElement json) =>
        json.Child("metadata"u8)?.Child("labels"u8) is { } labels && labels.Is("app.kubernetes.io/managed-by"u8, ManagedByValue)
            ? labels.Interned("app"u8)
            : null;

    /// <param name="annotations">Null for none.</param>
    /// <param name="name">Of the object; null when that is the server's.</param>
    internal static Metadata MetadataOf(
        MCPServer server, Dictionary<string, string> labels, IReadOnlyDictionary<string, string>? annotations = null,
        string? name = null) => new()
        {
            Name = name ?? server.Metadata.Name,
            Namespace = server.Metadata.Namespace,
            Labels = labels,
            Annotations = annotations,
            // Not there before an API server has given the server its uid: of a manifest that is only read.
            OwnerReferences = server.Metadata.Uid.Length == 0 ? null : [OwnerReference.Of(MCPServer.Type, server.Metadata)],
        };
}
