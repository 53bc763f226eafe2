using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Api;

public sealed class RouteTableTests
{
    private const string Metadata = "/.well-known/oauth-protected-resource";

    private readonly RouteTable _routes = new(SampleServers.Settings);

    [Fact]
    public void TheOlderServerHasARouteThatNobodyServes()
    {
        var older = Add("older", "/same", age: 2);
        var younger = Add("younger", "/same", age: 1);

        Assert.Null(_routes.ConflictOf(older));
        Assert.Equal(older, _routes.ConflictOf(younger)?.Holder);
    }

    [Fact]
    public void AnOlderServerThatComesLaterHasARouteThatNobodyServesYetAndTheYoungerIsLookedAtAgain()
    {
        var younger = Add("younger", "/same", age: 1);

        var rivals = Update(Key("older"), Server("older", "/same", age: 2));

        Assert.Equal([younger], rivals);
        Assert.Equal(Key("older"), _routes.ConflictOf(younger)?.Holder);
    }

    [Fact]
    public void BetweenServersOfTheSameSecondTheNamesDecide()
    {
        var b = Add("b", "/same", age: 1);
        var a = Add("a", "/same", age: 1);

        Assert.Null(_routes.ConflictOf(a));
        Assert.Equal(a, _routes.ConflictOf(b)?.Holder);
    }

    [Fact]
    public void TheRouteIsFreeOnceTheFirstIsGone()
    {
        var older = Add("older", "/same", age: 2);
        var younger = Add("younger", "/same", age: 1);

        Assert.Equal([younger], Update(older, null));
        Assert.Null(_routes.ConflictOf(younger));
    }

    [Fact]
    public void TheRouteIsFreeOnceTheFirstHasAnother()
    {
        var older = Add("older", "/same", age: 2);
        var younger = Add("younger", "/same", age: 1);

        Assert.Equal([younger], Update(older, Server("older", "/other", age: 2)));
        Assert.Null(_routes.ConflictOf(younger));
        Assert.Null(_routes.ConflictOf(older));
    }

    [Fact]
    public void AChangeThatLeavesTheRouteAloneDisturbsNobody()
    {
        var older = Add("older", "/same", age: 2);
        Add("younger", "/same", age: 1);

        Assert.Empty(Update(older, Server("older", "/same", age: 2)));
    }

    [Theory]
    [InlineData("/same", "/same/", true)]
    [InlineData("/same", "/Same", false)]
    [InlineData("/same", "/same/more", false)]
    public void PathsAreComparedAsIngressControllersDo(string path, string other, bool collide)
    {
        Add("older", path, age: 2);
        var younger = Add("younger", other, age: 1);

        Assert.Equal(collide, _routes.ConflictOf(younger) is not null);
    }

    [Fact]
    public void DifferentHostsDoNotCollide()
    {
        Add("older", "/same", age: 3, host: "a.example");

        Assert.NotNull(_routes.ConflictOf(Add("younger", "/same", age: 2, host: "a.example")));
        Assert.Null(_routes.ConflictOf(Add("elsewhere", "/same", age: 1, host: "b.example")));
        Assert.Null(_routes.ConflictOf(Add("hostless", "/same", age: 1)));
    }

    [Fact]
    public void AnUnreadableServerClaimsNothing()
    {
        _routes.Update(Key("broken"), Server("broken", "/same", age: 2) with { Unreadable = [new SpecFault("spec", "?")] });

        Assert.Null(_routes.ConflictOf(Add("younger", "/same", age: 1)));
    }

    [Fact]
    public void AServerThatWasNeverValidKeepsNobodyFromARoute()
    {
        _routes.Update(Key("invalid"), Invalid("/same", age: 2, url: null));

        Assert.Null(_routes.ConflictOf(Add("younger", "/same", age: 1)));
    }

