using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace McpOperator.Kubernetes.Types;

/// <summary>intstr.IntOrString: <c>3</c> is written as a number, <c>25%</c> as a string.</summary>
[JsonConverter(typeof(Converter))]
internal readonly record struct IntOrString(string Text)
{
    internal sealed class Converter : JsonConverter<IntOrString>
    {
        public override IntOrString Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("only written, never read");

        public override void Write(Utf8JsonWriter writer, IntOrString value, JsonSerializerOptions options)
        {
            if (int.TryParse(value.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                writer.WriteNumberValue(number);
            else
                writer.WriteStringValue(value.Text);
        }
    }
}
