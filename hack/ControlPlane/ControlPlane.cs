using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace McpOperator.Testing;

/// <summary>
/// etcd and kube-apiserver on loopback, for one test run or one demo: a port of the original in controller-runtime's
/// pkg/envtest. There are no controllers: nothing rolls a Deployment out, collects garbage or ends a namespace.
/// </summary>
public sealed class ControlPlane : IAsyncDisposable
{
    public const string Admin = "admin";
    private const string AdminGroup = "system:masters";

    private readonly ControlPlaneOptions _options;
    private readonly Dictionary<string, string> _kubeconfigs = [];
    private readonly Own? _own;

    private ControlPlane(ControlPlaneOptions options, Own? own, string adminKubeconfig)
    {
        _options = options;
        _own = own;
        AdminKubeconfig = adminKubeconfig;
        Client = KubeClient.FromKubeconfig(adminKubeconfig);
    }

    /// <summary>False with USE_EXISTING_CLUSTER: then there is no audit log, no other user and no restart.</summary>
    public bool IsOwn => _own is not null;

    public string AdminKubeconfig { get; }

    /// <summary>The API as a cluster administrator.</summary>
    public KubeClient Client { get; }

    public Uri Server => Client.Server;

    /// <summary>Everything of this control plane, logs included; gone when it is disposed.</summary>
    public string Directory => Required(_own).Directory;

    /// <summary>Of kube-apiserver and etcd, for whoever asks what they cost.</summary>
    public IReadOnlyList<int> ProcessIds => Required(_own).ProcessIds;

    public static async Task<ControlPlane> StartAsync(ControlPlaneOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new();
        if (options.UseExistingCluster)
            return await ExistingAsync(options, cancellation);

        var binaries = await TestBinaries.FindAsync(options.Progress, cancellation);
        var own = new Own(binaries, options);
        try
        {
            await own.StartEtcdAsync();
            await own.StartApiServerAsync();
            var controlPlane = new ControlPlane(options, own, own.WriteKubeconfig(Admin, [AdminGroup]));
            await controlPlane.UntilUsableAsync();
            return controlPlane;
        }
        catch
        {
            await own.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// A kubeconfig file for a user with a client certificate of its own. Without groups the user may do nothing until
    /// somebody binds a role to it; <see cref="Admin"/> may do everything.
    /// </summary>
    public string Kubeconfig(string user = Admin, params IReadOnlyList<string> groups)
    {
        if (user == Admin)
            return AdminKubeconfig;
        var own = Required(_own);
        var key = string.Join('\n', [user, .. groups]);
        lock (_kubeconfigs)
        {
            if (!_kubeconfigs.TryGetValue(key, out var path))
                _kubeconfigs.Add(key, path = own.WriteKubeconfig(user, groups));
            return path;
        }
    }

    /// <summary>The API as that user; the caller disposes it.</summary>
    public KubeClient ClientFor(string user, params IReadOnlyList<string> groups) => KubeClient.FromKubeconfig(Kubeconfig(user, groups));

    /// <inheritdoc cref="InstallCrdsAsync(IEnumerable{JsonObject}, bool)"/>
    /// <param name="directory">Of YAML files.</param>
    public Task InstallCrdsAsync(string directory, bool withRules = false) => InstallCrdsAsync(Manifest.LoadDirectory(directory), withRules);

    /// <summary>Installs every CustomResourceDefinition, and waits until objects of them can be created.</summary>
    /// <param name="manifests">Of any kinds; the others are left.</param>
    /// <param name="withRules">
    /// Whether its rules in CEL are installed. API servers before 1.25 drop them, so that by default a test finds the same on each of them:
    /// what only such a rule refuses is let in, for the operator to report.
    /// </param>
    public Task InstallCrdsAsync(IEnumerable<JsonObject> manifests, bool withRules = false) => CrdInstaller.InstallAsync(Client, manifests, withRules);

    /// <summary>Kills kube-apiserver as a power cut would: open watches break, nobody answers at its address. etcd stays.</summary>
    public Task StopApiServerAsync() => Required(_own).ApiServer.StopAsync();

    /// <summary>Kills etcd as a power cut would: kube-apiserver lives, and can neither read nor write.</summary>
    public Task StopEtcdAsync() => Required(_own).Etcd.StopAsync();

    /// <summary>Starts it again at the same address and with the same data.</summary>
    public Task StartEtcdAsync() => Required(_own).StartEtcdAsync();

    /// <summary>Freezes kube-apiserver: it takes connections, and answers nothing, until <see cref="ResumeApiServer"/>.</summary>
    public void PauseApiServer() => Required(_own).ApiServer.Signal(TetheredProcess.SigStop);

    public void ResumeApiServer() => Required(_own).ApiServer.Signal(TetheredProcess.SigCont);

    /// <summary>Starts it again at the same address and with the same data, and waits until it is ready.</summary>
    public async Task StartApiServerAsync()
    {
        await Required(_own).StartApiServerAsync();
        await UntilUsableAsync();
    }

    /// <summary>
    /// All requests that were answered so far; see <see cref="AuditEvent.IsRequest"/> for counting. An event is written
    /// just after its answer, so a request of our own goes last, and reading waits until that one is seen.
    /// </summary>
    public async Task<IReadOnlyList<AuditEvent>> AuditEventsAsync()
    {
        var audit = Required(_own).Audit;
        var mark = $"version?audit-mark={Guid.NewGuid():N}";
        await Client.SendAsync(HttpMethod.Get, mark);
        return await Eventually.TrueAsync(
            "the audit log reached the present",
            () => Task.FromResult(audit.Read()),
            events => events.Any(e => e.RequestUri.EndsWith(mark, StringComparison.Ordinal)));
    }

    /// <summary>
    /// The same log from its beginning, for a reader of many requests that keeps only what it counts.
    /// </summary>
    public AuditTail FollowAudit() => new(Required(_own).AuditFile);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (_own is not null)
            await _own.DisposeAsync();
    }

    private static async Task<ControlPlane> ExistingAsync(ControlPlaneOptions options, CancellationToken cancellation)
    {
        var path = Environment.GetEnvironmentVariable("KUBECONFIG");
        if (string.IsNullOrEmpty(path))
            path = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".kube", "config");
        if (!File.Exists(path))
            throw new FileNotFoundException($"USE_EXISTING_CLUSTER is set, but there is no kubeconfig at {path}; KUBECONFIG names another one", path);
        var controlPlane = new ControlPlane(options, null, path);
        await controlPlane.Client.SendAsync(HttpMethod.Get, "version", cancellation: cancellation);
        return controlPlane;
    }

