using System.Net;
using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using Microsoft.Extensions.Logging;

namespace McpOperator.Access;

/// <summary>
/// Has kubelets look at a policy that changed, at once instead of within a minute or more: they refresh the volumes of a pod
/// whenever the pod changes, so each running pod with a gateway gets an annotation with the revision. An extra, in the lowest
/// lane: what fails is said once and not tried again, for the kubelets' own round comes anyway.
/// </summary>
internal sealed class PolicyRefresh
{
    /// <summary>On pods: the revision that their kubelet was last asked to look for.</summary>
    public const string Annotation = "mcpruntime.org/policy-revision";

    /// <summary>Between two of one server, so that a stream of changes costs its pods little.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>Of one server: where patches take their time, the pods of others do not wait for the last one.</summary>
    private static readonly TimeSpan LongestTurn = TimeSpan.FromSeconds(20);

    private readonly ILook _queue;
    private readonly ApiClient _api;
    private readonly WriteCounters _counters;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly Dictionary<ObjectKey, State> _states = [];

    /// <param name="time">The clock of the pauses.</param>
    public PolicyRefresh(ILook queue, ApiClient api, WriteCounters counters, TimeProvider time, ILogger logger)
    {
        _queue = queue;
        _api = api;
        _counters = counters;
        _time = time;
        _logger = logger;
    }

    /// <summary>The document of the server is another one now.</summary>
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
            // A change that comes from now on asks for a look of its own.
            _states[server] = state with { Revision = null, Last = begun };
        }

        string? fault = null;
        try
        {
            var pods = await new ListWatch<GatewayPod>(
                _api, ResourceTypes.Pod, server.Namespace, Labels.PodSelector(server.Name), GatewayPod.Decode)
                .ListAsync("0", cancellationToken).ConfigureAwait(false);
            foreach (var pod in pods.Items)
            {
                if (!pod.NeedsPatch(revision))
                    continue;
                if (_time.GetElapsedTime(begun) > LongestTurn)
                {
                    Ask(server, revision); // those that have it are not patched again
                    break;
                }

                // What is wrong with one pod is not wrong with the next; what is wrong with our rights is.
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

    /// <returns>Why it was refused; null when it was not.</returns>
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
            // It went, or another one has its name: a new pod mounts what stands there now.
            return null;
        }
        catch (ApiException exception)
        {
            return exception;
        }
    }

    /// <param name="Revision">To be shown; null when all pods were.</param>
    /// <param name="Last">When they were last, as a timestamp; null for never.</param>
    /// <param name="Fault">What went wrong then; null for nothing.</param>
    private readonly record struct State(string? Revision, long? Last, string? Fault);

    /// <summary>What is to be known of a pod.</summary>
    private sealed class GatewayPod(JsonElement json) : IKubernetesObject
    {
        private readonly string? _revision = json.Child("metadata"u8)?.Child("annotations"u8)?.Text("mcpruntime.org/policy-revision"u8);

        /// <summary>Of one that waits on its node the volumes may be there before its containers run.</summary>
        private readonly bool _mayHoldPolicy = json.Child("metadata"u8)?.Child("deletionTimestamp"u8) is null
            && json.Child("status"u8) is { } status
            && (status.Is("phase"u8, "Running")
                || (status.Is("phase"u8, "Pending") && !string.IsNullOrEmpty(json.Child("spec"u8)?.Text("nodeName"u8))))
            && (json.Child("spec"u8)?.Child("containers"u8)).HasItem(static container => container.Is("name"u8, Defaults.GatewayContainer));

        public ObjectKey Key { get; } = new(
            json.Child("metadata"u8)?.Interned("namespace"u8) ?? "", json.Child("metadata"u8)?.Text("name"u8) ?? "");

        public string ResourceVersion => "";

        public string Uid { get; } = json.Child("metadata"u8)?.Text("uid"u8) ?? "";

        public static GatewayPod Decode(JsonElement json) => new(json);

        public bool NeedsPatch(string revision) => _mayHoldPolicy && _revision != revision;
    }
}
