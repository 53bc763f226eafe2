using System.Runtime.InteropServices;
using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>
/// The spec of a Lease (coordination.k8s.io/v1). Its times are for people: no candidate compares them with its own clock. So they
/// are kept as text.
/// </summary>
/// <param name="Holder">Empty when the lease was released.</param>
/// <param name="DurationSeconds">For how long others respect it after its last change.</param>
internal sealed record LeaseRecord(
    string Holder, long DurationSeconds, string? AcquireTime, string? RenewTime, long Transitions);

/// <summary>A stored Lease.</summary>
/// <param name="metadata">As JSON, with the resource version. A PUT sends it back unchanged.</param>
internal sealed class Lease(LeaseRecord record, byte[] metadata, string version = "")
{
    public static readonly ResourceType Type = new("coordination.k8s.io", "v1", "leases", "Lease");

    public LeaseRecord Record => record;

    public string Version => version;

    /// <summary>Never throws for what is stored: what is missing is empty, or 0.</summary>
    public static Lease Decode(JsonElement json)
    {
        var spec = json.Child("spec"u8) ?? default;
        return new Lease(
            new LeaseRecord(
                spec.Text("holderIdentity"u8) ?? "",
                spec.Number("leaseDurationSeconds"u8),
                spec.Text("acquireTime"u8),
                spec.Text("renewTime"u8),
                spec.Number("leaseTransitions"u8)),
            JsonMarshal.GetRawUtf8Value(json.GetProperty("metadata"u8)).ToArray(),
            json.ResourceVersion() ?? "");
    }

    /// <summary>The whole object for a POST.</summary>
    public static byte[] Body(ObjectKey key, LeaseRecord record) => Body(record, json =>
    {
        json.WriteStartObject();
        json.WriteString("name"u8, key.Name);
        json.WriteString("namespace"u8, key.Namespace);
        json.WriteEndObject();
    });

    /// <summary>The whole object for a PUT, which fails with a conflict when the stored one has changed since.</summary>
    public byte[] With(LeaseRecord changed) => Body(changed, json => json.WriteRawValue(metadata));

    private static byte[] Body(LeaseRecord record, Action<Utf8JsonWriter> metadata) => ApplyBody.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("apiVersion"u8, Type.ApiVersion);
        json.WriteString("kind"u8, Type.Kind);
        json.WritePropertyName("metadata"u8);
        metadata(json);
        json.WriteStartObject("spec"u8);
        json.WriteString("holderIdentity"u8, record.Holder);
        json.WriteNumber("leaseDurationSeconds"u8, record.DurationSeconds);
        json.WriteString("acquireTime"u8, record.AcquireTime);
        json.WriteString("renewTime"u8, record.RenewTime);
        json.WriteNumber("leaseTransitions"u8, record.Transitions);
        json.WriteEndObject();
        json.WriteEndObject();
    });
}
