using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using McpOperator.Envtest.Faults;

namespace McpOperator.Envtest;

/// <summary>Grants and sessions: which of them a policy holds, what each is told, and what that costs.</summary>
public sealed class AccessTests(ControlPlaneFixture fixture)
{
    private static readonly Resource Grants = Resource.MCPAccessGrants;
    private static readonly Resource Sessions = Resource.MCPAgentSessions;

    [Fact]
    public async Task AGrantIsAddedChangedMovedDisabledAndDeleted()
    {
        await using var scenario = await StartAsync("web", "other");
        await scenario.CreateGrantAsync("g");
        var status = await scenario.IsAcceptedAsync("g");
        Assert.Equal($"Accepted for MCPServer {scenario.Namespace.Name}/web", (string?)status["message"]);
        Assert.Equal("h", (string?)(await scenario.PolicyAsync())["grants"]![0]!["human_id"]);

        await scenario.EditAsync(Grants, "g", "{subject: {humanID: somebody else}, maxTrust: high}");
        await scenario.EventuallyPolicyAsync(
            "the policy followed", policy => (string?)policy["grants"]![0]!["human_id"] == "somebody else" && (string?)policy["grants"]![0]!["max_trust"] == "high");
        await scenario.IsAcceptedAsync("g");

        await scenario.EditAsync(Grants, "g", "disabled: true");
        await scenario.IsToldAsync(Grants, "g", "Disabled", "Disabled");
        Assert.True((bool)(await scenario.PolicyAsync())["grants"]![0]!["disabled"]!);
        await scenario.EditAsync(Grants, "g", "disabled: null");
        await scenario.IsAcceptedAsync("g");

        await scenario.EditAsync(Grants, "g", "serverRef: {name: other}");
        await scenario.EventuallyPolicyAsync("the one lost it", policy => policy["grants"] is null);
        await scenario.EventuallyPolicyAsync("the other got it", policy => Gateways.NamesIn(policy, "grants").SequenceEqual(["g"]), "other");
        Assert.Contains("/other", (string)(await scenario.IsAcceptedAsync("g"))["message"]!, StringComparison.Ordinal);

        await scenario.Client.DeleteAsync(Grants, scenario.Namespace.Name, "g");
        await scenario.EventuallyPolicyAsync("it was gone", policy => policy["grants"] is null, "other");
    }

