using System.Globalization;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Mirror;
using McpOperator.Servers.Diagnosis;

namespace McpOperator.Servers.Readiness;

/// <summary>What the status tells of a server that is asked.</summary>
/// <param name="Ready">Counts for the readiness of the whole.</param>
/// <param name="Info">Null before its first answer.</param>
/// <param name="Tools">Counts for nothing; null without tools in the spec.</param>
internal sealed record McpReport(ComponentCondition Ready, McpInfo? Info, ToolsCondition? Tools)
{
    private const int MostNames = 10;

    public static ComponentCondition Condition(bool isReady, string reason, string message) => new(ConditionTypes.McpReady, "MCP", isReady, reason, message);

    /// <summary>Compares the tools of the spec with those that the server lists. Pure.</summary>
    public static ToolsCondition Compare(IReadOnlyList<ToolConfig> wanted, McpTools tools)
    {
        if (tools.Names is not { } names)
            return ToolsCondition.Unknown(tools.Reason, tools.Message);
        var (specified, listed) = (wanted.Select(static tool => tool.Name ?? "").ToHashSet(StringComparer.Ordinal), names.ToHashSet(StringComparer.Ordinal));
        var missing = Names(specified.Except(listed));
        var unknown = Names(listed.Except(specified));
        List<string> parts = [];
        if (missing.Length > 0)
            parts.Add($"the server does not list {missing}");
        if (unknown.Length > 0)
            parts.Add($"spec.tools does not have {unknown}");
        return parts.Count == 0
            ? new ToolsCondition("True", Reasons.ToolsMatched, "the server lists the tools of spec.tools, and no others")
            : new ToolsCondition("False", Reasons.ToolsDiffer, string.Join("; ", parts));
    }

    private static string Names(IEnumerable<string> names)
    {
        var all = names.Order(StringComparer.Ordinal).ToList();
        var told = string.Join(", ", all.Take(MostNames).Select(ForeignText.Clean));
        return all.Count <= MostNames ? told : string.Create(CultureInfo.InvariantCulture, $"{told} and {all.Count - MostNames} more");
    }
}

/// <param name="Status">True, False, or Unknown where there is nothing to compare with.</param>
internal sealed record ToolsCondition(string Status, string Reason, string Message)
{
    public static ToolsCondition Unknown(string reason, string message) => new("Unknown", reason, message);
}
