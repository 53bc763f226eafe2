using System.Text;
using System.Text.Json;
using McpOperator.Kubernetes;
using YamlDotNet.Core;

namespace McpOperator.Unit.Kubernetes;

/// <summary>Every answer here is kubectl's (1.20, <c>kubectl label --local -o json</c>); those of later ones are by the same library.</summary>
public sealed class YamlScalarTests
{
    [Theory]
    [InlineData("true", "y Y yes Yes YES true True TRUE on On ON")]
    [InlineData("false", "n N no No NO false False FALSE off Off OFF")]
    [InlineData("null", "~ null Null NULL")]
    [InlineData("text", "yEs tRue nUll oN Y1 _1 0x 0b 0o 0o8 0b2 +-5 -+5 e1 1e .e3 . - + -- +y = << 1.5.2 1,000 0x1.8p1")]
    [InlineData("text", "2001-12-14 2001-12-14T21:59:43.10-05:00 12:30:45 190:20:30 infinity inf nan NaN 1e400 -1e400 1e309 10m 64Mi 25% v1 1.4.2")]
    public void WhatIsABooleanIsThatToKubectl(string meaning, string scalars) => Assert.All(
        scalars.Split(' '), scalar => Assert.Equal(meaning == "text" ? null : meaning, YamlScalar.Literal(scalar)));

    [Theory]
    [InlineData("31", "0x1F 0X1f 0x1_F 31 +31")]
    [InlineData("15", "0o17 0O17 017 0_17 15 15.0 1.5e1 1.5e+1 15.")]
    [InlineData("3", "0b11 0B11 0b1_1 +0b11 3")]
    [InlineData("1000", "1_000 1__000 1000_ +1_000 1e3 1E3 1e+3 1.e3 1_e3")]
    [InlineData("-1", "-1 -0x1 -0b_1 -01")]
    [InlineData("0", "0 -0 +0 00 -00 -0.0 0.0 0.1e-400")]
    [InlineData("8", "8 08 0_8")]
    [InlineData("0.5", ".5 +.5 0.5 .5_")]
    [InlineData("9.5", "9.5 09.5 9_.5")]
    [InlineData("18446744073709551615", "18446744073709551615")]
    [InlineData("18446744073709551616", "18446744073709551616")]
    [InlineData("-9223372036854775808", "-9223372036854775808")]
    [InlineData("100000000000000000000", "1e20 100000000000000000000")]
    public void WhatIsANumberIsThatToKubectl(string number, string scalars) => Assert.All(
        scalars.Split(' '), scalar => Assert.Equal(number, YamlScalar.Literal(scalar)));

    [Theory]
    [InlineData("[!!str 1, !!int \"1\", !!bool \"yes\", !!null \"\", !foo bar, ! 12, !foo 12, !!timestamp 2001-12-14, !!float \"1e3\", !!binary aGk=, 'yes', \"1\"]",
        """["1",1,true,null,"bar","12","12","2001-12-14",1000,"hi","yes","1"]""")]
    [InlineData("{1: a, 1.5: c, yes: d, 0x10: z, \"on\": v, 2001-12-14: t}", """{"1":"a","1.5":"c","true":"d","16":"z","on":"v","2001-12-14":"t"}""")]
    [InlineData("{m: &m {a: 1, b: {c: 2}}, x: {<<: *m, a: 3}, z: {a: 4, <<: [*m, {z: 1}]}, p: *m, q: {\"<<\": 1}}",
        """{"m":{"a":1,"b":{"c":2}},"x":{"a":3,"b":{"c":2}},"z":{"a":1,"z":1,"b":{"c":2}},"p":{"a":1,"b":{"c":2}},"q":{"<<":1}}""")]
    [InlineData("{a: .nan}", null)]
    [InlineData("{a: -.inf}", null)]
    [InlineData("{a: !!int x}", null)]
    [InlineData("{a: !!int 1.5}", null)]
    [InlineData("{a: !!binary a}", null)]
    [InlineData("{? [a] : b}", null)]
    [InlineData("{? {a: b} : c}", null)]
    [InlineData("{null: b}", null)]
    [InlineData("{<<: 3}", null)]
    [InlineData("{<<: [[{a: 1}]]}", null)]
    [InlineData("*u", null)]
    [InlineData("&a [*a]", null)]
    [InlineData("&a {b: {c: *a}}", null)]
    [InlineData("{a: 1, a: 2}", null)]
    public void TagsKeysAndMergesAreKubectls(string yaml, string? json)
    {
        if (json is null)
            Assert.ThrowsAny<YamlException>(() => Json(yaml));
        else
            Assert.Equal(JsonSerializer.Serialize(JsonDocument.Parse(json)), Json(yaml));
    }

    [Fact]
    public void ABombOfAliasesIsRefusedAndNotWrittenOut()
    {
        var yaml = new StringBuilder("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for (var i = 1; i < 30; i++)
            yaml.Append($"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 10))}]\n");
        Assert.Contains("larger than an API server takes", Assert.Throws<YamlException>(() => Json(yaml.ToString())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ABombOfMergesIsRefusedToo()
    {
        var yaml = new StringBuilder("a0: &a0 {x: 1, y: 2}\n");
        for (var i = 1; i < 60; i++)
            yaml.Append($"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}], k{i}: 1}}\n");
        Assert.Contains("\"k59\":1", Json(yaml.ToString()), StringComparison.Ordinal); // each map once: no bomb
        yaml.Clear().Append("a: &a {").AppendJoin(',', Enumerable.Range(0, 2000).Select(i => $"k{i}: 1")).Append("}\nb: {<<: [")
            .AppendJoin(',', Enumerable.Repeat("*a", 2000)).Append("]}\n");
        Assert.Contains("too much", Assert.Throws<YamlException>(() => Json(yaml.ToString())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[", "")]
    [InlineData("{a: ", "")]
    public void DepthHasAnEnd(string open, string close)
    {
        Assert.Contains("deep", Assert.ThrowsAny<YamlException>(() => Json(string.Concat(Enumerable.Repeat(open, 100_000)) + close)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AChainOfAnchorsIsNoWayAroundIt()
    {
        var yaml = new StringBuilder("a0: &a0 [x]\n");
        for (var i = 1; i < 20_000; i++)
            yaml.Append($"a{i}: &a{i} [*a{i - 1}]\n");
        Assert.ThrowsAny<YamlException>(() => Json(yaml.ToString()));
    }

    private static string Json(string yaml)
    {
        using var document = JsonDocument.Parse(YamlJson.Of(YamlReader.Read(new StringReader(yaml))!), JsonLimits.Document);
        return JsonSerializer.Serialize(document);
    }
}
