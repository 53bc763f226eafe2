using McpOperator.Controller;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Controller;

public sealed class StoreTests
{
    private readonly List<(Thing? Before, Thing? After)> _changes = [];
    private readonly Store<Thing> _store;

    public StoreTests() => _store = new((before, after, _) => _changes.Add((before, after)));

    [Fact]
    public void ItHasSyncedOnceTheScopeWasListedEvenIfTheListWasEmpty()
    {
        Assert.Null(_store.Version(null));

        _store.Replace(null, [], "5");

        Assert.NotNull(_store.Version(null));
        Assert.Null(_store.Version("ns"));
    }

    [Fact]
    public void EventsAreStoredAndReportedWithWhatWasThereBefore()
    {
        var (first, second, third) = (Thing.At("a", 11), Thing.At("a", 12), Thing.At("a", 13));
        _store.Replace(null, [], "10");
        _store.Apply(null, Events.Added(first));
        _store.Apply(null, Events.Modified(second));
        Assert.Same(second, _store.Get(second.Key));
        _store.Apply(null, Events.Deleted(third));

        Assert.Null(_store.Get(first.Key));
        Assert.Equal([(null, first), (first, second), (second, null)], _changes);
        Assert.Equal("13", _store.Version(null));
    }

    [Fact]
    public void ABookmarkMovesTheVersionAndNothingElse()
    {
        _store.Replace(null, [Thing.At("a", 1)], "10");
        _changes.Clear();

        _store.Apply(null, Events.Bookmark("20"));

        Assert.Equal("20", _store.Version(null));
        Assert.Empty(_changes);
        Assert.Equal(1, _store.Count);
    }

    [Fact]
    public void AnEventThatIsOlderThanWhatIsHeldIsIgnoredAndSoIsItsEcho()
    {
        var held = Thing.At("a", 12);
        _store.Replace(null, [], "10");
        _store.Observe(held);
        _changes.Clear();

        _store.Apply(null, Events.Modified(Thing.At("a", 11)));
        _store.Apply(null, Events.Deleted(Thing.At("a", 11)));
        _store.Apply(null, Events.Modified(Thing.At("a", 12)));

        Assert.Same(held, _store.Get(held.Key));
        Assert.Empty(_changes);
        Assert.Equal("12", _store.Version(null));
    }

    [Fact]
    public void ADeletionAtTheVersionThatIsHeldDeletes()
    {
        var held = Thing.At("a", 1);
        _store.Replace(null, [held], "10");

        _store.Apply(null, Events.Deleted(held));

        Assert.Equal(0, _store.Count);
    }

    [Fact]
    public void ADeletionOfWhatWasNeverHeldIsNoChange()
    {
        _store.Replace(null, [], "10");

        _store.Apply(null, Events.Deleted(Thing.At("a", 11)));

        Assert.Empty(_changes);
    }

    [Fact]
    public void WhatAListLacksWasDeleted()
    {
        var (gone, stays) = (Thing.At("gone", 1), Thing.At("stays", 2));
        _store.Replace(null, [gone, stays], "10");
        _changes.Clear();

        _store.Replace(null, [Thing.At("stays", 2)], "20");

        Assert.Equal([stays], _store.Snapshot());
        Assert.Contains((gone, null), _changes);
    }

    [Fact]
    public void AListReportsEveryObjectAndKeepsTheInstanceThatItHeldAlready()
    {
        var held = Thing.At("a", 1);
        _store.Replace(null, [held], "10");
        _changes.Clear();

        _store.Replace(null, [Thing.At("a", 1)], "20");

        Assert.Same(held, _store.Get(held.Key));
        Assert.Equal([(held, held)], _changes);
    }

    [Fact]
    public void AListOfOneNamespaceLeavesTheOthersAlone()
    {
        _store.Replace("one", [Thing.At("a", 1, "one")], "10");
        _store.Replace("two", [Thing.At("a", 2, "two"), Thing.At("b", 3, "two")], "11");

        _store.Replace("two", [Thing.At("b", 3, "two")], "12");

        Assert.Equal(["one/a", "two/b"], _store.Snapshot().Select(thing => thing.Key.ToString()).Order());
        Assert.Equal([Thing.At("b", 3, "two")], _store.Snapshot("two"));
        Assert.Equal(("10", "12"), (_store.Version("one"), _store.Version("two")));
    }

    [Fact]
    public void AListDoesNotTakeAnObjectBackToAnOlderVersion()
    {
        var answer = Thing.At("a", 15);
        _store.Replace(null, [Thing.At("a", 5)], "10");
        _store.Observe(answer);

        _store.Replace(null, [Thing.At("a", 5)], "12");

        Assert.Same(answer, _store.Get(answer.Key));
    }

    [Fact]
    public void AnObjectThatIsNewerThanTheWholeListSurvivesItsAbsence()
    {
        _store.Replace(null, [], "10");
        _store.Observe(Thing.At("a", 15));

        _store.Replace(null, [], "12");
        Assert.Equal(1, _store.Count);

        _store.Replace(null, [], "16");
        Assert.Equal(0, _store.Count);
    }

    [Fact]
    public void AListFromBeforeTheVersionReachedIsANewHistoryAndWinsWholly()
    {
        _store.Replace(null, [Thing.At("a", 90), Thing.At("b", 91)], "100");

        _store.Replace(null, [Thing.At("a", 40)], "50");

        Assert.Equal([Thing.At("a", 40)], _store.Snapshot());
        Assert.Equal("50", _store.Version(null));
    }

