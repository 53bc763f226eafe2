using System.Net;
using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using Microsoft.Extensions.Logging;

namespace McpOperator.Access;

/// <summary>
/// Makes kubelets read a changed policy at once instead of within a minute or more: they refresh the volumes of a pod whenever
/// the pod changes, so each running pod with a gateway is annotated with the revision. An extra, of the lowest priority: a
/// failure is logged once and not retried, since kubelets refresh in any case.
/// </summary>
internal sealed class PolicyRefresh
{
    /// <summary>Pod annotation: the revision that its kubelet was last asked to load.</summary>
    public const string Annotation = "mcpruntime.org/policy-revision";

    /// <summary>Between two refreshes of one server, so that a stream of changes costs its pods little.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>For one server: slow patches must not hold up the pods of others.</summary>
    private static readonly TimeSpan LongestTurn = TimeSpan.FromSeconds(20);

    private readonly IEnqueuer _queue;
    private readonly ApiClient _api;
    private readonly WriteCounters _counters;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly Dictionary<ObjectKey, State> _states = [];

    /// <param name="time">The clock of the pauses.</param>
    public PolicyRefresh(IEnqueuer queue, ApiClient api, WriteCounters counters, TimeProvider time, ILogger logger)
    {
        _queue = queue;
        _api = api;
        _counters = counters;
        _time = time;
        _logger = logger;
    }

    /// <summary>The server's document has changed.</summary>
    public void Ask(ObjectKey server, string revision)
    {
        lock (_lock)
        {
            var (_, last, fault) = _states.GetValueOrDefault(server);
            _states[server] = new State(revision, last, fault);
            _queue.AddAfter(server, last is { } time ? Pause - _time.GetElapsedTime(time) : TimeSpan.Zero);
        }
    }

    /// <summary>One list, and a patch for each pod that needs it.</summary>
    public async Task<Outcome> ReconcileAsync(ObjectKey server, CancellationToken cancellationToken)
    {
        string? revision;
        var begun = _time.GetTimestamp();
        lock (_lock)
        {
            var state = _states.GetValueOrDefault(server);
            revision = state.Revision;
            if (revision is null)
                return Outcome.Done;
            // A change from now on enqueues it again.
            _states[server] = state with { Revision = null, Last = begun };
        }

        string? fault = null;
        try
        {
            var pods = await new ListWatch(
                _api, ResourceTypes.Pod, server.Namespace, Labels.PodSelector(server.Name), GatewayPod.Decode)
                .ListAsync("0", cancellationToken).ConfigureAwait(false);
            foreach (var pod in pods.Items.Cast<GatewayPod>())
            {
                if (!pod.NeedsPatch(revision))
                    continue;
                if (_time.GetElapsedTime(begun) > LongestTurn)
                {
                    Ask(server, revision); // those that have the annotation are not patched again
                    break;
                }

                // A refusal may be about this pod only; a missing right is about all.
                if (await PatchAsync(pod, revision, cancellationToken).ConfigureAwait(false) is { } refusal)
                {
                    fault = refusal.Status.Message ?? refusal.Message;
                    if (refusal is { Code: HttpStatusCode.Forbidden, IsDenied: false } || refusal.IsTransient)
                        break;
                }
            }
        }
        catch (Exception exception) when (exception is ApiException or HttpRequestException)
        {
            fault = (exception as ApiException)?.Status.Message ?? exception.Message;
        }

        string? before;
        lock (_lock)
        {
            var state = _states.GetValueOrDefault(server);
            before = state.Fault;
            _states[server] = state with { Fault = fault };
        }

        if (fault is not null)
            Log.RefreshFailed(_logger, fault == before ? LogLevel.Debug : LogLevel.Warning, server, fault);
        return Outcome.Done;
    }

    public void Forget(ObjectKey server)
    {
        lock (_lock)
            _states.Remove(server);
    }

    /// <returns>The refusal; null when there was none.</returns>
    private async Task<ApiException?> PatchAsync(GatewayPod pod, string revision, CancellationToken cancellationToken)
    {
        var patch = ApplyBody.Write(json =>
        {
            json.WriteStartObject();
            json.WriteStartObject("metadata"u8);
            json.WriteString("uid"u8, pod.Uid);
            json.WriteStartObject("annotations"u8);
            json.WriteString(Annotation, revision);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        });
        try
        {
            await _api.MergePatchAsync(ResourceTypes.Pod, pod.Key, patch, static _ => true, cancellationToken).ConfigureAwait(false);
            _counters.Refreshed(ResourceTypes.Pod.Kind);
            return null;
        }
        catch (ApiException exception) when (exception.IsNotFound || exception.IsConflict)
        {
            // It is gone, or replaced: a new pod mounts the current document.
            return null;
        }
        catch (ApiException exception)
        {
            return exception;
        }
    }

    /// <param name="Revision">To be loaded; null when all pods were asked.</param>
    /// <param name="Last">Time of the last refresh, as a timestamp; null for never.</param>
    /// <param name="Fault">The failure of the last refresh; null for none.</param>
    private readonly record struct State(string? Revision, long? Last, string? Fault);

    private sealed class GatewayPod(JsonElement json) : IKubernetesObject
    {
        private readonly string? _revision = json.Child("metadata"u8)?.Child("annotations"u8)?.Text("mcpruntime.org/policy-revision"u8);

        /// <summary>A pending pod on a node may have its volumes before its containers run.</summary>
        private readonly bool _mayHoldPolicy = json.Child("metadata"u8)?.Child("deletionTimestamp"u8) is null
            && json.Child("status"u8) is { } status
            && (status.Is("phase"u8, "Running")
                || (status.Is("phase"u8, "Pending") && !string.IsNullOrEmpty(json.Child("spec"u8)?.Text("nodeName"u8))))
            && (json.Child("spec"u8)?.Child("containers"u8)).HasItem(static container => container.Is("name"u8, Defaults.GatewayContainer));

        public ObjectKey Key { get; } = ObjectKey.Of(json);

        public string ResourceVersion => "";

        public string Uid { get; } = json.Child("metadata"u8)?.Text("uid"u8) ?? "";

        public static GatewayPod Decode(JsonElement json) => new(json);

        public bool NeedsPatch(string revision) => _mayHoldPolicy && _revision != revision;
    }
}
