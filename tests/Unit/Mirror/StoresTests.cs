using System.Text;
using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Commands;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using McpOperator.Mirror;
using McpOperator.Servers.Kinds;
using McpOperator.Unit.Servers;

namespace McpOperator.Unit.Mirror;

public sealed class StoresTests
{
    private static readonly LastReport Before = new() { Fingerprint = 1 };
    private static readonly LastReport Reported = new() { Fingerprint = 2 };
    private static readonly LastReport Tampered = new() { Fingerprint = 3 };

    private readonly Looks _looks = new();
    private readonly Looks _access = new();
    private readonly Stores _stores;
    private readonly AccessStores _members;
    private readonly StoredServer _server = Server(Before, version: "7");

    public StoresTests()
    {
        _stores = new Stores(_looks, _access, SampleServers.Settings);
        _members = new AccessStores(_access, _stores.ImmutablePolicies);
        _stores.Servers.Replace(null, [_server], "7");
        _looks.All.Clear();
        _access.All.Clear();
    }

    private IEnumerable<(ObjectKey, Priority?)> Queued => _looks.All.Select(look => (look.Key, look.Priority));

    [Fact]
    public void OurOwnReportComingBackIsNoReasonToLookAgain()
    {
        var reported = Server(Reported);
        _stores.Servers.BeginWrite(_server.Key);
        Change(reported);
        _stores.Servers.EndWrite(_server.Key, reported);

        Assert.Empty(Queued);
        Assert.Empty(_access.All);
    }

    [Fact]
    public void TheAnswerToOurReportIsNoReasonToLookAgain()
    {
        Report(Server(Reported));

        Assert.Same(Reported, _stores.Servers.Get(_server.Key)!.Reported);
        Assert.Empty(Queued);
        Assert.Empty(_access.All);
    }

    /// <summary>The route of an invalid server is the one that it reports.</summary>
    [Fact]
    public void ARouteThatOurOwnReportGivesUpIsFreeAtOnce()
    {
        var invalid = Server(new LastReport { Fingerprint = 1, Url = "/demo" }, version: "8", spec: """{"port":0}""");
        var younger = Server(Before, version: "9", name: "younger");
        Change(invalid);
        Change(younger);
        Assert.Equal(invalid.Key, _stores.Routes.ConflictOf(younger.Key)?.Holder);
        _looks.All.Clear();

        Report(Server(Reported, version: "10", spec: """{"port":0}"""));

        Assert.Null(_stores.Routes.ConflictOf(younger.Key));
        Assert.Equal([(younger.Key, (Priority?)Priority.Changed)], Queued);
    }

    /// <summary>What a paused server serves is not what its spec asks for; once it is not paused any more, all else of its status may stay.</summary>
    [Fact]
    public void WhatAPausedServerServesIsKnownOnceItGoesOn()
    {
        const string Url = "/demo";
        static LastReport Report(params LastCondition[] conditions) => new() { Fingerprint = (ulong)conditions.Length, Url = Url, ObservedGeneration = 3, Conditions = conditions };
        var other = Server(Before, version: "9", name: "younger", spec: """{"image":"i","ingressPath":"/demo","ingressClass":"other"}""");
        Change(Server(Report(new LastCondition(ConditionTypes.Paused, "True", null, Reasons.Paused))));
        Change(other);
        Assert.Equal(_server.Key, _stores.Routes.ConflictOf(other.Key)?.Holder);

        Change(Server(Report(), version: "10"));

        Assert.Null(_stores.Routes.ConflictOf(other.Key));
    }

    [Fact]
    public void AServerThatGoesWhileItIsReportedLeavesNoClaim()
    {
        var younger = Server(Before, version: "8", name: "younger");
        Change(younger);
        Assert.Equal(_server.Key, _stores.Routes.ConflictOf(younger.Key)?.Holder);

        _stores.Servers.BeginWrite(_server.Key);
        _stores.Servers.Apply(null, new WatchEvent(WatchEventType.Deleted, _server, "12", null));
        _stores.Servers.EndWrite(_server.Key, Server(Reported, version: "10"));

        Assert.Null(_stores.Routes.ConflictOf(younger.Key));
        Assert.Null(_stores.Servers.Get(_server.Key));
    }

    /// <summary>A namespace never comes back from being deleted; another one of its name has other servers.</summary>
    [Fact]
    public void ANamespaceEndsUntilItHoldsAnotherServer()
    {
        Assert.True(_stores.NoteEnding(_server.Metadata));
        Assert.False(_stores.NoteEnding(_server.Metadata));
        Change(Server(Tampered));
        Assert.True(_stores.Ending.Contains("team"));

        var another = Server(Before, version: "9", uid: "another");
        _stores.Servers.Replace(null, [another], "9");
        Assert.False(_stores.Ending.Contains("team"));

        // An answer that comes late is about the one before.
        _stores.NoteEnding(_server.Metadata);
        Assert.False(_stores.Ending.Contains("team"));
    }

