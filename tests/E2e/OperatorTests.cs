using System.Text.Json.Nodes;

namespace McpOperator.E2e;

/// <summary>What takes the operator from everybody else: one after the other, after the other tests.</summary>
[Collection(NodeTests.Name)]
public sealed class OperatorTests(Cluster cluster)
{
    [Fact]
    public async Task TheStandbyLeadsWhenTheLeadersPodIsDeleted()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var hello = await ns.HelloAsync("hello", Hello.EndsAtOnce);
        var (leader, pod) = await LeaderAsync();
        await cluster.Client.DeleteAsync(Resource.Pods, Cluster.OperatorNamespace, NameOf(pod));
        await AnotherLeadsAsync(hello, leader);
    }

    [Fact]
    public async Task TheStandbyLeadsWhenTheLeaderIsKilled()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var hello = await ns.HelloAsync("hello", Hello.EndsAtOnce);
        var (leader, pod) = await LeaderAsync();
        await Script.RunAsync("node", ["kill", (string)pod["status"]!["containerStatuses"]![0]!["containerID"]!]);
        await AnotherLeadsAsync(hello, leader);
        await cluster.OperatorAvailableAsync();
    }

    [Fact]
    public async Task AnUpgradeByImageTouchesNoServerAndFailsNoCall()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var hello = await ns.HelloAsync("hello", GrantedServer.Gateway[1..^1]);
        await GrantedServer.GrantAsync(cluster, ns, hello, "ann");
        await using var ann = await hello.ConnectAsync("ann");
        await GrantedServer.MayCallAsync(ann, true);
        await using (var load = await Load.StartAsync(hello, "ann"))
        {
            var before = await VersionsAsync(ns);
            await cluster.InstallAsync(Cluster.NextOperatorImage);
            await cluster.OperatorAvailableAsync();
            await load.MoreAsync(20);
            await LeaderAsync();

            Assert.Equal(before, await VersionsAsync(ns));
            Assert.DoesNotContain(load.Calls, call => call.Failure is not null);
        }
        await hello.EditAsync("{replicas: 2}");
        await hello.ReadyAsync();
    }

    [Fact]
    public async Task WithoutPolicyRefreshAGrantIsSeenWhenTheKubeletLooks()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var hello = await ns.HelloAsync("hello", GrantedServer.Gateway[1..^1]);
        try
        {
            await GrantedServer.SwapAsync(
                cluster, ns, hello, "without --policy-refresh", before: () => SetArgumentsAsync("--leader-elect", "--policy-refresh=false"));
        }
        finally
        {
            await SetArgumentsAsync("--leader-elect");
        }
    }

    [Fact]
    public async Task WhatTheGoOperatorWroteIsTakenOverAndNoPodIsRestarted()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        IReadOnlyList<JsonObject> before;
        try
        {
            await ScaleAsync(0);
            await GoOperator.WriteAsync(cluster.Client, ns.Name);
            before = await Eventually.TrueAsync(
                "its pods were ready", () => ns.PodsAsync(GoOperator.Server), pods => pods.Count == 2 && pods.All(BrokenServers.IsReady), Cluster.Limit);
        }
        finally
        {
            await ScaleAsync(2);
        }

        var server = new Hello(cluster, ns, GoOperator.Server);
        await Eventually.TrueAsync(
            "our operator reported on it", server.GetAsync, live => (string?)Hello.Condition(live, "DeploymentReady")?["reason"] == "DeploymentAvailable", Cluster.Limit);

        var after = await ns.PodsAsync(GoOperator.Server);
        Assert.Equal(before.Select(ContainerOf).Order(), after.Select(ContainerOf).Order());
        Assert.All(after, pod => Assert.Equal(0, (int)pod["status"]!["containerStatuses"]![0]!["restartCount"]!));
        var deployment = await cluster.Client.GetAsync(Resource.Deployments, ns.Name, GoOperator.Server);
        Assert.DoesNotContain(deployment["metadata"]!["managedFields"]!.AsArray(), entry => (string?)entry!["manager"] == GoOperator.Manager);
        Assert.Single(await cluster.Client.ListAsync(Resource.ReplicaSets, ns.Name));
    }

    [Fact]
    public async Task AnUninstallLeavesNothing()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var hello = await ns.HelloAsync("hello", $"{GrantedServer.Gateway[1..^1]}, {Hello.EndsAtOnce}");
        await GrantedServer.GrantAsync(cluster, ns, hello, "ann");
        try
        {
            await Script.RunAsync("deploy", ["undeploy"]);
            Assert.True(Hello.IsReady(await hello.GetAsync()));
            await Script.RunAsync("deploy", ["uninstall"]);
            // Whatever the cluster has, by any name of ours; events tell of what was, and go by themselves.
            await Eventually.TrueAsync("nothing of it was left", LeftAsync, left => left.Length == 0, Cluster.Limit);
        }
        finally
        {
            await cluster.InstallAsync();
            await cluster.OperatorAvailableAsync();
        }

        async Task<string[]> LeftAsync()
        {
            var kinds = (await Script.KubectlAsync("api-resources", "--verbs=list", "--output=name")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Where(kind => !kind.StartsWith("events", StringComparison.Ordinal));
            var left = await Script.KubectlAsync(
                "get", string.Join(',', kinds), "--all-namespaces", "--ignore-not-found", "--output", "jsonpath={range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name}{\"\\n\"}{end}");
            return
            [
                .. left.Split('\n').Where(line => line.Contains("mcp", StringComparison.Ordinal) || line.Contains($" {ns.Name}/", StringComparison.Ordinal))
                    // The namespace stays, as docs/install.md says, with what every namespace has.
                    .Where(line => !line.StartsWith("Namespace ", StringComparison.Ordinal) && !line.Contains("/default", StringComparison.Ordinal)
                        && !line.EndsWith("/kube-root-ca.crt", StringComparison.Ordinal)),
            ];
        }
    }

    private static string NameOf(JsonObject live) => (string)live["metadata"]!["name"]!;

    private static string ContainerOf(JsonObject pod) => $"{NameOf(pod)} {pod["status"]!["containerStatuses"]![0]!["containerID"]}";

    /// <summary>Of all that a server consists of; what nobody has written keeps its version.</summary>
    private async Task<string[]> VersionsAsync(Namespace ns)
    {
        var all = new List<string>();
        foreach (var kind in new[] { Resource.MCPServers, Resource.MCPAccessGrants, Resource.Deployments, Resource.Services, Resource.Ingresses, Resource.ConfigMaps, Resource.Pods })
            all.AddRange((await cluster.Client.ListAsync(kind, ns.Name)).Select(live => $"{kind.Kind} {NameOf(live)} {live["metadata"]!["resourceVersion"]}"));
        return [.. all.Order(StringComparer.Ordinal)];
    }

    private async Task AnotherLeadsAsync(Hello hello, string leader)
    {
        await Eventually.TrueAsync("another one led", LeaderAsync, now => now.Identity != leader, Cluster.Limit);
        await hello.EditAsync("{replicas: 2}");
        await hello.ReadyAsync();
        await cluster.OperatorAvailableAsync();
    }

    /// <summary>Who has the lease, and is there.</summary>
    private Task<(string Identity, JsonObject Pod)> LeaderAsync() => Eventually.TrueAsync(
        "a pod of the operator led",
        async () =>
        {
            var identity = (string?)(await cluster.Client.ListAsync(Resource.Leases, Cluster.OperatorNamespace)).Single()["spec"]?["holderIdentity"] ?? "";
            return (identity, Pod: (await cluster.OperatorPodsAsync()).SingleOrDefault(pod => identity.StartsWith(NameOf(pod), StringComparison.Ordinal))!);
        },
        leader => leader.Pod is not null,
        Cluster.Limit);

    private async Task SetArgumentsAsync(params string[] arguments)
    {
        await cluster.Client.PatchAsync(
            Resource.Deployments, Cluster.OperatorNamespace, Cluster.OperatorDeployment,
            Manifest.Parse($"{{spec: {{template: {{spec: {{containers: [{{name: manager, args: ['{string.Join("', '", arguments)}']}}]}}}}}}}}"), PatchKind.Strategic);
        await cluster.OperatorAvailableAsync();
    }

    private async Task ScaleAsync(int replicas)
    {
        await cluster.Client.PatchAsync(
            Resource.Deployments, Cluster.OperatorNamespace, Cluster.OperatorDeployment, new JsonObject { ["spec"] = new JsonObject { ["replicas"] = replicas } });
        if (replicas > 0)
            await cluster.OperatorAvailableAsync();
        else
            await Eventually.TrueAsync("no operator ran", cluster.OperatorPodsAsync, pods => pods.Count == 0, Cluster.Limit);
    }
}
