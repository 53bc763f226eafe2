using McpOperator.Apply;

namespace McpOperator.Unit.Apply;

public sealed class ApplyMemoryTests
{
    private readonly ApplyMemory _memory = new();

    [Fact]
    public void WhatStandsThereAsWantedIsSettled() => Assert.True(_memory.IsUpToDate(5, 5));

    [Fact]
    public void WhatDiffersIsNotSettledUntilItWasSent()
    {
        Assert.False(_memory.IsUpToDate(wanted: 5, live: 6));

        Assert.False(_memory.Accepted(wanted: 5, live: 6));

        Assert.True(_memory.IsUpToDate(wanted: 5, live: 6));
    }

    [Fact]
    public void AnotherChangeOrAnotherWishIsWrittenAsEver()
    {
        _memory.Accepted(wanted: 5, live: 6);

        Assert.False(_memory.IsUpToDate(wanted: 5, live: 7));
        Assert.False(_memory.IsUpToDate(wanted: 4, live: 6));
    }

    [Fact]
    public void WhoIsFasterTenTimesInARowIsInTheWay()
    {
        for (var i = 0; i < 10; i++)
            Assert.True(_memory.Conflicted());
        Assert.False(_memory.Conflicted());
        Assert.False(_memory.IsEmpty);

        _memory.Accepted(wanted: 5, live: 5);

        Assert.True(_memory.IsEmpty);
        Assert.True(_memory.Conflicted());
    }

    [Fact]
    public void AnAnswerAsWantedLeavesNothingToRemember()
    {
        _memory.Accepted(wanted: 5, live: 6);
        Assert.True(_memory.Accepted(wanted: 5, live: 5));
        Assert.False(_memory.IsUpToDate(wanted: 5, live: 6));
        Assert.True(_memory.IsEmpty);
    }
}
