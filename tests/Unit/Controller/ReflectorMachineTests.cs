using McpOperator.Controller;

namespace McpOperator.Unit.Controller;

/// <summary>The rules of client-go's tools/cache/reflector_test.go, without a server and without time.</summary>
public sealed class ReflectorMachineTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(6);
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(999);
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(800);

    private ReflectorState _state;
    private TimeSpan _now;

    [Fact]
    public void ItBeginsWithAListFromTheServersCacheAndWatchesFromThere()
    {
        Assert.Equal(new(ReflectorVerb.List, "0", TimeSpan.Zero), ReflectorMachine.Start);
        Assert.Equal(Watch("10"), Listed("10"));
    }

    [Fact]
    public void AWatchThatEndsInItsTimeGoesOnAtOnceFromItsLastVersionWithoutAList()
    {
        Listed("10");

        Assert.Equal(Watch("17"), Watched("17", WatchFault.None, Long));
        Assert.Equal(Watch("17"), Watched("17", WatchFault.None, Long, sawEvents: false));
    }

    [Fact]
    public void AVeryShortWatchWithoutAnEventIsAFailure()
    {
        Listed("10");

        Assert.Equal(Watch("10", First), Watched("10", WatchFault.None, Short, sawEvents: false));
        Assert.Equal(Watch("10", First * 2), Watched("10", WatchFault.None, Short, sawEvents: false));
        Assert.Equal(Watch("10"), Watched("10", WatchFault.None, TimeSpan.FromSeconds(1), sawEvents: false));
        Assert.Equal(Watch("11"), Watched("11", WatchFault.None, Short, sawEvents: true));
    }

    [Fact]
    public void AnExpiredWatchRelistsAtOnceAtTheLastVersionSeen()
    {
        Listed("10");

        Assert.Equal(List("12"), Watched("12", WatchFault.Expired, Long));
    }

    [Theory]
    [InlineData(nameof(WatchFault.Expired))]
    [InlineData(nameof(WatchFault.TooLargeVersion))]
    public void AListThatCannotHaveItsVersionAsksEtcdAtOnceAndOnlyOnce(string faultName)
    {
        var fault = Enum.Parse<WatchFault>(faultName);
        Listed("10");
        Watched("12", WatchFault.Expired, Long);

        Assert.Equal(List(""), ListFailed(fault));
        Assert.Equal(List("", First), ListFailed(fault));
        Assert.Equal(List("", First * 2), ListFailed(WatchFault.Unreachable));
        Assert.Equal(Watch("20"), Listed("20"));

        // Forgotten with the list that succeeded.
        Assert.Equal(List("21"), Watched("21", WatchFault.Expired, Long));
    }

    [Fact]
    public void AVersionTheServerHasNotReachedIsListedFromEtcd()
    {
        Listed("10");

        Assert.Equal(List(""), Watched("10", WatchFault.TooLargeVersion, Short, sawEvents: false));
    }

    [Fact]
    public void WatchesThatExpireAgainAndAgainBackOff()
    {
        Listed("10");
        Assert.Equal(List("10"), Watched("10", WatchFault.Expired, Short, sawEvents: false));
        Listed("11");
        Assert.Equal(List("11", First), Watched("11", WatchFault.Expired, Short, sawEvents: false));
        Listed("12");

        // One that worked ends the series.
        Assert.Equal(List("13"), Watched("13", WatchFault.Expired, Long));
    }

    [Theory]
    [InlineData(nameof(WatchFault.Unreachable))]
    [InlineData(nameof(WatchFault.TooManyRequests))]
    [InlineData(nameof(WatchFault.ServerError))]
    public void AServerThatIsDownOrBusyIsWatchedAgainWithBackoffAndNotListed(string faultName)
    {
        var fault = Enum.Parse<WatchFault>(faultName);
        Listed("10");

        Assert.Equal(Watch("10", First), Watched("10", fault, Short, sawEvents: false));
        Assert.Equal(Watch("10", First * 2), Watched("10", fault, Short, sawEvents: false));
        Assert.Equal(Watch("10", First * 4), Watched("10", fault, Short, sawEvents: false));
    }

    [Fact]
    public void AStreamThatBreaksAfterItWorkedGoesOnAtOnce()
    {
        Listed("10");

        Assert.Equal(Watch("12"), Watched("12", WatchFault.Unreachable, Long));
    }

    [Fact]
    public void AWatchTheServerForgotToEndGoesOnAtOnce()
    {
        Listed("10");

        Assert.Equal(Watch("10"), Watched("10", WatchFault.Overdue, Long, sawEvents: false));
    }

    [Fact]
    public void TooManyRequestsBacksOffEvenAfterAWatchThatWorked()
    {
        Listed("10");

        Assert.Equal(Watch("12", First), Watched("12", WatchFault.TooManyRequests, Long));
    }

    [Fact]
    public void TheServersRetryAfterIsObeyedWhenItIsLonger()
    {
        Listed("10");

        var step = Watched("10", WatchFault.TooManyRequests, Short, false, TimeSpan.FromSeconds(7));

        Assert.Equal(Watch("10", TimeSpan.FromSeconds(7)), step);
        Assert.Equal(Watch("10", First * 2), Watched("10", WatchFault.TooManyRequests, Short, false, TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void ServerErrorsThatDoNotEndLeadToAList()
    {
        Listed("10");
        for (var i = 0; i < 4; i++)
            Assert.Equal(ReflectorVerb.Watch, Watched("10", WatchFault.ServerError, Short, sawEvents: false).Verb);

        Assert.Equal(List("10", First * 16), Watched("10", WatchFault.ServerError, Short, sawEvents: false));
        Listed("11");
        Assert.Equal(ReflectorVerb.Watch, Watched("11", WatchFault.ServerError, Short, sawEvents: false).Verb);
    }

    [Theory]
    [InlineData(nameof(WatchFault.Refused))]
    [InlineData(nameof(WatchFault.Unexpected))]
    public void ARefusedWatchAndAFaultOfOurOwnRelistWithBackoff(string faultName)
    {
        var fault = Enum.Parse<WatchFault>(faultName);
        Listed("10");

        Assert.Equal(List("10", First), Watched("10", fault, Long));
    }

    [Theory]
    [InlineData(nameof(WatchFault.Unreachable))]
    [InlineData(nameof(WatchFault.TooManyRequests))]
    [InlineData(nameof(WatchFault.ServerError))]
    [InlineData(nameof(WatchFault.Refused))]
    [InlineData(nameof(WatchFault.Unexpected))]
    public void TheFirstListIsTriedForEverWithBackoff(string faultName)
    {
        var fault = Enum.Parse<WatchFault>(faultName);
        Assert.Equal(List("0", First), ListFailed(fault));
        Assert.Equal(List("0", First * 2), ListFailed(fault));
        for (var i = 0; i < 100; i++)
            Assert.InRange(ListFailed(fault).Delay, First, TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void AListThatSucceedsDoesNotResetTheBackoffOfAWatchThatDoesNot()
    {
        Listed("10");
        Watched("10", WatchFault.Refused, Short, sawEvents: false);
        Listed("11");

        Assert.Equal(List("11", First * 2), Watched("11", WatchFault.Refused, Short, sawEvents: false));
    }

    [Fact]
    public void TwoMinutesWithoutAFailureResetTheBackoff()
    {
        ListFailed(WatchFault.Unreachable);
        ListFailed(WatchFault.Unreachable);
        _now += TimeSpan.FromSeconds(121);

        Assert.Equal(List("0", First), ListFailed(WatchFault.Unreachable));
    }

    [Fact]
    public void ARefreshListsFromEtcdAtOnceUntilItWorksAndThenTheCacheWillDoAgain()
    {
        Listed("10");
        Watched("12", WatchFault.Unreachable, Short, sawEvents: false);

        Assert.Equal(List(""), Refresh());
        Assert.Equal(List("", First * 2), ListFailed(WatchFault.Unreachable));
        Assert.Equal(List(""), Refresh());
        Assert.Equal(List("", First * 4), ListFailed(WatchFault.Refused));
        Assert.Equal(Watch("20"), Listed("20"));
        Assert.Equal(List("21"), Watched("21", WatchFault.Expired, Long));
    }

    [Fact]
    public void TheFirstListCanAskEtcd()
    {
        Assert.Equal(List(""), Refresh());
        Assert.Equal(List("", First), ListFailed(WatchFault.Unreachable));
        Assert.Equal(Watch("10"), Listed("10"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AWatchThatIsEndedForARefreshIsNoFailure(bool sawEvents)
    {
        Listed("10");

        Assert.Equal(List(""), Watched("12", WatchFault.RefreshWanted, Short, sawEvents));
        Listed("20");
        Assert.Equal(Watch("20", First), Watched("20", WatchFault.Unreachable, Short, sawEvents: false));
    }

    [Fact]
    public void AnOptionalKindIsLookedForAtOneSlowPaceAndThenItBeginsAnew()
    {
        Listed("10");
        Watched("12", WatchFault.Refused, Long);

        for (var i = 0; i < 5; i++)
            Assert.Equal(List("0", TimeSpan.FromSeconds(30)), ListFailed(WatchFault.NotInstalled));
        var input = new ReflectorInput(ReflectorVerb.List, "?", WatchFault.NotInstalled, default, false, default);
        Assert.Equal(TimeSpan.FromSeconds(54), ReflectorMachine.Next(_state, input, _now, 0.8).Step.Delay);

        Assert.Equal(Watch("20"), Listed("20"));
        Assert.Equal(Watch("20", First), Watched("20", WatchFault.Unreachable, Short, sawEvents: false));
    }

    [Fact]
    public void AnotherFailureOfAnOptionalKindIsTriedAgainAsEver() => Assert.Equal(List("0", First), ListFailed(WatchFault.Refused));

    private static ReflectorStep List(string version, TimeSpan delay = default) => new(ReflectorVerb.List, version, delay);

    private static ReflectorStep Watch(string version, TimeSpan delay = default) => new(ReflectorVerb.Watch, version, delay);

    private ReflectorStep Listed(string version) => Next(new(ReflectorVerb.List, version, WatchFault.None, default, false, default));

    private ReflectorStep ListFailed(WatchFault fault) => Next(new(ReflectorVerb.List, "?", fault, default, false, default));

    private ReflectorStep Watched(
        string version, WatchFault fault, TimeSpan lasted, bool sawEvents = true, TimeSpan retryAfter = default) =>
        Next(new(ReflectorVerb.Watch, version, fault, lasted, sawEvents, retryAfter));

    private ReflectorStep Refresh()
    {
        (_state, var step) = ReflectorMachine.Refresh(_state);
        return step;
    }

    private ReflectorStep Next(ReflectorInput input)
    {
        (_state, var step) = ReflectorMachine.Next(_state, input, _now, 0);
        return step;
    }
}
