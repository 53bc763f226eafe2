using System.Globalization;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// A document has room for so much. One member alone may not fill it, and many together keep neither the server's own nor what is taken away out.
/// </summary>
public sealed class PolicyRoomTests(UnboundedControlPlane own) : IClassFixture<UnboundedControlPlane>
{
    private static readonly Resource Grants = Resource.MCPAccessGrants;
    private static readonly Resource Sessions = Resource.MCPAgentSessions;
    private static readonly ParallelOptions AtOnce = new() { MaxDegreeOfParallelism = 4 };

    private readonly ControlPlane _controlPlane = own.Require();

    [Fact]
    public async Task AMemberThatIsTooLargeIsToldSoAndKeepsNobodyOut()
    {
        await using var members = await Revocable.StartAsync(_controlPlane, ServerScenario.OneWorker);
        var scenario = members.Scenario;
        // Some break a bound, and one has no field that does: each takes more room than one may.
        string[] large = ["large-1", "large-2", "large-3"];
        foreach (var name in large)
            await CreateGrantAsync(members, name, rules: 4500);
        await CreateGrantAsync(members, "large-by-all", rules: 256, nameLength: 250);
        // Of the server's own namespace, and by other fields.
        await scenario.CreateGrantAsync("large-own", $"subject: {{humanID: {new string('x', 200 * 1024)}}}");
        await scenario.CreateSessionAsync("large-session", $"subject: {{humanID: {new string('x', 200 * 1024)}}}");
        await scenario.CreateGrantAsync("late");
        await scenario.IsAcceptedAsync("late");

        await scenario.EditAsync(Grants, Revocable.Stays, "disabled: true");
        await scenario.IsToldAsync(Grants, Revocable.Stays, "Disabled", "Disabled");
        foreach (var name in large)
            await scenario.IsToldAsync(Grants, name, "Rejected", "Invalid", members.Other);
        await scenario.IsToldAsync(Grants, "large-by-all", "Rejected", "TooLarge", members.Other);
        await scenario.IsToldAsync(Grants, "large-own", "Rejected", "Invalid");
        await scenario.IsToldAsync(Sessions, "large-session", "Rejected", "Invalid");
        foreach (var way in Revocable.AllWays)
        {
            await members.TakeAwayAsync(way);
            await members.GoneAsync(way);
            await members.IsToldAsync(way);
            await members.AssertFirstAsync(way, 20);
        }

        Assert.Equal([Revocable.Disabled, "late", Revocable.Stays], Gateways.NamesIn(await members.PolicyAsync(), "grants"));
        var status = (await scenario.ServerAsync())["status"]!;
        Assert.Equal("True PolicyCurrent", ServerScenario.StatusAndReason(status, "PolicyReady"));

        // Who takes less room gets it.
        await scenario.EditAsync(Grants, "large-own", "subject: {humanID: h}");
        await scenario.IsAcceptedAsync("large-own");
    }