    [Fact]
    public async Task EachIsToldWhatBecameOfItAndABadOneKeepsNobodyOut()
    {
        await using var scenario = await StartAsync("web");
        await scenario.CreateGrantAsync("good");
        // The schema sees neither.
        await scenario.CreateGrantAsync("bad", "subject: {humanID: \"a\\tb\"}");
        await scenario.CreateSessionAsync("nobodys", "subject: {}");
        await scenario.CreateSessionAsync("good");
        await scenario.CreateSessionAsync("over", "subject: {agentID: a}, expiresAt: '2020-01-02T03:04:05+01:00'");
        await scenario.CreateSessionAsync("revoked", "subject: {agentID: a}, revoked: true");
        await scenario.CreateSessionAsync("revoked-and-over", "subject: {agentID: a}, revoked: true, expiresAt: '2020-01-02T03:04:05Z'");
        await scenario.CreateGrantAsync("early", server: "later");

        await scenario.IsAcceptedAsync("good");
        await IsToldOfAsync(Grants, "bad", "Rejected", "Invalid", "spec.subject.humanID");
        await IsToldOfAsync(Sessions, "nobodys", "Rejected", "Invalid", "spec.subject");
        await scenario.IsToldAsync(Sessions, "good", "Accepted", "Accepted");
        await IsToldOfAsync(Sessions, "over", "Expired", "Expired", "Expired at 2020-01-02T02:04:05Z");
        await scenario.IsToldAsync(Sessions, "revoked", "Revoked", "Revoked");
        await scenario.IsToldAsync(Sessions, "revoked-and-over", "Revoked", "Revoked");
        await IsToldOfAsync(Grants, "early", "Rejected", "ServerNotFound", $"MCPServer {scenario.Namespace.Name}/later does not exist");
        var policy = await scenario.PolicyAsync();
        Assert.Equal(["good"], Gateways.NamesIn(policy, "grants"));
        // Gateways tell one that has expired from one that was never there.
        Assert.Equal(["good", "over", "revoked", "revoked-and-over"], Gateways.NamesIn(policy, "sessions"));
        Assert.Equal("2020-01-02T02:04:05Z", (string?)policy["sessions"]![1]!["expires_at"]);
        Assert.True((bool)policy["sessions"]![2]!["revoked"]!);
        Assert.True((bool)policy["sessions"]![3]!["revoked"]!);

        // Each is put right.
        await scenario.EditAsync(Grants, "bad", "subject: {humanID: ab}");
        await scenario.IsAcceptedAsync("bad");
        await scenario.EditAsync(Sessions, "nobodys", "subject: {teamID: t}");
        await scenario.IsToldAsync(Sessions, "nobodys", "Accepted", "Accepted");
        await scenario.EditAsync(Sessions, "over", "expiresAt: '2126-01-02T03:04:05Z'");
        await scenario.IsToldAsync(Sessions, "over", "Accepted", "Accepted");
        await scenario.CreateServerAsync(Gateways.Spec, "later");
        await scenario.IsAcceptedAsync("early");
        Assert.Equal(["early"], Gateways.NamesIn(await scenario.PolicyAsync("later"), "grants"));
        Assert.Equal(["bad", "good"], Gateways.NamesIn(await scenario.PolicyAsync(), "grants"));
        Assert.Equal(["good", "nobodys", "over", "revoked", "revoked-and-over"], Gateways.NamesIn(await scenario.PolicyAsync(), "sessions"));

        // And its server may go, and its gateway be off.
        await scenario.EditAndSettleAsync("gateway: {enabled: false}", "later");
        await scenario.RollOutAsync("later"); // the last pod with a gateway, which enforces it, goes
        await IsToldOfAsync(Grants, "early", "Accepted", "Accepted", "whose gateway is off", eventually: true);
        await scenario.Client.DeleteAsync(Resource.MCPServers, scenario.Namespace.Name, "later");
        await scenario.IsToldAsync(Grants, "early", "Rejected", "ServerNotFound");

        async Task IsToldOfAsync(Resource resource, string name, string phase, string reason, string text, bool eventually = false)
        {
            if (eventually)
            {
                await Eventually.TrueAsync(
                    $"it was told of {text}", () => scenario.Client.GetAsync(resource, scenario.Namespace.Name, name),
                    live => ((string?)live["status"]?["message"])?.Contains(text, StringComparison.Ordinal) == true);
            }

            Assert.Contains(text, (string)(await scenario.IsToldAsync(resource, name, phase, reason))["message"]!, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task AServerWhoseAccessPartIsInvalidKeepsItsPolicyAndTellsTheBadOnesOnly()
    {
        await using var scenario = await StartAsync("web");
        await scenario.CreateGrantAsync("old");
        await scenario.IsAcceptedAsync("old");
        var policy = await scenario.ConfigMapAsync();
        await scenario.EditAndSettleAsync("auth: {mode: mtls}");

        await scenario.CreateGrantAsync("new");
        await scenario.CreateGrantAsync("bad", "subject: {humanID: \"a\\tb\"}");
        await scenario.IsToldAsync(Grants, "bad", "Rejected", "Invalid");
        await scenario.AccessPassAsync();
        Assert.Null((await scenario.Client.GetAsync(Grants, scenario.Namespace.Name, "new"))["status"]);
        ServerScenario.AssertJson(policy, await scenario.ConfigMapAsync());

        await scenario.EditServerAsync("auth: null");
        await scenario.IsAcceptedAsync("new");
        Assert.Equal(["new", "old"], Gateways.NamesIn(await scenario.PolicyAsync(), "grants"));
    }

    [Fact]
    public async Task AnotherNamespaceNeedsTheServersConsent()
    {
        fixture.RequireOwn("permissions of the operator in two namespaces");
        await using var scenario = await ServerScenario.StartAsync(fixture);
        await using var other = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await scenario.Namespace.GrantInAsync(other);
        await scenario.StartOperatorAsync(ServerScenario.Permissive, "--watch-namespaces", $"{scenario.Namespace},{other}");
        await scenario.CreateServerAsync(Gateways.Spec);
        var server = $"web, namespace: {scenario.Namespace}";
        await scenario.CreateGrantAsync("own");
        await scenario.CreateGrantAsync("theirs", server: server, ns: other);
        await scenario.CreateGrantAsync("own", "subject: {humanID: intruder}", server, other);
        await scenario.CreateSessionAsync("theirs", server: server, ns: other);

        await scenario.IsAcceptedAsync("own");
        foreach (var (resource, name) in new[] { (Grants, "theirs"), (Grants, "own"), (Sessions, "theirs") })
        {
            var status = await scenario.IsToldAsync(resource, name, "Rejected", "NamespaceNotAllowed", other);
            Assert.Contains("mcpruntime.org/allow-access-from", (string)status["message"]!, StringComparison.Ordinal);
        }

        Assert.Equal(["own"], Gateways.NamesIn(await scenario.PolicyAsync(), "grants"));

        foreach (var consent in (string[])[$"nobody , {other} ", "*"])
        {
            await ConsentAsync(consent);
            await scenario.IsAcceptedAsync("theirs", other);
            await scenario.IsToldAsync(Sessions, "theirs", "Accepted", "Accepted", other);
            // A name that the server's own namespace has is not for others.
            var status = await scenario.IsToldAsync(Grants, "own", "Rejected", "DuplicateName", other);
            Assert.Contains($"from namespace {scenario.Namespace}", (string)status["message"]!, StringComparison.Ordinal);
            var policy = await scenario.PolicyAsync();
            Assert.Equal(["own", "theirs"], Gateways.NamesIn(policy, "grants").Order());
            Assert.DoesNotContain("intruder", policy.ToJsonString(), StringComparison.Ordinal);
            Assert.Equal(["theirs"], Gateways.NamesIn(policy, "sessions"));

            await ConsentAsync(null);
            await scenario.IsToldAsync(Grants, "theirs", "Rejected", "NamespaceNotAllowed", other);
            await scenario.IsToldAsync(Sessions, "theirs", "Rejected", "NamespaceNotAllowed", other);
            policy = await scenario.PolicyAsync();
            Assert.Equal(["own"], Gateways.NamesIn(policy, "grants"));
            Assert.Null(policy["sessions"]);
        }

        // Who is refused keeps no name, and who leaves it gives it away.
        await ConsentAsync("*");
        await scenario.IsToldAsync(Grants, "own", "Rejected", "DuplicateName", other);
        await scenario.Client.DeleteAsync(Grants, scenario.Namespace.Name, "own");
        await scenario.IsAcceptedAsync("own", other);
        Assert.Contains("intruder", (await scenario.PolicyAsync()).ToJsonString(), StringComparison.Ordinal);

        Task ConsentAsync(string? namespaces) => scenario.Client.PatchAsync(
            Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name,
            new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { ["mcpruntime.org/allow-access-from"] = namespaces } } });
    }

    [Fact]
    public async Task ASessionExpiresWithoutPolling()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await StartAsync("web");
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        var expiry = DateTimeOffset.UtcNow.AddSeconds(8).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        await scenario.CreateSessionAsync("short", $"subject: {{agentID: a}}, expiresAt: '{expiry}'");
        await scenario.CreateSessionAsync("long", "subject: {agentID: a}, expiresAt: '2126-01-01T00:00:00Z'");
        await scenario.IsToldAsync(Sessions, "short", "Accepted", "Accepted");
        await scenario.IsToldAsync(Sessions, "long", "Accepted", "Accepted");
        Assert.Equal(["long", "short"], Gateways.NamesIn(await scenario.PolicyAsync(), "sessions"));
        await scenario.AccessPassAsync();
        var stored = await scenario.ConfigMapAsync();
        var before = await scenario.Namespace.OperatorRequestsAsync();
        Task<long> JudgedAsync() => scenario.Operator!.MetricAsync("mcp_operator_access_judged_total");
        var judged = await JudgedAsync();

        Assert.Equal($"Expired at {expiry}", (string?)(await scenario.IsToldAsync(Sessions, "short", "Expired", "Expired"))["message"]);
        // Gateways go by its expires_at; the document stays.
        ServerScenario.AssertJson(stored, await scenario.ConfigMapAsync());
        Assert.True(DateTimeOffset.UtcNow >= DateTimeOffset.Parse(expiry, CultureInfo.InvariantCulture));
        Assert.Equal(
            ["patch mcpagentsessions/status"],
            (await scenario.Namespace.OperatorRequestsAsync()).Skip(before.Count).Where(request => request.Resource != "events")
                .Select(request => $"{request.Verb} {request.Resource}/{request.Subresource}"));
        // Two sessions, at their time; a timer may be early once.
        Assert.InRange(await JudgedAsync() - judged, 2, 6);
    }

