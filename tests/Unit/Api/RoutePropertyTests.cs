using CsCheck;
using McpOperator.Api;
using McpOperator.Kubernetes;
using Kind = McpOperator.Unit.Api.RouteStep.Kind;

namespace McpOperator.Unit.Api;

/// <summary>The table of routes against one that compares all with all, and with an operator that goes by it.</summary>
public sealed class RoutePropertyTests
{
    [Fact]
    public void TheHolderIsThatOfTheNaiveTableAndWhoeverHasAnotherConflictIsNamedAndNobodyElse() =>
        RouteWorld.Step([Kind.Write, Kind.Write, .. Enum.GetValues<Kind>()]).Array[1, 40].Sample(
            steps =>
            {
                var (world, table, naive) = (new RouteWorld(), new RouteTable(new OperatorSettings()), new NaiveRoutes());
                foreach (var step in steps)
                {
                    var before = RouteWorld.Keys.ToDictionary(key => key, table.ConflictOf);
                    var (key, server, _) = world.Take(step);

                    var changes = table.Update(key, server).ToDictionary(change => change.Server, change => change.StillWaits);

                    naive.Update(key, server);
                    foreach (var other in RouteWorld.Keys)
                    {
                        Assert.Equal(naive.HolderBefore(other), table.ConflictOf(other)?.Holder);
                        var isChanged = table.ConflictOf(other) != before[other];
                        if (other != key)
                            Assert.Equal(isChanged, changes.ContainsKey(other));
                        else if (!isChanged || server is null)
                            Assert.DoesNotContain(other, changes);
                        else if (before[other] is not null)
                            Assert.Contains(other, changes);
                        if (changes.TryGetValue(other, out var stillWaits))
                            Assert.Equal(before[other] is not null && table.ConflictOf(other) is not null, stillWaits);
                    }
                }
            }, iter: 3_000);

    /// <summary>
    /// One change at a time, and time enough for the operator. Whoever is affected looks and reports, and so on: it comes to an end, with
    /// nobody left out, no route given twice, and nothing taken from those who were not changed; and a restart finds the same.
    /// </summary>
    [Fact]
    public void OnceItIsQuietNoRouteIsGivenTwiceAndNobodyLostOneByTheEditOfAnother() =>
        RouteWorld.Step(Kind.Write, Kind.Write, Kind.Write, Kind.Touch, Kind.Break, Kind.Delete, Kind.Replace).Array[1, 25].Sample(
            steps =>
            {
                var (world, table) = (new RouteWorld(), new RouteTable(new OperatorSettings()));
                foreach (var step in steps)
                {
                    var serving = world.Servers.Values.Where(server => server.Reported?.Url is not null).ToList();
                    Settle(world, table, [step]);
                    foreach (var server in serving)
                        if (server.Key != RouteWorld.Keys[step.Server])
                            Assert.Equal(server.Reported!.Url, world.Servers[server.Key].Reported?.Url);
                    AssertQuiet(world, table);
                }
            }, iter: 1_000);

    [Fact]
    public void ManyChangesAtOnceComeToAnEndAsWell() =>
        RouteWorld.Step(Kind.Write, Kind.Write, Kind.Write, Kind.Touch, Kind.Break, Kind.Delete, Kind.Replace, Kind.Forge).Array[1, 8].Array[1, 6].Sample(
            bursts =>
            {
                var (world, table) = (new RouteWorld(), new RouteTable(new OperatorSettings()));
                foreach (var burst in bursts)
                {
                    Settle(world, table, burst);
                    AssertQuiet(world, table);
                }
            }, iter: 1_000);

    private static void Settle(RouteWorld world, RouteTable table, RouteStep[] steps)
    {
        var queue = new Queue<ObjectKey>();
        foreach (var step in steps)
        {
            var (key, server, isChanged) = world.Take(step);
            if (!isChanged)
                continue;
            Tell(key, server);
            queue.Enqueue(key);
        }

        for (var passes = 0; queue.TryDequeue(out var key); passes++)
        {
            Assert.True(passes < 500, "it comes to no end");
            if (!world.Servers.TryGetValue(key, out var server))
                continue;
            var reported = RouteWorld.Reported(server, hasRoute: table.ConflictOf(key) is null);
            if (IsReported(reported, server.Reported))
                continue;
            // The answer to our own report: nobody looks at the server for it, but at those that it affects.
            world.Set(key, reported);
            Tell(key, reported);
        }

        void Tell(ObjectKey key, MCPServer? server)
        {
            foreach (var (affected, _) in table.Update(key, server))
                queue.Enqueue(affected);
        }
    }

    private static bool IsReported(MCPServer server, LastReport? report) =>
        report is not null && report.Url == server.Reported!.Url && report.ObservedGeneration == server.Reported.ObservedGeneration;

    private static void AssertQuiet(RouteWorld world, RouteTable table)
    {
        var restarted = new RouteTable(new OperatorSettings());
        foreach (var (key, server) in world.Servers.Reverse())
            restarted.Update(key, server);
        foreach (var (key, server) in world.Servers)
        {
            Assert.True(IsReported(RouteWorld.Reported(server, table.ConflictOf(key) is null), server.Reported), $"{key} was left out");
            // Which hosts an invalid server still serves, beside its URL's, a new process cannot know.
            if (!world.Servers.Values.Any(other => other.Spec.Image is null && world.HadManyHosts(other.Key)))
                Assert.Equal(table.ConflictOf(key) is null, restarted.ConflictOf(key) is null);
        }

        var served = world.Servers.Values.Where(server => server.Spec.Image is not null && server.Reported?.Url is not null).ToList();
        foreach (var server in served)
            foreach (var other in served)
                if (server.Key != other.Key)
                    Assert.False(Overlap(server, other), $"{server.Key} and {other.Key} both have their routes");
    }

    private static bool Overlap(MCPServer server, MCPServer other) => !NaiveRoutes.AreApart(NaiveRoutes.Class(server), NaiveRoutes.Class(other)) && (
        from route in NaiveRoutes.Routes(server)
        from theirs in NaiveRoutes.Routes(other)
        where (route.Host, route.Path) == (theirs.Host, theirs.Path)
            || (server.Metadata.Namespace != other.Metadata.Namespace && route.IsMetadata && route.Host == theirs.Host && NaiveRoutes.IsBelow(theirs.Path, route.Path))
        select route).Any();
}