    /// <summary>Deleted in the order of their age, each of them is the one that the others wait for.</summary>
    [Fact]
    public void HundredsOnOneRouteThatComeAndGoAreNotAllLookedAtEachTime()
    {
        const int count = 250;
        StoredServer[] servers = [.. Enumerable.Range(0, count).Select(i => Server(Before, $"{10 + i}", name: $"e-{i:000}"))];
        _stores.Servers.Apply(null, new WatchEvent(WatchEventType.Deleted, _server, "8", null));
        _looks.All.Clear();

        foreach (var server in servers)
            Change(server);
        Assert.Equal(servers.Select(server => (server.Key, (Priority?)Priority.Changed)), Queued);
        _looks.All.Clear();
        foreach (var server in servers)
            _stores.Servers.Apply(null, new WatchEvent(WatchEventType.Deleted, server, $"{500 + _looks.All.Count}", null));

        // The one that goes, and the one that has the route now; the others when the burst is over.
        Assert.Equal((2 * count) - 1, _looks.All.Count(look => look.Delay is null));
        Assert.All(_looks.All.Where(look => look.Delay is not null), look => Assert.Equal(TimeSpan.FromSeconds(1), look.Delay));
    }

    [Fact]
    public void AnEditThatTheAnswerToOurReportHoldsIs()
    {
        var edit = Server(Before, version: "8", generation: 4);
        var younger = Server(Before, name: "younger", path: "/elsewhere");
        _stores.Servers.Apply(null, new WatchEvent(WatchEventType.Added, younger, "7", null));
        _looks.All.Clear();
        _access.All.Clear();

        Report(Server(Reported, version: "9", generation: 4, path: "/elsewhere"));
        // Its own event comes late.
        Change(edit);

        Assert.Equal([(younger.Key, (Priority?)Priority.Changed), (_server.Key, Priority.Edited)], Queued);
        Assert.Equal([(_server.Key, (Priority?)Priority.Edited, null)], _access.All);
    }

    [Fact]
    public void AStatusThatSomebodyElseWroteIs()
    {
        Change(Server(Tampered));

        Assert.Equal([(_server.Key, (Priority?)Priority.Changed)], Queued);
    }

    [Fact]
    public void AnEditIsWhicheverStatusComesWithIt()
    {
        Change(Server(Reported, generation: 4));

        Assert.Equal([(_server.Key, (Priority?)Priority.Edited)], Queued);
    }

    [Fact]
    public void AChangeOutsideSpecAndStatusIs()
    {
        Change(Server(Before));

        Assert.Equal([(_server.Key, (Priority?)Priority.Changed)], Queued);
    }

    [Fact]
    public void AListIsEvenWhenNothingChanged()
    {
        _stores.Servers.Replace(null, [_stores.Servers.Get(_server.Key)!], "9");

        Assert.Equal([(_server.Key, (Priority?)Priority.Listed)], Queued);
    }

    [Fact]
    public void WhatAListFindsFirstCanWaitForWhatHappensMeanwhile()
    {
        var stores = new Stores(_looks, _access, SampleServers.Settings);
        stores.Servers.Replace(null, [_server], "7");
        stores.Servers.Apply(null, new WatchEvent(WatchEventType.Added, Server(Before, name: "late", path: "/late"), "8", null));

        Assert.Equal([(_server.Key, (Priority?)Priority.Listed), (new ObjectKey("team", "late"), Priority.Changed)], Queued);
    }

    [Fact]
    public void AListAfterAGapTellsOfAnEdit()
    {
        _stores.Servers.Replace(null, [Server(Before, generation: 4)], "9");

        Assert.Equal([(_server.Key, (Priority?)Priority.Edited)], Queued);
    }

    [Fact]
    public void TheEndOfTheServerIs()
    {
        _stores.Servers.Apply(null, new WatchEvent(WatchEventType.Deleted, _server, "8", null));

        Assert.Equal([(_server.Key, (Priority?)Priority.Changed)], Queued);
    }

    [Fact]
    public void AGrantThatChangesWaitsForTheOthersOfItsBurstAndConcernsTheAccessAlone()
    {
        _members.Grants.Store.Replace(null, [], "7");

        _members.Grants.Store.Apply(null, new WatchEvent(WatchEventType.Added, Grant("8"), "8", null));
        _members.Grants.Store.Replace(null, [Grant("8")], "9");

        Assert.Equal([(_server.Key, null, (TimeSpan?)AccessStores.Burst), (_server.Key, Priority.Listed, null)], _access.All);
        Assert.Empty(_looks.All);
    }

