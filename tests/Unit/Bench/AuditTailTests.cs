using McpOperator.Testing;
using McpOperator.Unit.Kubernetes;

namespace McpOperator.Unit.Bench;

public sealed class AuditTailTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string Log => Path.Combine(_directory.Path, "audit.log");

    [Fact]
    public void ALineComesOnceAndOnlyWhenItIsWhole()
    {
        var tail = new AuditTail(Log);
        Assert.Empty(tail.Next());

        File.WriteAllText(Log, Line("a") + "\n" + Line("b")[..20]);
        Assert.Equal(["a"], tail.Next().Select(e => e.Name));
        Assert.Empty(tail.Next());

        File.AppendAllText(Log, Line("b")[20..] + "\n" + Line("c") + "\n");
        Assert.Equal(["b", "c"], tail.Next().Select(e => e.Name));
    }

    [Fact]
    public void MoreThanOneReadTakesIsReadToTheEnd()
    {
        var padding = new string('x', 100_000);
        File.WriteAllLines(Log, Enumerable.Range(0, 100).Select(i => Line($"{i}", padding)));

        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{i}"), new AuditTail(Log).Next().Select(e => e.Name));
    }

    [Fact]
    public void ALineLongerThanARead()
    {
        File.WriteAllLines(Log, [Line("a", new string('x', 9 << 20)), Line("b")]);

        Assert.Equal(["a", "b"], new AuditTail(Log).Next().Select(e => e.Name));
    }

    public void Dispose() => _directory.Dispose();

    private static string Line(string name, string padding = "") =>
        $$$"""{"stage":"ResponseComplete","verb":"get","userAgent":"{{{padding}}}","objectRef":{"name":"{{{name}}}"}}""";
}
