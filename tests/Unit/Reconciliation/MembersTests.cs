using System.Text;
using McpOperator.Api;
using McpOperator.Kubernetes;
using McpOperator.Reconciliation;
using McpOperator.Unit.Resources;

namespace McpOperator.Unit.Reconciliation;

public sealed class MembersTests
{
    private static readonly ObjectKey Demo = new("team", "demo");
    private static readonly ObjectKey Other = new("team", "other");

    private readonly List<(ObjectKey Server, TimeSpan? Delay)> _looks = [];
    private readonly Stores _stores;
    private readonly Members _grants;
    private int _version = 100;

    public MembersTests()
    {
        _stores = new Stores((key, _) => _looks.Add((key, null)), (key, delay) => _looks.Add((key, delay)), Servers.Settings);
        _grants = _stores.Grants;
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
    public void AChangeWaitsForTheOthersOfItsBurst()
    {
        Added(Grant("a", Demo));

        Assert.Equal([(Demo, Stores.Burst)], _looks);
    }

    [Fact]
    public void WhatAListFindsIsLookedAtAtOnce()
    {
        _grants.Store.Replace(null, [Grant("a", Demo)], "200");

        Assert.Equal([(Demo, null)], _looks);
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

        _grants.Store.Apply(null, new WatchEvent<StoredMember>(WatchEventType.Deleted, grant, Version(), null));

        Assert.Equal([Demo], _looks.Select(look => look.Server));
        Assert.Empty(_grants.Of(Demo));
        Assert.Equal(0, _grants.VersionOf(Demo));
    }

    [Fact]
    public void TheVersionOfAServerMovesWithItsOwnOnly()
    {
        Added(Grant("a", Demo), Grant("b", Other));
        var (demo, other) = (_grants.VersionOf(Demo), _grants.VersionOf(Other));

        Changed(Grant("a", Demo, generation: 2));

        Assert.NotEqual(demo, _grants.VersionOf(Demo));
        Assert.Equal(other, _grants.VersionOf(Other));
    }

    [Theory]
    [InlineData(1, 1UL, false)] // a label, an annotation
    [InlineData(2, 1UL, true)] // an edit
    [InlineData(1, 2UL, false)] // our own report
    [InlineData(1, 3UL, true)] // somebody else's
    public void OnlyNewsConcernTheServer(long generation, ulong fingerprint, bool concerns)
    {
        Added(Grant("a", Demo, fingerprint: 1));
        _looks.Clear();
        var version = _grants.VersionOf(Demo);
        _grants.Reports.Writing(new ObjectKey("team", "a"), 2);

        Changed(Grant("a", Demo, generation, fingerprint));

        Assert.Equal(concerns ? [Demo] : [], _looks.Select(look => look.Server));
        Assert.Equal(concerns, version != _grants.VersionOf(Demo));
    }

    [Fact]
    public void AnEditThatTheAnswerToAReportHoldsIsNotLost()
    {
        var reportedOn = Grant("a", Demo, fingerprint: 1);
        Added(reportedOn);
        _looks.Clear();
        var edit = Grant("a", Other, generation: 2, fingerprint: 1);
        _grants.Reports.Writing(reportedOn.Key, 2);

        _grants.ObserveReport(Grant("a", Other, generation: 2, fingerprint: 2), reportedOn.Metadata);
        // Its own event comes late.
        _grants.Store.Apply(null, new WatchEvent<StoredMember>(WatchEventType.Modified, edit, edit.ResourceVersion, null));

        Assert.Equal([Other, Demo], _looks.Select(look => look.Server));
        Assert.Equal(["a"], NamesOf(Other));
        Assert.Empty(_grants.Of(Demo));
    }

    [Fact]
    public void TheAnswerToAReportIsNoNews()
    {
        Added(Grant("a", Demo, fingerprint: 1));
        _looks.Clear();

        _grants.ObserveReport(Grant("a", Demo, fingerprint: 2), Grant("a", Demo).Metadata);

        Assert.Empty(_looks);
        Assert.Equal(2UL, _grants.Of(Demo).Single().Reported!.Fingerprint);
    }

    private IEnumerable<string> NamesOf(ObjectKey server) => _grants.Of(server).Select(grant => grant.Key.Name).Order(StringComparer.Ordinal);

    private void Added(params StoredMember[] grants)
    {
        foreach (var grant in grants)
            _grants.Store.Apply(null, new WatchEvent<StoredMember>(WatchEventType.Added, grant, grant.ResourceVersion, null));
    }

    private void Changed(StoredMember grant) =>
        _grants.Store.Apply(null, new WatchEvent<StoredMember>(WatchEventType.Modified, grant, grant.ResourceVersion, null));

    private string Version() => $"{++_version}";

    private StoredMember Grant(string name, ObjectKey server, long generation = 1, ulong fingerprint = 0) => new()
    {
        Metadata = new ObjectMeta { Name = name, Namespace = "team", Uid = name, ResourceVersion = Version(), Generation = generation },
        Spec = Encoding.UTF8.GetBytes("{}"),
        Server = server,
        Reported = fingerprint == 0 ? null : new LastReport { Fingerprint = fingerprint },
    };
}
