using System.Globalization;
using System.Text.Json;
using McpOperator.Api;

namespace McpOperator.Servers.Pods;

/// <summary>
/// Deletes what others put under our names in a Deployment, by a strategic merge patch: an apply removes only what nobody else
/// owns.
/// </summary>
internal static class ForeignRemoval
{
    /// <param name="resourceVersion">The version in which the items were seen: the patch would add an item that is not there.</param>
    /// <param name="hasGateway">Whether to delete the gateway container.</param>
    /// <param name="hasVolume">Whether to delete its policy volume.</param>
    public static byte[] Patch(string resourceVersion, bool hasGateway, bool hasVolume, IReadOnlyList<ForeignField> fields) => ApplyBody.Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteStartObject("metadata"u8);
        writer.WriteString("resourceVersion"u8, resourceVersion);
        writer.WriteEndObject();
        writer.WriteStartObject("spec"u8);
        writer.WriteStartObject("template"u8);
        writer.WriteStartObject("spec"u8);
        writer.WriteStartArray("containers"u8);
        if (hasGateway)
            Delete(writer, "name", Defaults.GatewayContainer);
        foreach (var container in fields.Where(field => field.Container != ForeignField.Pod).GroupBy(field => field.Container))
            Write(writer, container.Key, container);
        writer.WriteEndArray();
        WriteMembers(writer, fields.Where(field => field.Container == ForeignField.Pod));
        if (hasVolume)
        {
            writer.WriteStartArray("volumes"u8);
            Delete(writer, "name", GatewayContainer.PolicyVolumeName);
            writer.WriteEndArray();
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    private static void Write(Utf8JsonWriter writer, string container, IEnumerable<ForeignField> fields)
    {
        writer.WriteStartObject();
        writer.WriteString("name"u8, container);
        WriteMembers(writer, fields);
        writer.WriteEndObject();
    }

    private static void WriteMembers(Utf8JsonWriter writer, IEnumerable<ForeignField> fields)
    {
        foreach (var member in fields.GroupBy(field => field.Member))
        {
            if (member.First().Key is null)
            {
                writer.WriteNull(member.Key);
                continue;
            }

            writer.WriteStartArray(member.Key);
            foreach (var key in member.Select(field => field.Key!).Distinct())
                Delete(writer, ForeignField.KeyOf(member.Key), key);
            writer.WriteEndArray();
        }
    }

    private static void Delete(Utf8JsonWriter writer, string name, string key)
    {
        writer.WriteStartObject();
        if (name == "containerPort" && int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            writer.WriteNumber(name, port);
        else
            writer.WriteString(name, key);
        writer.WriteString("$patch"u8, "delete"u8);
        writer.WriteEndObject();
    }
}
