using System.Text;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Kubernetes;

public sealed class StringPoolTests
{
    [Theory]
    [InlineData("mcp-servers")]
    [InlineData("日本 é 😀")]
    public void EqualTextsAreOneString(string text)
    {
        var first = StringPool.Intern(Encoding.UTF8.GetBytes(text));

        Assert.Equal(text, first);
        Assert.Same(first, StringPool.Intern(Encoding.UTF8.GetBytes(text)));
    }

    [Fact]
    public void NoTextIsMistakenForAnother()
    {
        // Many more than there are slots.
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 50_000; i++)
            {
                var text = $"name-{i}";
                Assert.Equal(text, StringPool.Intern(Encoding.UTF8.GetBytes(text)));
            }
        }
    }

    [Fact]
    public void NothingAndMuchAreNotKept()
    {
        var much = new byte[1000];
        much.AsSpan().Fill((byte)'x');

        Assert.Equal("", StringPool.Intern([]));
        Assert.Equal(new string('x', 1000), StringPool.Intern(much));
        Assert.NotSame(StringPool.Intern(much), StringPool.Intern(much));
    }

    [Fact]
    public void WhatIsNoUtf8IsReadAsAnywhere() =>
        Assert.Equal("\ufffd", StringPool.Intern([0xFF]));
}
