using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>What the scenarios rely on, tried on its own: when one of these fails, no scenario means anything.</summary>
public sealed class ControlPlaneTests(ControlPlaneFixture fixture)
{
    private KubeClient Client => fixture.Client;

    [Fact]
    public async Task AnInstalledCrdIsServedAndItsDefaultsAreFilledIn()
    {
        var crds = Directory.CreateTempSubdirectory("crds-");
        await File.WriteAllTextAsync(Path.Combine(crds.FullName, "widgets.yaml"), WidgetCrd);
        await fixture.ControlPlane.InstallCrdsAsync(crds.FullName, withRules: true);
        await fixture.ControlPlane.InstallCrdsAsync(crds.FullName, withRules: true); // a second time: it is there already
        crds.Delete(true);
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);

        var created = await Client.ApplyAsync("{apiVersion: example.org/v1, kind: Widget, metadata: {name: one}, spec: {}}", ns.Name);

        Assert.Equal(3, (int)created["spec"]!["size"]!);
    }

    [Fact]
    public async Task AUserWithoutARoleIsForbiddenUntilItHasOne()
    {
        fixture.RequireOwn("client certificates for other users");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        using var restricted = fixture.ControlPlane.ClientFor($"reader-{ns}", "readers");

        var refused = await Assert.ThrowsAsync<KubeException>(() => restricted.ListAsync(Resource.ConfigMaps, ns.Name));
        Assert.Equal(HttpStatusCode.Forbidden, refused.Code);

        await Client.CreateAsync("""
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: reader}
            rules: [{apiGroups: [""], resources: [configmaps], verbs: [list]}]
            """, ns.Name);
        await Client.CreateAsync($$"""
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: reader}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
            subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: reader-{{ns}}}]
            """, ns.Name);
        await Eventually.PassesAsync("the role took effect", () => restricted.ListAsync(Resource.ConfigMaps, ns.Name));
    }

    [Fact]
    public async Task EveryRequestIsInTheAuditLogOnce()
    {
        fixture.RequireOwn("the audit log");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        using var client = fixture.ControlPlane.ClientFor(ns.OperatorUser, "system:masters");

        await client.ApplyAsync("{apiVersion: v1, kind: ConfigMap, metadata: {name: one}, data: {a: b}}", ns.Name);
        await client.GetAsync(Resource.ConfigMaps, ns.Name, "one");
        Assert.Null(await client.FindAsync(Resource.ConfigMaps, ns.Name, "two"));
        using var watching = new CancellationTokenSource();
        var watch = client.SendAsync(HttpMethod.Get, Resource.ConfigMaps.PathTo(ns.Name) + "?watch=1", cancellation: watching.Token);

        var requests = await Eventually.TrueAsync("the watch was logged", ns.OperatorRequestsAsync, seen => seen.Any(request => request.Verb == "watch"));
        Assert.Equal(4, requests.Count);
        await watching.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watch);

        Assert.Equal(
            [("patch", "one", 201), ("get", "one", 200), ("get", "two", 404), ("watch", "", 0)],
            requests.Select(request => (request.Verb, request.Name, request.Code)));
        Assert.All(requests, request => Assert.Equal((KubeClient.UserAgent, "configmaps", ns.Name), (request.UserAgent, request.Resource, request.Namespace)));
        // The end of the watch is a second line of the same request.
        await Eventually.TrueAsync(
            "the end of the watch was logged",
            fixture.ControlPlane.AuditEventsAsync,
            events => events.Count(e => e.User == ns.OperatorUser) == 5);
        Assert.Equal(4, (await ns.OperatorRequestsAsync()).Count);
    }

    [Fact]
    public async Task StatusesAreWrittenAsAKubeletAndAnIngressControllerWriteThem()
    {
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await Client.CreateAsync("""
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web}
            spec:
              replicas: 2
              selector: {matchLabels: {app: web}}
              template:
                metadata: {labels: {app: web}}
                spec: {containers: [{name: web, image: example.org/web}]}
            """, ns.Name);
        await Client.CreateAsync("""
            apiVersion: networking.k8s.io/v1
            kind: Ingress
            metadata: {name: web}
            spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
            """, ns.Name);

        Assert.Equal(0, (int)(await Kubelet.NotReadyAsync(Client, ns.Name, "web"))["status"]!["availableReplicas"].OrZero());
        var status = (await Kubelet.RollOutAsync(Client, ns.Name, "web"))["status"]!;
        Assert.Equal((1L, 2, 2, 2), ((long)status["observedGeneration"]!, (int)status["updatedReplicas"]!, (int)status["readyReplicas"]!, (int)status["availableReplicas"]!));

        var ingress = await Kubelet.ServeIngressAsync(Client, ns.Name, "web");
        Assert.Equal("192.0.2.1", (string?)ingress["status"]!["loadBalancer"]!["ingress"]![0]!["ip"]);
        ingress = await Kubelet.ServeIngressAsync(Client, ns.Name, "web", null);
        Assert.Null(ingress["status"]!["loadBalancer"]!["ingress"]);
    }

    [Fact]
    public async Task AKilledApiServerComesBackAtTheSameAddressWithTheSameObjects()
    {
        fixture.RequireOwn("a restart");
        await using var controlPlane = await ControlPlane.StartAsync();
        var address = controlPlane.Server;
        await controlPlane.Client.CreateAsync("{apiVersion: v1, kind: ConfigMap, metadata: {name: kept}}", "default");

        await controlPlane.StopApiServerAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => controlPlane.Client.SendAsync(HttpMethod.Get, "version"));
        await controlPlane.StartApiServerAsync();

        Assert.Equal(address, controlPlane.Server);
        Assert.NotNull(await controlPlane.Client.FindAsync(Resource.ConfigMaps, "default", "kept"));
        Assert.Contains(await controlPlane.AuditEventsAsync(), e => e is { Verb: "create", Resource: "configmaps", Namespace: "default" });
    }

    [Fact]
    public async Task NothingIsLeftWhenTheHostIsKilled()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "looks for processes in /proc");
        var program = Path.Combine(AppContext.BaseDirectory, "McpOperator.ControlPlane.dll");
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet", [program, "up"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var victim = Process.Start(start)!;
        var ready = await victim.StandardOutput.ReadLineAsync();
        Assert.NotNull(ready);
        Assert.StartsWith("KUBECONFIG=", ready);
        var directory = Path.GetDirectoryName(ready["KUBECONFIG=".Length..])!;
        Assert.Equal(["etcd", "kube-apiserver"], ProcessesNaming(directory));

        victim.Kill(); // SIGKILL, and to this one process only

        await Eventually.TrueAsync("both servers were gone", () => ProcessesNaming(directory).Count == 0);
        await Eventually.TrueAsync("their directory was gone", () => !Directory.Exists(directory));
    }

    private const string WidgetCrd = """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: widgets.example.org}
        spec:
          group: example.org
          scope: Namespaced
          names: {kind: Widget, plural: widgets, singular: widget}
          versions:
          - name: v1
            served: true
            storage: true
            schema:
              openAPIV3Schema:
                type: object
                properties:
                  spec:
                    type: object
                    x-kubernetes-validations: [{rule: "self.size > 0"}]
                    properties: {size: {type: integer, default: 3}}
        """;

    private static List<string> ProcessesNaming(string directory)
    {
        var names = new List<string>();
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(path => int.TryParse(Path.GetFileName(path), out _)))
        {
            try
            {
                var command = File.ReadAllText(Path.Combine(process, "cmdline")).Split('\0');
                var name = Path.GetFileName(command[0]);
                if (name is "etcd" or "kube-apiserver" && command.Any(argument => argument.Contains(directory, StringComparison.Ordinal)))
                    names.Add(name);
            }
            catch (IOException)
            {
                // It ended while we looked.
            }
        }
        names.Sort(StringComparer.Ordinal);
        return names;
    }
}

internal static class JsonNodeExtensions
{
    /// <summary>The API server leaves zeros out.</summary>
    public static int OrZero(this JsonNode? node) => (int?)node ?? 0;
}
