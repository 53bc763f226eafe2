using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Apply;
using McpOperator.Commands;

namespace McpOperator.Unit.Apply;

public sealed class FieldOwnershipTests
{
    private const string Ours = """
        {"manager": "mcp-runtime-operator", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1":
          {"f:spec": {"f:type": {}, "f:ports": {"k:{\"port\":80}": {".": {}, "f:name": {}}}}}}
        """;

    private static readonly string[][] Ports = [["f:spec", "f:ports"]];

    [Fact]
    public void WhatOthersOwnThereBecomesOursAndNothingElse()
    {
        var patch = Patch(
            Ports, Ours, Other("kubectl", "Update", """{"f:spec": {"f:ports": {"k:{\"port\":81}": {".": {}, "f:name": {}}}, "f:sessionAffinity": {}}}"""));

        Json("""
            [{"op": "replace", "path": "/metadata/resourceVersion", "value": "7"},
             {"op": "replace", "path": "/metadata/managedFields", "value": [
               {"manager": "mcp-runtime-operator", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1":
                 {"f:spec": {"f:type": {}, "f:ports": {"k:{\"port\":80}": {".": {}, "f:name": {}}, "k:{\"port\":81}": {".": {}, "f:name": {}}}}}},
               {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": {"f:sessionAffinity": {}}}}]}]
            """, patch);
    }

    [Fact]
    public void NoEmptyStepIsLeftThatWouldClaimAllBelowIt()
    {
        var patch = Patch(Ports, Ours, Other("kubectl", "Update", """{"f:metadata": {"f:labels": {}}, "f:spec": {"f:ports": {}}}"""));

        Assert.Equal("""{"f:metadata":{"f:labels":{}}}""", patch![1]!["value"]![1]!["fieldsV1"]!.ToJsonString());
    }

    [Fact]
    public void WhatSeveralOwnComesTogether()
    {
        var patch = Patch(
            Ports, Ours,
            Other("a", "Apply", """{"f:spec": {"f:ports": {"k:{\"port\":80}": {"f:targetPort": {}}}}}"""),
            Other("mcp-runtime-operator", "Update", """{"f:spec": {"f:ports": {"k:{\"port\":82}": {".": {}}}}}"""));

        var entries = patch![1]!["value"]!.AsArray();
        Assert.Equal(
            """{"f:spec":{"f:type":{},"f:ports":{"k:{\"port\":80}":{".":{},"f:name":{},"f:targetPort":{}},"k:{\"port\":82}":{".":{}}}}}""",
            JsonNode.Parse(entries[0]!["fieldsV1"]!.ToJsonString())!.ToJsonString(Relaxed));
        Assert.Equal(["{}", "{}"], entries.Skip(1).Select(entry => entry!["fieldsV1"]!.ToJsonString()));
    }

    [Theory]
    [InlineData("""{"f:spec": {"f:type": {}}}""", false)]
    [InlineData("""{"f:metadata": {}}""", false)]
    [InlineData("""{"f:spec": {"f:ports": {"k:{\"port\":81}": {}}}}""", true)]
    public void ThereIsNothingToDoWhereOthersOwnNothing(string fields, bool expected) =>
        Assert.Equal(expected, Patch(Ports, Ours, Other("kubectl", "Update", fields)) is not null);

    [Fact]
    public void AStatusIsNobodysObstacle() => Assert.Null(Patch(
        Ports, Ours, """{"manager": "x", "operation": "Update", "subresource": "status", "fieldsV1": {"f:spec": {"f:ports": {"k:{}": {}}}}}"""));

    [Fact]
    public void WhatWasRestoredAndWeHaveNotAppliedYetIsTakenOverAllTheSame()
    {
        var patch = Patch(Ports, Other("velero", "Update", """{"f:spec": {"f:ports": {"k:{\"port\":81}": {}}, "f:type": {}}}"""));

        Json("""
            [{"manager": "velero", "operation": "Update", "fieldsV1": {"f:spec": {"f:type": {}}}},
             {"manager": "mcp-runtime-operator", "operation": "Apply", "fieldsV1": {"f:spec": {"f:ports": {"k:{\"port\":81}": {}}}}}]
            """, patch![1]!["value"]);
    }