    [Fact]
    public void AServerThatBecameInvalidKeepsTheRouteThatItsIngressServes()
    {
        var older = Add("invalid", "/same", age: 2);
        var younger = Add("younger", "/same", age: 1);

        _routes.Update(older, Invalid("/other", age: 2, url: "/same"));

        Assert.Equal(older, _routes.ConflictOf(younger)?.Holder);
    }

    [Fact]
    public void WhoServesARouteKeepsItFromAnOlderOneThatMovesThere()
    {
        var older = Put(Served(Server("older", "/own", age: 2)));
        var younger = Put(Served(Server("younger", "/same", age: 1)));

        Put(Edited(Served(Server("older", "/own", age: 2)), "/same"));

        Assert.Null(_routes.ConflictOf(younger));
        Assert.Equal(younger, _routes.ConflictOf(older)?.Holder);
        // As the older one reports it, and after a restart that tells of it first.
        var waiting = Server("older", "/same", age: 2) with { Reported = new LastReport { ObservedGeneration = 3 } };
        Put(waiting);
        Assert.Equal(younger, _routes.ConflictOf(older)?.Holder);
        var restarted = new RouteTable(SampleServers.Settings);
        restarted.Update(older, waiting);
        restarted.Update(younger, Served(Server("younger", "/same", age: 1)));
        Assert.Equal(younger, restarted.ConflictOf(older)?.Holder);
        Assert.Null(restarted.ConflictOf(younger));
    }

    [Fact]
    public void OfTwoThatServeTheSameTheOlderKeepsItAndTheReportOfTheOtherChangesNothing()
    {
        var younger = Put(Served(Server("younger", "/same", age: 1)));
        var older = Put(Served(Server("older", "/same", age: 2)));
        Assert.Equal(older, _routes.ConflictOf(younger)?.Holder);

        Put(Server("younger", "/same", age: 1) with { Reported = new LastReport { ObservedGeneration = 3 } });

        Assert.Equal(older, _routes.ConflictOf(younger)?.Holder);
        Assert.Null(_routes.ConflictOf(older));
    }

    [Fact]
    public void ANamesakeHasNothingOfTheOneBefore()
    {
        var first = Put(Served(OAuth("first", "/same", age: 2)));
        var waiting = Put(OAuth("waiting", "/same", age: 1));

        var namesake = OAuth("first", "/same", age: 0);
        var affected = Update(first, namesake with { Metadata = namesake.Metadata with { Uid = "another" } });

        Assert.Contains(waiting, affected);
        Assert.Null(_routes.ConflictOf(waiting));
        Assert.Equal(waiting, _routes.ConflictOf(first)?.Holder);
    }

    [Fact]
    public void ARouteThatIsLeftIsFreeWhenTheReportSaysSo()
    {
        var server = Served(Server("older", "/same", age: 2));
        var older = Put(server);
        var younger = Put(Server("younger", "/same", age: 1));

        var moved = Edited(server, "/other");
        Put(moved);
        Assert.Equal(older, _routes.ConflictOf(younger)?.Holder);

        Assert.Equal([younger], Update(older, Served(moved)));
        Assert.Null(_routes.ConflictOf(younger));
    }

    /// <summary>Each one's Ingress may yet serve what the other asks for.</summary>
    [Fact]
    public void TwoThatTradeTheirRoutesHaveNoneUntilBothHaveLeftThem()
    {
        var first = Edited(Served(Server("first", "/a", age: 2)), "/b");
        var second = Edited(Served(Server("second", "/b", age: 1)), "/a");
        Put(first);
        Put(second);
        Assert.Equal(second.Key, _routes.ConflictOf(first.Key)?.Holder);
        Assert.Equal(first.Key, _routes.ConflictOf(second.Key)?.Holder);

        Assert.Contains(second.Key, Update(first.Key, first with { Reported = null }));
        Assert.Null(_routes.ConflictOf(second.Key));
        Assert.Equal([first.Key], Update(second.Key, second with { Reported = null }));
        Assert.Null(_routes.ConflictOf(first.Key));
    }