    /// <summary>What is taken away works on until the policy says otherwise: nobody is told of it before, and the server's status says so.</summary>
    [Fact]
    public async Task WhatIsTakenAwayIsNotCalledRevokedBeforeTheDocumentSaysSo()
    {
        fixture.RequireOwn("a front that is a user of its own");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await using var front = await FaultyApiServer.StartAsync(fixture.ControlPlane, ns.OperatorUser);
        await using var scenario = await ServerScenario.StartAsync(
            fixture.ControlPlane, ns, ServerScenario.Permissive, [.. ServerScenario.OneWorker, "--kubeconfig", front.Kubeconfig]);
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.CreateSessionAsync("s");
        await scenario.CreateGrantAsync("g");
        await scenario.IsToldAsync(Sessions, "s", "Accepted", "Accepted");
        await scenario.IsAcceptedAsync("g");
        using var refusal = front.Fail(
            request => request.IsWrite && request.IsOf(Resource.ConfigMaps),
            exchange => exchange.RefuseAsync(HttpStatusCode.Forbidden, "Forbidden", "admission webhook \"no\" denied the request"));

        await scenario.EditAsync(Sessions, "s", "revoked: true");
        await scenario.EditAsync(Grants, "g", "disabled: true");

        await refusal.WaitAsync(2);
        await scenario.EventuallyStatusAsync(
            "the policy was outdated", seen => ServerScenario.StatusAndReason(seen, "PolicyReady").StartsWith("False ", StringComparison.Ordinal));
        await scenario.AccessPassAsync();
        Assert.Equal("Accepted", (string?)(await scenario.Client.GetAsync(Sessions, ns.Name, "s"))["status"]!["phase"]);
        Assert.Equal("Accepted", (string?)(await scenario.Client.GetAsync(Grants, ns.Name, "g"))["status"]!["phase"]);

        refusal.Dispose();
        await scenario.IsToldAsync(Sessions, "s", "Revoked", "Revoked");
        await scenario.IsToldAsync(Grants, "g", "Disabled", "Disabled");
        Assert.True((bool)(await scenario.PolicyAsync())["sessions"]![0]!["revoked"]!);
        await scenario.EventuallyStatusAsync("it was current", seen => ServerScenario.StatusAndReason(seen, "PolicyReady") == "True PolicyCurrent");
    }

