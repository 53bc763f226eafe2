using System.Text;
using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Controller;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Access;

public sealed class AccessByServerTests
{
    private static readonly ObjectKey Demo = new("team", "demo");
    private static readonly ObjectKey Other = new("team", "other");

    private readonly List<(ObjectKey Server, Origin Origin)> _looks = [];
    private readonly AccessByServer _grants;
    private int _version = 100;

    public AccessByServerTests()
    {
        _grants = new AccessByServer((server, origin) => _looks.Add((server, origin)));
        _grants.Store.Replace(null, [], "100");
    }

    [Fact]
    public void AServerHasThoseThatNameIt()
    {
        Added(Grant("a", Demo), Grant("b", Other), Grant("c", Demo));

        Assert.Equal(["a", "c"], NamesOf(Demo));
        Assert.Equal(["b"], NamesOf(Other));
        Assert.Empty(_grants.Of(new ObjectKey("elsewhere", "demo")));
    }

    /// <summary>Sessions come and go by the thousand: what is remembered of each has to go with it.</summary>
    [Fact]
    public void WhoRemembersSomethingOfOneIsToldWhenItGoes()
    {
        List<ObjectKey> gone = [];
        _grants.Gone += gone.Add;
        Added(Grant("a", Demo), Grant("b", Demo));

        _grants.Store.Replace(null, [Grant("b", Demo)], $"{++_version}");

        Assert.Equal([new ObjectKey("team", "a")], gone);
    }

    [Fact]
    public void WhatAListFindsForTheFirstTimeIsToldAsSuchAndWhatItFindsChangedOrGoneAsAChange()
    {
        var (stays, edited) = (Grant("stays", Demo), Grant("edited", Demo));
        _grants.Store.Replace(null, [stays, edited, Grant("gone", Other)], "200");
        Assert.Equal([(Demo, Origin.List), (Demo, Origin.List), (Other, Origin.List)], _looks);
        _looks.Clear();
        _version = 200;

        _grants.Store.Replace(null, [stays, Grant("edited", Demo, generation: 2), Grant("new", Demo)], "300");

        Assert.Equal([(Demo, Origin.List), (Demo, Origin.Watch), (Demo, Origin.List), (Other, Origin.Watch)], _looks);
    }

    [Fact]
    public void OneThatMovesConcernsTheOldServerAndTheNew()
    {
        Added(Grant("a", Demo));
        _looks.Clear();

        Changed(Grant("a", Other, generation: 2));

        Assert.Equal([Other, Demo], _looks.Select(look => look.Server));
        Assert.Empty(_grants.Of(Demo));
        Assert.Equal(["a"], NamesOf(Other));
    }

    [Fact]
    public void OneThatIsDeletedConcernsItsServer()
    {
        var grant = Grant("a", Demo);
        Added(grant);
        _looks.Clear();

        _grants.Store.Apply(null, new WatchEvent(WatchEventType.Deleted, grant, Version(), null));

        Assert.Equal([Demo], _looks.Select(look => look.Server));
        Assert.Empty(_grants.Of(Demo));
    }

