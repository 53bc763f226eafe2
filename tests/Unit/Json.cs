using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpOperator.Unit;

internal static class Json
{
    public static JsonElement Element(string json) => JsonDocument.Parse(json).RootElement;

    /// <summary>Compares as JSON, so that neither white space nor the order of properties matters.</summary>
    public static void AssertEqual(string expected, byte[] actual)
    {
        var (wanted, got) = (JsonNode.Parse(expected), JsonNode.Parse(actual));
        if (!JsonNode.DeepEquals(wanted, got))
            Assert.Equal(wanted!.ToJsonString(), got!.ToJsonString());
    }
}
