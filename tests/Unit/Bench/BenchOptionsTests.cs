using McpOperator.Bench;

namespace McpOperator.Unit.Bench;

public sealed class BenchOptionsTests
{
    [Fact]
    public void WithoutArgumentsItIsTheFullSetOfWhichThousandIsTheMainSize()
    {
        var options = BenchOptions.Parse([])!;

        Assert.True(options.IsFull);
        Assert.Equal([1, 100, 1000, 5000], options.Servers);
        Assert.Equal(1000, options.Main);
        Assert.Equal(TimeSpan.FromMinutes(10), options.SteadyOf(1000));
        Assert.Equal(TimeSpan.FromMinutes(1), options.SteadyOf(5000));
    }

    [Theory]
    [InlineData("--servers", "1,100")]
    [InlineData("--steady", "9m")]
    [InlineData("--storm", "30s")]
    [InlineData("--only", "large")]
    public void LessOfAnythingIsNotTheFullSet(string flag, string value) => Assert.False(BenchOptions.Parse([flag, value])!.IsFull);

    [Fact]
    public void WhereItWritesDoesNotMakeItLess() => Assert.True(BenchOptions.Parse(["--output", "here", "--steady", "600s"])!.IsFull);

    [Fact]
    public void SizesAreSortedAndWithoutThousandTheLargestIsTheMainOne()
    {
        var options = BenchOptions.Parse(["--servers", "1,300,100,1"])!;

        Assert.Equal([1, 100, 300], options.Servers);
        Assert.Equal(300, options.Main);
    }

    [Theory]
    [InlineData("--servers", "")]
    [InlineData("--servers", "1,,2")]
    [InlineData("--servers", "0")]
    [InlineData("--servers", "-1")]
    [InlineData("--steady", "10")]
    [InlineData("--steady", "0s")]
    [InlineData("--steady", "m")]
    [InlineData("--storm", "1h")]
    [InlineData("--output", "")]
    [InlineData("--only", "small")]
    [InlineData("--fast", "1")]
    public void WhatCannotBeReadIsRefused(string flag, string value) => Assert.Null(BenchOptions.Parse([flag, value]));

    [Fact]
    public void AFlagWithoutAValueIsRefused() => Assert.Null(BenchOptions.Parse(["--servers"]));
}
