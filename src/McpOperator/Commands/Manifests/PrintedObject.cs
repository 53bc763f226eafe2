using System.Buffers;
using System.Text.Json;
using McpOperator.Kubernetes;

namespace McpOperator.Commands.Manifests;

/// <summary>An object as people read it: what it is first, and nothing that an API server writes by itself.</summary>
internal static class PrintedObject
{
    // In the order in which people expect them.
    private static readonly string[] First = ["apiVersion", "kind", "metadata"];

    private static readonly string[] Bookkeeping = ["creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"];

    public static JsonElement Of(JsonElement json)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { MaxDepth = JsonLimits.Document.MaxDepth }))
        {
            writer.WriteStartObject();
            foreach (var name in First)
            {
                if (!json.TryGetProperty(name, out var member))
                    continue;
                writer.WritePropertyName(name);
                if (member.ValueKind != JsonValueKind.Object)
                {
                    member.WriteTo(writer);
                    continue;
                }

                writer.WriteStartObject();
                WriteWithout(Bookkeeping, member, writer);
                writer.WriteEndObject();
            }

            WriteWithout([.. First, "status"], json, writer);
            writer.WriteEndObject();
        }

        return JsonDocument.Parse(buffer.WrittenMemory, JsonLimits.Document).RootElement;
    }

    private static void WriteWithout(string[] names, JsonElement json, Utf8JsonWriter writer)
    {
        foreach (var member in json.EnumerateObject())
        {
            if (!names.Contains(member.Name))
                member.WriteTo(writer);
        }
    }
}
