using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using McpOperator.E2e;

[assembly: AssemblyFixture(typeof(Cluster))]

namespace McpOperator.E2e;

/// <summary>
/// The cluster that <c>hack/node</c> printed, with the operator on it as an administrator installs it. One for the whole run; every
/// test makes a <see cref="Namespace"/> of its own.
/// </summary>
public sealed partial class Cluster : IAsyncLifetime
{
    public const string OperatorNamespace = "mcp-runtime";
    public const string OperatorDeployment = "mcp-runtime-operator-controller-manager";

    /// <summary>Of hack/node-pod.c: does what its variables say.</summary>
    public const string PodImage = "localhost/pod:1";

    /// <summary>Pods are slow on a machine that is busy, and only a test that fails waits for all of it.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <summary>As <c>hack/node load</c> names it; <see cref="NextOperatorImage"/> is the same under another name.</summary>
    public const string OperatorImage = "localhost/mcp-operator:dev";
    public const string NextOperatorImage = "localhost/mcp-operator:next";

    /// <summary>What <see cref="IngressAddress"/> serves.</summary>
    public const string IngressClass = "e2e";

    private readonly TaskCompletionSource<IPEndPoint> _ingressAddress = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<string> _ingressLines = [];
    private TetheredProcess? _ingress;

    public KubeClient Client { get; private set; } = null!;

    /// <summary>Where the Ingress controller of these tests listens (hack/ingress).</summary>
    public IPEndPoint IngressAddress => _ingressAddress.Task.Result;

    public async ValueTask InitializeAsync()
    {
        Client = KubeClient.FromKubeconfig(Required("KUBECONFIG"));
        await InstallAsync();
        await Task.WhenAll(StartRegistryAsync(), StartIngressAsync());
    }

    /// <summary>
    /// By install.yaml, as an administrator does. Before Kubernetes 1.23 that has fields and kinds that the API server does not know:
    /// there <c>make deploy</c> is the documented way.
    /// </summary>
    public async Task InstallAsync(string image = OperatorImage)
    {
        var minor = int.Parse(Digits().Match((string)(await Client.SendAsync(HttpMethod.Get, "version"))["minor"]!).Value, System.Globalization.CultureInfo.InvariantCulture);
        if (minor >= 23)
        {
            await Script.RunAsync("deploy", ["build-installer"], ("IMG", image));
            await Script.KubectlAsync("apply", "--server-side", "--force-conflicts", "-f", Repository.PathTo("dist", "install.yaml"));
        }
        else
        {
            await Script.RunAsync("deploy", ["deploy"], ("IMG", image));
        }
    }

    /// <summary>As far as the operator goes: the definition of HTTPRoutes. The test controller needs no Gateway.</summary>
    public static async Task InstallGatewayApiAsync()
    {
        await Script.KubectlAsync("apply", "-f", Repository.PathTo("tests", "Envtest", "Data", "crds", "gateway.networking.k8s.io_httproutes.yaml"));
        await Script.KubectlAsync("wait", "--for=condition=Established", "crd/httproutes.gateway.networking.k8s.io");
    }

    public async ValueTask DisposeAsync()
    {
        if (_ingress is not null)
            await _ingress.DisposeAsync();
        Client?.Dispose();
    }

    private async Task StartIngressAsync()
    {
        _ingress = await TetheredProcess.StartAsync(Repository.PathTo("hack", "ingress"), [IngressClass, "0"], line =>
        {
            lock (_ingressLines)
                _ingressLines.Add(line);
            if (Listens().Match(line) is { Success: true } match)
                _ingressAddress.TrySetResult(IPEndPoint.Parse(match.Groups[1].Value));
        });
        if (await Task.WhenAny(_ingressAddress.Task, _ingress.Exited).WaitAsync(Limit) != _ingressAddress.Task)
            throw new InvalidOperationException($"hack/ingress ended:\n{string.Join('\n', _ingressLines)}");
    }

    [GeneratedRegex(@"listening on http://(.+)$")]
    private static partial Regex Listens();

    [GeneratedRegex(@"\d+")]
    private static partial Regex Digits();

    public async Task<Namespace> CreateNamespaceAsync()
    {
        var name = $"e2e-{Guid.NewGuid():N}"[..12];
        await Client.CreateAsync($"{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}");
        return new(this, name);
    }

    /// <summary>All replicas of the operator are of its newest revision, and available.</summary>
    public Task<JsonObject> OperatorAvailableAsync() => Eventually.TrueAsync(
        "all replicas of the operator were available",
        () => Client.GetAsync(Resource.Deployments, OperatorNamespace, OperatorDeployment),
        live => (int)live["status"]!["observedGeneration"]! == (int)live["metadata"]!["generation"]!
            && new[] { "replicas", "updatedReplicas", "availableReplicas" }.All(count => (int?)live["status"]?[count] == 2),
        Limit);

    public Task<IReadOnlyList<JsonObject>> OperatorPodsAsync() => Client.ListAsync(Resource.Pods, OperatorNamespace, "control-plane=controller-manager");

    // In the node's own network, where containerd asks it as one of localhost, and without TLS. A Deployment, since its controller tries
    // again: a pod is refused as long as its namespace's service account, or that one's token, is not there yet.
    private async Task StartRegistryAsync()
    {
        await Client.ApplyAsync("{apiVersion: v1, kind: Namespace, metadata: {name: e2e-registry}}");
        await Client.ApplyAsync($$$"""
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: registry, namespace: e2e-registry}
            spec:
              selector: {matchLabels: {app: registry}}
              template:
                metadata: {labels: {app: registry}}
                spec:
                  hostNetwork: true
                  terminationGracePeriodSeconds: 0
                  containers:
                  - {name: registry, image: '{{{PodImage}}}', env: [{name: PORT, value: '5000'}]}
            """);
        await Eventually.TrueAsync(
            "the registry that refuses everything was available",
            () => Client.GetAsync(Resource.Deployments, "e2e-registry", "registry"),
            live => (int?)live["status"]?["availableReplicas"] == 1,
            Limit);
    }

    private static string Required(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value
        ? value
        : throw new InvalidOperationException($"{variable} is not set: `make e2e` brings a node up and sets it");
}
