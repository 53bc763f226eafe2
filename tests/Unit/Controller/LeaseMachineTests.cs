using System.Text.Json;
using McpOperator.Controller;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Controller;

public sealed class LeaseMachineTests
{
    private const string Us = "host-a_1";
    private const string Them = "host-b_2";

    private static readonly DateTimeOffset Epoch = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly LeaseMachine Rules = new(Us, LeaseTiming.Default);

    [Fact]
    public void ItBeginsByReading() => new Candidate().Expect(LeaseVerb.Read, 0);

    [Fact]
    public void WhereThereIsNoLeaseOneIsCreatedAndThenRenewed()
    {
        var candidate = new Candidate();
        candidate.Reads(null, At(0)).Expect(LeaseVerb.Create, 0);
        Assert.Equal(
            new LeaseRecord(Us, 15, "2026-01-02T03:04:05.000000Z", "2026-01-02T03:04:05.000000Z", 0), candidate.Claim(At(0)));

        candidate.Writes(LeaseVerb.Create, At(0), At(0.1)).Expect(LeaseVerb.Renew, 2);
        Assert.True(candidate.Leads(At(9.9)));
    }

    [Fact]
    public void ALostRaceForTheFirstLeaseIsLookedAtAgain() =>
        new Candidate().Reads(null, At(0)).Fails(LeaseVerb.Create, At(0)).Expect(LeaseVerb.Read, 2);

    [Fact]
    public void ALeaseThatIsHeldIsLeftAloneUntilItsOwnDurationAfterItsLastChange()
    {
        // Not our 15 s: the holder's 40.
        var candidate = new Candidate().Reads(Held(Them, 40, "r1"), At(0)).Expect(LeaseVerb.Read, 2);
        candidate.Reads(Held(Them, 40, "r1"), At(39.9)).Expect(LeaseVerb.Read, 2);
        candidate.Reads(Held(Them, 40, "r1"), At(40)).Expect(LeaseVerb.Claim, 0);
    }

    [Fact]
    public void AChangeOfTheRecordBeginsTheDurationAnew()
    {
        var candidate = new Candidate().Reads(Held(Them, 15, "r1"), At(0));
        candidate.Reads(Held(Them, 15, "r2"), At(14)).Expect(LeaseVerb.Read, 2);
        candidate.Reads(Held(Them, 15, "r2"), At(28.9)).Expect(LeaseVerb.Read, 2);
        candidate.Reads(Held(Them, 15, "r2"), At(29)).Expect(LeaseVerb.Claim, 0);
    }

    [Fact]
    public void AnEditOfTheMetadataIsNoSignOfLife()
    {
        var candidate = new Candidate().Reads(Held(Them, 15, "r1", version: "1"), At(0));
        candidate.Reads(Held(Them, 15, "r1", version: "2"), At(15)).Expect(LeaseVerb.Claim, 0);
    }

    [Theory]
    [InlineData("1999-01-01T00:00:00.000000Z")]
    [InlineData("2099-01-01T00:00:00.000000Z")]
    [InlineData("no time")]
    [InlineData(null)]
    public void WhatTheHoldersClockSaysIsNotCompared(string? renewTime)
    {
        var candidate = new Candidate().Reads(Held(Them, 15, renewTime), At(0)).Expect(LeaseVerb.Read, 2);
        candidate.Reads(Held(Them, 15, renewTime), At(15)).Expect(LeaseVerb.Claim, 0);
    }

    [Fact]
    public void ACandidateWhoseClockIsSetForwardDoesNotStealALease()
    {
        var candidate = new Candidate().Reads(Held(Them, 15, "r1"), At(0));
        candidate.Reads(Held(Them, 15, "r1"), At(1, skew: 3600)).Expect(LeaseVerb.Read, 2);
    }

    [Theory]
    [InlineData(0, 2.0)]
    [InlineData(0.5, 3.2)]
    [InlineData(1, 4.4)]
    public void CandidatesSpreadTheirLooks(double random, double seconds) =>
        new Candidate(random).Reads(Held(Them, 15, "r1"), At(0)).Expect(LeaseVerb.Read, seconds);

    [Fact]
    public void ATakenLeaseCountsTheTransitionAndBeginsItsAcquireTimeAnew()
    {
        var candidate = new Candidate().Reads(Held(Them, 15, "r1", transitions: 6), At(0));
        candidate.Reads(Held(Them, 15, "r1", transitions: 6), At(15)).Expect(LeaseVerb.Claim, 0);

        Assert.Equal(
            new LeaseRecord(Us, 15, "2026-01-02T03:04:20.000000Z", "2026-01-02T03:04:20.000000Z", 7), candidate.Claim(At(15)));
    }