    [Fact]
    public async Task WhatExpiresWhileNobodyLooksIsFoundAtTheStart()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await StartAsync("web");
        var expiry = DateTimeOffset.UtcNow.AddSeconds(4);
        await scenario.CreateSessionAsync("s", $"subject: {{agentID: a}}, expiresAt: '{expiry.ToString("O", CultureInfo.InvariantCulture)}'");
        await scenario.CreateGrantAsync("g");
        await scenario.IsAcceptedAsync("g");
        await scenario.StopOperatorAsync();
        await Eventually.TrueAsync("the time was over", () => DateTimeOffset.UtcNow > expiry);

        await scenario.StartOperatorAsync(ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.IsToldAsync(Sessions, "s", "Expired", "Expired");
        Assert.Equal(["s"], Gateways.NamesIn(await scenario.PolicyAsync(), "sessions"));

        // And what a start finds as it should be is not written.
        await scenario.AccessPassAsync();
        var writes = (await scenario.AllWritesAsync()).Count;
        await scenario.StartOperatorAsync(ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.AccessPassAsync();
        await scenario.PassAsync();
        Assert.DoesNotContain((await scenario.AllWritesAsync()).Skip(writes), write => write.Resource != "serviceaccounts");
    }

    [Fact]
    public async Task AStatusThatSomebodyTampersWithIsPutRight()
    {
        await using var scenario = await StartAsync("web");
        await scenario.CreateGrantAsync("g", "subject: {}, disabled: true");
        var right = await scenario.IsToldAsync(Grants, "g", "Disabled", "Disabled");
        foreach (var patch in (string[])["{phase: Accepted}", "{message: all may pass}", "{observedGeneration: 99}"])
        {
            await scenario.Client.PatchStatusAsync(Grants, scenario.Namespace.Name, "g", Manifest.Parse(patch));
            await Eventually.TrueAsync(
                $"it was put right after {patch}", () => scenario.Client.GetAsync(Grants, scenario.Namespace.Name, "g"),
                live => JsonNode.DeepEquals(live["status"], right));
        }

        await scenario.Client.PatchStatusAsync(Grants, scenario.Namespace.Name, "g", Manifest.Parse("conditions: null"));
        await scenario.IsToldAsync(Grants, "g", "Disabled", "Disabled");
    }

    [Fact]
    public async Task TheOperatorMayReadAndTellButNotChangeWhatUsersGrant()
    {
        fixture.RequireOwn("users of its own");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        ns.ExpectsDenials = true;
        await fixture.Client.CreateAsync(
            "{apiVersion: mcpruntime.org/v1alpha1, kind: MCPAccessGrant, metadata: {name: g}, spec: {serverRef: {name: web}, subject: {}}}", ns.Name);
        using var client = fixture.ControlPlane.ClientFor(ns.OperatorUser);

        Assert.Single(await client.ListAsync(Grants, ns.Name));
        await client.PatchStatusAsync(Grants, ns.Name, "g", new JsonObject { ["phase"] = "Accepted" });
        foreach (var refused in new Func<Task>[]
        {
            () => client.PatchAsync(Grants, ns.Name, "g", """{"spec": {"maxTrust": "high"}}"""),
            () => client.DeleteAsync(Grants, ns.Name, "g"),
            () => client.CreateAsync("{apiVersion: mcpruntime.org/v1alpha1, kind: MCPAgentSession, metadata: {name: s}, spec: {serverRef: {name: web}, subject: {}}}", ns.Name),
        })
            Assert.Equal(403, (int)(await Assert.ThrowsAsync<KubeException>(refused)).Code);
    }

    private async Task<ServerScenario> StartAsync(params string[] servers)
    {
        var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        foreach (var server in servers)
        {
            await scenario.CreateServerAsync(Gateways.Spec, server);
            await scenario.SettledAsync(server);
        }

        return scenario;
    }
}
