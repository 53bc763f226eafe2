using McpOperator.Apply;
using McpOperator.Kubernetes;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Apply;

/// <summary>How often something is put right that somebody else keeps changing back.</summary>
public sealed class ContestTests
{
    private const ulong Wanted = 5;

    private static readonly TimeSpan TenMinutes = TimeSpan.FromMinutes(10);

    private readonly FakeTimeProvider _time = new();
    private readonly ApplyMemory _memory = new();

    [Fact]
    public void TheFirstIsAtOnceAndEachFurtherOneWaitsTwiceAsLong() =>
        Assert.Equal([0, 1, 3, 7, 15, 31, 63, 127, 255, 511], Seconds(RepairsIn(TenMinutes, changedBackAfter: TimeSpan.Zero)));

    [Fact]
    public void NoPauseIsLongerThanTheLongest()
    {
        var repairs = RepairsIn(TimeSpan.FromHours(1), changedBackAfter: TimeSpan.Zero);

        Assert.Equal(TimeSpan.FromMinutes(5), repairs[^1] - repairs[^2]);
        var ofPolicies = RepairsIn(TenMinutes, TimeSpan.Zero, longest: TimeSpan.FromSeconds(30));
        Assert.Equal(TimeSpan.FromSeconds(30), ofPolicies[^1] - ofPolicies[^2]);
    }

    /// <summary>Both operators, an autoscaler's 15 seconds, a downscaler's minute: under 40 writes in ten minutes, those of the other not counted.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(60)]
    public void TenMinutesOfAContestAreFewWrites(int seconds)
    {
        Assert.InRange(RepairsIn(TenMinutes, TimeSpan.FromSeconds(seconds)).Count, 5, 10);
        Assert.InRange(RepairsIn(TenMinutes, TimeSpan.FromSeconds(seconds), longest: TimeSpan.FromSeconds(30)).Count, 5, 25);
    }

    [Fact]
    public void TwoOperatorsWriteTwiceAsOften()
    {
        var (mine, theirs, writes) = (new ApplyMemory(), new ApplyMemory(), 0);
        for (var (at, live) = (TimeSpan.Zero, 1ul); at < TenMinutes; at += TimeSpan.FromMilliseconds(100))
        {
            foreach (var (memory, wanted) in ((ApplyMemory, ulong)[])[(mine, 1ul), (theirs, 2ul)])
            {
                if (live == wanted || memory.PauseBefore(wanted, _time, Contest.LongestPause) > TimeSpan.Zero)
                    continue;
                memory.Wrote(wanted, isRepair: true, _time);
                (live, writes) = (wanted, writes + 1);
            }

            _time.Advance(TimeSpan.FromMilliseconds(100));
        }

        Assert.InRange(writes, 10, 22);
    }

    [Fact]
    public void OnceItHasBeenQuietTheNextOneIsAFirstOne()
    {
        RepairsIn(TimeSpan.FromMinutes(1), TimeSpan.Zero);
        Assert.True(Pause() > TimeSpan.Zero);

        _time.Advance(TenMinutes);

        Assert.Equal(TimeSpan.Zero, Pause());
        Assert.True(_memory.IsEmpty);
    }

    [Fact]
    public void WhatElseIsWantedIsWrittenAtOnceAndBeginsAnew()
    {
        RepairsIn(TimeSpan.FromMinutes(1), TimeSpan.Zero);
        _memory.SayContested(new Problem(Problem.Contested, "x"));

        Assert.Equal(TimeSpan.Zero, _memory.PauseBefore(Wanted + 1, _time, Contest.LongestPause));
        Assert.Null(_memory.Contested);
        _memory.Wrote(Wanted + 1, isRepair: false, _time);
        Assert.True(_memory.IsEmpty);
    }

    [Fact]
    public void APersonWhoChangesSomethingTwiceContestsNothing()
    {
        for (var i = 0; i < 2; i++)
        {
            Assert.True(Pause() <= TimeSpan.Zero);
            Assert.False(_memory.IsContestNew);
            _memory.Wrote(Wanted, isRepair: true, _time);
            _time.Advance(TimeSpan.FromSeconds(5));
        }

        Pause();
        Assert.True(_memory.IsContestNew);
        _memory.SayContested(new Problem(Problem.Contested, "x"));
        Assert.False(_memory.IsContestNew);
    }

    /// <summary>Of thousands of servers that are created or edited nothing is kept.</summary>
    [Fact]
    public void WhatIsNoRepairLeavesNothingToRemember()
    {
        _memory.Wrote(Wanted, isRepair: false, _time);

        Assert.True(_memory.IsEmpty);
        Assert.Null(_memory.QuietIn(_time));
    }

    [Fact]
    public void TheSameAgainWithinAMinuteMeansThatSomebodyElseHasWritten()
    {
        var recent = new RecentWrites(_time);
        var key = new ObjectKey("team", "demo");

        Assert.False(recent.Wrote(key, 1));
        Assert.True(recent.Wrote(key, 1));
        Assert.False(recent.Wrote(key with { Name = "other" }, 1));
        Assert.False(recent.Wrote(key, 2));
        Assert.False(recent.Wrote(key, 1));
        _time.Advance(TimeSpan.FromSeconds(61));
        Assert.False(recent.Wrote(key, 1));
    }

    private static IEnumerable<double> Seconds(IEnumerable<TimeSpan> times) => times.Select(time => time.TotalSeconds);

    private TimeSpan Pause(TimeSpan? longest = null) => _memory.PauseBefore(Wanted, _time, longest ?? Contest.LongestPause);

    /// <summary>When it is put right; looked at ten times a second.</summary>
    private List<TimeSpan> RepairsIn(TimeSpan time, TimeSpan changedBackAfter, TimeSpan? longest = null)
    {
        var repairs = new List<TimeSpan>();
        var changedAt = TimeSpan.Zero;
        for (var at = TimeSpan.Zero; at < time; at += TimeSpan.FromMilliseconds(100))
        {
            if (at >= changedAt && Pause(longest) <= TimeSpan.Zero)
            {
                _memory.Wrote(Wanted, isRepair: true, _time);
                repairs.Add(at);
                changedAt = at + changedBackAfter;
            }

            _time.Advance(TimeSpan.FromMilliseconds(100));
        }

        return repairs;
    }
}
