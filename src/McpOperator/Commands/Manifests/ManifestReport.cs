using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using McpOperator.Hosting;

namespace McpOperator.Commands.Manifests;

/// <summary>How faults are printed.</summary>
internal static class ManifestReport
{
    /// <summary>One line each; warnings apart.</summary>
    public static void WriteText(TextWriter output, TextWriter error, IEnumerable<ManifestFault> faults)
    {
        foreach (var fault in faults)
        {
            if (fault.IsWarning)
                error.WriteLine($"warning: {Printable.Escape(fault.ToString())}");
            else
                output.WriteLine(Printable.Escape(fault.ToString()));
        }
    }

    /// <summary>As kubectl prints several objects.</summary>
    public static void WriteList(TextWriter output, IEnumerable<JsonElement> items)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("apiVersion"u8, "v1"u8);
            json.WriteString("kind"u8, "List"u8);
            json.WriteStartArray("items"u8);
            foreach (var item in items)
                item.WriteTo(json);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        output.WriteLine(Visible(Encoding.UTF8.GetString(buffer.WrittenSpan)));
    }

    /// <summary>One array, warnings among the rest.</summary>
    public static void WriteJson(TextWriter output, IEnumerable<ManifestFault> faults)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartArray();
            foreach (var fault in faults)
            {
                json.WriteStartObject();
                json.WriteString("file"u8, Printable.Escape(fault.Source.File));
                json.WriteNumber("document"u8, fault.Source.Document);
                json.WriteNumber("line"u8, fault.Source.Line);
                json.WriteString("kind"u8, Printable.Escape(fault.Kind));
                json.WriteString("namespace"u8, Printable.Escape(fault.Key.Namespace ?? ""));
                json.WriteString("name"u8, Printable.Escape(fault.Key.Name ?? ""));
                json.WriteString("field"u8, Printable.Escape(fault.Field));
                json.WriteString("message"u8, Printable.Escape(fault.Message));
                json.WriteString("severity"u8, fault.IsWarning ? "warning"u8 : "error"u8);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }

        output.WriteLine(Visible(Encoding.UTF8.GetString(buffer.WrittenSpan)));
    }

    /// <summary>JSON in which nothing but a string has other characters than those of ASCII: in a string each may be escaped.</summary>
    private static string Visible(string json)
    {
        if (!json.EnumerateRunes().Any(IsHidden))
            return json;
        var visible = new StringBuilder(json.Length + 64);
        foreach (var rune in json.EnumerateRunes())
        {
            if (!IsHidden(rune))
            {
                visible.Append(rune);
                continue;
            }

            foreach (var unit in rune.ToString())
                visible.Append(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}");
        }

        return visible.ToString();

        static bool IsHidden(Rune rune) => rune.Value > '~' && YamlWriter.IsInvisible(rune);
    }
}
