using System.Text;
using System.Text.Json;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Kubernetes;

public sealed class LeaseTests
{
    private static readonly LeaseRecord Record = new("host_1", 15, "2026-01-02T03:04:05.000001Z", "2026-01-02T03:04:07.000001Z", 3);

    [Fact]
    public void ALeaseOfClientGoIsRead()
    {
        var lease = Decode(
            """
            {
              "kind": "Lease", "apiVersion": "coordination.k8s.io/v1",
              "metadata": {"name": "x", "namespace": "ns", "uid": "u", "resourceVersion": "7", "managedFields": [{"manager": "manager"}]},
              "spec": {
                "holderIdentity": "host_1", "leaseDurationSeconds": 15, "acquireTime": "2026-01-02T03:04:05.000001Z",
                "renewTime": "2026-01-02T03:04:07.000001Z", "leaseTransitions": 3, "strategy": "OldestEmulationVersion"
              }
            }
            """);

        Assert.Equal(Record, lease.Record);
    }

    [Theory]
    [InlineData("""{"metadata":{}}""")]
    [InlineData("""{"metadata":{},"spec":{}}""")]
    [InlineData("""{"metadata":{},"spec":null}""")]
    [InlineData("""{"metadata":{},"spec":{"holderIdentity":null,"leaseDurationSeconds":null,"renewTime":null}}""")]
    public void WhatIsMissingIsEmpty(string json) => Assert.Equal(new LeaseRecord("", 0, null, null, 0), Decode(json).Record);

    [Fact]
    public void ItIsCreatedByItsName() => Assert.Equal(
        """
        {"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"x","namespace":"ns"},
        "spec":{"holderIdentity":"host_1","leaseDurationSeconds":15,"acquireTime":"2026-01-02T03:04:05.000001Z",
        "renewTime":"2026-01-02T03:04:07.000001Z","leaseTransitions":3}}
        """.ReplaceLineEndings(""),
        Encoding.UTF8.GetString(Lease.Body(new("ns", "x"), Record)));

    [Fact]
    public void APutGivesTheMetadataBackAsTheyWere()
    {
        const string Metadata = """{"name":"x","namespace":"ns","resourceVersion":"7","labels":{"theirs":"\u00e9 \"quoted\""}}""";

        var body = Encoding.UTF8.GetString(Decode($$$"""{"metadata":{{{Metadata}}},"spec":{}}""").With(Record));

        using var json = JsonDocument.Parse(body);
        Assert.True(JsonElement.DeepEquals(JsonDocument.Parse(Metadata).RootElement, json.RootElement.GetProperty("metadata")));
        Assert.Equal(Record, Lease.Decode(json.RootElement).Record);
    }

    private static Lease Decode(string json)
    {
        using var document = JsonDocument.Parse(json);
        return Lease.Decode(document.RootElement);
    }
}
