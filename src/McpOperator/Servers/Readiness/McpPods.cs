using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using McpOperator.Api;
using McpOperator.Servers.Diagnosis;
using Microsoft.Extensions.Logging;

namespace McpOperator.Servers.Readiness;

/// <summary>Finds a pod to ask. Pods are neither watched nor kept.</summary>
/// <param name="random">In [0, 1).</param>
internal sealed class McpPods(ApiClient api, Func<double> random, ILogger logger)
{
    private readonly DiagnosisLists _lists = new((level, fault) => Log.PodsNotListedToAsk(logger, level, fault));

    /// <summary>One of its ready pods, by chance: where one alone is ill, the next question meets another.</summary>
    public async Task<Found> FindAsync(McpTarget target, CancellationToken cancellationToken)
    {
        var all = await _lists.ListAsync<Pod>(new ListWatch(
            api, ResourceTypes.Pod, target.Server.Namespace, $"{Labels.PodSelector(target.Server.Name)},{Labels.RolloutTrack}={Labels.StableTrack}",
            static json => new Pod(json)), cancellationToken).ConfigureAwait(false);
        if (all is null)
            return new("", null, "the operator could not list its pods");
        var ready = all.Where(pod => pod.Deployment == target.Deployment && pod.Address is not null).OrderBy(static pod => pod.Key.Name, StringComparer.Ordinal).ToList();
        if (ready.Count == 0)
            return new("", null, "none of its pods is ready");
        // The Deployment has none of a former revision any more, so that the list is older than that: it comes from a cache.
        if (ready.Exists(pod => pod.Hash != ready[0].Hash || pod.Hash == target.FormerHash))
            return new("", null, "pods of a former revision are still there");
        var chosen = ready[Math.Min((int)(random() * ready.Count), ready.Count - 1)];
        return new(chosen.Key.Name, new IPEndPoint(chosen.Address!, target.Port), "", chosen.Hash);
    }

    /// <summary>A pod's name and address, or why there is none. (No struct: a task of one is a second copy of the machinery.)</summary>
    internal sealed class Found(string name, IPEndPoint? at, string problem, string? hash = null)
    {
        public string Name => name;

        public IPEndPoint? At => at;

        public string Problem => problem;

        /// <summary>Of its template.</summary>
        public string? Hash => hash;
    }

    private sealed class Pod(JsonElement json) : IKubernetesObject
    {
        public ObjectKey Key { get; } = ObjectKey.Of(json);

        public string ResourceVersion => "";

        public string? Hash { get; } = PodOwner.RevisionOf(json);

        public string? Deployment { get; } = PodOwner.DeploymentOf(json);

        /// <summary>Null unless it is ready, and stays.</summary>
        public IPAddress? Address { get; } = json.Child("metadata"u8)?.Child("deletionTimestamp"u8) is null
            && json.Child("status"u8) is { } status
            && status.Child("conditions"u8).FindItem("type"u8, "Ready") is { } ready && ready.Is("status"u8, "True")
                ? AddressOf(status.Text("podIP"u8)) : null;

        /// <summary>A kubelet writes it. All the same it is never a name, nor what no pod has: a link's own addresses are those of a cloud's metadata.</summary>
        private static IPAddress? AddressOf(string? text)
        {
            if (!IPAddress.TryParse(text, out var address))
                return null;
            address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
            var first = address.GetAddressBytes();
            var isUnusual = address.AddressFamily == AddressFamily.InterNetworkV6
                ? address.IsIPv6LinkLocal || address.IsIPv6Multicast || address.Equals(IPAddress.IPv6Any)
                : first[0] is 0 or >= 224 || (first[0] == 169 && first[1] == 254);
            return isUnusual ? null : address;
        }
    }
}