    // === Of those who have a copy ===

    private const string Labelled = """
        {"manager": "mcp-runtime-operator", "operation": "Apply", "fieldsV1":
          {"f:metadata": {"f:labels": {"f:app": {}, "f:by": {}}}, "f:spec": {"f:replicas": {}, "f:env": {"k:{\"name\":\"A\"}": {".": {}, "f:value": {}}}}}}
        """;

    [Theory]
    [InlineData("velero", "Update", """{"f:metadata": {"f:labels": {".": {}, "f:app": {}, "f:by": {}}}, "f:spec": {"f:replicas": {}, "f:env": {".": {}, "k:{\"name\":\"A\"}": {".": {}, "f:value": {}}}}}""", null)]
    [InlineData("somebody", "Apply", """{"f:metadata": {"f:labels": {"f:app": {}, "f:by": {}, "f:more": {}}}, "f:spec": {"f:env": {"k:{\"name\":\"A\"}": {".": {}, "f:value": {}}, "k:{\"name\":\"B\"}": {}}}}""",
        """{"f:metadata": {"f:labels": {"f:more": {}}}, "f:spec": {"f:env": {"k:{\"name\":\"B\"}": {}}}}""")]
    [InlineData("before-first-apply", "Update", """{"f:spec": {"f:replicas": {}, "f:paused": {}}}""", """{"f:spec": {"f:paused": {}}}""")]
    public void ACopyKeepsWhatIsNotOurs(string manager, string operation, string fields, string? left)
    {
        var entries = PatchOfCopies(Labelled, Other(manager, operation, fields))![1]!["value"]!.AsArray();

        Json(JsonNode.Parse(Labelled)!.ToJsonString(), entries[0]);
        Assert.Equal(left is null ? 1 : 2, entries.Count);
        if (left is not null)
            Json(left, entries[1]!["fieldsV1"]);
    }

    [Theory]
    [InlineData("gitops", """{"f:metadata": {"f:labels": {"f:app": {}, "f:by": {}}}}""")]
    [InlineData("scaler", """{"f:spec": {"f:replicas": {}}}""")]
    [InlineData("editor", """{"f:metadata": {"f:labels": {"f:app": {}}}, "f:spec": {"f:replicas": {}, "f:env": {"k:{\"name\":\"A\"}": {"f:value": {}}}}}""")]
    [InlineData("before-first-apply", """{"f:spec": {"f:paused": {}}}""")]
    public void WhoOwnsAPartIsANeighbour(string manager, string fields) =>
        Assert.Null(PatchOfCopies(Labelled, Other(manager, "Update", fields)));

    private static JsonArray? PatchOfCopies(params string[] entries)
    {
        using var live = JsonDocument.Parse($$"""{"metadata": {"resourceVersion": "7", "managedFields": [{{string.Join(',', entries)}}] } }""");
        var patch = FieldOwnership.PatchOfCopies(live.RootElement, isStatus: false, Product.Identity);
        Assert.Equal(patch is not null, Product.Identity.OwnedFields.FindCopy(live.RootElement) is not null);
        return patch is null ? null : JsonNode.Parse(patch)!.AsArray();
    }

    // === Of the operator before us ===

    private const string Go = """{"manager": "manager", "operation": "Update", "apiVersion": "v1", "time": "t", "fieldsType": "FieldsV1", "fieldsV1": FIELDS}""";

    [Fact]
    public void WhatThePredecessorWroteBecomesOurApply() => Entries(
        """
        [{"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:spec": {"f:sessionAffinity": {}}}},
         {"manager": "mcp-runtime-operator", "operation": "Apply", "apiVersion": "v1", "time": "t", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:type": {}, "f:ports": {}}}}]
        """,
        isStatus: false,
        Fields(Go, """{"f:spec": {"f:type": {}}}"""),
        Other("kubectl-edit", "Update", """{"f:spec": {"f:sessionAffinity": {}}}"""),
        Fields(Go, """{"f:spec": {"f:ports": {}}}"""));

