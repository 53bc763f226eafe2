using System.Globalization;
using System.Text.Json;
using McpOperator.Api;

namespace McpOperator.Servers.Diagnosis;

/// <summary>Finds the cause in one pod, as the API server holds it. Pure.</summary>
internal static class PodCauses
{
    /// <summary>Probes have an initial delay, and are tried a few times before that means something.</summary>
    private static readonly TimeSpan ProbesMayFail = TimeSpan.FromSeconds(10);

    /// <summary>Of a kubelet between two starts. What runs for longer than that is in no loop, and its last end says nothing of today.</summary>
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromMinutes(5);

    /// <summary>A kubelet ends a container with TERM, and with KILL when the grace period is over.</summary>
    private const int Terminated = 128 + 15;
    private const int Killed = 128 + 9;

    /// <returns>Null of a pod that is ready, or shows no cause.</returns>
    public static Cause? Of(JsonElement pod, DateTimeOffset now)
    {
        if (pod.Child("metadata"u8)?.Time("deletionTimestamp"u8) is { } until)
            return OfTerminating(pod, until, now);
        if (pod.Child("status"u8) is not { } status)
            return null;
        if (status.Is("phase"u8, "Failed"))
            return OfFailed(pod, status);
        if (Condition(status, "Ready") is { } ready && ready.Is("status"u8, "True"))
            return null;
        if (Condition(status, "PodScheduled") is { } scheduled && scheduled.Is("reason"u8, "Unschedulable"))
        {
            return new(
                Reasons.Unschedulable,
                $"no node takes the pod: {ForeignText.Clean(scheduled.Text("message"u8))}; change what it asks for, or make room");
        }

        Cause? first = null;
        foreach (var (list, isInit) in (ReadOnlySpan<(string, bool)>)[("initContainerStatuses", true), ("containerStatuses", false)])
        {
            if (status.Child(list) is not { ValueKind: JsonValueKind.Array } containers)
                continue;
            foreach (var container in containers.EnumerateArray())
            {
                if (new ContainerState(pod, container, isInit).Cause(now) is { } cause && (first is null || cause.Rank < first.Rank))
                    first = cause;
            }
        }

        return first ?? OfNode(pod, status);
    }

    private static Cause? OfTerminating(JsonElement pod, DateTimeOffset until, DateTimeOffset now)
    {
        // The grace period is in it already.
        if (now - until < TimeSpan.FromSeconds(30))
            return null;
        var finalizers = pod.Child("metadata"u8)?.Child("finalizers"u8) is { ValueKind: JsonValueKind.Array } held && held.GetArrayLength() > 0
            ? $"its finalizers hold it ({ForeignText.Clean(string.Join(", ", held.EnumerateArray().Select(static name => name.ToString())))})"
            : $"node {NodeOf(pod)} has not confirmed that it ended; see whether the node is still there";
        return new(Reasons.PodStuckTerminating, $"a pod should have ended at {Format(until)}: {finalizers}");
    }

    private static Cause OfFailed(JsonElement pod, JsonElement status)
    {
        var (reason, message) = (ForeignText.Clean(status.Text("reason"u8)), ForeignText.Clean(status.Text("message"u8)));
        return reason == "NodeLost" ? Lost(pod) : new(
            Reasons.PodRejected, $"node {NodeOf(pod)} gave the pod up: {string.Join(": ", ((IEnumerable<string>)[reason, message]).Where(static text => text.Length > 0))}");
    }

    /// <summary>
    /// The node controller makes a pod unready whose kubelet is silent, and leaves the containers as the kubelet told them last
    /// (k8s.io/kubernetes pkg/controller/util/node, MarkPodsNotReady).
    /// </summary>
    private static Cause? OfNode(JsonElement pod, JsonElement status)
    {
        var isMarked = Condition(status, "Ready") is { } ready && ready.Is("status"u8, "False")
            && Condition(status, "ContainersReady") is { } containers && containers.Is("status"u8, "True")
            && pod.Child("spec"u8)?.Child("readinessGates"u8) is null;
        return isMarked || status.Is("reason"u8, "NodeLost") ? Lost(pod) : null;
    }

    private static Cause Lost(JsonElement pod) => new(
        Reasons.NodeLost, $"node {NodeOf(pod)} does not report any more; its pods are replaced after some minutes, or when the Node is deleted");

    private static string NodeOf(JsonElement pod) => ForeignText.Clean(pod.Child("spec"u8)?.Text("nodeName"u8));

    private static JsonElement? Condition(JsonElement status, string type) => status.Child("conditions"u8).FindItem("type"u8, type);

