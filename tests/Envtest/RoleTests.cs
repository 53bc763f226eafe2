using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// That config/rbac grants nothing which nobody needs: with each verb taken away in turn, something is refused. That it
/// grants enough is asserted at the end of every scenario (<see cref="TestNamespace"/>).
/// </summary>
public sealed class RoleTests(HttpRouteTests.WithGatewayApi own) : IClassFixture<HttpRouteTests.WithGatewayApi>
{
    private readonly ControlPlaneFixture fixture = own.Fixture;

    /// <summary>What the role grants although this scenario does without it, and why.</summary>
    private static readonly Dictionary<string, string> Spare = new()
    {
        ["get mcpservers.mcpruntime.org"] = ReadTogether,
        ["get mcpaccessgrants.mcpruntime.org"] = ReadTogether,
        ["get mcpagentsessions.mcpruntime.org"] = ReadTogether,
        ["list ingressclasses.networking.k8s.io"] = "asked for only by an operator of the whole cluster: AddressTests takes it away there",
        ["get httproutes.gateway.networking.k8s.io"] = ReadTogether,
        ["get certificates.cert-manager.io"] = ReadTogether,
        ["get tlsoptions.traefik.io"] = ReadTogether,
        ["get middlewares.traefik.io"] = ReadTogether,
        ["get serverstransports.traefik.io"] = ReadTogether,
        ["get ingressroutes.traefik.io"] = ReadTogether,
        ["get poddisruptionbudgets.policy"] = NotServed,
        ["watch poddisruptionbudgets.policy"] = NotServed,
        ["create poddisruptionbudgets.policy"] = NotServed,
        ["patch poddisruptionbudgets.policy"] = NotServed,
        ["delete poddisruptionbudgets.policy"] = NotServed,
        ["update mcpservers/finalizers.mcpruntime.org"] = "asked for by the admission plugin OwnerReferencesPermissionEnforcement, which is off here, "
            + "since it knows nothing of a new CRD for half a minute",
    };

    private const string ReadTogether = "what is listed and watched could be read there, too: it gives nothing away";

    private const string NotServed = "policy/v1 is not served here: of what is not listed nothing is asked";

    private static readonly Dictionary<string, string?> Environment = new(ServerScenario.Permissive)
    {
        ["PROVISIONED_REGISTRY_URL"] = "registry.example.org",
        ["PROVISIONED_REGISTRY_USERNAME"] = "puller",
        ["PROVISIONED_REGISTRY_PASSWORD"] = "password",
        ["MCP_DIAGNOSE_AFTER"] = "100ms",
        ["MCP_MTLS_CLUSTER_ISSUER"] = "ca",
    };