    [Fact]
    public void ItsStatusIsNotPartOfTheObject()
    {
        var status = Fields(Go, """{"f:status": {"f:phase": {}}}""").Replace("\"fieldsType\"", "\"subresource\": \"status\", \"fieldsType\"", StringComparison.Ordinal);

        Assert.Null(PatchOfPredecessor(isStatus: false, status));
        Entries(
            """
            [{"manager": "mcp-runtime-operator", "operation": "Apply", "apiVersion": "v1", "time": "t", "subresource": "status", "fieldsType": "FieldsV1", "fieldsV1": {"f:status": {"f:phase": {}}}}]
            """,
            isStatus: true, status);
    }

    [Fact]
    public void WhereSpecAndStatusAreOneEntryTheSpecStaysWhoseItIs() => Entries(
        """
        [{"manager": "manager", "operation": "Update", "apiVersion": "v1", "time": "t", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:port": {}}}},
         {"manager": "mcp-runtime-operator", "operation": "Apply", "apiVersion": "v1", "time": "t", "fieldsType": "FieldsV1", "fieldsV1": {"f:status": {"f:phase": {}}}}]
        """,
        isStatus: true,
        Fields(Go, """{"f:spec": {"f:port": {}}, "f:status": {"f:phase": {}}}"""));

    [Theory]
    [InlineData("""{"manager": "manager", "operation": "Apply", "apiVersion": "v1", "fieldsV1": {"f:spec": {}}}""", false)]
    [InlineData("""{"manager": "kubectl", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:spec": {}}}""", false)]
    [InlineData("""{"manager": "manager", "operation": "Update", "apiVersion": "v1beta1", "fieldsV1": {"f:spec": {}}}""", false)]
    [InlineData("""{"manager": "manager", "operation": "Update", "apiVersion": "v1", "subresource": "scale", "fieldsV1": {"f:spec": {}}}""", false)]
    [InlineData("""{"manager": "manager", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:spec": {}}}""", true)]
    public void NothingElseIsThePredecessors(string entry, bool isStatus) => Assert.Null(PatchOfPredecessor(isStatus, entry));

    private static void Entries(string expected, bool isStatus, params string[] entries) =>
        Json(expected, PatchOfPredecessor(isStatus, entries)![1]!["value"]);

    private static JsonNode? PatchOfPredecessor(bool isStatus, params string[] entries)
    {
        using var live = JsonDocument.Parse(
            $$"""{"apiVersion": "v1", "metadata": {"resourceVersion": "7", "managedFields": [{{string.Join(',', entries)}}] } }""");
        return FieldOwnership.PatchOfPredecessor(live.RootElement, isStatus, Product.Identity) is { } patch ? JsonNode.Parse(patch) : null;
    }

    private static string Fields(string entry, string fields) => entry.Replace("FIELDS", fields, StringComparison.Ordinal);

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static string Other(string manager, string operation, string fields) =>
        $$"""{"manager": "{{manager}}", "operation": "{{operation}}", "fieldsV1": {{fields}} }""";

    private static JsonArray? Patch(string[][] paths, params string[] entries)
    {
        using var live = JsonDocument.Parse($$"""{"metadata": {"resourceVersion": "7", "managedFields": [{{string.Join(',', entries)}}] } }""");
        return FieldOwnership.PatchOfPaths(live.RootElement, paths, Product.Identity) is { } patch ? JsonNode.Parse(Encoding.UTF8.GetString(patch))!.AsArray() : null;
    }

    private static void Json(string expected, JsonNode? actual) => Assert.True(
        JsonNode.DeepEquals(JsonNode.Parse(expected), actual), actual?.ToJsonString(Relaxed));
}
