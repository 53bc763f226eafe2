using System.Text.Json;
using McpOperator.Api;
using McpOperator.Servers.Diagnosis;

namespace McpOperator.Unit.Servers.Diagnosis;

/// <summary>The exact words for each cause, from pods as kubelets report them.</summary>
public sealed class PodCausesTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 6, 7, 8, 9, TimeSpan.Zero);

    [Theory]
    [InlineData("ErrImagePull", "rpc error: code = NotFound desc = failed to pull and unpack image \"reg/web:9\": not found",
        "the server: the registry has no image reg/web:9: rpc error: code = NotFound desc = failed to pull and unpack image \"reg/web:9\": not found; correct spec.image or spec.imageTag")]
    [InlineData("ImagePullBackOff", "Back-off pulling image \"reg/web:9\"",
        "the server: image reg/web:9 cannot be pulled: Back-off pulling image \"reg/web:9\"")]
    [InlineData("ErrImagePull", "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope",
        "the server: the registry does not give image reg/web:9 away: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope; name a pull secret in spec.imagePullSecrets, or correct the image")]
    [InlineData("ErrImagePull", "unexpected status code 401 Unauthorized",
        "the server: the registry does not give image reg/web:9 away: unexpected status code 401 Unauthorized; name a pull secret in spec.imagePullSecrets, or correct the image")]
    [InlineData("ErrImagePull", "toomanyrequests: You have reached your pull rate limit.",
        "the server: the registry limits how often image reg/web:9 is pulled: toomanyrequests: You have reached your pull rate limit; wait, or name a pull secret in spec.imagePullSecrets")]
    [InlineData("ErrImagePull", "failed to do request: Head \"https://reg/v2/web/manifests/9\": dial tcp: lookup reg: no such host",
        "the server: the registry of image reg/web:9 is out of reach, or does not work: failed to do request: Head \"https://reg/v2/web/manifests/9\": dial tcp: lookup reg: no such host")]
    [InlineData("ErrImagePull", "no match for platform in manifest: not found",
        "the server: image reg/web:9 is not made for this node's architecture: no match for platform in manifest: not found")]
    [InlineData("ErrImageNeverPull", "Container image \"reg/web:9\" is not present with pull policy of Never",
        "the server: image reg/web:9 is not on the node, and is never pulled")]
    public void ImagePullFailed(string reason, string message, string expected) =>
        AssertCause(Reasons.ImagePullFailed, expected, Waiting(reason, message));

    [Theory]
    [InlineData("InvalidImageName", "couldn't parse image reference \"Reg/Web\": invalid reference format", Reasons.InvalidImageName,
        "the server: image reg/web:9 has no valid name: couldn't parse image reference \"Reg/Web\": invalid reference format")]
    [InlineData("CreateContainerConfigError", "secret \"tickets\" not found", Reasons.CreateContainerConfigError,
        "the server: secret \"tickets\" not found; create it, or take it out of the spec")]
    [InlineData("CreateContainerConfigError", "couldn't find key token in Secret team/tickets", Reasons.CreateContainerConfigError,
        "the server: couldn't find key token in Secret team/tickets; create it, or take it out of the spec")]
    [InlineData("CreateContainerConfigError", "container has runAsNonRoot and image will run as root", Reasons.ContainerCannotRun,
        "the server: container has runAsNonRoot and image will run as root: image reg/web:9 has to name a user other than root, by its number")]
    [InlineData("CreateContainerError", "failed to create containerd task: exec: \"serve\": executable file not found in $PATH", Reasons.ContainerCannotRun,
        "the server: failed to create containerd task: exec: \"serve\": executable file not found in $PATH")]
    public void WhatKeepsAContainerFromBeingMade(string reason, string message, string cause, string expected) =>
        AssertCause(cause, expected, Waiting(reason, message));

    [Theory]
    [InlineData("Error", 1, "boom\nat main", 3, Reasons.CrashLoop,
        "the server: it ends with exit code 1 (restarts: 3, last at 2026-05-06T07:08:00Z): boom at main; kubectl logs --previous shows what it said")]
    [InlineData("Completed", 0, null, 3, Reasons.CrashLoop,
        "the server: it ends without an error: by itself, though a server has to go on running, or because its liveness probe (TCP port 8088) fails (restarts: 3, last at 2026-05-06T07:08:00Z); kubectl logs --previous shows what it said")]
    [InlineData("Error", 139, null, 0, Reasons.CrashLoop,
        "the server: it ends with signal 11 (SEGV) (last at 2026-05-06T07:08:00Z); kubectl logs --previous shows what it said")]
    [InlineData("OOMKilled", 137, null, 2, Reasons.OutOfMemory,
        "the server: it needed more memory than its limit 256Mi (restarts: 2, last at 2026-05-06T07:08:00Z); raise spec.resources.limits.memory")]
    [InlineData("StartError", 128, "exec: \"serve\": executable file not found in $PATH", 2, Reasons.ContainerCannotRun,
        "the server: exec: \"serve\": executable file not found in $PATH")]
    [InlineData("Error", 143, null, 2, Reasons.ProbeFailing,
        "the server: it was ended because its liveness probe (TCP port 8088) failed (restarts: 2, last at 2026-05-06T07:08:00Z); does it listen there, and soon enough?")]
    public void WhatEnds(string reason, int exit, string? message, int restarts, string cause, string expected) =>
        AssertCause(cause, expected, Pod(container => container with
        {
            RestartCount = restarts,
            State = new { waiting = new { reason = "CrashLoopBackOff", message = "back-off 10s restarting failed container" } },
            LastState = new { terminated = new { reason, exitCode = exit, message, finishedAt = "2026-05-06T07:08:00Z" } },
        }));

    [Fact]
    public void AnEndThatIsSeenBeforeTheNextStartIsOneToo() =>
        AssertCause(
            Reasons.CrashLoop, "the server: it ends with exit code 2 (last at 2026-05-06T07:08:00Z); kubectl logs --previous shows what it said",
            Pod(container => container with { State = new { terminated = new { reason = "Error", exitCode = 2, finishedAt = "2026-05-06T07:08:00Z" } } }));

    [Theory]
    [InlineData("2026-05-06T07:07:00Z", "the server: it runs since 2026-05-06T07:07:00Z, and its readiness probe (TCP port 8088) does not succeed; does it listen there?")]
    [InlineData("2026-05-06T07:08:05Z", null)] // it has just begun
    public void AReadinessProbeThatFails(string since, string? expected)
    {
        var pod = Pod(container => container with { State = new { running = new { startedAt = since } } });
        if (expected is null)
            Assert.Null(PodCauses.Of(pod, Now));
        else
            AssertCause(Reasons.ProbeFailing, expected, pod);
    }

    /// <summary>It may have been weeks ago.</summary>
    [Fact]
    public void TheLastEndOfWhatRunsForLongSaysNothing() => AssertCause(
        Reasons.ProbeFailing, "the server: it runs since 2026-05-06T07:00:00Z, and its readiness probe (TCP port 8088) does not succeed; does it listen there?",
        Pod(container => container with
        {
            RestartCount = 1,
            State = new { running = new { startedAt = "2026-05-06T07:00:00Z" } },
            LastState = new { terminated = new { reason = "OOMKilled", exitCode = 137, finishedAt = "2026-05-06T06:59:00Z" } },
        }));

    [Theory]
    [InlineData("Get \"https://b.example.org/x?X-Signature=abc&y=z\": dial tcp", "Get \"https://b.example.org/x?…\": dial tcp")]
    [InlineData("Head https://ann:secret@reg.example.org/v2/: EOF", "Head https://…@reg.example.org/v2/: EOF")]
    [InlineData("https://reg/a@b and https://u@c?d", "https://reg/a@b and https://…@c?…")]
    [InlineData("what? me@example.org", "what? me@example.org")]
    public void AUrlLosesItsUserAndItsQuery(string text, string expected) => Assert.Equal(expected, ForeignText.Clean(text));

    [Fact]
    public void GatewayAndServerAreToldApart()
    {
        var pod = Parse("""
            {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "web", "image": "reg/web:9"}, {"name": "mcp-gateway", "image": "reg/gateway:1"}]},
             "status": {"containerStatuses": [
               {"name": "mcp-gateway", "ready": false, "state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}},
               {"name": "web", "ready": false, "state": {"waiting": {"reason": "CreateContainerConfigError", "message": "secret \"s\" not found"}}}]}}
            """);

        var cause = PodCauses.Of(pod, Now)!;

        Assert.Equal((Reasons.ImagePullFailed, true), (cause.Reason, cause.IsOfGateway));
        Assert.Equal("the gateway: the registry has no image reg/gateway:1: not found; correct spec.image or spec.imageTag", cause.Message);
    }

    [Theory]
    [InlineData("""{"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient memory."}]}""",
        Reasons.Unschedulable, "no node takes the pod: 0/1 nodes are available: 1 Insufficient memory; change what it asks for, or make room")]
    [InlineData("""{"phase": "Failed", "reason": "OutOfmemory", "message": "Node didn't have enough resource: memory"}""",
        Reasons.PodRejected, "node n1 gave the pod up: OutOfmemory: Node didn't have enough resource: memory")]
    [InlineData("""{"conditions": [{"type": "Ready", "status": "False"}, {"type": "ContainersReady", "status": "True"}]}""",
        Reasons.NodeLost, "node n1 does not report any more; its pods are replaced after some minutes, or when the Node is deleted")]
    public void WhatIsOfThePodAsAWhole(string status, string reason, string expected) =>
        AssertCause(reason, expected, Parse("{\"metadata\": {\"name\": \"p\"}, \"spec\": {\"nodeName\": \"n1\"}, \"status\": " + status + "}"));

    [Theory]
    [InlineData("""["a/b"]""", "2026-05-06T07:07:00Z", "a pod should have ended at 2026-05-06T07:07:00Z: its finalizers hold it (a/b)")]
    [InlineData("[]", "2026-05-06T07:07:00Z", "a pod should have ended at 2026-05-06T07:07:00Z: node n1 has not confirmed that it ended; see whether the node is still there")]
    [InlineData("[]", "2026-05-06T07:08:00Z", null)]
    public void APodThatIsDeletedAndDoesNotGo(string finalizers, string until, string? expected)
    {
        var pod = Parse($$$"""{"metadata": {"name": "p", "deletionTimestamp": "{{{until}}}", "finalizers": {{{finalizers}}}}, "spec": {"nodeName": "n1"}}""");
        if (expected is null)
            Assert.Null(PodCauses.Of(pod, Now));
        else
            AssertCause(Reasons.PodStuckTerminating, expected, pod);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"status": {"conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [{"name": "web", "ready": true, "restartCount": 9}]}}""")]
    [InlineData("""{"status": {"containerStatuses": [{"name": "web", "state": {"waiting": {"reason": "ContainerCreating"}}}]}}""")]
    [InlineData("""{"status": {"initContainerStatuses": [{"name": "i", "ready": true, "state": {"terminated": {"exitCode": 0}}}]}}""")]
    [InlineData("""{"status": {"containerStatuses": {"name": 1}, "conditions": "x"}, "spec": 3, "metadata": []}""")]
    public void WhatShowsNoCauseHasNone(string pod) => Assert.Null(PodCauses.Of(Parse(pod), Now));

    [Fact]
    public void TextOfOthersIsOneShortPrintableLine()
    {
        var cause = PodCauses.Of(Waiting("ErrImagePull", "a\u202e\r\n\tb\u0007" + new string('x', 2000)), Now)!;

        Assert.Contains(": a b x", cause.Message, StringComparison.Ordinal);
        Assert.True(cause.Message.Length < 400);
        Assert.DoesNotContain(cause.Message, char.IsControl);
    }

    private static void AssertCause(string reason, string message, JsonElement pod)
    {
        var cause = PodCauses.Of(pod, Now);
        Assert.Equal((reason, message), (cause?.Reason, cause?.Message));
        Assert.Contains(reason, Reasons.Causes);
    }

    private static JsonElement Waiting(string reason, string message) =>
        Pod(container => container with { State = new { waiting = new { reason, message } } });

    private static JsonElement Pod(Func<Container, Container> change) => JsonSerializer.SerializeToElement(new
    {
        metadata = new { name = "web-6c9f-x" },
        spec = new
        {
            containers = new object[]
            {
                new
                {
                    name = "web", image = "reg/web:9", resources = new { limits = new { memory = "256Mi" } },
                    livenessProbe = new { tcpSocket = new { port = 8088 } }, readinessProbe = new { tcpSocket = new { port = 8088 } },
                },
            },
        },
        status = new { containerStatuses = new object[] { change(new Container()) } },
    }, JsonSerializerOptions.Web);

    private static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;

    private sealed record Container
    {
        public string Name { get; init; } = "web";

        public bool Ready { get; init; }

        public int RestartCount { get; init; }

        public object? State { get; init; }

        public object? LastState { get; init; }
    }
}
