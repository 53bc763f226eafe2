using System.Text;
using System.Text.Json;
using CsCheck;
using McpOperator.Kubernetes;
using McpOperator.Unit.Access;
using YamlDotNet.RepresentationModel;

namespace McpOperator.Unit.Kubernetes;

/// <summary>A body must be the same read as JSON, as the fingerprint does, and as YAML, as the API server does.</summary>
public sealed class ApplyBodyTests
{
    private static byte[] Body(string value) => ApplyBody.Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("a", value);
        writer.WriteEndObject();
    });

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("\"\\", "\\\"\\\\")]
    [InlineData("é<'+&日", "é<'+&日")]
    [InlineData("😀\U0010ffff", "😀\U0010ffff")]
    [InlineData("\\ud83d\\ude00", "\\\\ud83d\\\\ude00")]
    [InlineData("\\😀\\", "\\\\😀\\\\")]
    [InlineData("\u0085\u2028\u2029\u007f", "\\u0085\\u2028\\u2029\\u007F")]
    public void Escapes(string value, string written) => Assert.Equal($"{{\"a\":\"{written}\"}}", Encoding.UTF8.GetString(Body(value)));

    [Fact]
    public void ABodyForANewObjectNamesAVersionInItsOwnMetadata() => Assert.Equal(
        """{"spec":{"metadata":{"a":1}},"metadata":{"resourceVersion":"1","name":"web"},"kind":"K"}""",
        Encoding.UTF8.GetString(ApplyBody.ForNew("""{"spec":{"metadata":{"a":1}},"metadata":{"name":"web"},"kind":"K"}"""u8)));

    [Fact]
    public void IsTheSameAsJsonAndAsYaml() => PolicyGen.Text.Sample(value =>
    {
        // Half a surrogate pair is no text: all encoders replace it.
        value = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(value));
        var body = Body(value);
        using var json = JsonDocument.Parse(body);
        Assert.Equal(value, json.RootElement.GetProperty("a").GetString());
        var yaml = new YamlStream();
        yaml.Load(new StringReader(Encoding.UTF8.GetString(body)));
        Assert.Equal(value, yaml.Documents[0].RootNode["a"].ToString());
    }, iter: 1_000);
}
