using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using McpOperator.Commands.Manifests;
using McpOperator.Kubernetes;
using YamlDotNet.RepresentationModel;

namespace McpOperator.Unit.Commands.Manifests;

public sealed class YamlWriterTests
{
    /// <summary>Pieces of which readers of YAML make something else, in any combination.</summary>
    private static readonly Gen<string> Text = Gen.Frequency(
        (4, Gen.OneOf(
            "", "yes", "No", "on", "y", "true", "NULL", "~", "1e3", "0x1", "1_000", "0o7", "0b1", "017", "12:30:45", "190:20:30", "2001-12-14", "2001-1-1 2:3:4", ".5", "+1",
            "-", "--- a", "...", "- a", "? a", ": a", "a: b", "a:b", "a #b", "a#b", "#a", "a:", " a", "a ", "\ta", "a\t", "a\tb", "[a", "{a", "a]", "a,b", "&a", "*a", "!a", "|", ">",
            "'a'", "\"a\"", "%a", "@a", "`a", "=", "<<", "<", ".inf", "-.INF", ".nan", "1e400", "1.2.3", "25%", "50m", "64Mi", "a\nb", "a\nb\n", "a\n\nb", "a\n\n", "\na", "a\r\nb",
            "a \nb", "a\n  b", "  a\nb", "#a\nb", "a\n#b", "a\n---\nb", "a\u0085b", "a\u2028b", "\ufeffa", "a\u202eb", "\u0007", "\u007f", "\ud83d\ude00", "\\", "a\\nb", "/", "null\n", "\t\n", "0", "08", "0.", "1.", ".", "._", "1_", "_1", "+", "+.", "0x", "0xg", "1e", "1e+", "1ee")),
        (3, Gen.String[Gen.OneOf("ab01-:#,[]{}'\"\\|>&*!%@`?=~<. _\t\n\r+eExXoON\u00e9\u2028\u0085\u0000\ufeff".ToCharArray()), 0, 8]),
        (1, Gen.String[Gen.Char['a', 'z'], 1, 1200]));

    private static readonly Gen<string> Number = Gen.OneOf(
        Gen.Int.Select(n => n.ToString(System.Globalization.CultureInfo.InvariantCulture)),
        Gen.OneOf("1e3", "1E3", "1e-3", "1.5e10", "-2.5E+3", "0.1", "-0.25", "9223372036854775807", "1e20"));

    private static readonly Gen<JsonNode?> Json = Gen.Recursive<JsonNode?>((depth, self) => depth > 4
        ? Text.Select(text => (JsonNode?)JsonValue.Create(text))
        : Gen.Frequency(
            (5, Text.Select(text => (JsonNode?)JsonValue.Create(text))),
            (2, Number.Select(number => JsonNode.Parse(number))),
            (1, Gen.OneOf("true", "false", "null", "{}", "[]").Select(literal => JsonNode.Parse(literal))),
            (2, self.Array[0, 4].Select(items => (JsonNode?)new JsonArray([.. items.Select(item => item?.DeepClone())]))),
            (3, Gen.Select(Text, self).Array[0, 4].Select(members => (JsonNode?)new JsonObject(
                members.DistinctBy(member => member.Item1).Select(member => KeyValuePair.Create(member.Item1, member.Item2?.DeepClone())))))));

    [Fact]
    public void WhatWasWrittenIsReadAgain() => Json.Sample(
        json =>
        {
            var yaml = Write(json);
            Assert.Equal(Canonical(json), Canonical(Read(yaml)));
            Assert.Equal(yaml, Write(json?.DeepClone()));
        },
        iter: 20_000);

