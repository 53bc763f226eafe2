using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Apply;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Apply;

public sealed class OtherWriterTests
{
    private const string Somebody = "kube-controller-manager (Update)";
    private const string Ourselves = "another operator with other settings";
    private const string Unknown = "somebody whom its managedFields do not name";

    private static readonly ApiIdentity Us = new("us", "us");

    [Theory]
    [InlineData("a value", """{"spec":{"replicas":2}}""", """{"spec":{"replicas":5}}""", """{"f:spec":{"f:replicas":{}}}""", "spec.replicas", Somebody)]
    [InlineData("an annotation", """{"metadata":{"annotations":{"example.org/a.b":"x"}}}""", """{"metadata":{"annotations":{"example.org/a.b":"y"}}}""",
        """{"f:metadata":{"f:annotations":{"f:example.org/a.b":{}}}}""", "metadata.annotations[example.org/a.b]", Somebody)]
    [InlineData("an item", """{"spec":{"c":[{"name":"a","image":"i"},{"name":"b","image":"i"}]}}""",
        """{"spec":{"c":[{"name":"x"},{"name":"a","image":"i"},{"name":"b","image":"j"}]}}""",
        """{"f:spec":{"f:c":{"k:{\"name\":\"b\"}":{"f:image":{}}}}}""", "spec.c[b].image", Somebody)]
    [InlineData("what is owned as a whole", """{"spec":{"rules":[{"host":"a","paths":[{"path":"/x"}]}]}}""",
        """{"spec":{"rules":[{"host":"a","paths":[{"path":"/y"},{"path":"/x"}]}]}}""", """{"f:spec":{"f:rules":{}}}""", "spec.rules[0].paths[0].path", Somebody)]
    [InlineData("another kind of value", """{"spec":{"a":{"b":1}}}""", """{"spec":{"a":"x"}}""", """{"f:spec":{"f:a":{}}}""", "spec.a", Somebody)]
    [InlineData("taken away", """{"metadata":{"labels":{"a":"b"}}}""", """{"metadata":{"labels":{}}}""", """{"f:spec":{}}""", "metadata.labels.a", Unknown)]
    [InlineData("an item taken away", """{"spec":{"c":[{"name":"a"}]}}""", """{"spec":{"c":[]}}""", "{}", "spec.c[a]", Unknown)]
    [InlineData("nothing any more", """{"spec":{"a":1,"empty":""}}""", """{"spec":{"a":1}}""", """{"f:spec":{"f:b":{}}}""", null, Unknown)]
    public void WhoeverOwnsTheFirstFieldThatDiffersIsNamed(string what, string wanted, string live, string theirs, string? field, string writer)
    {
        var other = Of(wanted, live, Entry("kube-controller-manager", "Update", theirs));

        Assert.True(other.Field == field, $"{what}: {other.Field}");
        Assert.Equal(writer, other.Writer);
    }

    /// <summary>Two of us have one name there.</summary>
    [Theory]
    [InlineData("""{"spec":{"a":1}}""", """{"spec":{"a":2}}""", """{"f:spec":{"f:a":{}}}""", "spec.a")]
    [InlineData("""{"spec":{"a":1}}""", """{"spec":{"a":1,"b":2}}""", """{"f:spec":{"f:a":{},"f:b":{}}}""", "spec.b")]
    [InlineData("""{"spec":{"c":[{"name":"x"}]}}""", """{"spec":{"c":[{"name":"x"},{"name":"y"}]}}""",
        """{"f:spec":{"f:c":{"k:{\"name\":\"x\"}":{"f:name":{}},"k:{\"name\":\"y\"}":{"f:name":{}}}}}""", "spec.c")]
    public void WhatBearsOurNameAndIsNotOursIsOfAnotherOperator(string wanted, string live, string ours, string field) =>
        Assert.Equal(new OtherWriter(field, Ourselves), Of(wanted, live, Entry("us", "Apply", ours), Entry("else", "Update", """{"f:status":{}}""")));

    [Fact]
    public void OfSeveralOwnersTheLastOneIsNamed()
    {
        const string fields = """{"f:spec":{"f:a":{}}}""";

        var other = Of(
            """{"spec":{"a":1}}""", """{"spec":{"a":2}}""",
            Entry("late", "Update", fields, "2026-01-02T00:00:00Z"), Entry("early", "Update", fields, "2026-01-01T00:00:00Z"));

        Assert.Equal("late (Update)", other.Writer);
    }

    /// <summary>Anybody may edit them.</summary>
    [Theory]
    [InlineData("""[{}, null, "x", {"fieldsV1": 5}, {"fieldsV1": {"f:spec": 3}}]""")]
    [InlineData("5")]
    public void ManagedFieldsThatMakeNoSenseDoNoHarm(string managedFields)
    {
        var live = JsonElement.Parse($$"""{"metadata":{"managedFields":{{managedFields}} },"spec":{"a":2} }""");

        Assert.Equal("spec.a", OtherWriter.Of(live, """{"metadata":{"name":"x"},"spec":{"a":1}}"""u8.ToArray(), Us).Field);
    }

    private static OtherWriter Of(string wanted, string live, params string[] entries)
    {
        var full = JsonNode.Parse(live)!.AsObject();
        full["metadata"] ??= new JsonObject();
        full["metadata"]!["name"] = "x";
        full["metadata"]!["managedFields"] = JsonNode.Parse($"[{string.Join(',', entries)}]");
        var body = JsonNode.Parse(wanted)!.AsObject();
        body["apiVersion"] = "v1";
        body["kind"] = "Thing";
        return OtherWriter.Of(JsonElement.Parse(full.ToJsonString()), Encoding.UTF8.GetBytes(body.ToJsonString()), Us);
    }

    private static string Entry(string manager, string operation, string fields, string time = "2026-01-01T00:00:00Z") =>
        $$"""{"manager":"{{manager}}","operation":"{{operation}}","time":"{{time}}","fieldsV1":{{fields}} }""";
}