    // Healthy is not yet usable: the namespaces that everything lives in are created after the start.
    private async Task UntilUsableAsync() => await Eventually.TrueAsync(
        "the namespace default existed",
        () => Client.FindAsync(Resource.Namespaces, null, "default"),
        found => found is not null,
        _options.StartTimeout);

    private static Own Required(Own? own) =>
        own ?? throw new NotSupportedException("An existing cluster (USE_EXISTING_CLUSTER) has none of this: check ControlPlane.IsOwn first");

    /// <summary>What only a control plane of our own has.</summary>
    private sealed class Own : IAsyncDisposable
    {
        private readonly TestAuthority _authority = new();
        private readonly ControlPlaneOptions _options;
        private readonly HttpClient _health;
        private int _etcdPort;
        private int _apiServerPort;

        public Own(TestBinaries binaries, ControlPlaneOptions options)
        {
            _options = options;
            Directory = System.IO.Directory.CreateTempSubdirectory("mcp-control-plane-").FullName;
            Etcd = new("etcd", binaries.Etcd, In("etcd.log"), options, Directory);
            ApiServer = new("kube-apiserver", binaries.KubeApiServer, In("kube-apiserver.log"), options, Directory);
            Audit = new(AuditFile);

            File.WriteAllText(In("ca.crt"), _authority.CertificatePem);
            File.WriteAllText(In("service-account.key"), TestAuthority.CreateServiceAccountKey());
            File.WriteAllText(In("audit-policy.yaml"), options.AuditPolicy);
            Write("etcd", _authority.IssueServer("etcd"));
            Write("apiserver", _authority.IssueServer("kube-apiserver"));
            var probe = _authority.IssueClient(Admin, [AdminGroup]);
            Write("etcd-client", probe);
            _health = new(new SocketsHttpHandler
            {
                SslOptions = new SslClientAuthenticationOptions
                {
                    ClientCertificates = [X509Certificate2.CreateFromPem(probe.Certificate, probe.Key)],
                    CertificateChainPolicy = new X509ChainPolicy
                    {
                        TrustMode = X509ChainTrustMode.CustomRootTrust,
                        RevocationMode = X509RevocationMode.NoCheck,
                        CustomTrustStore = { X509Certificate2.CreateFromPem(_authority.CertificatePem) },
                    },
                },
            })
            { Timeout = TimeSpan.FromSeconds(5) };
        }

