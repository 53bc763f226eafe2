using McpOperator.Api;

namespace McpOperator.Hosting;

/// <summary>One setting from the environment, with all that reading it and the documentation need.</summary>
/// <param name="Names">The first one of them that is set counts.</param>
/// <param name="Default">As a person would write it; null when there is none.</param>
/// <param name="Meaning">One sentence.</param>
/// <param name="Apply">The settings with the value in them; null when it cannot be read.</param>
internal sealed record SettingsVariable(
    IReadOnlyList<string> Names,
    string? Default,
    string Meaning,
    Func<OperatorSettings, string, OperatorSettings?> Apply)
{
    /// <summary>What a value must be, for the warning about one that is not.</summary>
    public string Rule { get; init; } = "text";

    /// <summary>What it means when it is set, but blank. Null: that it is unset.</summary>
    public Func<OperatorSettings, OperatorSettings>? WhenBlank { get; init; }

    /// <summary>Whether its value must never be shown.</summary>
    public bool Secret { get; init; }
}

/// <summary>A variable whose value could not be read.</summary>
/// <param name="Value">The text <c>withheld</c> when it is secret.</param>
/// <param name="Rule">Completes "must be …".</param>
/// <param name="Default">What is used instead.</param>
internal sealed record SettingsWarning(string Variable, string Value, string Rule, string Default);
