using McpOperator.Envtest.Faults;

namespace McpOperator.Envtest;

/// <summary>What is taken away stays so when another operator takes over, whatever its caches hold.</summary>
public sealed class RevocationFailoverTests(OwnControlPlane own) : IClassFixture<OwnControlPlane>
{
    private static readonly string[] Quick = LeaderElectionTests.Timing("3s", "2s");

    private readonly ControlPlane _controlPlane = own.Require();

    [Fact]
    public async Task WhatIsTakenAwayWhileNobodyLeadsIsOutOfTheFirstDocument()
    {
        await using var pair = await LaggingPair.StartAsync(_controlPlane);
        await pair.KillLeaderAsync();
        foreach (var way in Revocable.AllWays)
            await pair.Members.TakeAwayAsync(way);

        await pair.Second.WaitForLogAsync("LeaseAcquired");
        foreach (var way in Revocable.AllWays)
        {
            await pair.Members.GoneAsync(way);
            await pair.Members.IsToldAsync(way);
        }

        // One document says all of it; nothing else is written before it but what the start of a term writes.
        foreach (var way in Revocable.AllWays)
            await pair.Members.AssertFirstAsync(way, 10);
    }

    /// <summary>Its watches are late: it has to ask etcd before it writes the first document of its term.</summary>
    [Fact]
    public async Task ALeaderWhoseWatchesLagDoesNotPutBackWhatTheOneBeforeTookAway()
    {
        await using var pair = await LaggingPair.StartAsync(_controlPlane);
        var late = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var lag = pair.Front.FailEvents(IsOfMembers, LateAsync);
        foreach (var way in Ways)
        {
            await pair.Members.TakeAwayAsync(way);
            await pair.Members.GoneAsync(way);
            await pair.Members.IsToldAsync(way);
        }

        await pair.KillLeaderAsync();
        await pair.Second.WaitForLogAsync("LeaseAcquired");
        await WriteOnceAsync(pair.Members);

        foreach (var way in Ways)
            await pair.Members.AssertFirstAsync(way, 100);
        late.SetResult();

        async Task<bool> LateAsync(Exchange exchange, string line)
        {
            await late.Task.WaitAsync(exchange.Cancellation);
            await exchange.WriteAsync(line + '\n');
            return true;
        }
    }

    /// <summary>So are its first lists, where an API server answers them from a cache that lags.</summary>
    [Fact]
    public async Task AnOperatorWhoseFirstListsAreOldDoesNotPutBackWhatTheOneBeforeTookAway()
    {
        await using var ns = await TestNamespace.CreateAsync(_controlPlane);
        await using var front = await FaultyApiServer.StartAsync(_controlPlane, ns.OperatorUser);
        await using var members = await Revocable.StartAsync(_controlPlane, ns, ["--kubeconfig", front.Kubeconfig]);
        var scenario = members.Scenario;
        var old = new Dictionary<string, string>();
        foreach (var resource in (Resource[])[Resource.MCPAccessGrants, Resource.MCPAgentSessions])
            foreach (var path in (string[])[resource.PathTo(ns.Name), resource.PathTo(members.Other.Name)])
                old[$"/{path}"] = (await scenario.Client.SendAsync(HttpMethod.Get, path)).ToJsonString();
        foreach (var way in Ways)
        {
            await members.TakeAwayAsync(way);
            await members.GoneAsync(way);
            await members.IsToldAsync(way);
        }

        await scenario.StopOperatorAsync();
        using var cache = front.Fail(
            request => request.IsList && IsOfMembers(request) && request.Query.Contains("resourceVersion=0", StringComparison.Ordinal),
            exchange => exchange.GarbleAnswerAsync(old[exchange.Request.Path]));
        var late = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var lag = front.FailEvents(IsOfMembers, async (exchange, line) =>
        {
            await late.Task.WaitAsync(exchange.Cancellation);
            await exchange.WriteAsync(line + '\n');
            return true;
        });
        await scenario.StartOperatorAsync(
            ServerScenario.Permissive, "--watch-namespaces", $"{ns},{members.Other}", "--kubeconfig", front.Kubeconfig);
        await WriteOnceAsync(members);

        foreach (var way in Ways)
            await members.AssertFirstAsync(way, 100);
        late.SetResult();
    }

    private static readonly string[] Ways = [Revocable.Disabled, Revocable.Deleted, Revocable.Revoked, Revocable.MovedAway];

    private static bool IsOfMembers(FrontRequest request) => request.IsOf(Resource.MCPAccessGrants) || request.IsOf(Resource.MCPAgentSessions);

    /// <summary>Has the operator write a document for another reason.</summary>
    private static async Task WriteOnceAsync(Revocable members)
    {
        await members.Scenario.EditServerAsync("policy: {policyVersion: v9}");
        await members.Scenario.EventuallyPolicyAsync("the document was written", policy => (string?)policy["policy"]!["policy_version"] == "v9");
    }

    /// <summary>Two operators; the second, which stands by, comes through a front.</summary>
    private sealed class LaggingPair(Revocable members, FaultyApiServer front, OperatorProcess second) : IAsyncDisposable
    {
        public Revocable Members => members;

        public FaultyApiServer Front => front;

        public OperatorProcess Second => second;

        public static async Task<LaggingPair> StartAsync(ControlPlane controlPlane)
        {
            var ns = await TestNamespace.CreateAsync(controlPlane);
            var other = await TestNamespace.CreateAsync(controlPlane);
            await ns.GrantInAsync(other);
            var user = await ns.GrantLeaseAsync();
            await OperatorRole.GrantAsync(controlPlane, user, other.Name);
            var options = Pair.Options(ns, Quick);
            options = options with { Arguments = [.. options.Arguments, "--watch-namespaces", $"{ns},{other}"] };
            var scenario = await ServerScenario.StartAsync(controlPlane, ns, options);
            await scenario.Operator!.WaitForLogAsync("LeaseAcquired");
            var front = await FaultyApiServer.StartAsync(controlPlane, user);
            var second = await OperatorProcess.StartAsync(controlPlane, ns, options with { Kubeconfig = front.Kubeconfig });
            await second.WaitForLogAsync("StandingBy");
            // The second has seen each of them, and its status.
            using var seen = front.FailEvents(IsOfMembers, async (exchange, line) =>
            {
                await exchange.WriteAsync(line + '\n');
                return true;
            });
            var members = await Revocable.CreateAsync(scenario, other);
            await seen.WaitAsync(2 * (Revocable.AllWays.Count + 1));
            return new(members, front, second);
        }

        public Task KillLeaderAsync() => members.Scenario.Operator!.KillAsync();

        public async ValueTask DisposeAsync()
        {
            await second.DisposeAsync();
            await members.DisposeAsync();
            await front.DisposeAsync();
        }
    }
}
