using System.Text.Json;
using System.Text.RegularExpressions;
using McpOperator.Api;
using McpOperator.Unit.Access;

namespace McpOperator.Unit.Api;

/// <summary>Tables of specs, each a merge over a valid one, with the faults that it must have.</summary>
public sealed partial class AccessValidationTests
{
    private static T Decode<T>(string spec, Func<JsonElement, T> decode, string name = "g")
    {
        using var document = JsonDocument.Parse($$"""{"metadata":{"name":"{{name}}","namespace":"team"},"spec":{{spec}}}""");
        return decode(document.RootElement);
    }

    // A later member of the same name wins.
    private static IReadOnlyList<SpecFault> OfGrant(string fields) => Validation.Validate(
        Decode($$"""{"serverRef":{"name":"demo"},"subject":{}{{fields}}}""", AccessObjects.AsGrant));

    private static IReadOnlyList<SpecFault> OfSession(string fields) => Validation.Validate(
        Decode($$"""{"serverRef":{"name":"demo"},"subject":{"humanID":"h"}{{fields}}}""", AccessObjects.AsSession));

    private static readonly string Long = new('x', 129);

    private static string Times(int count, string text = "x") => string.Concat(Enumerable.Repeat(text, count));

    private static string Rules(int count) => string.Join(',', Enumerable.Range(0, count).Select(i => $$"""{"name":"t{{i}}"}"""));

    /// <summary>Fields of both kinds, and the fields with faults; none for a valid spec.</summary>
    public static TheoryData<string, string[]> Common => new()
    {
        { "", [] },
        { ""","serverRef":{"name":"demo","namespace":"servers"}""", [] },
        { ""","serverRef":{"name":"demo","namespace":" "}""", [] },
        { ""","serverRef":{}""", ["spec.serverRef.name"] },
        { ""","serverRef":null""", ["spec.serverRef.name"] },
        { ""","serverRef":{"name":" "}""", ["spec.serverRef.name"] },
        { ""","serverRef":{"name":"Demo","namespace":"a.b"}""", ["spec.serverRef.name", "spec.serverRef.namespace"] },
        { ""","serverRef":{"name":"demo "}""", ["spec.serverRef.name"] },
        { ""","serverRef":"demo" """, ["spec.serverRef"] },
        { ""","subject":null""", ["spec.subject"] },
        { ""","subject":{"humanID":"Ann Lee <ann@example.com>","agentID":"a","teamID":"t"}""", [] },
        { ""","subject":{"humanID":" h","agentID":"a\n"}""", ["spec.subject.humanID", "spec.subject.agentID"] },
        { ""","subject":{"humanID":" ","agentID":"a\u0001b"}""", ["spec.subject.humanID", "spec.subject.agentID"] },
        { ""","subject":{"humanID":"h","teamID":" "}""", [] },
        { ""","subject":{"humanID":"h","teamID":"a b"}""", ["spec.subject.teamID"] },
        { $$""","subject":{"humanID":"h","teamID":"{{Long}}"}""", ["spec.subject.teamID"] },
        { ""","policyVersion":"v2" """, [] },
        // Characters are counted as an API server does it: each of these is two in UTF-16.
        { $$""","policyVersion":"{{Times(253, "😀")}}" """, [] },
        { $$""","policyVersion":"{{Times(254)}}" """, ["spec.policyVersion"] },
        { $$""","subject":{"humanID":"{{Times(2048)}}","agentID":"{{Times(2048, "😀")}}"}""", [] },
        { $$""","subject":{"humanID":"{{Times(2049)}}","agentID":"{{Times(2049, "é")}}"}""", ["spec.subject.humanID", "spec.subject.agentID"] },
        { $$""","serverRef":{"name":"{{Times(63)}}","namespace":"{{Times(63)}}"}""", [] },
        { $$""","serverRef":{"name":"{{Times(64)}}","namespace":"{{Times(64)}}"}""", ["spec.serverRef.name", "spec.serverRef.namespace"] },
        { ""","unknown":{"x":[null]}""", [] },
    };

    public static TheoryData<string, string[]> Grants => new()
    {
        { ""","subject":{"teamID":"t"}""", [] },
        { ""","maxTrust":"high","allowedSideEffects":["read","write","destructive","read"],"disabled":true""", [] },
        { ""","maxTrust":"" """, [] },
        { ""","maxTrust":"High" """, ["spec.maxTrust"] },
        { ""","allowedSideEffects":["read","all",""," "]""", ["spec.allowedSideEffects[1]", "spec.allowedSideEffects[2]", "spec.allowedSideEffects[3]"] },
        { ""","allowedSideEffects":["read",null]""", ["spec.allowedSideEffects[1]"] },
        { ""","disabled":"true" """, ["spec.disabled"] },
        { ""","toolRules":[{"name":"a"},{"name":"A","decision":"deny","requiredTrust":"medium"},{"name":"b","decision":""}]""", [] },
        { ""","toolRules":[{"decision":"allow"},{"name":" "},{"name":"a"},{"name":"a"}]""", ["spec.toolRules[0].name", "spec.toolRules[1].name", "spec.toolRules[3].name"] },
        { ""","toolRules":[{"name":"a","decision":"maybe","requiredTrust":"none"}]""", ["spec.toolRules[0].decision", "spec.toolRules[0].requiredTrust"] },
        { ""","toolRules":["a"]""", ["spec.toolRules[0]"] },
        { $$""","toolRules":[{{Rules(256)}}]""", [] },
        { $$""","toolRules":[{{Rules(257)}}]""", ["spec.toolRules"] },
        // What is beyond the bound is not looked at.
        { $$""","toolRules":[{{Rules(256)}},{},{},{}]""", ["spec.toolRules"] },
        { $$""","toolRules":[{"name":"{{Times(253)}}"},{"name":"{{Times(254)}}"}]""", ["spec.toolRules[1].name"] },
        { $$""","allowedSideEffects":["read"{{Times(15, ",\"read\"")}}]""", [] },
        { $$""","allowedSideEffects":["read"{{Times(16, ",\"read\"")}}]""", ["spec.allowedSideEffects"] },
    };