    [Fact]
    public void AReleasedLeaseIsTakenAtOnce()
    {
        var candidate = new Candidate().Reads(Held("", 1, "r1", transitions: 3), At(0)).Expect(LeaseVerb.Claim, 0);
        Assert.Equal(4, candidate.Claim(At(0)).Transitions);
    }

    [Fact]
    public void ARaceForAnExpiredLeaseThatIsLostIsLookedAtAgain()
    {
        var candidate = new Candidate().Reads(Held("", 1, "r1"), At(0)).Fails(LeaseVerb.Claim, At(0)).Expect(LeaseVerb.Read, 2);
        candidate.Reads(Held(Them, 15, "r2"), At(2)).Expect(LeaseVerb.Read, 2);
        Assert.False(candidate.Leads(At(2)));
    }

    [Fact]
    public void ARenewalKeepsTheAcquireTimeAndTheTransitions()
    {
        var candidate = new Candidate().Leading(At(0), transitions: 5);
        Assert.Equal(new LeaseRecord(Us, 15, "acquired", "2026-01-02T03:04:07.000001Z", 5), candidate.Claim(At(2.000001)));
    }

    [Fact]
    public void ALeaseOfOursThatNobodyToldUsOfIsTakenUp()
    {
        // The create was carried out, and its answer lost.
        var candidate = new Candidate().Reads(Held(Us, 15, "r1", transitions: 2), At(0)).Expect(LeaseVerb.Claim, 0);
        Assert.False(candidate.Leads(At(0)));
        Assert.Equal(2, candidate.Claim(At(0)).Transitions);
        Assert.True(candidate.Writes(LeaseVerb.Claim, At(0), At(0)).Leads(At(0)));
    }

    [Fact]
    public void ARenewalThatFailsIsFollowedByALook()
    {
        var candidate = new Candidate().Leading(At(0));
        candidate.Fails(LeaseVerb.Renew, At(2)).Expect(LeaseVerb.Read, 0);
        candidate.Reads(Held(Us, 15, "r2"), At(2.1)).Expect(LeaseVerb.Claim, 0);
        candidate.Writes(LeaseVerb.Claim, At(2.1), At(2.2)).Expect(LeaseVerb.Renew, 2);
        Assert.True(candidate.Leads(At(12)));
    }

    [Fact]
    public void ALeaseThatIsDeletedIsCreatedAgain()
    {
        var candidate = new Candidate().Leading(At(0)).Fails(LeaseVerb.Renew, At(2));
        candidate.Reads(null, At(2)).Expect(LeaseVerb.Create, 0);
        Assert.True(candidate.Leads(At(2)));
        Assert.Equal(0, candidate.Claim(At(2)).Transitions);
    }

    [Theory]
    [InlineData(Them)]
    [InlineData("")]
    public void ALeaderWhoReadsAnotherHolderEndsAtOnce(string holder)
    {
        var candidate = new Candidate().Leading(At(0)).Fails(LeaseVerb.Renew, At(2));
        candidate.Reads(Held(holder, 15, "r2"), At(2)).Expect(LeaseVerb.Lost, 0);
        Assert.False(candidate.Leads(At(2)));
    }

    [Fact]
    public void RenewalIsTriedEveryPeriodUntilTheDeadlineWhichCountsFromTheSendingOfTheLastOne()
    {
        var candidate = new Candidate().Leading(At(0), answered: At(1));
        candidate.Fails(LeaseVerb.Renew, At(3)).Expect(LeaseVerb.Read, 0);
        candidate.Fails(LeaseVerb.Read, At(3)).Expect(LeaseVerb.Read, 2);
        candidate.Fails(LeaseVerb.Read, At(9)).Expect(LeaseVerb.Read, 1);

        Assert.Equal(TimeSpan.FromSeconds(0.5), candidate.Limit(At(9.5)));
        Assert.True(candidate.Leads(At(9.999)));
        Assert.Equal(TimeSpan.Zero, candidate.Limit(At(10)));
        Assert.False(candidate.Leads(At(10)));
    }