    /// <summary>YamlDotNet's own model, which knows nothing of numbers: every text must be there, and its quotes tell it from others.</summary>
    [Fact]
    public void AnotherReaderFindsTheSameTexts() => Text.Sample(
        text =>
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(Write(new JsonObject { ["a"] = text, ["b"] = new JsonArray(text, new JsonObject { ["c"] = text }) })));
            var root = stream.Documents[0].RootNode;
            Assert.Equal(text, ((YamlScalarNode)root["a"]).Value);
            Assert.Equal(text, ((YamlScalarNode)root["b"][0]).Value);
            Assert.Equal(text, ((YamlScalarNode)root["b"][1]["c"]).Value);
        },
        iter: 20_000);

    /// <summary>kubectl, where it is at hand: beside the API server's binary.</summary>
    [Fact]
    public async Task KubectlReadsTheSameWhereItIsAtHand()
    {
        var kubectl = Path.Combine(Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS") ?? "", "kubectl");
        Assert.SkipUnless(File.Exists(kubectl), "needs KUBEBUILDER_ASSETS");
        List<JsonNode> written = [];
        Json.Sample(json => { lock (written) { written.Add(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "X", ["metadata"] = new JsonObject { ["name"] = "x" }, ["a"] = json?.DeepClone() }); } }, iter: 1000);
        var start = new ProcessStartInfo(kubectl, ["label", "--local", "-o", "json", "-f", "-", "k=v"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        foreach (var json in written)
            await process.StandardInput.WriteAsync("---\n" + Write(json));
        process.StandardInput.Close();
        Assert.Equal("", await error);

        var read = new List<string>();
        foreach (var text in (await output).Split("\n}\n", StringSplitOptions.RemoveEmptyEntries))
            read.Add(Sorted(JsonNode.Parse(text + "\n}")!["a"]));
        Assert.Equal(written.Select(json => Sorted(json["a"])), read);

        static string Sorted(JsonNode? json) => Canonical(Ordered(json));

        static JsonNode? Ordered(JsonNode? json) => json switch
        {
            JsonObject members => new JsonObject(members.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => KeyValuePair.Create(member.Key, Ordered(member.Value)))),
            JsonArray items => new JsonArray([.. items.Select(Ordered)]),
            _ => json?.DeepClone(),
        };
    }

    [Theory]
    [InlineData("yes no on off y n true False ~ null NULL 1 -1 +1 1.5 .5 5. 1e3 1E+3 0x1 0o7 0b1 017 1_000 1,000 12:30:45 2001-12-14 2001-12-14T01:02:03Z 1e400 .inf -.Inf .NaN = <<", true)]
    [InlineData("a Yes1 nope 10m 64Mi 25% 1.4.2 v1 ghcr.io/a/b:1.2 http://x:80/y 10s a:b a#b x=y 1.2.3.4 sha256:0123 a,b 0xyz 8080/tcp _1 é a]b a}b a'b a\"b a*b a&b 24h 1h30m", false)]
    public void QuotesStandExactlyWhereAReaderCouldTakeATextForSomethingElse(string texts, bool quoted) =>
        Assert.All(texts.Split(' '), text => Assert.Equal(quoted ? $"\"{text}\"\n" : $"{text}\n", Write(JsonValue.Create(text))));

    [Fact]
    public void TheLayoutIsKubectls() => Assert.Equal(
        """
        apiVersion: v1
        list:
        - a
        - b: 1
          c:
          - - 1
            - {}
          - []
        empty: {}
        "yes": "no"
        text: |-
          {
            "a": 1
          }
        more: |
          x

          y
        quoted: "a\tb\r\n"
        items:
        - |-
          a
          b
        number: 1.0e+3
        none: null

        """,
        Write(JsonNode.Parse("""
            {"apiVersion":"v1","list":["a",{"b":1,"c":[[1,{}],[]]}],"empty":{},"yes":"no","text":"{\n  \"a\": 1\n}","more":"x\n\ny\n","quoted":"a\tb\r\n","items":["a\nb"],"number":1e3,"none":null}
            """)));

    private static string Write(JsonNode? json)
    {
        using var document = JsonDocument.Parse(json?.ToJsonString() ?? "null");
        return YamlWriter.Document(document.RootElement);
    }

    private static JsonNode? Read(string yaml) => JsonNode.Parse(YamlJson.Of(YamlReader.Read(new StringReader(yaml))!).Span);

    /// <summary>Numbers by their value; the rest as it is, order included.</summary>
    private static string Canonical(JsonNode? json)
    {
        var text = new StringBuilder();
        Append(json);
        return text.ToString();

        void Append(JsonNode? node)
        {
            switch (node)
            {
                case JsonObject members:
                    text.Append('{');
                    foreach (var (name, value) in members)
                    {
                        text.Append(JsonSerializer.Serialize(name)).Append(':');
                        Append(value);
                        text.Append(',');
                    }
                    text.Append('}');
                    break;
                case JsonArray items:
                    text.Append('[');
                    foreach (var item in items)
                    {
                        Append(item);
                        text.Append(',');
                    }
                    text.Append(']');
                    break;
                case JsonValue value when value.GetValueKind() == JsonValueKind.Number:
                    text.Append(double.Parse(value.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture));
                    break;
                default:
                    text.Append(node?.ToJsonString() ?? "null");
                    break;
            }
        }
    }
}
