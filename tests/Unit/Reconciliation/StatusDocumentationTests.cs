using System.Reflection;
using McpOperator.Api;
using McpOperator.Reconciliation;

namespace McpOperator.Unit.Reconciliation;

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
        foreach (var type in new[] { typeof(Phase), typeof(ConditionTypes), typeof(Reasons), typeof(EventReasons) })
            foreach (var field in type.GetFields(BindingFlags.Public | BindingFlags.Static))
                data.Add((string)field.GetRawConstantValue()!);
        return data;
    }
}
