using static McpOperator.Api.FieldValidation;

namespace McpOperator.Api;

/// <summary>The tools of a server, which grants name and gateways decide about.</summary>
internal static class ToolValidation
{
    public static void Check(SpecFaults faults, MCPServerSpec spec)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < (spec.Tools?.Count ?? 0); i++)
        {
            var tool = spec.Tools![i];
            var field = $"spec.tools[{i}]";
            if (string.IsNullOrWhiteSpace(tool.Name))
                faults.Add($"{field}.name", Required);
            else if (!names.TryAdd(tool.Name, field))
                faults.Add($"{field}.name", $"{SpecFaults.Quote(tool.Name)} is the name of {names[tool.Name]} already: tools need names of their own");
            if (string.IsNullOrWhiteSpace(tool.SideEffect))
                faults.Add($"{field}.sideEffect", $"{Required}: one of {Choices(SideEffects)}");
            else
                OneOf(faults, $"{field}.sideEffect", tool.SideEffect, SideEffects);
            OneOf(faults, $"{field}.requiredTrust", tool.RequiredTrust, TrustLevels);
            OneOf(faults, $"{field}.riskLevel", tool.RiskLevel, TrustLevels);
        }
    }
}