    public static TheoryData<string, string[]> Sessions => new()
    {
        { ""","subject":{"agentID":"a"}""", [] },
        { ""","subject":{}""", ["spec.subject"] },
        { ""","subject":{"humanID":"","teamID":"t"}""", [] },
        { ""","subject":{"humanID":"","teamID":" "}""", ["spec.subject"] },
        { ""","consentedTrust":"medium","revoked":true""", [] },
        { ""","consentedTrust":"total" """, ["spec.consentedTrust"] },
        { ""","revoked":"no" """, ["spec.revoked"] },
        { ""","expiresAt":"2020-03-26T12:00:00Z" """, [] },
        { ""","expiresAt":"2020-03-26T12:00:00.123456789+02:00" """, [] },
        { ""","expiresAt":"2020-03-26" """, ["spec.expiresAt"] },
        { ""","expiresAt":"2020-03-26T12:00:00" """, ["spec.expiresAt"] },
        { ""","expiresAt":"" """, ["spec.expiresAt"] },
        { ""","expiresAt":1585224000""", ["spec.expiresAt"] },
        { ""","upstreamTokenSecretRef":{"name":"s","key":"k"}""", [] },
        { ""","upstreamTokenSecretRef":{}""", ["spec.upstreamTokenSecretRef.name", "spec.upstreamTokenSecretRef.key"] },
        { $$""","upstreamTokenSecretRef":{"name":"{{Times(253)}}","key":"{{Times(253)}}"}""", [] },
        { $$""","upstreamTokenSecretRef":{"name":"{{Times(254)}}","key":"{{Times(254)}}"}""", ["spec.upstreamTokenSecretRef.name", "spec.upstreamTokenSecretRef.key"] },
        { ""","upstreamTokenSecretRef":{"name":"S","key":"k/"}""", ["spec.upstreamTokenSecretRef.name", "spec.upstreamTokenSecretRef.key"] },
    };

    [Theory]
    [MemberData(nameof(Common))]
    [MemberData(nameof(Grants))]
    public void NamesEachFieldOfAGrantWithAFault(string fields, string[] faulty) => Are(faulty, OfGrant(fields));

    [Theory]
    [MemberData(nameof(Common))]
    [MemberData(nameof(Sessions))]
    public void NamesEachFieldOfASessionWithAFault(string fields, string[] faulty) => Are(faulty, OfSession(fields));

    private static void Are(string[] faulty, IReadOnlyList<SpecFault> faults)
    {
        Assert.Equal(faulty.Order(), faults.Select(fault => fault.Field).Order());
        Assert.All(faults, fault =>
        {
            Assert.True(fault.Reason.Length is > 5 and < 300, fault.Reason);
            Assert.DoesNotContain(fault.Reason, char.IsControl);
        });
    }

    [Fact]
    public void EveryFieldHasACaseThatBreaksIt()
    {
        Assert.Empty(Unbroken("mcpaccessgrants", Common.Concat(Grants)));
        Assert.Empty(Unbroken("mcpagentsessions", Common.Concat(Sessions)));

        static IEnumerable<string> Unbroken(string kind, IEnumerable<TheoryDataRow<string, string[]>> rows)
        {
            var broken = rows.SelectMany(row => row.Data.Item2).Select(field => Index().Replace(field, "[]")).ToHashSet();
            return Crd.Load(kind).Leaves("spec").Where(leaf => !broken.Contains(leaf) && !broken.Contains(leaf + "[]"));
        }
    }

    [GeneratedRegex(@"\[\d+\]")]
    private static partial Regex Index();

    [Theory]
    [InlineData("a.b-1", true)]
    [InlineData("1", true)]
    [InlineData("", false)]
    [InlineData("A", false)]
    public void TheNameIsThatOfAnObject(string name, bool valid)
    {
        const string spec = """{"serverRef":{"name":"demo"},"subject":{"humanID":"h"}}""";
        string[] faults = valid ? [] : ["metadata.name"];
        Assert.Equal(faults, Validation.Validate(Decode(spec, AccessObjects.AsGrant, name)).Select(fault => fault.Field));
        Assert.Equal(faults, Validation.Validate(Decode(spec, AccessObjects.AsSession, name)).Select(fault => fault.Field));
    }

    [Fact]
    public void AFaultSaysWhatToWrite()
    {
        Assert.Equal(
            "spec.toolRules: must not have more than 256 items: it has 300", OfGrant($$""","toolRules":[{{Rules(300)}}]""").Single().ToString());
        Assert.Equal(
            "spec.policyVersion: must not be longer than 253 characters", OfGrant($$""","policyVersion":"{{Times(300)}}" """).Single().ToString());
        Assert.Equal("spec.expiresAt: \"tomorrow\" is no time: write it as 2026-03-26T12:00:00Z", OfSession(""","expiresAt":"tomorrow" """).Single().ToString());
        Assert.Equal("spec.subject: must name a humanID, an agentID or a teamID: a session is somebody's", OfSession(""","subject":{}""").Single().ToString());
        Assert.Equal(
            "spec.toolRules[1].name: \"t\" has a rule in spec.toolRules[0] already: remove one of them",
            OfGrant(""","toolRules":[{"name":"t"},{"name":"t"}]""").Single().ToString());
    }
}
