using System.Text.Json;

namespace McpOperator.Servers.Pods;

/// <summary>
/// What an apply leaves of a probe, a hook or the source of a volume that it takes out: the API server's defaults, and up to about 1.20 empty
/// objects. Nobody owns them, so no apply removes them, and the API server refuses what is left.
/// </summary>
internal static class Leftovers
{
    private static readonly string[] Members = ["startupProbe", "livenessProbe", "readinessProbe", "lifecycle"];

    /// <summary>True when the refusal is about such a place.</summary>
    public static bool MayCause(ApiException refusal) =>
        refusal.IsInvalid && refusal.Status.Details?.Causes?.Any(static cause => cause.Field is { } field
            && (field.Contains(".volumes[", StringComparison.Ordinal) || Members.Any(member => field.Contains(member, StringComparison.Ordinal)))) == true;

    /// <summary>A strategic merge patch that takes them out of what bears our names. Empty when there are none.</summary>
    /// <param name="body">The apply configuration of the Deployment.</param>
    public static byte[] Patch(ReadOnlyMemory<byte> body, JsonElement live, OwnedFields ours)
    {
        using var document = JsonDocument.Parse(body);
        if (PodOf(document.RootElement) is not { } wanted || PodOf(live) is not { } present)
            return [];
        List<JsonElement> theirs = [.. OwnedFields.EntriesOf(live).Where(entry => !ours.IsOurs(entry, isStatus: false))
            .Select(static entry => entry.Child("fieldsV1"u8)?.Child("f:spec"u8)?.Child("f:template"u8)?.Child("f:spec"u8)).OfType<JsonElement>()];
        var any = false;
        var patch = ApplyBody.Write(writer =>
        {
            writer.WriteStartObject();
            foreach (var step in (ReadOnlySpan<string>)["spec", "template", "spec"])
                writer.WriteStartObject(step);
            foreach (var list in (ReadOnlySpan<string>)["containers", "initContainers", "volumes"])
            {
                writer.WriteStartArray(list);
                foreach (var item in present.Child(list) is { ValueKind: JsonValueKind.Array } items ? items.EnumerateArray() : default)
                {
                    if (item.Text("name"u8) is not { } name || wanted.Child(list).FindItem("name"u8, name) is not { } own)
                        continue;
                    writer.WriteStartObject();
                    writer.WriteString("name"u8, name);
                    List<JsonElement> fields = [.. theirs.Select(pod => pod.Child($"f:{list}")?.Child($$"""k:{"name":"{{name}}"}""")).OfType<JsonElement>()];
                    if (list == "volumes")
                        any |= Write(writer, own, item, fields);
                    else
                        any |= Write(writer, own, item, fields, Members);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
            }

            for (var i = 0; i < 4; i++)
                writer.WriteEndObject();
        });
        return any ? patch : [];
    }

    /// <summary>Null for each member that is there, wanted no longer, and nobody's; beside it what is wanted, for nothing may be without a handler or a source.</summary>
    /// <param name="members">Those to look at, and within them at theirs; null for all, and not within them.</param>
    private static bool Write(Utf8JsonWriter writer, JsonElement wanted, JsonElement live, List<JsonElement> theirs, string[]? members = null)
    {
        var any = false;
        foreach (var member in live.EnumerateObject())
        {
            if (member.Value.ValueKind != JsonValueKind.Object || members?.Contains(member.Name) == false || theirs.Exists(fields => fields.Child($"f:{member.Name}") is not null))
                continue;
            if (wanted.Child(member.Name) is not { } kept)
            {
                writer.WriteNull(member.Name);
                any = true;
            }
            else if (members is not null)
            {
                writer.WriteStartObject(member.Name);
                any |= Write(writer, kept, member.Value, []);
                writer.WriteEndObject();
            }
        }

        if (any && members is null)
        {
            foreach (var member in wanted.EnumerateObject())
            {
                if (!member.NameEquals("name"u8))
                    member.WriteTo(writer);
            }
        }

        return any;
    }

    private static JsonElement? PodOf(JsonElement deployment) => deployment.Child("spec"u8)?.Child("template"u8)?.Child("spec"u8);
}