    [Theory]
    [InlineData("/tools", Metadata + "/tools", true)]
    [InlineData("/tools/", Metadata + "/tools/", true)]
    [InlineData("/tools", Metadata + "/tools/deeper", true)]
    [InlineData("/", Metadata, true)]
    [InlineData("/", Metadata + "/any", true)]
    [InlineData("/tools", Metadata + "/toolsmith", false)]
    [InlineData("/tools", Metadata, false)]
    [InlineData("/tools", "/tools/deeper", false)]
    public void NobodyOfAnotherNamespaceGetsAPathAtOrBelowTheMetadataPath(string path, string other, bool collide)
    {
        var first = Put(Served(OAuth("first", path, age: 1)));

        // It is older, and comes second.
        var second = Put(Server("second", other, age: 2, ns: "another"));
        Assert.Equal(collide ? first : null, _routes.ConflictOf(second)?.Holder);
        Assert.Null(_routes.ConflictOf(first));

        // The other way round: who serves there first keeps the other one from its OAuth.
        var later = new RouteTable(SampleServers.Settings);
        later.Update(second, Served(Server("second", other, age: 1, ns: "another")));
        later.Update(first, OAuth("first", path, age: 2));
        Assert.Equal(collide ? second : null, later.ConflictOf(first)?.Holder);
        Assert.Null(later.ConflictOf(second));
    }

    [Fact]
    public void WithinANamespaceOnlyTheMetadataPathItselfIsTaken()
    {
        var first = Put(Served(OAuth("first", "/tools", age: 2)));

        Assert.Equal(first, _routes.ConflictOf(Add("same", Metadata + "/tools", age: 1))?.Holder);
        Assert.Null(_routes.ConflictOf(Add("below", Metadata + "/tools/deeper", age: 1)));
    }

    [Fact]
    public void WithoutAGatewayThereIsNoMetadataPath()
    {
        Put(SampleServers.Off(OAuth("first", "/tools", age: 2)));

        Assert.Null(_routes.ConflictOf(Put(Server("second", Metadata + "/tools", age: 1, ns: "another"))));
    }

    /// <summary>An edit of the number of replicas, say: between it and its report the observed generation is another.</summary>
    [Fact]
    public void AnEditElsewhereInTheSpecLeavesTheMetadataPathServed()
    {
        var younger = Served(OAuth("younger", "/tools", age: 1));
        Put(younger);
        Put(Edited(younger, "/tools"));

        var older = Served(Server("older", "/tools/deeper", age: 2, ns: "another"));
        Put(older);
        Put(Edited(older, "/tools/deeper") with { Spec = OAuth("older", "/tools/deeper", age: 2).Spec });

        Assert.Null(_routes.ConflictOf(younger.Key));
        Assert.Equal(younger.Key, _routes.ConflictOf(older.Key)?.Holder);
    }

    [Fact]
    public void AnInvalidServerKeepsItsMetadataPathAlsoAfterARestart()
    {
        var invalid = Put(Invalid("/other", age: 1, url: "/same"));
        var older = Put(Server("older", Metadata + "/same", age: 2, ns: "another"));

        Assert.Equal(invalid, _routes.ConflictOf(older)?.Holder);
        // But it takes nothing from one that serves it: then it was not the invalid one's.
        Put(Served(Server("older", Metadata + "/same", age: 0, ns: "another")));
        Assert.Null(_routes.ConflictOf(older));
    }

    [Fact]
    public void OneThatWaitsKeepsItsPlaceInTheLine()
    {
        Put(Served(Server("first", "/a", age: 3)));
        var second = Put(OAuth("second", "/a", age: 2));
        var third = Put(Server("third", Metadata + "/a", age: 1));

        Assert.Equal(Key("first"), _routes.ConflictOf(second)?.Holder);
        Assert.Equal(second, _routes.ConflictOf(third)?.Holder);
    }

