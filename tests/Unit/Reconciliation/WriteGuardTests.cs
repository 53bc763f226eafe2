using McpOperator.Kubernetes;
using McpOperator.Reconciliation;

namespace McpOperator.Unit.Reconciliation;

public sealed class WriteGuardTests
{
    private static readonly ObjectKey Key = new("team", "demo");
    private readonly WriteGuard _guard = new();

    [Fact]
    public void WhatStandsThereAsIntendedIsSettled() => Assert.True(_guard.IsSettled(Key, 5, 5));

    [Fact]
    public void WhatDiffersIsNotSettledUntilItWasSent()
    {
        Assert.False(_guard.IsSettled(Key, intent: 5, observed: 6));

        Assert.False(_guard.Note(Key, intent: 5, observed: 6));

        Assert.True(_guard.IsSettled(Key, intent: 5, observed: 6));
    }

    [Fact]
    public void AnotherChangeOrAnotherIntentIsWrittenAsEver()
    {
        _guard.Note(Key, intent: 5, observed: 6);

        Assert.False(_guard.IsSettled(Key, intent: 5, observed: 7));
        Assert.False(_guard.IsSettled(Key, intent: 4, observed: 6));
        Assert.False(_guard.IsSettled(new ObjectKey("team", "other"), intent: 5, observed: 6));
    }

    [Fact]
    public void AnAnswerAsIntendedOrForgettingClearsTheNote()
    {
        _guard.Note(Key, intent: 5, observed: 6);
        Assert.True(_guard.Note(Key, intent: 5, observed: 5));
        Assert.False(_guard.IsSettled(Key, intent: 5, observed: 6));

        _guard.Note(Key, intent: 5, observed: 6);
        _guard.Forget(Key);
        Assert.False(_guard.IsSettled(Key, intent: 5, observed: 6));
    }
}