    /// <summary>A revocation that a list finds must not wait behind whatever else it finds.</summary>
    [Fact]
    public void AGrantThatAListFindsDeletedDoesNotComeLast()
    {
        _members.Grants.Store.Replace(null, [Grant("8")], "8");
        _access.All.Clear();

        _members.Grants.Store.Replace(null, [], "9");

        Assert.Equal([(_server.Key, null, (TimeSpan?)AccessStores.Burst)], _access.All);
    }

    /// <summary>Whoever applied the Deployment knows the answer; who keeps the policy does not.</summary>
    [Fact]
    public void WhatIsAwaitedOfPodsIsNewsForTheAccessEvenInTheAnswerToOurOwnWrite()
    {
        var deployments = _stores.CreateOwnedStore<ObservedDeployment>(runsPods: true, "");
        deployments.Replace(null, [], "7");
        _stores.Policies.WatchPods(_server.Key, true);

        deployments.Observe(Passes.Decode(
            json => new ObservedDeployment(json, Product.Identity.OwnedFields),
            $$"""{"metadata":{"namespace":"{{_server.Key.Namespace}}","name":"{{_server.Key.Name}}","resourceVersion":"8"} }"""));

        Assert.Empty(Queued);
        Assert.Equal([_server.Key], _access.All.Select(look => look.Key));
    }

    [Fact]
    public void WhatIsSaidOfAPolicyIsAReasonToLookAtItsServerWhenItIsNews()
    {
        var state = new PolicyState("u", 1, PolicyState.ConditionOf(exists: true, isCurrent: true, seenByPods: true), MayRunGateway: true, Change: McpOperator.Apply.Change.Created);
        _stores.Policies.Set(_server.Key, state);
        _stores.Policies.MarkReported(_server.Key, _stores.Policies.Get(_server.Key)!);
        Assert.Equal([(_server.Key, (Priority?)Priority.Changed)], Queued);
        _looks.All.Clear();

        _stores.Policies.Set(_server.Key, state with { Change = McpOperator.Apply.Change.None });
        _stores.Policies.Set(_server.Key, state with { Change = McpOperator.Apply.Change.Updated });
        Assert.Empty(Queued);

        _stores.Policies.Set(_server.Key, state with { Change = McpOperator.Apply.Change.Repaired });
        _stores.Policies.Set(_server.Key, state with { MayRunGateway = false, Change = McpOperator.Apply.Change.None });
        Assert.Equal(2, _looks.All.Count);
        Assert.Equal(McpOperator.Apply.Change.Repaired, _stores.Policies.Get(_server.Key)!.Change);
    }

    /// <summary>A state that comes back after its server went would be taken for that of its namesake.</summary>
    [Fact]
    public async Task WhatIsMarkedWhileItsServerGoesStaysGone()
    {
        var state = new PolicyState("u", 1, Condition: null, MayRunGateway: true, Change: McpOperator.Apply.Change.Created);
        for (var i = 0; i < 10_000; i++)
        {
            var key = new ObjectKey("team", $"s-{i % 10}");
            _stores.Policies.Set(key, state);
            var held = _stores.Policies.Get(key)!;
            using var both = new Barrier(2);
            var marking = Task.Run(() =>
            {
                both.SignalAndWait();
                _stores.Policies.MarkReported(key, held);
            });
            both.SignalAndWait();
            _stores.Policies.Remove(key);
            await marking;
            Assert.Null(_stores.Policies.Get(key));
        }
    }

    private void Report(StoredServer answer)
    {
        _stores.Servers.BeginWrite(answer.Key);
        _stores.Servers.EndWrite(answer.Key, answer);
    }

    private static StoredAccess Grant(string version) => new()
    {
        Metadata = new ObjectMeta { Name = "g", Namespace = "team", Uid = "g", ResourceVersion = version, Generation = 1 },
        Server = new ObjectKey("team", "demo"),
    };

    private void Change(StoredServer server) =>
        _stores.Servers.Apply(null, new WatchEvent(WatchEventType.Modified, server, server.ResourceVersion, null));

    private static StoredServer Server(LastReport reported, string version = "8", long generation = 3, string name = "demo", string path = "/demo", string? spec = null, string? uid = null) => new()
    {
        Metadata = SampleServers.Of(name: name).Metadata with { Uid = uid ?? SampleServers.Of(name: name).Metadata.Uid, ResourceVersion = version, Generation = generation },
        Spec = Encoding.UTF8.GetBytes(spec ?? $$"""{"image":"example.org/demo:1","ingressPath":"{{path}}"}"""),
        Reported = reported,
    };
}