    [Fact]
    public void TheAnswerToARenewalThatWasSentBeforeTheLeaseExpiredDoesNotBringItBack()
    {
        // The process was stopped in between.
        var candidate = new Candidate().Leading(At(0)).Writes(LeaseVerb.Renew, At(2), At(60));
        Assert.False(candidate.Leads(At(60)));
        Assert.True(candidate.Limit(At(60)) <= TimeSpan.Zero);
    }

    [Fact]
    public void TheTimeThatTheMachineWasSuspendedCounts()
    {
        // CLOCK_MONOTONIC stood still, the other clock did not.
        var candidate = new Candidate().Leading(At(0));
        Assert.False(candidate.Leads(At(1, skew: 3600)));
        Assert.True(candidate.Leads(At(1, skew: -3600)));
    }

    [Theory]
    [InlineData(10, 5)]
    [InlineData(1.5, 1)]
    public void OneRequestThatHangsDoesNotCostTheLease(double deadline, double seconds) => Assert.Equal(
        TimeSpan.FromSeconds(seconds),
        new LeaseMachine(Us, LeaseTiming.Default with { RenewDeadline = TimeSpan.FromSeconds(deadline) }).Limit(LeaseState.Start, At(0)));

    [Theory]
    [InlineData(15, 15)]
    [InlineData(0.5, 1)]
    [InlineData(2.1, 3)]
    public void TheDurationIsWrittenInWholeSecondsThatAreNeverFewer(double duration, long seconds) => Assert.Equal(
        seconds,
        new LeaseMachine(Us, LeaseTiming.Default with { LeaseDuration = TimeSpan.FromSeconds(duration) })
            .Claim(LeaseState.Start, At(0)).DurationSeconds);

    [Fact]
    public void AReleasedLeaseHasNoHolderAndHardlyAnyDuration() => Assert.Equal(
        new LeaseRecord("", 1, "2026-01-02T03:04:07.500000Z", "2026-01-02T03:04:07.500000Z", 5),
        LeaseMachine.Release(new(Us, 15, "acquired", "renewed", 5), At(2.5)));

    [Theory]
    [InlineData(15, 10, 2, true)]
    [InlineData(10, 10, 2, false)]
    [InlineData(15, 10, 10 / 1.2, false)]
    [InlineData(3, 2, 0.5, true)]
    public void ALeaderGivesUpBeforeOthersBeginAndTriesAtLeastOnceBefore(double duration, double deadline, double period, bool isSound) =>
        Assert.Equal(isSound, new LeaseTiming(
            TimeSpan.FromSeconds(duration), TimeSpan.FromSeconds(deadline), TimeSpan.FromSeconds(period)).IsSound);

    private static Moment At(double seconds, double skew = 0) =>
        new(TimeSpan.FromSeconds(seconds), Epoch + TimeSpan.FromSeconds(seconds + skew));

    private static Lease Held(string holder, long duration, string? renewTime, long transitions = 0, string version = "1")
    {
        using var json = JsonDocument.Parse(Lease.Body(new("ns", version), new(holder, duration, "acquired", renewTime, transitions)));
        return Lease.Decode(json.RootElement);
    }

    /// <summary>A state, and the step that the rules want next.</summary>
    private sealed class Candidate(double random = 0)
    {
        private LeaseState _state = LeaseState.Start;
        private LeaseStep _step = LeaseMachine.Start;

        public Candidate Leading(Moment at, Moment? answered = null, long transitions = 0) =>
            Next(new(LeaseVerb.Claim, at, false, Held(Us, 15, "r1", transitions)), answered ?? at);

        public Candidate Reads(Lease? lease, Moment at) => Next(new(LeaseVerb.Read, at, false, lease), at);

        public Candidate Writes(LeaseVerb verb, Moment sent, Moment answered) =>
            Next(new(verb, sent, false, Held(Us, 15, "written")), answered);

        public Candidate Fails(LeaseVerb verb, Moment at) => Next(new(verb, at, true, null), at);

        public Candidate Expect(LeaseVerb verb, double seconds)
        {
            Assert.Equal((verb, TimeSpan.FromSeconds(seconds)), (_step.Verb, _step.Delay));
            return this;
        }

        public LeaseRecord Claim(Moment at) => Rules.Claim(_state, at);

        public bool Leads(Moment at) => Rules.Leads(_state, at);

        public TimeSpan Limit(Moment at) => Rules.Limit(_state, at);

        private Candidate Next(LeaseInput input, Moment at)
        {
            (_state, _step) = Rules.Next(_state, input, at, random);
            return this;
        }
    }
}
