namespace McpOperator.Api;

// Of grants and sessions. The schema fills them in, and the policy when the schema did not; nothing is written back.
public static partial class Defaults
{
    public const string MaxTrust = "low";
    public const string ConsentedTrust = "low";
    public const string RuleDecision = "allow";
    public const string RuleRequiredTrust = "low";
}
