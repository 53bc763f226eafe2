using McpOperator.Size;

namespace McpOperator.Unit.Size;

public sealed class BudgetTests
{
    private static readonly Budget Budget = Budget.Parse("# why\nstatic 1000 1500\n\nstatic-gzip 500\n");

    private static Dictionary<string, long> Weighed(long bytes) => new() { ["static"] = bytes };

    [Theory]
    [InlineData(1000)]
    [InlineData(1020)]
    [InlineData(1)]
    public void UpToTwoPercentMoreIsKept(long bytes) => Assert.Empty(Budget.Faults(Weighed(bytes)));

    [Fact]
    public void AboveThatItSaysByHowMuchAndWhatToDo() => Assert.Equal(
        ["static is 1,021 bytes, 2.1 % above its budget of 1,000: take it out again (make size SIZE_TOP=50 says what it is), "
            + "or make size-update in the same commit"],
        Budget.Faults(Weighed(1021)));

    [Fact]
    public void AChangedBudgetAllowsIt() => Assert.Empty(Budget.With(Weighed(1400)).Faults(Weighed(1400)));

    [Theory]
    [InlineData(1500, 0)]
    [InlineData(1501, 1)]
    public void NoBudgetRaisesTheCeiling(long bytes, int faults)
    {
        var found = Budget.With(Weighed(bytes)).Faults(Weighed(bytes));
        Assert.Equal(faults, found.Count);
        Assert.All(found, fault => Assert.Contains("above its ceiling of 1,500", fault, StringComparison.Ordinal));
    }

    [Fact]
    public void WhatHasNoBudgetIsAFault() => Assert.Equal(
        ["dynamic has no budget: make size-update writes one"],
        Budget.Faults(new Dictionary<string, long> { ["dynamic"] = 1 }));

    [Theory]
    [InlineData(980, 0)]
    [InlineData(979, 1)]
    public void FarBelowIsSaid(long bytes, int notes) => Assert.Equal(notes, Budget.Below(Weighed(bytes)).Count);

    [Fact]
    public void ANewBudgetKeepsCommentsCeilingsAndWhatWasNotMeasured() => Assert.Equal(
        "# why\nstatic 900 1500\nstatic-gzip 500\ndynamic 700\n",
        Budget.With(new Dictionary<string, long> { ["static"] = 900, ["dynamic"] = 700 }).ToString());

    [Theory]
    [InlineData("static")]
    [InlineData("static 1,000")]
    [InlineData("static -1")]
    [InlineData("static 1 2 3")]
    public void ALineThatIsNoneIsRefused(string line) =>
        Assert.Contains(line, Assert.Throws<InvalidDataException>(() => Budget.Parse(line)).Message, StringComparison.Ordinal);
}
