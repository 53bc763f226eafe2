using System.Text;
using CsCheck;
using McpOperator.Access;
using McpOperator.Api;

namespace McpOperator.Unit.Access;

public sealed class AccessObjectSizeTests
{
    private static readonly Gen<MCPServer> Server = PolicyGen.Server;

    /// <summary>The bound by which most are never measured, and what was measured against what is written.</summary>
    [Fact]
    public void NoTextIsLongerThanItsParts() => Gen.Select(Server, PolicyGen.Grant.Array[0, 3], PolicyGen.Session.Array[0, 3]).Sample(
        (server, grants, sessions) =>
        {
            var head = AccessObjects.Head(server);
            var size = new AccessObjectSize(head.Team);
            foreach (var grant in grants)
                Assert.True(size.Of(grant) <= size.AtMost(grant));
            foreach (var session in sessions)
                Assert.True(size.Of(session) <= size.AtMost(session));
            var sum = head.Size + grants.Sum(size.Of) + sessions.Sum(size.Of)
                + (grants.Length == 0 ? 0 : AccessObjectSize.OfList("grants")) + (sessions.Length == 0 ? 0 : AccessObjectSize.OfList("sessions"));
            Assert.Equal(Encoding.UTF8.GetByteCount(new PolicyDocument(head, grants, sessions).ToText(DateTimeOffset.UnixEpoch)), sum);
        }, iter: 2_000);

    /// <summary>The longest there is of each character; and the bound is near where there is nothing to escape.</summary>
    [Theory]
    [InlineData("\u0000")]
    [InlineData("<")]
    [InlineData("\"")]
    [InlineData("\u2028")]
    [InlineData("日")]
    [InlineData("😀")]
    [InlineData("\ud800")]
    [InlineData("\u007f")]
    [InlineData("~")]
    [InlineData(" ")]
    public void ACharacterTakesSixBytesAtMost(string text)
    {
        var grant = AccessObjects.Grant("g");
        grant = grant with { Spec = grant.Spec with { Subject = new Subject { HumanID = string.Concat(Enumerable.Repeat(text, 10_000)) } } };
        Assert.True(new AccessObjectSize(null).Of(grant) <= new AccessObjectSize(null).AtMost(grant));
        if (text is "~" or " ")
            Assert.InRange(new AccessObjectSize(null).AtMost(grant) - new AccessObjectSize(null).Of(grant), 0, 100);
    }
}