    private static string Format(DateTimeOffset time) => KubernetesTime.Format(time);

    /// <summary>One container and what the kubelet says of it.</summary>
    private readonly struct ContainerState(JsonElement pod, JsonElement told, bool isInit)
    {
        private string Name => told.Text("name"u8) ?? "";

        private bool IsGateway => Name == Defaults.GatewayContainer;

        /// <summary>A pod of one container needs no name for it.</summary>
        private string Who => IsGateway ? "the gateway"
            : isInit ? $"init container {ForeignText.Clean(Name)}"
            : (pod.Child("spec"u8)?.Child("containers"u8))?.GetArrayLength() > 1 ? $"container {ForeignText.Clean(Name)}"
            : "the server";

        private JsonElement? Spec => (pod.Child("spec"u8)?.Child(isInit ? "initContainers" : "containers")).FindItem("name"u8, Name);

        private string Image => ForeignText.Clean(Spec?.Text("image"u8) ?? told.Text("image"u8));

        public Cause? Cause(DateTimeOffset now)
        {
            var state = told.Child("state"u8);
            if (state?.Child("waiting"u8) is { } waiting && OfWaiting(waiting) is { } cause)
                return cause;
            var isReady = told.Child("ready"u8) is { ValueKind: JsonValueKind.True };
            if (isReady || (isInit && state?.Child("running"u8) is not null))
                return null;
            var running = state?.Child("running"u8);
            var since = running?.Time("startedAt"u8);
            var ended = state?.Child("terminated"u8) ?? (now - since >= LongestBackOff ? null : told.Child("lastState"u8)?.Child("terminated"u8));
            if (ended is { } end && !(isInit && end.Number("exitCode"u8) == 0))
                return OfEnded(end, running);
            return since is { } start && now - start >= ProbesMayFail ? OfUnready(start) : null;
        }

        private Cause? OfWaiting(JsonElement waiting)
        {
            var message = ForeignText.Clean(waiting.Text("message"u8));
            return waiting.Text("reason"u8) switch
            {
                "ErrImagePull" or "ImagePullBackOff" or "RegistryUnavailable" or "ImageInspectError" => OfPull(message),
                "ErrImageNeverPull" => Made(Reasons.ImagePullFailed, $"image {Image} is not on the node, and is never pulled"),
                "InvalidImageName" => Made(Reasons.InvalidImageName, $"image {Image} has no valid name: {message}"),
                "CreateContainerConfigError" when message.Contains("runAsNonRoot", StringComparison.Ordinal)
                    || message.Contains("non-root", StringComparison.Ordinal) => Made(
                    Reasons.ContainerCannotRun, $"{message}: image {Image} has to name a user other than root, by its number"),
                "CreateContainerConfigError" => Made(Reasons.CreateContainerConfigError, $"{message}; create it, or take it out of the spec"),
                "CreateContainerError" or "RunContainerError" or "PreStartHookError" or "PostStartHookError" => Made(Reasons.ContainerCannotRun, message),
                "ContainerCreating" or "PodInitializing" => OfCreation(),
                _ => null,
            };
        }

        /// <summary>A kubelet before 1.31 has the registry's words in the pod only until it waits for its next try.</summary>
        private Cause OfPull(string message)
        {
            var (who, image) = (Who, Image);
            var cause = Made(Reasons.ImagePullFailed, PullFault(image, message));
            return message.StartsWith("Back-off", StringComparison.Ordinal) && !message.Contains(": ", StringComparison.Ordinal)
                ? cause with { Retold = words => $"{who}: {PullFault(image, words)}" }
                : cause;
        }

        /// <summary>Why it takes long (a volume, the network) only events tell.</summary>
        private Cause? OfCreation()
        {
            if (pod.Child("status"u8)?.Time("startTime"u8) is not { } since)
                return null;
            var message = $"the node makes its containers since {Format(since)}";
            return new(Reasons.DeploymentProgressing, message, Retold: words => $"{message}: {words}");
        }

        /// <summary>The registries' texts differ; told apart is what a user does differently.</summary>
        private static string PullFault(string image, string message)
        {
            // Whatever the image's name is.
            var words = image.Length == 0 ? message : message.Replace(image, "", StringComparison.Ordinal);
            if (Has("toomanyrequests", "429 Too Many", "]: 429", "rate limit"))
                return $"the registry limits how often image {image} is pulled: {message}; wait, or name a pull secret in spec.imagePullSecrets";
            if (Has("unauthorized", "denied", "authentication required", "authorization failed", "403 Forbidden", "]: 401", "]: 403"))
                return $"the registry does not give image {image} away: {message}; name a pull secret in spec.imagePullSecrets, or correct the image";
            if (Has("no match for platform", "no matching manifest"))
                return $"image {image} is not made for this node's architecture: {message}";
            if (Has("not found", "manifest unknown", "does not exist", "]: 404"))
                return $"the registry has no image {image}: {message}; correct spec.image or spec.imageTag";
            if (Has("dial tcp", "no such host", "timeout", "connection re", "x509", "TLS handshake", "deadline exceeded", "EOF", "]: 5"))
                return $"the registry of image {image} is out of reach, or does not work: {message}";
            return $"image {image} cannot be pulled: {message}";

            bool Has(params ReadOnlySpan<string> texts)
            {
                foreach (var text in texts)
                {
                    if (words.Contains(text, StringComparison.OrdinalIgnoreCase))
                        return true;
                }

                return false;
            }
        }

        private Cause OfEnded(JsonElement end, JsonElement? running)
        {
            var (reason, exit) = (end.Text("reason"u8), (int)end.Number("exitCode"u8));
            var message = ForeignText.Clean(end.Text("message"u8));
            var words = message.Length > 0 ? $": {message}" : "";
            if (reason is "StartError" or "ContainerCannotRun")
                return Made(Reasons.ContainerCannotRun, message);
            if (reason == "OOMKilled")
            {
                var limit = Spec?.Child("resources"u8)?.Child("limits"u8)?.Text("memory"u8) ?? "of the node";
                return Made(Reasons.OutOfMemory, $"it needed more memory than its limit {ForeignText.Clean(limit)}{History(end)}{words}; raise spec.resources.limits.memory");
            }

            // Nobody else ends a container of a pod that stays with TERM; with KILL the kubelet does after the grace period.
            if ((exit == Terminated || (exit == Killed && running is not null)) && Spec?.Child("livenessProbe"u8) is { } liveness)
                return Made(Reasons.ProbeFailing, $"it was ended because its liveness probe ({Describe(liveness)}) failed{History(end)}{words}; does it listen there, and soon enough?");
            // A server that ends in good order when it is asked to has no other code than one that just ends.
            var probe = exit == 0 && Spec?.Child("livenessProbe"u8) is { } alive ? $", or because its liveness probe ({Describe(alive)}) fails" : "";
            var how = exit switch
            {
                0 => $"it ends without an error: by itself, though a server has to go on running{probe}",
                > 128 and < 160 => $"it ends with signal {exit - 128}{SignalName(exit - 128)}",
                _ => $"it ends with exit code {exit.ToString(CultureInfo.InvariantCulture)}",
            };
            return Made(Reasons.CrashLoop, $"{how}{History(end)}{words}; kubectl logs --previous shows what it said");
        }

        private string History(JsonElement end)
        {
            var restarts = told.Number("restartCount"u8);
            var last = end.Time("finishedAt"u8) is { } time ? $"last at {Format(time)}" : "";
            return restarts == 0 ? last.Length == 0 ? "" : $" ({last})" : $" (restarts: {restarts}{(last.Length == 0 ? "" : ", " + last)})";
        }

        private Cause OfUnready(DateTimeOffset since)
        {
            var isStarting = Spec?.Child("startupProbe"u8) is not null && told.Child("started"u8) is not { ValueKind: JsonValueKind.True };
            var (name, probe) = isStarting ? ("startup", Spec?.Child("startupProbe"u8)) : ("readiness", Spec?.Child("readinessProbe"u8));
            var where = probe is { } known ? $" ({Describe(known)})" : "";
            var message = $"{Who}: it runs since {Format(since)}, and its {name} probe{where} does not succeed";
            return new(Reasons.ProbeFailing, $"{message}; does it listen there?", IsGateway, words => $"{message}: {words}; does it listen there?");
        }

        private static string Describe(JsonElement probe)
        {
            if (probe.Child("tcpSocket"u8) is { } tcp)
                return $"TCP port {Port(tcp)}";
            if (probe.Child("httpGet"u8) is { } http)
                return $"HTTP GET {ForeignText.Clean(http.Text("path"u8) ?? "/")} on port {Port(http)}";
            return probe.Child("grpc"u8) is { } grpc ? $"gRPC port {Port(grpc)}" : "a command";

            static string Port(JsonElement handler) => ForeignText.Clean(handler.Child("port"u8)?.ToString());
        }

        private static string SignalName(int signal) => signal switch
        {
            6 => " (ABRT)",
            9 => " (KILL)",
            11 => " (SEGV)",
            15 => " (TERM)",
            _ => "",
        };

        private Cause Made(string reason, string message) => new(reason, $"{Who}: {message}", IsGateway);
    }
}
