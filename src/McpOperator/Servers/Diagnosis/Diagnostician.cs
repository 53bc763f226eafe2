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
    private const int EventLists = 2;

    private readonly DiagnosisLists _lists = new((level, fault) => Log.PodsNotListed(logger, level, fault));

    /// <summary>Brings what is known of the server's pods up to date.</summary>
    /// <param name="pass">After all kinds had their turn.</param>
    public async Task LookAsync(Pass pass, CancellationToken cancellationToken)
    {
        var tracks = new List<DeploymentKind>(2);
        var progress = default(Progress);
        foreach (var kind in (ReadOnlySpan<DeploymentKind>)[kinds.Stable, kinds.Canary])
        {
            if (kind.LiveAfter(pass) is not { IsTerminating: false } live || pass.ResultOf(kind).Problem is not null || DeploymentKind.IsReady(live))
                continue;
            tracks.Add(kind);
            progress = progress.With(live);
        }

        if (tracks.Count == 0)
        {
            pass.Memory.Diagnosis = null;
            return;
        }

        var now = time.GetTimestamp();
        var diagnosis = pass.Memory.Diagnosis = Begin(pass, progress, now);
        if (diagnosis.DueAt > now)
            return;
        diagnosis.LookedAt = now;
        diagnosis.DueAt = time.After(now, DiagnosisLists.Again.Delay(diagnosis.Looks++, random: 0));
        if (await ListAsync(pass.Server.Key, cancellationToken).ConfigureAwait(false) is not { } pods)
            return;
        foreach (var kind in tracks)
            diagnosis.Found(kind, await FirstOfAsync(CurrentOf(pods, kind.LiveAfter(pass)!), pass.Server.Key.Namespace, diagnosis, cancellationToken).ConfigureAwait(false));
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
            known.DueAt = Math.Min(known.DueAt, time.After(known.LookedAt, (DiagnosisLists.Again with { Min = settings.DiagnoseAfter }).Delay(known.Looks - 1, random: 0)));
        known.Progress = progress;
        return known;
    }

    private static bool IsFound(MCPServer server, string condition) =>
        server.Reported?.Find(condition)?.Reason is { } reason && Reasons.Causes.Contains(reason);

    /// <summary>Null when the API server refuses: then the Deployment's own words have to do.</summary>
    private Task<IReadOnlyList<DiagnosedPod>?> ListAsync(ObjectKey server, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        // What was done in this pass is reported whatever comes of it.
        return _lists.ListAsync<DiagnosedPod>(new ListWatch(
            api, ResourceTypes.Pod, server.Namespace, Labels.PodSelector(server.Name), json => new DiagnosedPod(json, now)), cancellationToken);
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
        var owned = new List<DiagnosedPod>();
        DiagnosedPod? newest = null;
        foreach (var pod in pods)
        {
            if (pod.Deployment != live.Key.Name)
                continue;
            owned.Add(pod);
            if (newest is null || pod.Created > newest.Created)
                newest = pod;
        }

        var isOver = owned.TrueForAll(pod => pod.Revision != newest?.Revision || pod.HasEnded);
        foreach (var pod in owned)
        {
            if (pod.Revision == newest?.Revision && (isOver || !pod.HasEnded))
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
        var words = cause.Retold is null ? null : await WordsAsync(ns, first.Key.Name, cause.Reason, diagnosis, cancellationToken).ConfigureAwait(false);
        return cause with
        {
            Message = $"{(words is null ? cause.Message : cause.Retold!(words))} (pod {first.Key.Name}{(pods.Count > 1 ? $"; {sharing} of {pods.Count} pods" : "")})",
            Retold = null,
        };
    }

    /// <summary>
    /// What the kubelet says in the newest warning about a pod. Events alone tell why a volume cannot be mounted and how a probe fails. Asked
    /// for at the second look, since most has passed by then, and once more: where nothing was told (a kubelet that has many to send sends
    /// them minutes later), or for another pod or cause.
    /// </summary>
    private async Task<string?> WordsAsync(string ns, string pod, string reason, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        var key = $"{reason} {pod}";
        var known = diagnosis.Words.GetValueOrDefault(key);
        if (known is not null || diagnosis.Looks < 2 || diagnosis.EventLists == EventLists)
            return known;
        diagnosis.EventLists++;
        var events = await _lists.ListAsync<PodEvent>(
            new ListWatch(api, ResourceTypes.Event, ns, null, static json => new PodEvent(json), $"involvedObject.kind=Pod,involvedObject.name={pod},type=Warning"),
            cancellationToken).ConfigureAwait(false);
        return diagnosis.Words[key] = events is null ? null : PodEvent.WordsOf(events);
    }

    /// <summary>As much of a pod as a diagnosis needs.</summary>
    private sealed class DiagnosedPod(JsonElement json, DateTimeOffset now) : IKubernetesObject
    {
        public ObjectKey Key { get; } = ObjectKey.Of(json);

        public string ResourceVersion => "";

        /// <summary>Of its ReplicaSet; null of somebody else's pod with these labels.</summary>
        public string? Revision { get; } = PodOwner.RevisionOf(json);

        /// <summary>The name of the Deployment whose ReplicaSet it is of; null for somebody else's.</summary>
        public string? Deployment { get; } = PodOwner.DeploymentOf(json);

        public DateTimeOffset Created { get; } = json.Child("metadata"u8)?.Time("creationTimestamp"u8) ?? default;

        public bool HasEnded { get; } = json.Child("status"u8) is { } status && (status.Is("phase"u8, "Failed") || status.Is("phase"u8, "Succeeded"));

        public Cause? Cause { get; } = PodCauses.Of(json, now);
    }
}