    [Theory]
    [InlineData("/tools", false, "MCPServer team/first has the route h.example/tools: change")]
    [InlineData(Metadata + "/tools", false, "MCPServer team/first has the route h.example" + Metadata + "/tools: change")]
    [InlineData(Metadata + "/tools/x", false, "h.example" + Metadata + "/tools/x is below an OAuth metadata path of MCPServer team/first: change")]
    [InlineData("/", true, "MCPServer team/first has a route below h.example" + Metadata + ", the OAuth metadata path of this server: change")]
    public void TheMessageNamesTheOtherOneAndTheRouteInConflict(string path, bool oauth, string expected)
    {
        Put(Served(OAuth("first", "/tools", age: 1, host: "h.example")));
        var second = Put(oauth ? OAuth("second", path, age: 2, "h.example", "another") : Server("second", path, age: 2, "h.example", "another"));

        Assert.StartsWith(expected, _routes.ConflictOf(second)!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ARouteThatCollidesWithTheMetadataPathIsNamedSo()
    {
        Put(Served(Server("first", Metadata + "/tools", age: 1)));

        Assert.Equal(
            $"MCPServer team/first has the route {Metadata}/tools, the OAuth metadata path of this server: "
            + "change ingressHost, ingressPath or publicPathPrefix of one of them",
            _routes.ConflictOf(Put(OAuth("second", "/tools", age: 2)))!.Message);
    }

    /// <summary>Compared each with each, this would take minutes.</summary>
    [Fact]
    public void ThousandsOfServersOnOneHostHaveNothingToDoWithEachOther()
    {
        const int count = 5_000;
        for (var round = 0; round < 2; round++)
            for (var i = 0; i < count; i++)
            {
                var server = OAuth($"s{i}", $"/s{i}/mcp", age: 1, host: "h.example", ns: $"ns-{i % 100}");
                Assert.Empty(Update(server.Key, round % 2 == 0 ? server : Served(server)));
                Assert.Null(_routes.ConflictOf(server.Key));
            }

        // One at the root has its metadata path above all others.
        var root = Put(OAuth("root", "/", age: 0, host: "h.example", ns: "ns-0"));
        Assert.NotNull(_routes.ConflictOf(root));
        Assert.Empty(Update(root, null));
    }

    [Fact]
    public void AnAbsurdlyDeepPathIsNoWork()
    {
        var path = Metadata + string.Concat(Enumerable.Repeat("/a", 500_000));
        var deep = Put(Served(OAuth("deep", path, age: 1)));

        Assert.Null(_routes.ConflictOf(deep));
        Assert.Equal(deep, _routes.ConflictOf(Add("another", path, age: 2))?.Holder);
    }

    /// <summary>Its Ingress is about to go, and never had that path.</summary>
    [Fact]
    public void AServerThatIsToldOfAConflictDoesNotServeTheMetadataPathThatItAsksFor()
    {
        var header = Served(Server("first", "/tools", age: 2));
        Put(header);
        var second = Put(Served(Server("second", Metadata + "/tools", age: 1, ns: "another")));
        var oauth = OAuth("first", "/tools", age: 2) with { Reported = header.Reported };
        oauth = oauth with { Metadata = oauth.Metadata with { Generation = header.Metadata.Generation + 1 } };
        Assert.Equal(second, _routes.ConflictOf(Put(oauth))?.Holder);

        Put(oauth with
        {
            Reported = new LastReport
            {
                Url = header.Reported!.Url,
                ObservedGeneration = oauth.Metadata.Generation,
                Conditions = [new LastCondition(ConditionTypes.IngressReady, "False", null, Reasons.RouteConflict)],
            },
        });

        Assert.Null(_routes.ConflictOf(second));
        Assert.Equal(second, _routes.ConflictOf(oauth.Key)?.Holder);
    }

    /// <summary>All that has to be said is that it is another one, which can wait for the end of a burst.</summary>
    [Fact]
    public void WhoeverIsKeptFromARouteByAnotherThanBeforeStillWaits()
    {
        var (first, second, third) = (Add("first", "/same", age: 3), Add("second", "/same", age: 2), Add("third", "/same", age: 1));

        Assert.Equal([new(second, StillWaits: false), new(third, StillWaits: true)], _routes.Update(first, null));
        Assert.Equal(second, _routes.ConflictOf(third)?.Holder);
    }

    [Fact]
    public void WhoeverWaitsForARouteHasNothingToDoWithTheOthersThatWait()
    {
        Put(Served(Server("first", "/same", age: 300)));
        for (var age = 250; age > 0; age--)
            Assert.Empty(Update(Key($"s{age}"), Server($"s{age}", "/same", age)));
        for (var age = 250; age > 0; age--)
            Assert.Empty(Update(Key($"s{age}"), null));
    }

    [Fact]
    public void InTwoIngressClassesARouteIsTwoRoutes()
    {
        var one = Add("one", "/same", age: 2);
        var other = Put(InClass(Server("other", "/same", age: 1), "nginx"));

        Assert.Null(_routes.ConflictOf(one));
        Assert.Null(_routes.ConflictOf(other));
    }

    [Fact]
    public void WhoeverChangesItsClassTakesNoRouteThatIsServedThere()
    {
        var older = Served(Server("older", "/same", age: 2));
        Put(older);
        var younger = Put(Served(InClass(Server("younger", "/same", age: 1), "nginx")));

        Put(InClass(Edited(older, "/same"), "nginx"));

        Assert.Null(_routes.ConflictOf(younger));
        Assert.Equal(younger, _routes.ConflictOf(older.Key)?.Holder);
    }

    [Fact]
    public void NorDoesOneThatIsInvalidThen()
    {
        var older = Served(Server("older", "/same", age: 2));
        Put(older);
        var younger = Put(Served(InClass(Server("younger", "/same", age: 1), "nginx")));
        var broken = InClass(Edited(older, "/same"), "nginx");
        broken = broken with { Spec = broken.Spec with { Image = null } };

        Put(broken);
        Assert.Null(_routes.ConflictOf(younger));

        // Nor after a restart of the operator, which has not seen its class before.
        var restarted = new RouteTable(SampleServers.Settings);
        restarted.Update(broken.Key, broken with { Reported = new LastReport { Url = broken.Reported!.Url, ObservedGeneration = broken.Metadata.Generation } });
        restarted.Update(broken.Key, broken);
        restarted.Update(younger, Served(InClass(Server("younger", "/same", age: 1), "nginx")));
        Assert.Null(restarted.ConflictOf(younger));
    }

    /// <summary>Whoever is older, and has lost its class by an invalid edit, still takes nothing from who edits his own server.</summary>
    [Fact]
    public void AnEditOfOnesOwnGivesNothingToAnOlderServerOfAnotherClass()
    {
        var older = Served(InClass(Server("older", "/same", age: 2), "x"));
        Put(older);
        var younger = Served(Server("younger", "/same", age: 1));
        Put(younger);
        var broken = Edited(older, "/same");
        Put(broken with { Spec = broken.Spec with { Image = null } });

        Put(Edited(younger, "/same"));

        Assert.Null(_routes.ConflictOf(younger.Key));
    }

    [Fact]
    public void AnAnnotationOfAnotherClassIsAClaimInBoth()
    {
        var older = Add("older", "/same", age: 2);
        var younger = InClass(Server("younger", "/same", age: 1), "x");
        Put(younger with
        {
            Spec = younger.Spec with { IngressAnnotations = new Dictionary<string, string> { ["kubernetes.io/ingress.class"] = "traefik" } },
        });

        Assert.Equal(older, _routes.ConflictOf(younger.Key)?.Holder);
    }

    [Fact]
    public void AnIngressAndAnHttpRouteOfOneHostAreInEachOthersWayWhateverTheClass()
    {
        var ingress = Put(InClass(Server("ingress", "/same", age: 2, "h.example"), "nginx"));
        var route = Put(ByGateway(Server("route", "/same", age: 1, "h.example"), "edge/one"));
        var other = Put(ByGateway(Server("other", "/same", age: 1), "edge/two", "g.example", "h.example"));

        Assert.Equal(ingress, _routes.ConflictOf(route)?.Holder);
        Assert.Equal(ingress, _routes.ConflictOf(other)?.Holder);
        Assert.Equal(new Route("h.example", "/same"), _routes.ConflictOf(other)?.Route);
    }

    [Fact]
    public void HttpRoutesOfTwoGatewaysAreNotAndOfOneGatewayTheyAre()
    {
        var one = Put(ByGateway(Server("one", "/same", age: 3), "edge/one"));
        var two = Put(ByGateway(Server("two", "/same", age: 2), "edge/two"));
        var same = Put(ByGateway(Server("same", "/same", age: 1), "edge/one"));
        // Of several it may be any.
        var both = Put(ByGateway(Server("both", "/same", age: 0), "edge/three") is var server
            ? server with { Spec = server.Spec with { HttpRoute = Json.Element("""{"parentRefs":[{"name":"three"},{"name":"four"}]}""") } } : null!);

        Assert.Null(_routes.ConflictOf(one));
        Assert.Null(_routes.ConflictOf(two));
        Assert.Equal(one, _routes.ConflictOf(same)?.Holder);
        Assert.Equal(one, _routes.ConflictOf(both)?.Holder);
    }

    [Fact]
    public void EachHostAndItsMetadataAreClaimedAndWhoWantsNoRouteClaimsNone()
    {
        var oauth = OAuth("oauth", "/mcp", age: 2);
        Put(ByGateway(oauth, "edge/one", "a.example", "b.example"));
        var second = Add("second", "/mcp", age: 1, "b.example");
        var metadata = Add("metadata", $"{Metadata}/mcp", age: 1, "b.example");
        var none = Put(Server("none", "/mcp", age: 1, "b.example") is var server ? server with { Spec = server.Spec with { Route = "None" } } : null!);

        Assert.Equal(oauth.Key, _routes.ConflictOf(second)?.Holder);
        Assert.Equal(oauth.Key, _routes.ConflictOf(metadata)?.Holder);
        Assert.Null(_routes.ConflictOf(none));
    }

    /// <summary>Nor does the path of its metadata, though it serves that of its first host.</summary>
    [Fact]
    public void AHostThatIsAddedIsNotServedYetThoughTheFirstOneIs()
    {
        var older = Served(ByGateway(OAuth("older", "/mcp", age: 2), "edge/one", "a.example"));
        Put(older);
        var younger = Put(Served(ByGateway(Server("younger", "/mcp", age: 1), "edge/one", "b.example")));
        var metadata = Put(Served(ByGateway(Server("metadata", $"{Metadata}/mcp", age: 1), "edge/one", "b.example")));

        Put(ByGateway(Edited(older, "/mcp"), "edge/one", "a.example", "b.example"));

        Assert.Null(_routes.ConflictOf(younger));
        Assert.Null(_routes.ConflictOf(metadata));
        Assert.Contains(_routes.ConflictOf(older.Key)?.Holder, new ObjectKey?[] { younger, metadata });
    }

    [Theory]
    [InlineData("a.example")]
    [InlineData("b.example", "a.example")]
    [InlineData("c.example")]
    public void AHostThatIsServedStaysItsUntilTheNextReport(params string[] hosts)
    {
        var server = Served(ByGateway(Server("server", "/mcp", age: 1), "edge/one", "a.example", "b.example"));
        Put(server);
        Put(ByGateway(Edited(server, "/mcp"), "edge/one", hosts));

        var other = Put(ByGateway(Server("other", "/mcp", age: 2), "edge/one", "b.example"));

        Assert.Equal(server.Key, _routes.ConflictOf(other)?.Holder);
        var edited = ByGateway(Edited(server, "/mcp"), "edge/one", hosts);
        Put(Served(edited));
        Assert.Equal(hosts.Contains("b.example") ? server.Key : null, _routes.ConflictOf(other)?.Holder);
    }

    /// <summary>
    /// Of an older server that changes its class into that of a younger one, and whose Ingress cannot be changed, or deleted: no report of that makes it one
    /// that serves there.
    /// </summary>
    [Theory]
    [InlineData("False", Reasons.RouteConflict)]
    [InlineData("False", Reasons.Terminating)]
    [InlineData("False", "ApplyFailed")]
    [InlineData("False", "Contested")]
    public void WhatIsReportedToBeNotCarriedOutIsNotServed(string status, string reason)
    {
        var older = Served(InClass(Server("older", "/same", age: 2), "nginx"));
        Put(older);
        var younger = Put(Served(InClass(Server("younger", "/same", age: 1), "traefik")));
        var edited = InClass(Edited(older, "/same"), "traefik");

        Put(Served(edited, new LastCondition(ConditionTypes.IngressReady, status, null, reason)));

        Assert.Null(_routes.ConflictOf(younger));
        Assert.Equal(younger, _routes.ConflictOf(older.Key)?.Holder);
        // Its own class stays its, too.
        var nginx = Put(InClass(Server("nginx", "/same", age: 3), "nginx"));
        Assert.Equal(older.Key, _routes.ConflictOf(nginx)?.Holder);
    }

    /// <summary>Where somebody contests a part of it, or a controller refuses the path of the metadata, the route moves all the same, and the one before is free.</summary>
    [Theory]
    [InlineData("ApplyFailed")]
    [InlineData("Contested")]
    public void ARouteThatIsLeftIsFreeThoughNotAllOfTheSpecIsCarriedOut(string reason)
    {
        var server = Served(OAuth("server", "/before", age: 1));
        Put(server);
        Put(Served(Edited(server, "/after"), new LastCondition(ConditionTypes.IngressReady, "False", null, reason)));

        Assert.Null(_routes.ConflictOf(Add("before", "/before", age: 2)));
        Assert.Equal(server.Key, _routes.ConflictOf(Add("after", "/after", age: 2))?.Holder);
    }

    /// <summary>A former Ingress that is held must not keep what has taken its place from its route.</summary>
    [Fact]
    public void WhatIsWrittenBesideAFormerOneIsServedInItsOwnClass()
    {
        var server = Served(InClass(Server("server", "/same", age: 1, "h.example"), "alb"));
        Put(server);
        var edited = InClass(Edited(server, "/same"), "traefik") is var other ? other with { Spec = other.Spec with { Route = "HTTPRoute", HttpRoute = Json.Element("""{"parentRefs":[{"name":"g"}]}""") } } : null!;
        Put(Served(
            edited, new LastCondition(ConditionTypes.IngressReady, "False", null, Reasons.Terminating), new LastCondition(ConditionTypes.HttpRouteReady, "True", null, Reasons.HttpRouteAccepted)));

        var gateway = Put(ByGateway(Server("gateway", "/same", age: 2, "h.example"), "team/g"));
        var alb = Put(InClass(Server("alb", "/same", age: 2, "h.example"), "alb"));
        Assert.Equal(server.Key, _routes.ConflictOf(gateway)?.Holder);
        Assert.Equal(server.Key, _routes.ConflictOf(alb)?.Holder);
    }

    /// <summary>An HTTPRoute of two hosts becomes an Ingress of the first, and stays for a while, or for long.</summary>
    [Theory]
    [InlineData(Reasons.HttpRouteAccepted, "True")]
    [InlineData(Reasons.Terminating, "False")]
    public void WhatStaysUntilAnotherServesHasItsHosts(string reason, string status)
    {
        var server = Served(ByGateway(Server("server", "/mcp", age: 1, "a.example"), "edge/one", "a.example", "b.example"));
        Put(server);
        var edited = Edited(server, "/mcp") is var other ? other with { Spec = other.Spec with { Route = null, HttpRoute = null } } : null!;
        var former = new LastCondition(ConditionTypes.HttpRouteReady, status, null, reason);
        Put(Served(edited, new LastCondition(ConditionTypes.IngressReady, "False", null, Reasons.LoadBalancerPending), former));
        var older = Put(ByGateway(Server("older", "/mcp", age: 2), "edge/one", "b.example"));

        Assert.Equal(server.Key, _routes.ConflictOf(older)?.Holder);
        // Though the new one may have another host by then.
        Put(Served(edited with { Spec = edited.Spec with { IngressHost = "c.example" } }, former));
        Assert.Equal(server.Key, _routes.ConflictOf(older)?.Holder);
        Assert.Equal(server.Key, _routes.ConflictOf(Add("first", "/mcp", age: 3, "a.example"))?.Holder);
        Put(Served(edited with { Spec = edited.Spec with { IngressHost = "c.example" } }));
        Assert.Null(_routes.ConflictOf(older));
    }

    private static MCPServer ByGateway(MCPServer server, string gateway, params string[] hosts) => server with
    {
        Spec = server.Spec with
        {
            Route = "HTTPRoute",
            HttpRoute = Json.Element($$"""
                {"parentRefs":[{"namespace":"{{gateway.Split('/')[0]}}","name":"{{gateway.Split('/')[1]}}"}],"hostnames":[{{string.Join(',', hosts.Select(static host => $"\"{host}\""))}}]}
                """),
        },
    };

    private static MCPServer InClass(MCPServer server, string ingressClass) => server with { Spec = server.Spec with { IngressClass = ingressClass } };

    private static MCPServer Invalid(string path, int age, string? url)
    {
        var server = Server("invalid", path, age);
        return server with { Spec = server.Spec with { Image = null }, Reported = new LastReport { Url = url, ObservedGeneration = 3 } };
    }

    private static ObjectKey Key(string name) => new("team", name);

    private static MCPServer Server(string name, string path, int age, string? host = null, string ns = "team") => SampleServers.Of(
        new MCPServerSpec { Image = "i", IngressPath = path, IngressHost = host }, name, ns, SampleServers.Epoch.AddMinutes(-age));

    private static MCPServer OAuth(string name, string path, int age, string? host = null, string ns = "team")
    {
        var server = Server(name, path, age, host, ns);
        return server with
        {
            Spec = server.Spec with
            {
                Gateway = new GatewayConfig { Enabled = true, Image = "g" },
                Auth = new AuthConfig { Mode = AuthConfig.OAuth, IssuerURL = "https://id.example" },
            },
        };
    }

    /// <summary>As it is once its Ingress is there.</summary>
    private static MCPServer Served(MCPServer server, params LastCondition[] conditions) => server with
    {
        Reported = new LastReport
        {
            Conditions = conditions,
            Url = Routing.Resolve(server.Metadata.Name, server.Spec).Url(Routing.IsTls(server.Spec, SampleServers.Settings)),
            ObservedGeneration = server.Metadata.Generation,
        },
    };

    private static MCPServer Edited(MCPServer server, string path) => server with
    {
        Metadata = server.Metadata with { Generation = server.Metadata.Generation + 1 },
        Spec = server.Spec with { IngressPath = path },
    };

    private IEnumerable<ObjectKey> Update(ObjectKey key, MCPServer? server) => _routes.Update(key, server).Select(change => change.Server);

    private ObjectKey Put(MCPServer server)
    {
        _routes.Update(server.Key, server);
        return server.Key;
    }

    private ObjectKey Add(string name, string path, int age, string? host = null) => Put(Server(name, path, age, host));
}