    [Fact]
    public async Task WhatDoesNotFitIsLeftOutForeignFirstAndNewestFirstAndComesInWhenThereIsRoom()
    {
        await using var members = await Revocable.StartAsync(_controlPlane, ServerScenario.OneWorker);
        var scenario = members.Scenario;
        string[] early = [.. Enumerable.Range(0, 20).Select(i => $"z-early-{i:00}")];
        string[] late = [.. Enumerable.Range(0, 40).Select(i => $"a-late-{i:00}")];
        string[] over = ["over-1", "over-2"];
        await scenario.CreateGrantAsync("own-first");
        foreach (var name in over)
            await scenario.CreateSessionAsync(name, "subject: {agentID: a}, expiresAt: '2020-01-02T03:04:05Z'");
        await Parallel.ForEachAsync(early, AtOnce, async (name, _) => await CreateMediumAsync(name));
        // Creation times have whole seconds.
        var second = DateTimeOffset.UtcNow;
        await Eventually.TrueAsync("the next second had come", () => DateTimeOffset.UtcNow > second.AddSeconds(1));
        await Parallel.ForEachAsync(late, AtOnce, async (name, _) => await CreateMediumAsync(name));
        await scenario.CreateGrantAsync("own-last");

        await scenario.IsAcceptedAsync("own-last");
        await scenario.IsAcceptedAsync("own-first");
        foreach (var name in over)
            await scenario.IsToldAsync(Sessions, name, "Expired", "Expired");
        foreach (var name in early)
            await scenario.IsAcceptedAsync(name, members.Other);
        var policy = await scenario.PolicyAsync();
        var names = Gateways.NamesIn(policy, "grants").ToList();
        Assert.Superset(new HashSet<string>(["own-first", "own-last", Revocable.Stays, .. early]), new HashSet<string>(names));
        Assert.DoesNotContain(over, Gateways.NamesIn(policy, "sessions").Contains);
        Assert.Contains(Revocable.Revoked, Gateways.NamesIn(policy, "sessions"));
        var leftOut = late.Except(names).ToList();
        Assert.InRange(leftOut.Count, 1, late.Length - 1);
        foreach (var name in leftOut)
            await scenario.IsToldAsync(Grants, name, "Rejected", "PolicyFull", members.Other);
        // Those that are in it are not newer than those that are not.
        var ages = (await scenario.Client.ListAsync(Grants, members.Other.Name)).ToDictionary(
            grant => (string)grant["metadata"]!["name"]!,
            grant => DateTimeOffset.Parse((string)grant["metadata"]!["creationTimestamp"]!, CultureInfo.InvariantCulture));
        Assert.True(late.Except(leftOut).Max(name => ages[name]) <= leftOut.Min(name => ages[name]));

        foreach (var way in Revocable.AllWays.Where(way => way != Revocable.ConsentWithdrawn))
        {
            await members.TakeAwayAsync(way);
            await members.GoneAsync(way);
            await members.AssertFirstAsync(way, 20);
        }

        // Room, for all of them and what had to go first.
        await Parallel.ForEachAsync(
            late.Except(leftOut).Take(leftOut.Count + 2), AtOnce, async (name, _) => await scenario.Client.DeleteAsync(Grants, members.Other.Name, name));
        foreach (var name in leftOut)
            await scenario.IsAcceptedAsync(name, members.Other);
        policy = await scenario.EventuallyPolicyAsync(
            "all were in it", seen => leftOut.TrueForAll(Gateways.NamesIn(seen, "grants").Contains) && over.All(Gateways.NamesIn(seen, "sessions").Contains));
        Assert.DoesNotContain(Revocable.Deleted, Gateways.NamesIn(policy, "grants"));

        // Nobody looked at it again and again.
        await scenario.AccessPassAsync();
        var writes = (await scenario.AllWritesAsync()).Count;
        await scenario.PassAsync();
        await scenario.AccessPassAsync();
        Assert.Equal(writes, (await scenario.AllWritesAsync()).Count);

        Task CreateMediumAsync(string name) => CreateGrantAsync(members, name, rules: 220);
    }

    /// <summary>In the other namespace.</summary>
    private static Task<JsonObject> CreateGrantAsync(Revocable members, string name, int rules, int nameLength = 9) => members.Scenario.Client.CreateAsync(
        new JsonObject
        {
            ["apiVersion"] = Grants.ApiVersion,
            ["kind"] = Grants.Kind,
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = new JsonObject
            {
                ["serverRef"] = new JsonObject { ["name"] = ServerScenario.Name, ["namespace"] = members.Scenario.Namespace.Name },
                ["subject"] = new JsonObject { ["humanID"] = "h" },
                ["toolRules"] = new JsonArray([.. Enumerable.Range(0, rules).Select(i => new JsonObject { ["name"] = $"tool-{i:0000}".PadRight(nameLength, 'x') })]),
            },
        },
        members.Other.Name);
}
