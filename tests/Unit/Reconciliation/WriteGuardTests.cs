using McpOperator.Kubernetes;
using McpOperator.Reconciliation;

namespace McpOperator.Unit.Reconciliation;

public sealed class WriteGuardTests
{
    private static readonly ObjectKey Key = new("team", "demo");
    private readonly WriteGuard _guard = new();

    [Fact]
    public void WhatStandsThereAsIntendedIsSettled() => Assert.True(_guard.IsSettled("deployments", Key, 5, 5));

    [Fact]
    public void WhatDiffersIsNotSettledUntilItWasSent()
    {
        Assert.False(_guard.IsSettled("deployments", Key, intent: 5, observed: 6));

        Assert.False(_guard.Note("deployments", Key, intent: 5, result: 6));

        Assert.True(_guard.IsSettled("deployments", Key, intent: 5, observed: 6));
    }

    [Fact]
    public void AnotherChangeOrAnotherIntentIsWrittenAsEver()
    {
        _guard.Note("deployments", Key, intent: 5, result: 6);

        Assert.False(_guard.IsSettled("deployments", Key, intent: 5, observed: 7));
        Assert.False(_guard.IsSettled("deployments", Key, intent: 4, observed: 6));
        Assert.False(_guard.IsSettled("services", Key, intent: 5, observed: 6));
    }

    [Fact]
    public void AnAnswerAsIntendedOrForgettingClearsTheNote()
    {
        _guard.Note("deployments", Key, intent: 5, result: 6);
        Assert.True(_guard.Note("deployments", Key, intent: 5, result: 5));
        Assert.False(_guard.IsSettled("deployments", Key, intent: 5, observed: 6));

        _guard.Note("deployments", Key, intent: 5, result: 6);
        _guard.Forget("deployments", Key);
        Assert.False(_guard.IsSettled("deployments", Key, intent: 5, observed: 6));
    }
}
