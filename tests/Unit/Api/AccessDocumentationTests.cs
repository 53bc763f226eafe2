using System.Reflection;
using McpOperator.Api;

namespace McpOperator.Unit.Api;

[Trait("Checks", "docs")]
public sealed class AccessDocumentationTests
{
    private static readonly string Document = File.ReadAllText(RepositoryRoot.File("docs/api.md"));

    [Fact]
    public void EveryPhaseAndReasonIsDocumented()
    {
        foreach (var (type, column) in new[] { (typeof(AccessPhase), 1), (typeof(AccessReasons), 2) })
        {
            var documented = Document.Split('\n').Select(line => line.Split(" | ")).Where(cells => cells.Length > column)
                .SelectMany(cells => cells[column - 1].TrimStart('|', ' ').Split(", ")).ToHashSet();
            var constants = type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => $"`{field.GetRawConstantValue()}`");
            Assert.Empty(constants.Except(documented));
        }
    }
}
