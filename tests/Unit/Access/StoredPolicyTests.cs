using System.Text;
using McpOperator.Access;

namespace McpOperator.Unit.Access;

public sealed class StoredPolicyTests
{
    private static readonly DateTimeOffset Time = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly PolicyDocument Document = AccessObjects.Document(
        AccessObjects.Server("""{"teamID":"t","session":{"required":true},"tools":[{"name":"a<b","description":"Ä \u2028"}]}"""),
        [AccessObjects.Grant("g", fields: """ "maxTrust":"low","disabled":true """)], [AccessObjects.Session("s")]);

    private static readonly string Text = Document.ToText(Time);

    private static StoredPolicy? Read(string text) => StoredPolicy.Read(Encoding.UTF8.GetBytes(text));

    [Fact]
    public void ItsOwnTextIsKept() => Assert.Equal(new StoredPolicy(Document.Revision, Time), Read(Text));

    /// <summary>The same document, spelt in another way: what a gateway makes of it has the same hash.</summary>
    [Theory]
    [InlineData("\n", "")]
    [InlineData("\n", "\r\n\t ")]
    [InlineData("a\\u003cb", "a<b")]
    [InlineData("a\\u003cb", "\\u0061\\u003Cb")]
    [InlineData("Ä", "\\u00c4")]
    [InlineData("\"generated_at\": \"2026-01-02T03:04:05Z\",", "")]
    [InlineData("2026-01-02T03:04:05Z", "2031-01-02T03:04:05Z")]
    public void AnotherSpellingIsStillTheDocument(string part, string other)
    {
        Assert.Contains(part, Text, StringComparison.Ordinal);
        Assert.Equal(Document.Revision, Read(Text.Replace(part, other, StringComparison.Ordinal))?.Revision);
    }

    [Theory]
    [InlineData("\"max_trust\": \"low\"", "\"max_trust\": \"high\"")]
    [InlineData("\"disabled\": true", "\"disabled\": false")]
    [InlineData("\"disabled\": true", "\"disabled\": 1")]
    [InlineData("\"disabled\": true", "\"disabled\": null")]
    [InlineData(",\n      \"disabled\": true", "")]
    [InlineData("\"disabled\": true", "\"disabled\": true, \"more\": true")]
    [InlineData("\"grants\":", "\"Grants\":")]
    [InlineData("\"team_id\": \"t\"", "\"team_id\": \"\"")]
    [InlineData("\"name\": \"s\"", "\"name\": \"\\ud800\"")]
    [InlineData("\"schema_version\": \"v1\",", "")]
    [InlineData("\"schema_version\": \"v1\",", "\"schema_version\": \"v1\", \"schema_version\": \"v1\",")]
    [InlineData("\"server\":", "\"revision\": \"\", \"server\":")]
    [InlineData("\"server\":", "\"generated_at\": \"2026-01-02T03:04:05Z\", \"server\":")]
    [InlineData("2026-01-02T03:04:05Z", "yesterday")]
    [InlineData("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z")]
    [InlineData("2026-01-02T03:04:05Z", "2026-01-02T04:04:05+01:00")]
    [InlineData("\"2026-01-02T03:04:05Z\"", "5")]
    [InlineData("sha256:", "sha256:0")]
    [InlineData("sha256:", "SHA256:")]
    public void WhatWasTamperedWithIsNot(string part, string other)
    {
        Assert.Contains(part, Text, StringComparison.Ordinal);
        Assert.Null(Read(Text.Replace(part, other, StringComparison.Ordinal)));
    }

    /// <summary>Whoever can write a document can give it a hash that fits. It is the revision that tells it from ours.</summary>
    [Fact]
    public void AnotherDocumentHasAnotherRevision()
    {
        var other = AccessObjects.Document(AccessObjects.Server(), [AccessObjects.Grant("g", fields: """ "maxTrust":"high" """)]);
        Assert.NotEqual(Document.Revision, Read(other.ToText(Time))!.Revision);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("5")]
    [InlineData("{")]
    [InlineData("{\"revision\":")]
    [InlineData("{\"revision\":5}")]
    [InlineData("{\"generated_at\":5}")]
    [InlineData("not even JSON")]
    [InlineData("\ufeff{}")]
    public void WhatIsNoPolicyIsNoneOfOurs(string text) => Assert.Null(Read(text));

    [Fact]
    public void NothingAfterItAndNoBytesThatAreNoText()
    {
        Assert.Null(Read(Text + "{}"));
        Assert.Null(StoredPolicy.Read([.. Encoding.UTF8.GetBytes("{\"revision\":\""), 0xff, (byte)'"', (byte)'}']));
        Assert.Null(Read(string.Concat(Enumerable.Repeat("[", 5000))));
    }
}