        public string Directory { get; }

        public ServerProcess Etcd { get; }

        public ServerProcess ApiServer { get; }

        public AuditLog Audit { get; }

        public IReadOnlyList<int> ProcessIds => [ApiServer.Id, Etcd.Id];

        public string AuditFile => In("audit.log");

        // Certificates on etcd's side too: a port that another etcd won in a race would otherwise look healthy, and two
        // control planes would share one store.
        public async Task StartEtcdAsync() => _etcdPort = await Etcd.StartAsync(
            _etcdPort,
            port =>
            [
                $"--data-dir={In("etcd")}",
                $"--listen-client-urls=https://127.0.0.1:{port}",
                $"--advertise-client-urls=https://127.0.0.1:{port}",
                "--listen-peer-urls=http://127.0.0.1:0",
                $"--cert-file={In("etcd.crt")}",
                $"--key-file={In("etcd.key")}",
                $"--trusted-ca-file={In("ca.crt")}",
                "--client-cert-auth=true",
                "--unsafe-no-fsync=true",
            ],
            port => IsHealthyAsync($"https://127.0.0.1:{port}/health"));

        // Flags that every kube-apiserver from 1.20 on understands.
        public async Task StartApiServerAsync() => _apiServerPort = await ApiServer.StartAsync(
            _apiServerPort,
            port =>
            [
                $"--etcd-servers=https://127.0.0.1:{_etcdPort}",
                $"--etcd-cafile={In("ca.crt")}",
                $"--etcd-certfile={In("etcd-client.crt")}",
                $"--etcd-keyfile={In("etcd-client.key")}",
                "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1",
                $"--secure-port={port}",
                $"--cert-dir={Directory}",
                $"--tls-cert-file={In("apiserver.crt")}",
                $"--tls-private-key-file={In("apiserver.key")}",
                $"--client-ca-file={In("ca.crt")}",
                "--authorization-mode=RBAC",
                "--allow-privileged=true",
                "--service-cluster-ip-range=10.0.0.0/16",
                // Its controller is not there to create the default service account that it insists on.
                "--disable-admission-plugins=ServiceAccount",
                "--service-account-issuer=https://kubernetes.default.svc",
                $"--service-account-key-file={In("service-account.key")}",
                $"--service-account-signing-key-file={In("service-account.key")}",
                $"--audit-policy-file={In("audit-policy.yaml")}",
                $"--audit-log-path={In("audit.log")}",
                // Megabytes: never rotated, so that no request is lost to a count.
                "--audit-log-maxsize=100000",
                .. _options.ApiServerArguments,
            ],
            port => IsHealthyAsync($"https://127.0.0.1:{port}/readyz"));

        public string WriteKubeconfig(string user, IReadOnlyList<string> groups)
        {
            var pair = _authority.IssueClient(user, groups);
            var path = In($"{Guid.NewGuid():N}.kubeconfig");
            File.WriteAllText(path, $"""
                apiVersion: v1
                kind: Config
                clusters:
                - name: envtest
                  cluster:
                    server: https://127.0.0.1:{_apiServerPort}
                    certificate-authority-data: {Base64(_authority.CertificatePem)}
                users:
                - name: user
                  user:
                    client-certificate-data: {Base64(pair.Certificate)}
                    client-key-data: {Base64(pair.Key)}
                contexts:
                - name: envtest
                  context:
                    cluster: envtest
                    user: user
                    namespace: default
                current-context: envtest
                """);
            return path;
        }

        public async ValueTask DisposeAsync()
        {
            await ApiServer.StopAsync();
            await Etcd.StopAsync();
            _health.Dispose();
            _authority.Dispose();
            System.IO.Directory.Delete(Directory, true);
        }

        private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

        private string In(string file) => Path.Combine(Directory, file);

        private void Write(string name, PemPair pair)
        {
            File.WriteAllText(In($"{name}.crt"), pair.Certificate);
            File.WriteAllText(In($"{name}.key"), pair.Key);
        }

        private async Task<bool> IsHealthyAsync(string url)
        {
            using var response = await _health.GetAsync(url);
            return response.IsSuccessStatusCode;
        }
    }
}