    [Fact]
    public void TheAnswerToAWriteIsReadBeforeTheWatchDeliversIt()
    {
        var (held, answer) = (Thing.At("a", 5), Thing.At("a", 15));
        _store.Replace(null, [held], "10");
        _changes.Clear();

        Assert.True(_store.Observe(answer));

        Assert.Same(answer, _store.Get(answer.Key));
        Assert.Equal([(held, answer)], _changes);
        Assert.Equal("10", _store.Version(null));
    }

    [Fact]
    public void TheAnswerToACreationIsAccepted()
    {
        _store.Replace("ns", [], "10");

        Assert.True(_store.Observe(Thing.At("a", 15)));
        Assert.False(_store.Observe(Thing.At("a", 15)));
        Assert.False(_store.Observe(Thing.At("a", 14)));
    }

    [Fact]
    public void AnAnswerThatTheWatchHasPassedIsAGhostAndRefused()
    {
        var created = Thing.At("a", 15);
        _store.Replace(null, [], "10");
        _store.Apply(null, Events.Added(created));
        _store.Apply(null, Events.Deleted(Thing.At("a", 16)));

        Assert.False(_store.Observe(created));
        Assert.False(_store.Observe(Thing.At("a", 16)));

        Assert.Equal(0, _store.Count);
    }

    [Fact]
    public void AnAnswerBeforeTheFirstListOrOutsideEveryScopeIsRefused()
    {
        Assert.False(_store.Observe(Thing.At("a", 15)));
        _store.Replace("ns", [], "10");

        Assert.False(_store.Observe(Thing.At("a", 15, "elsewhere")));
    }

    [Fact]
    public void VersionsThatCannotBeOrderedAreNeverObserved()
    {
        _store.Replace(null, [], "opaque");
        Assert.False(_store.Observe(Thing.At("a", 15)));
        _store.Replace(null, [], "10");

        Assert.False(_store.Observe(new Thing(new("ns", "a"), "v15")));
    }

    [Fact]
    public void TheHandlerMayReadTheStoreAndSeesTheChange()
    {
        Thing? seen = null;
        Store<Thing>? store = null;
        store = new((_, after, _) => seen = store!.Get(after!.Key));

        store.Replace(null, [Thing.At("a", 1)], "10");

        Assert.Equal(Thing.At("a", 1), seen);
    }

    [Fact]
    public void AHandlerThatFailsForOneObjectHidesNoOther()
    {
        var seen = new List<string>();
        var store = new Store<Thing>((_, after, _) =>
        {
            if (after!.Key.Name == "bad")
                throw new InvalidOperationException("bad");
            seen.Add(after.Key.Name);
        });

        Assert.Throws<InvalidOperationException>(
            () => store.Replace(null, [Thing.At("a", 1), Thing.At("bad", 2), Thing.At("c", 3)], "10"));

        Assert.Equal(["a", "c"], seen);
        Assert.Equal(3, store.Count);
        Assert.NotNull(store.Version(null));
    }

    [Fact]
    public void TheHandlerIsToldWhereAChangeComesFrom()
    {
        var told = new List<Origin>();
        var store = new Store<Thing>((_, _, origin) => told.Add(origin));

        store.Replace(null, [Thing.At("a", 1)], "10");
        store.Apply(null, Events.Modified(Thing.At("a", 11)));
        store.Observe(Thing.At("a", 12));
        store.Replace(null, [], "13");

        Assert.Equal([Origin.List, Origin.Watch, Origin.OwnWrite, Origin.List], told);
    }

    /// <summary>Two owners may want an object of the same name: the canary of one, and another one called so.</summary>
    [Theory]
    [InlineData(8, true)]
    [InlineData(9, false)] // nothing came of the write
    [InlineData(11, false)]
    public void AnAnswerThatIsOlderThanWhatWasWrittenToIsOfAnotherHistory(int answered, bool isRewound)
    {
        var store = new Store<Thing>((_, _, _) => { });
        store.Replace(null, [Thing.At("a", 9)], "10");
        var rewound = 0;
        store.Rewound += () => rewound++;
        ObjectKey key = new("ns", "a");

        store.BeginWrite(key);
        // Somebody else was faster, and the watch too.
        store.Apply(null, Events.Modified(Thing.At("a", 12)));
        store.EndWrite(key, Thing.At("a", answered));

        Assert.Equal(isRewound ? 1 : 0, rewound);
    }

    [Fact]
    public void OfTwoThatWriteAtTheSameTimeNeitherLosesWhatTheOtherDid()
    {
        var told = new List<(Thing? Before, Thing? After)>();
        var store = new Store<Thing>((before, after, origin) =>
        {
            if (origin != Origin.OwnWrite)
                told.Add((before, after));
        });
        store.Replace(null, [Thing.At("a", 1)], "10");
        told.Clear();
        ObjectKey key = new("ns", "a");

        store.BeginWrite(key);
        store.BeginWrite(key);
        store.Apply(null, Events.Modified(Thing.At("a", 11)));
        store.EndWrite(key, Thing.At("a", 11));
        Assert.Empty(told);
        store.EndWrite(key, Thing.At("a", 12));

        Assert.Equal([(Thing.At("a", 1), Thing.At("a", 12))], told);
    }

    [Fact]
    public async Task ChangesOfOneKeyAreReportedInTheOrderInWhichTheyHappened()
    {
        Thing? last = null;
        var store = new Store<Thing>((before, after, _) =>
        {
            Assert.Same(last, before);
            Thread.SpinWait(200); // Room for another writer to come in between, if one could.
            last = after;
        });
        store.Replace(null, [], "1");

        await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(() =>
        {
            for (var version = 2 + writer; version < 4_000; version += 4)
                store.Apply(null, Events.Modified(Thing.At("a", version)));
        })));

        Assert.Same(last, store.Get(new("ns", "a")));
        Assert.Equal("3999", last?.ResourceVersion);
    }
}
