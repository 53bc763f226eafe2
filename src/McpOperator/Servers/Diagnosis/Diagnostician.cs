using System.Text.Json;
using McpOperator.Api;
using McpOperator.Controller;
using McpOperator.Servers.Kinds;
using Microsoft.Extensions.Logging;

namespace McpOperator.Servers.Diagnosis;

/// <summary>
/// Finds out why the pods of a server do not get ready. Lists them when they have not been for <see cref="OperatorSettings.DiagnoseAfter"/>,
/// and again ever more rarely; when all is ready, never. Pods are neither watched nor kept.
/// </summary>
internal sealed class Diagnostician(ApiClient api, ServerKinds kinds, OperatorSettings settings, TimeProvider time, ILogger logger)
{
    /// <summary>After the first list; with these figures, and one list of events, a server costs one in the first minute, and ten in the first hour.</summary>
    private static readonly Backoff Again = new(TimeSpan.FromMinutes(1), 2, TimeSpan.FromMinutes(10), Jitter: 0, TimeSpan.MaxValue);

    private string? _fault;

    /// <summary>Brings what is known of the server's pods up to date.</summary>
    /// <param name="pass">After all kinds had their turn.</param>
    public async Task LookAsync(Pass pass, CancellationToken cancellationToken)
    {
        var tracks = new List<(DeploymentKind Kind, ObservedDeployment Live)>(2);
        foreach (var kind in (ReadOnlySpan<DeploymentKind>)[kinds.Stable, kinds.Canary])
        {
            if (kind.LiveAfter(pass) is { IsTerminating: false } live && pass.ResultOf(kind).Problem is null && !DeploymentKind.IsReady(live))
                tracks.Add((kind, live));
        }

        if (tracks.Count == 0)
        {
            pass.Memory.Diagnosis = null;
            return;
        }

        var now = time.GetTimestamp();
        var diagnosis = pass.Memory.Diagnosis = Begin(pass, Progress.Of(tracks.Select(static track => track.Live)), now);
        if (diagnosis.DueAt > now)
            return;
        diagnosis.LookedAt = now;
        diagnosis.DueAt = time.After(now, Again.Delay(diagnosis.Looks++, random: 0));
        if (await ListAsync(pass.Server.Key, cancellationToken).ConfigureAwait(false) is not { } pods)
            return;
        foreach (var (kind, live) in tracks)
            diagnosis.Found(kind, await FirstOfAsync(CurrentOf(pods, live), live.Key.Namespace, diagnosis, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>
    /// A change of the pods' numbers is a reason to look, at first after <see cref="OperatorSettings.DiagnoseAfter"/>, and after twice as long
    /// each time. What was found of another generation may not be true any more.
    /// </summary>
    private Diagnosis Begin(Pass pass, Progress progress, long now)
    {
        if (pass.Memory.Diagnosis is not { } known || known.Progress.Generations != progress.Generations)
        {
            // What a process before this one has found is not taken back for want of a look.
            var isFound = pass.Memory.Diagnosis is null
                && (IsFound(pass.Stored, ConditionTypes.DeploymentReady) || IsFound(pass.Stored, ConditionTypes.CanaryReady));
            return new Diagnosis { Progress = progress, DueAt = isFound ? now : time.After(now, settings.DiagnoseAfter) };
        }

        if (known.Progress != progress && known.Looks > 0)
            known.DueAt = Math.Min(known.DueAt, time.After(known.LookedAt, (Again with { Min = settings.DiagnoseAfter }).Delay(known.Looks - 1, random: 0)));
        known.Progress = progress;
        return known;
    }

    private static bool IsFound(MCPServer server, string condition) =>
        server.Reported?.Find(condition)?.Reason is { } reason && Reasons.Causes.Contains(reason);

    /// <summary>Null when the API server refuses: then the Deployment's own words have to do.</summary>
    private Task<IReadOnlyList<DiagnosedPod>?> ListAsync(ObjectKey server, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return ListAsync(new ListWatch<DiagnosedPod>(
            api, ResourceTypes.Pod, server.Namespace, Labels.PodSelector(server.Name), json => new DiagnosedPod(json, now)), cancellationToken);
    }

    private async Task<IReadOnlyList<T>?> ListAsync<T>(ListWatch<T> list, CancellationToken cancellationToken)
        where T : class, IKubernetesObject
    {
        try
        {
            return (await list.ListAsync("0", cancellationToken).ConfigureAwait(false)).Items;
        }
        catch (Exception exception) when (exception is ApiException or HttpRequestException)
        {
            // What was done in this pass is reported all the same.
            var fault = (exception as ApiException)?.Status.Message ?? exception.Message;
            Log.PodsNotListed(logger, fault == _fault ? LogLevel.Debug : LogLevel.Warning, fault);
            _fault = fault;
            return null;
        }
    }

    /// <summary>
    /// The pods of its newest revision. Those of older ones stay as broken as they were until the new ones are available, and say nothing
    /// of them; nor do pods that have ended, as those of an eviction do, while there are others.
    /// </summary>
    private static List<DiagnosedPod> CurrentOf(IReadOnlyList<DiagnosedPod> pods, ObservedDeployment live)
    {
        var current = new List<DiagnosedPod>();
        if (live.UpdatedReplicas == 0)
            return current;
        var owned = pods.Where(pod => pod.Deployment == live.Key.Name).ToList();
        var revision = owned.MaxBy(static pod => pod.Created)?.Revision;
        var isOver = owned.TrueForAll(pod => pod.Revision != revision || pod.HasEnded);
        foreach (var pod in owned)
        {
            if (pod.Revision == revision && (isOver || !pod.HasEnded))
                current.Add(pod);
        }

        return current;
    }

    /// <summary>The cause that explains most, with the pod that shows it, and how many share it.</summary>
    private async Task<Cause?> FirstOfAsync(List<DiagnosedPod> pods, string ns, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        DiagnosedPod? first = null;
        var sharing = 0;
        foreach (var pod in pods)
        {
            if (pod.Cause is not { } found)
                continue;
            var order = first is null ? -1 : found.Rank.CompareTo(first.Cause!.Rank);
            sharing = order < 0 ? 1 : order == 0 ? sharing + 1 : sharing;
            // By name, so that the next look names the same one.
            if (order < 0 || (order == 0 && string.CompareOrdinal(pod.Key.Name, first!.Key.Name) < 0))
                first = pod;
        }

        if (first is not { Cause: { } cause })
            return null;
        var words = cause.Retold is null ? null : await WordsAsync(ns, first.Key.Name, diagnosis, cancellationToken).ConfigureAwait(false);
        return cause with
        {
            Message = $"{(words is null ? cause.Message : cause.Retold!(words))} (pod {first.Key.Name}{(pods.Count > 1 ? $"; {sharing} of {pods.Count} pods" : "")})",
            Retold = null,
        };
    }

    /// <summary>
    /// What the kubelet says in the newest warning about a pod. Events alone tell why a volume cannot be mounted and how a probe fails. Asked
    /// for at the second look, since most has passed by then, and once for a pod.
    /// </summary>
    private async Task<string?> WordsAsync(string ns, string pod, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        if (diagnosis.Words.TryGetValue(pod, out var known) || diagnosis.Looks < 2)
            return known;
        var events = await ListAsync(
            new ListWatch<PodEvent>(api, ResourceTypes.Event, ns, null, static json => new PodEvent(json), $"involvedObject.kind=Pod,involvedObject.name={pod},type=Warning"),
            cancellationToken).ConfigureAwait(false);
        return events is null ? null : diagnosis.Words[pod] = PodEvent.WordsOf(events);
    }

    /// <summary>As much of a pod as a diagnosis needs.</summary>
    private sealed class DiagnosedPod(JsonElement json, DateTimeOffset now) : IKubernetesObject
    {
        public ObjectKey Key { get; } = ObjectKey.Of(json);

        public string ResourceVersion => "";

        /// <summary>Of its ReplicaSet; null of somebody else's pod with these labels.</summary>
        public string? Revision { get; } = json.Child("metadata"u8)?.Child("labels"u8)?.Text("pod-template-hash"u8);

        /// <summary>The name of the Deployment whose ReplicaSet it is of; null for somebody else's.</summary>
        public string? Deployment { get; } = DeploymentOf(json);

        public DateTimeOffset Created { get; } = json.Child("metadata"u8)?.Time("creationTimestamp"u8) ?? default;

        public bool HasEnded { get; } = json.Child("status"u8) is { } status && (status.Is("phase"u8, "Failed") || status.Is("phase"u8, "Succeeded"));

        public Cause? Cause { get; } = PodCauses.Of(json, now);

        private static string? DeploymentOf(JsonElement json)
        {
            var metadata = json.Child("metadata"u8);
            var hash = metadata?.Child("labels"u8)?.Text("pod-template-hash"u8);
            if (hash is null || metadata?.Child("ownerReferences"u8) is not { ValueKind: JsonValueKind.Array } owners)
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
}