    [Theory]
    [InlineData(1, 1UL, false)] // a label, an annotation
    [InlineData(2, 1UL, true)] // an edit
    [InlineData(1, 3UL, true)] // somebody else's report
    public void OnlyNewsConcernTheServer(long generation, ulong fingerprint, bool concerns)
    {
        Added(Grant("a", Demo, fingerprint: 1));
        _looks.Clear();

        Changed(Grant("a", Demo, generation, fingerprint));

        Assert.Equal(concerns ? [Demo] : [], _looks.Select(look => look.Server));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void OurOwnReportIsNoNewsWhicheverComesFirstTheAnswerOrTheWatch(bool isWatchFirst)
    {
        var before = Grant("a", Demo, fingerprint: 1);
        Added(before);
        _looks.Clear();
        var reported = Grant("a", Demo, fingerprint: 2);

        _grants.Store.BeginWrite(before.Key);
        if (isWatchFirst)
            Changed(reported);
        _grants.Store.EndWrite(before.Key, reported);
        if (!isWatchFirst)
            Changed(reported);

        Assert.Empty(_looks);
        Assert.Equal(2UL, _grants.Of(Demo).Single().Reported!.Fingerprint);
    }

    /// <summary>A CRD that prunes, a webhook: what is stored is not what was sent, and is our own all the same.</summary>
    [Fact]
    public void AReportThatWasStoredOtherwiseThanItWasSentIsNoNews()
    {
        var before = Grant("a", Demo, fingerprint: 1);
        Added(before);
        _looks.Clear();

        _grants.Store.BeginWrite(before.Key);
        var stored = Grant("a", Demo, fingerprint: 7);
        Changed(stored);
        _grants.Store.EndWrite(before.Key, stored);

        Assert.Empty(_looks);
    }

    [Fact]
    public void AStatusThatSomebodyElseWritesMeanwhileIsNews()
    {
        var before = Grant("a", Demo, fingerprint: 1);
        Added(before);
        _looks.Clear();
        var (ours, theirs) = (Grant("a", Demo, fingerprint: 2), Grant("a", Demo, fingerprint: 3));

        _grants.Store.BeginWrite(before.Key);
        Changed(ours);
        Changed(theirs);
        Assert.Empty(_looks);
        _grants.Store.EndWrite(before.Key, ours);

        Assert.Equal([(Demo, Origin.Watch)], _looks);
    }

    [Fact]
    public void AChangeThatNoAnswerAccountsForIsNews()
    {
        var before = Grant("a", Demo, fingerprint: 1);
        Added(before);
        _looks.Clear();

        _grants.Store.BeginWrite(before.Key);
        Changed(Grant("a", Demo, fingerprint: 3));
        _grants.Store.EndWrite(before.Key, answer: null);

        Assert.Equal([(Demo, Origin.Watch)], _looks);
    }

    [Fact]
    public void AnEditThatTheAnswerToAReportHoldsIsNotLost()
    {
        var before = Grant("a", Demo, fingerprint: 1);
        Added(before);
        _looks.Clear();
        var edit = Grant("a", Other, generation: 2, fingerprint: 1);

        _grants.Store.BeginWrite(before.Key);
        _grants.Store.EndWrite(before.Key, Grant("a", Other, generation: 2, fingerprint: 2));
        // Its own event comes late.
        Changed(edit);

        Assert.Equal([Other, Demo], _looks.Select(look => look.Server));
        Assert.Equal(["a"], NamesOf(Other));
        Assert.Empty(_grants.Of(Demo));
    }

    [Fact]
    public void OneThatMovesAwayAndBackBetweenAnswerAndEventIsWhereItIs()
    {
        var before = Grant("a", Demo);
        Added(before);
        var (moved, back) = (Grant("a", Other, generation: 2), Grant("a", Demo, generation: 3));

        _grants.Store.BeginWrite(before.Key);
        _grants.Store.EndWrite(before.Key, moved);
        Changed(back);

        Assert.Equal(["a"], NamesOf(Demo));
        Assert.Empty(_grants.Of(Other));
    }

    private IEnumerable<string> NamesOf(ObjectKey server) => _grants.Of(server).Select(grant => grant.Key.Name).Order(StringComparer.Ordinal);

    private void Added(params StoredAccess[] grants)
    {
        foreach (var grant in grants)
            _grants.Store.Apply(null, new WatchEvent(WatchEventType.Added, grant, grant.ResourceVersion, null));
    }

    private void Changed(StoredAccess grant) =>
        _grants.Store.Apply(null, new WatchEvent(WatchEventType.Modified, grant, grant.ResourceVersion, null));

    private string Version() => $"{++_version}";

    private StoredAccess Grant(string name, ObjectKey server, long generation = 1, ulong fingerprint = 0) => new()
    {
        Metadata = new ObjectMeta { Name = name, Namespace = "team", Uid = name, ResourceVersion = Version(), Generation = generation },
        Spec = Encoding.UTF8.GetBytes("{}"),
        Server = server,
        Reported = fingerprint == 0 ? null : new LastReport { Fingerprint = fingerprint },
    };
}
