using McpOperator.Bench;
using McpOperator.Testing;

namespace McpOperator.Unit.Bench;

public sealed class RecordingTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void WhatWasInFlightAtTheSameTimeIsOneStep()
    {
        var steps = Recording.Group(
        [
            Event("get", "deployments", 0, 10), Event("get", "services", 1, 10), Event("get", "ingresses", 1, 12),
            Event("patch", "deployments", 10, 20, "{}"), Event("patch", "services", 11, 21, "{}"), Event("patch", "ingresses", 13, 30, "{}"),
            Event("patch", "mcpservers", 31, 40, "{}"),
        ]);

        Assert.Equal([3, 3, 1], steps.Select(step => step.Count));
    }

    [Fact]
    public void ARequestThatIsFasterThanTheStampOfTheAnswerItWaitedForIsAStepOfItsOwn() => Assert.Equal(
        [1, 1], Recording.Group([Event("get", "services", 0, 10), Event("patch", "services", 9, 20, "{}")]).Select(step => step.Count));

    [Fact]
    public void TheBodyTellsTheKindOfPatch()
    {
        var requests = Recording.Group(
        [
            Event("patch", "services", 0, 1, """{"kind": "Service"}"""), Event("patch", "services", 1, 2, """{"spec": {}}"""),
            Event("patch", "services", 2, 3, """[{"op": "test"}]"""), Event("create", "serviceaccounts", 3, 4, "{}"),
        ]).SelectMany(step => step);

        Assert.Equal(
            ["PATCH application/apply-patch+yaml", "PATCH application/merge-patch+json", "PATCH application/json-patch+json", "POST application/json"],
            requests.Select(request => $"{request.Method} {request.MediaType}"));
    }

    [Fact]
    public void RenderedForAnotherServerNothingOfTheRecordedOneIsLeft()
    {
        var recorded = new Server("recorded-0", "web-00001", "5f8b", "41");
        var request = new RecordedRequest(
            HttpMethod.Patch, "namespaces/recorded-0/services/web-00001?force=true", "application/json",
            """{"metadata":{"name":"web-00001","namespace":"recorded-0","resourceVersion":"41","ownerReferences":[{"uid":"5f8b"}]},"port":41}""");

        var rendered = LoadGenerator.Render(new(recorded, [[request]]), new("bench-3", "web-00042", "77aa", "1234"))[0][0];

        Assert.Equal("namespaces/bench-3/services/web-00042?force=true", rendered.Uri);
        Assert.Equal(
            """{"metadata":{"name":"web-00042","namespace":"bench-3","resourceVersion":"1234","ownerReferences":[{"uid":"77aa"}]},"port":41}"""u8,
            rendered.Body);
    }

    /// <summary>A load generator reads no answers, and so knows no later version than that of the server as created.</summary>
    [Fact]
    public void AStatusIsRenderedWithoutTheVersionThatItWasFor()
    {
        var recorded = new Server("recorded-0", "web-00001", "5f8b", "41");
        var request = new RecordedRequest(
            HttpMethod.Patch, "namespaces/recorded-0/mcpservers/web-00001/status?force=true", "application/apply-patch+yaml",
            """{"metadata":{"name":"web-00001","namespace":"recorded-0","resourceVersion":"57"},"status":{}}""");

        Assert.Equal(
            """{"metadata":{"name":"web-00042","namespace":"bench-3"},"status":{}}"""u8,
            LoadGenerator.Render(new(recorded, [[request]]), new("bench-3", "web-00042", "77aa", "1234"))[0][0].Body);
    }

    private static AuditEvent Event(string verb, string resource, int received, int answered, string body = "") => new(
        "ResponseComplete", "recorded", "", verb, "", resource, "", "recorded-0", "web-00001", $"/namespaces/recorded-0/{resource}/web-00001", 200,
        false, body, Start.AddMilliseconds(received), Start.AddMilliseconds(answered));
}
