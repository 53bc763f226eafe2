using System.Text;
using McpOperator.Api;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using McpOperator.Reconciliation;
using McpOperator.Unit.Resources;

namespace McpOperator.Unit.Reconciliation;

public sealed class StoresTests
{
    private static readonly LastReport Before = new() { Fingerprint = 1 };
    private static readonly LastReport Reported = new() { Fingerprint = 2 };
    private static readonly LastReport Tampered = new() { Fingerprint = 3 };

    private readonly List<(ObjectKey, Priority)> _queued = [];
    private readonly List<(ObjectKey, TimeSpan)> _delayed = [];
    private readonly Stores _stores;
    private readonly StoredServer _server = Server(Before, version: "7");

    public StoresTests()
    {
        _stores = new Stores((key, priority) => _queued.Add((key, priority)), (key, delay) => _delayed.Add((key, delay)), Servers.Settings);
        _stores.Servers.Replace(null, [_server], "7");
        _stores.Reports.Writing(_server.Key, Reported.Fingerprint);
        _queued.Clear();
    }

    [Fact]
    public void OurOwnReportComingBackIsNoReasonToLookAgain()
    {
        Change(Server(Reported));

        Assert.Empty(_queued);
    }

    [Fact]
    public void TheAnswerToOurReportIsNoReasonToLookAgain()
    {
        _stores.ObserveReport(Server(Reported), _server.Metadata);

        Assert.Same(Reported, _stores.Servers.Get(_server.Key)!.Reported);
        Assert.Empty(_queued);
    }

    [Fact]
    public void AnEditThatTheAnswerToOurReportHoldsIs()
    {
        var edit = Server(Before, version: "8", generation: 4);
        var younger = Server(Before, name: "younger", path: "/elsewhere");
        _stores.Servers.Apply(null, new WatchEvent<StoredServer>(WatchEventType.Added, younger, "7", null));
        _queued.Clear();

        _stores.ObserveReport(Server(Reported, version: "9", generation: 4, path: "/elsewhere"), _server.Metadata);
        // Its own event comes late.
        Change(edit);

        Assert.Equal([(younger.Key, Priority.Changed), (_server.Key, Priority.Edited)], _queued);
    }

    [Fact]
    public void AStatusThatSomebodyElseWroteIs()
    {
        Change(Server(Tampered));

        Assert.Equal([(_server.Key, Priority.Changed)], _queued);
    }

    [Fact]
    public void AnEditIsWhicheverStatusComesWithIt()
    {
        Change(Server(Reported, generation: 4));

        Assert.Equal([(_server.Key, Priority.Edited)], _queued);
    }

    [Fact]
    public void AChangeOutsideSpecAndStatusIs()
    {
        Change(Server(Before));

        Assert.Equal([(_server.Key, Priority.Changed)], _queued);
    }

    [Fact]
    public void AListIsEvenWhenNothingChanged()
    {
        Change(Server(Reported));
        _stores.Servers.Replace(null, [_stores.Servers.Get(_server.Key)!], "9");

        Assert.Equal([(_server.Key, Priority.Listed)], _queued);
    }

    [Fact]
    public void WhatAListFindsFirstCanWaitForWhatHappensMeanwhile()
    {
        var stores = new Stores((key, priority) => _queued.Add((key, priority)), (key, delay) => _delayed.Add((key, delay)), Servers.Settings);
        stores.Servers.Replace(null, [_server], "7");
        stores.Servers.Apply(null, new WatchEvent<StoredServer>(WatchEventType.Added, Server(Before, name: "late", path: "/late"), "8", null));

        Assert.Equal([(_server.Key, Priority.Listed), (new ObjectKey("team", "late"), Priority.Changed)], _queued);
    }

    [Fact]
    public void AListAfterAGapTellsOfAnEdit()
    {
        _stores.Servers.Replace(null, [Server(Before, generation: 4)], "9");

        Assert.Equal([(_server.Key, Priority.Edited)], _queued);
    }

    [Fact]
    public void TheEndOfTheServerIs()
    {
        _stores.Servers.Apply(null, new WatchEvent<StoredServer>(WatchEventType.Deleted, _server, "8", null));

        Assert.Equal([(_server.Key, Priority.Changed)], _queued);
    }

    private void Change(StoredServer server) =>
        _stores.Servers.Apply(null, new WatchEvent<StoredServer>(WatchEventType.Modified, server, server.ResourceVersion, null));

    private static StoredServer Server(LastReport reported, string version = "8", long generation = 3, string name = "demo", string path = "/demo") => new()
    {
        Metadata = Servers.Of(name: name).Metadata with { ResourceVersion = version, Generation = generation },
        Spec = Encoding.UTF8.GetBytes($$"""{"image":"example.org/demo:1","ingressPath":"{{path}}"}"""),
        Reported = reported,
    };
}
