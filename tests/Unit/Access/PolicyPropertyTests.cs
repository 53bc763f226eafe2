using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using McpOperator.Access;

namespace McpOperator.Unit.Access;

/// <summary>The document against a second implementation, and against those who change what is stored.</summary>
public sealed class PolicyPropertyTests
{
    private static readonly DateTimeOffset Time = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly Gen<PolicyDocument> Document = Gen.Select(
        PolicyGen.Server, PolicyGen.Grant.Array[0, 3], PolicyGen.Session.Array[0, 3], Gen.OneOf("", "local", "a&b"),
        (server, grants, sessions, cluster) => AccessObjects.Document(server, grants, sessions, cluster));

    [Fact]
    public void EveryDocumentIsThatOfTheNaiveImplementation() => Gen.Select(
        PolicyGen.Server, PolicyGen.Grant.Array[0, 3], PolicyGen.Session.Array[0, 3], Gen.OneOf("", "local", "a&b")).Sample(
        (server, grants, sessions, cluster) =>
        {
            var (revision, text) = NaivePolicy.Of(server, cluster, grants, sessions, "2026-01-02T03:04:05Z");
            var document = AccessObjects.Document(server, grants, sessions, cluster);
            Assert.Equal(revision, document.Revision);
            Assert.Equal(text, document.ToText(Time));
        }, iter: 500);

    [Fact]
    public void WhatIsStoredIsReadAsWhatWasWritten() => Document.Sample(
        document =>
        {
            Assert.Equal(new StoredPolicy(document.Revision, Time), StoredPolicy.Read(Encoding.UTF8.GetBytes(document.ToText(Time))));
            Assert.Equal(new StoredPolicy(document.Revision, null), StoredPolicy.Read(Encoding.UTF8.GetBytes(document.ToText(null))));
        }, iter: 300);

    /// <summary>One byte is another: nothing of it is kept but where the byte says nothing.</summary>
    [Fact]
    public void WhateverByteIsChangedTheContentThatIsKeptIsTheSame() => Gen.Select(Document, Gen.Int[0, int.MaxValue - 1], Gen.Byte).Sample(
        (document, position, value) =>
        {
            var text = Encoding.UTF8.GetBytes(document.ToText(Time));
            var changed = (byte[])text.Clone();
            changed[position % text.Length] = value;
            if (StoredPolicy.Read(changed) is not { } stored)
                return;
            Assert.Equal(document.Revision, stored.Revision);
            Assert.Equal(Content(text), Content(changed));
        }, iter: 2_000);

    private static string Content(byte[] text)
    {
        var document = JsonNode.Parse(text)!.AsObject();
        document.Remove("generated_at");
        return document.ToJsonString();
    }
}
