using System.Globalization;
using System.Text.Json;

namespace McpOperator.Api;

/// <summary>How many pods of a server may be evicted at a time. One of the two, each a number of pods or a percentage.</summary>
internal sealed record DisruptionBudgetConfig
{
    public JsonElement? MinAvailable { get; init; }
    public JsonElement? MaxUnavailable { get; init; }
}

internal static class DisruptionBudgetValidation
{
    private const string Field = "spec.disruptionBudget";

    public static void Check(SpecFaults faults, MCPServerSpec spec)
    {
        if (spec.DisruptionBudget is not { } budget)
            return;
        if (budget.MinAvailable is null == budget.MaxUnavailable is null)
            faults.Add(Field, "must have one of minAvailable and maxUnavailable");
        Amount(faults, $"{Field}.minAvailable", budget.MinAvailable);
        Amount(faults, $"{Field}.maxUnavailable", budget.MaxUnavailable);
    }

    private static void Amount(SpecFaults faults, string field, JsonElement? amount)
    {
        if (amount is not { } value || (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 0))
            return;
        if (value.ValueKind == JsonValueKind.String && value.GetString() is { } text && text.EndsWith('%')
            && int.TryParse(text.AsSpan()[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var share) && share <= 100)
            return;
        faults.Add(field, $"{SpecFaults.Quote(value.ToString())} must be a number of pods or a percentage up to 100%, such as 1 or \"25%\"");
    }
}
