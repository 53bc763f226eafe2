namespace McpOperator.Unit;

/// <summary>For tests that look at the whole process.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