    [Fact]
    public async Task WithEachVerbTakenAwaySomethingIsRefused()
    {
        fixture.RequireOwn("users of its own, and the audit log");
        var granted = Permission.All();
        var spare = new ConcurrentBag<string>();

        await Parallel.ForEachAsync(granted, new ParallelOptions { MaxDegreeOfParallelism = 6 }, async (missing, _) =>
        {
            if (!await IsMissedAsync(granted, missing))
                spare.Add(missing.ToString());
        });

        Assert.Equal(Spare.Keys.Order(StringComparer.Ordinal), spare.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task WithAllOfItNothingIs()
    {
        fixture.RequireOwn("users of its own, and the audit log");

        Assert.False(await IsMissedAsync(Permission.All(), missing: null));
    }

    /// <summary>As that of the Go operator, where only CRDs and image were changed.</summary>
    [Fact]
    public async Task WithAnOlderRoleARevocationThatMayNotBeWrittenIsAnErrorAndNobodyIsToldThatItIsInForce()
    {
        fixture.RequireOwn("users of its own");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.CreateServerAsync(Gateways.Spec);
        await scenario.CreateSessionAsync("s");
        await scenario.IsToldAsync(Resource.MCPAgentSessions, "s", "Accepted", "Accepted");
        await RestartAsync(scenario, permission =>
            permission is not { Verb: "patch", Resource: "configmaps" or "mcpaccessgrants/status" or "mcpagentsessions/status" or "events" });

        await scenario.EditAsync(Resource.MCPAgentSessions, "s", "revoked: true");

        await scenario.Operator!.WaitForLogAsync("PolicyNotWritten");
        var told = Assert.Single(scenario.Operator.Log, entry => (string?)entry["event"] == "PolicyNotWritten");
        Assert.Equal("error", (string?)told["level"]);
        Assert.Contains("configmaps \"web-gateway-policy\" is forbidden", (string)told["msg"]!, StringComparison.Ordinal);
        var status = await scenario.EventuallyPhaseAsync("Error");
        Assert.Equal("False ApplyFailed", ServerScenario.StatusAndReason(status, "PolicyReady"));
        Assert.Equal(1, await scenario.Operator!.MetricAsync("mcp_operator_policies", "current=\"false\""));
        Assert.Equal("Accepted", (string?)(await scenario.Client.GetAsync(Resource.MCPAgentSessions, scenario.Namespace.Name, "s"))["status"]!["phase"]);

        // With the role it is made good.
        await scenario.StartOperatorAsync(ServerScenario.Permissive, ServerScenario.OneWorker);
        await scenario.IsToldAsync(Resource.MCPAgentSessions, "s", "Revoked", "Revoked");
    }

    /// <summary>As of an install from before the kind was there, or that does not want it.</summary>
    [Fact]
    public async Task WithoutTheRightToNetworkPoliciesOnlyAServerThatAsksForOneIsToldSo()
    {
        fixture.RequireOwn("users of its own");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, ServerScenario.OneWorker);
        await RestartAsync(scenario, permission => permission is not { Resource: "networkpolicies" });
        await scenario.CreateServerAsync("image: example.org/plain:1", "plain");
        await scenario.CreateServerAsync("{image: 'example.org/web:1', network: {ingressFrom: []}}");

        var status = await scenario.EventuallyPhaseAsync("Error");
        Assert.Equal("False ApplyFailed", ServerScenario.StatusAndReason(status, "NetworkPolicyReady"));
        Assert.Contains("networkpolicies", (string)ServerScenario.Condition(status, "NetworkPolicyReady")!["message"]!, StringComparison.Ordinal);
        await scenario.RollOutAsync("plain");
        await scenario.EventuallyPhaseAsync("Ready", "plain");
    }

    /// <summary>The operator starts again, as a user with those permissions of the role.</summary>
    private async Task RestartAsync(ServerScenario scenario, Func<Permission, bool> isGranted)
    {
        await scenario.StopOperatorAsync();
        var user = $"old-role-{scenario.Namespace}";
        await GrantAsync(scenario.Namespace.Name, user, Permission.All().Where(isGranted));
        scenario.Namespace.ExpectsDenials = true;
        await scenario.StartOperatorAsync(
            ServerScenario.Permissive, ["--kubeconfig", fixture.ControlPlane.Kubeconfig(user), .. ServerScenario.OneWorker]);
    }

    /// <summary>Lives through everything that an operator writes, until something is refused for want of the permission.</summary>
    private async Task<bool> IsMissedAsync(IReadOnlyList<Permission> granted, Permission? missing)
    {
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        var user = $"limited-{ns}";
        await GrantAsync(ns.Name, user, granted.Where(permission => permission != missing));
        // The owner of a route, which the other server will ask for as well; and one that uses all there is.
        await CreateServerAsync("first", "{image: 'example.org/first:1', replicas: 2, ingressHost: route.example.org, ingressPath: /route, network: {egressTo: []}, disruptionBudget: {minAvailable: 1}}");
        await CreateServerAsync("web", """
            {image: 'example.org/web:1', useProvisionedRegistry: true, gateway: {enabled: true, image: 'example.org/gateway:1'},
             replicas: 2, rollout: {strategy: Canary, canaryReplicas: 1, canaryImage: 'example.org/web:2'} }
            """);
        // Names that are taken: who has them is read.
        foreach (var taken in (string[])[
            $"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {Gateways.PolicyName("policy")}}}}}",
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: taken}, "
                + "spec: {selector: {matchLabels: {app: t}}, template: {metadata: {labels: {app: t}}, spec: {containers: [{name: t, image: t}]}}}}",
            "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: taken}, spec: {podSelector: {}}}",
            "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: taken}, spec: {defaultBackend: {service: {name: t, port: {number: 80}}}}}"])
            await fixture.Client.CreateAsync(taken, ns.Name);
        await CreateServerAsync("taken", "{image: 'example.org/taken:1', network: {egressTo: []}}");
        await CreateServerAsync("policy", "{image: 'example.org/policy:1', gateway: {enabled: true, image: 'example.org/gateway:1'}}");
        await CreateServerAsync("routed", "{image: 'example.org/routed:1', route: HTTPRoute, httpRoute: {parentRefs: [{name: own}]}}");
        await CreateServerAsync("tls", "{image: 'example.org/tls:1', ingressHost: tls.example.org, tls: {issuer: {name: ca}}}");
        await CreateServerAsync("mtls", """
            {image: 'example.org/mtls:1', ingressHost: mtls.example.org, gateway: {enabled: true, image: 'example.org/gateway:1'},
             auth: {mode: mtls, trustDomain: example.org} }
            """);
        await Gateways.CreatePodAsync(fixture.Client, ns.Name, "web-pod");
        await CreateAsync("MCPAccessGrant", "grant", "{serverRef: {name: web}, subject: {humanID: h}}");
        await CreateAsync("MCPAgentSession", "session", "{serverRef: {name: web}, subject: {agentID: a}}");
        await using var process = await OperatorProcess.StartAsync(fixture.ControlPlane, ns, new()
        {
            Kubeconfig = fixture.ControlPlane.Kubeconfig(user),
            Arguments = ["--leader-elect", "--leader-elect-resource-namespace", ns.Name],
            Environment = Environment,
        });

        var looks = 0;
        var isRefused =
            await RefusedBeforeAsync("all was reported", async () =>
                await IsReportedAsync(Resource.MCPServers, "first") && await IsReportedAsync(Resource.MCPServers, "web")
                && await IsReportedAsync(Resource.MCPServers, "taken") && await IsReportedAsync(Resource.MCPServers, "policy")
                && await IsReportedAsync(Resource.MCPServers, "routed") && await IsReportedAsync(Resource.MCPServers, "tls")
                && await IsReportedAsync(Resource.MCPServers, "mtls")
                && await IsReportedAsync(Resource.MCPAccessGrants, "grant") && await IsReportedAsync(Resource.MCPAgentSessions, "session"))
            // An IngressRoute comes when the certificates are issued.
            || await RefusedBeforeAsync("certificates were asked for", async () => (await fixture.Client.ListAsync(Resource.Certificates, ns.Name)).Count == 2)
            || await ThenAsync(IssueAsync)
            || await RefusedBeforeAsync("the IngressRoute was there", async () => await fixture.Client.FindAsync(Resource.IngressRoutes, ns.Name, "mtls") is not null)
            // Pods that are looked at twice.
            || await ThenAsync(() => Pods.CreateAsync(fixture.Client, ns.Name, "first", "first-1-a", Pods.BackOff))
            || await RefusedBeforeAsync("events of the pod were listed", async () =>
            {
                await Kubelet.NotReadyAsync(fixture.Client, ns.Name, "first", ready: looks++ % 2);
                return (await fixture.ControlPlane.AuditEventsAsync()).Any(e => e.User == user && e is { Resource: "events", Verb: "list" });
            })
            // A policy that changes while pods hold it.
            || await ThenAsync(() => CreateAsync("MCPAccessGrant", "later", "{serverRef: {name: web}, subject: {humanID: h}}"))
            || await RefusedBeforeAsync("the later grant was told", () => IsReportedAsync(Resource.MCPAccessGrants, "later"))
            || await ThenAsync(() => fixture.Client.PatchAsync(Resource.MCPServers, ns.Name, "web",
                """{"spec": {"gateway": null, "rollout": null, "ingressHost": "route.example.org", "ingressPath": "/route", "publicPathPrefix": null}}"""))
            || await ThenAsync(() => fixture.Client.PatchAsync(Resource.MCPServers, ns.Name, "mtls", """{"spec": {"gateway": null, "auth": null}}"""))
            || await RefusedBeforeAsync("canary, policy, Ingress and all of mTLS were gone", async () =>
            {
                await Kubelet.RollOutAllAsync(fixture.Client, ns.Name);
                return (await fixture.Client.ListAsync(Resource.Deployments, ns.Name)).Count == 6
                    && (await fixture.Client.ListAsync(Resource.ConfigMaps, ns.Name, "app.kubernetes.io/managed-by")).Count == 0
                    && (await fixture.Client.ListAsync(Resource.Ingresses, ns.Name)).Count == 5
                    && (await fixture.Client.ListAsync(Resource.Certificates, ns.Name)).Count + (await fixture.Client.ListAsync(Resource.TlsOptions, ns.Name)).Count
                        + (await fixture.Client.ListAsync(Resource.Middlewares, ns.Name)).Count + (await fixture.Client.ListAsync(Resource.ServersTransports, ns.Name)).Count
                        + (await fixture.Client.ListAsync(Resource.IngressRoutes, ns.Name)).Count == 0;
            })
            || await ThenAsync(() => fixture.Client.PatchAsync(Resource.MCPServers, ns.Name, "routed", """{"spec": {"route": "None"}}"""))
            || await RefusedBeforeAsync("its HTTPRoute was gone", async () => await fixture.Client.FindAsync(Resource.HttpRoutes, ns.Name, "routed") is null)
            || await ThenAsync(() => fixture.Client.PatchAsync(Resource.MCPServers, ns.Name, "first", """{"spec": {"network": null}}"""))
            || await RefusedBeforeAsync("its NetworkPolicy was gone", async () =>
                await fixture.Client.FindAsync(Resource.NetworkPolicies, ns.Name, "first") is null)
            || await ThenAsync(() => fixture.Client.DeleteAsync(Resource.Services, ns.Name, "first"))
            || await RefusedBeforeAsync("the first repair was told", () => HasEventAsync("Repaired", count: 1))
            || await ThenAsync(() => fixture.Client.DeleteAsync(Resource.Services, ns.Name, "first"))
            || await RefusedBeforeAsync("the second repair was told", () => HasEventAsync("Repaired", count: 2));
        // The lease is updated at the latest when it is released.
        await process.StopAsync();
        return isRefused || await IsRefusedAsync();

        async Task<bool> RefusedBeforeAsync(string what, Func<Task<bool>> isDone)
        {
            var (refused, _) = await Eventually.TrueAsync(
                $"{what}, or something refused, without {missing}",
                async () =>
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(250));
                    return (Refused: await IsRefusedAsync(), Done: await isDone());
                },
                seen => seen.Refused || seen.Done);
            return refused;
        }

        static async Task<bool> ThenAsync(Func<Task> act)
        {
            await act();
            return false;
        }

        // By its code, since the API server asks for `create` in the middle of an apply, and does not say so in its log.
        async Task<bool> IsRefusedAsync() => (await fixture.ControlPlane.AuditEventsAsync()).Any(e =>
        {
            if (e.User != user || e.Code != 403)
                return false;
            Assert.True(missing is not null && missing.IsOf(e), $"{e} was refused without {missing}");
            return true;
        });

        async Task IssueAsync()
        {
            foreach (var certificate in await fixture.Client.ListAsync(Resource.Certificates, ns.Name))
            {
                await fixture.Client.PatchStatusAsync(
                    Resource.Certificates, ns.Name, (string)certificate["metadata"]!["name"]!,
                    JsonNode.Parse("""{"conditions": [{"type": "Ready", "status": "True"}]}""")!.AsObject());
            }
        }

        async Task<bool> IsReportedAsync(Resource resource, string name)
        {
            var live = await fixture.Client.GetAsync(resource, ns.Name, name);
            return (long?)live["status"]?["observedGeneration"] == (long)live["metadata"]!["generation"]!;
        }

        async Task<bool> HasEventAsync(string reason, int count) => (await fixture.Client.ListAsync(Resource.Events, ns.Name)).Any(told =>
            (string?)told["reason"] == reason && ((int?)told["series"]?["count"] ?? 1) >= count);

        Task<JsonObject> CreateServerAsync(string name, string spec) => CreateAsync("MCPServer", name, spec);

        Task<JsonObject> CreateAsync(string kind, string name, string spec) => fixture.Client.CreateAsync(
            new JsonObject
            {
                ["apiVersion"] = Resource.MCPServers.ApiVersion,
                ["kind"] = kind,
                ["metadata"] = new JsonObject { ["name"] = name },
                ["spec"] = Manifest.Parse(spec),
            },
            ns.Name);
    }

    private async Task GrantAsync(string ns, string user, IEnumerable<Permission> permissions)
    {
        var rules = permissions.ToList();
        await fixture.Client.CreateAsync(
            new JsonObject
            {
                ["apiVersion"] = Resource.Roles.ApiVersion,
                ["kind"] = Resource.Roles.Kind,
                ["metadata"] = new JsonObject { ["name"] = user },
                ["rules"] = new JsonArray([.. rules.Select(rule => rule.ToRule())]),
            },
            ns);
        await fixture.Client.CreateAsync(
            $$"""
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: {{user}}}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{user}}}
            subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: {{user}}}]
            """,
            ns);
        var any = rules.First(rule => rule.ObjectName is null && !rule.Resource.Contains('/', StringComparison.Ordinal));
        await OperatorRole.UntilAllowedAsync(fixture.ControlPlane, user, ns, any.Verb, any.Group, any.Resource);
    }

    /// <summary>One verb of one resource.</summary>
    /// <param name="Resource">With its subresource: mcpservers/status.</param>
    /// <param name="ObjectName">The only one it holds for; null when it holds for all.</param>
    private sealed record Permission(string Group, string Resource, string Verb, string? ObjectName)
    {
        /// <summary>All that the files of config/rbac grant.</summary>
        public static IReadOnlyList<Permission> All() =>
        [
            .. from manifest in OperatorRole.Manifests()
               from rule in manifest["rules"]!.AsArray()
               from resource in rule!["resources"]!.AsArray()
               from verb in rule["verbs"]!.AsArray()
               select new Permission(
                   (string)rule["apiGroups"]!.AsArray().Single()!, (string)resource!, (string)verb!,
                   (string?)rule["resourceNames"]?.AsArray().Single()),
        ];

        public JsonObject ToRule()
        {
            var rule = new JsonObject
            {
                ["apiGroups"] = new JsonArray(Group),
                ["resources"] = new JsonArray(Resource),
                ["verbs"] = new JsonArray(Verb),
            };
            if (ObjectName is not null)
                rule["resourceNames"] = new JsonArray(ObjectName);
            return rule;
        }

        public bool IsOf(AuditEvent request) =>
            request.Group == Group
            && (request.Subresource.Length == 0 ? request.Resource : $"{request.Resource}/{request.Subresource}") == Resource
            && (request.Verb == Verb || (Verb, request.Verb) is ("create", "patch"));

        public override string ToString() => Group.Length == 0 ? $"{Verb} {Resource}" : $"{Verb} {Resource}.{Group}";
    }
}
