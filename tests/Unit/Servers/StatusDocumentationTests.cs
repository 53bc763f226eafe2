using System.Reflection;
using McpOperator.Api;
using McpOperator.Apply;

namespace McpOperator.Unit.Servers;

[Trait("Checks", "docs")]
public sealed class StatusDocumentationTests
{
    private static readonly string Document = File.ReadAllText(RepositoryRoot.File("docs/status.md"));

    [Theory]
    [MemberData(nameof(Constants))]
    public void EveryPhaseConditionAndReasonIsDocumented(string constant) =>
        Assert.Contains($"| `{constant}` |", Document, StringComparison.Ordinal);

    public static TheoryData<string> Constants()
    {
        var data = new TheoryData<string>();
        foreach (var type in new[] { typeof(Phase), typeof(ConditionTypes), typeof(Reasons), typeof(Problem), typeof(EventReasons) })
            foreach (var field in type.GetFields(BindingFlags.Public | BindingFlags.Static))
                data.Add((string)field.GetRawConstantValue()!);
        return data;
    }
}
