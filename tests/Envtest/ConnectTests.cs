using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using McpOperator.Unit.Kubernetes;

namespace McpOperator.Envtest;

/// <summary>
/// The way to the API server in what compilation and linking could take away: proxies, chains of certificates, the environment
/// of plugins. The cases are in the unit tests of Kubernetes/.
/// </summary>
public sealed class ConnectTests(ControlPlaneFixture fixture)
{
    [Fact]
    public async Task AProxyOfTheEnvironmentIsUsedAsGoUsesIt()
    {
        fixture.RequireOwn("a kubeconfig of its own");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await using var proxy = new ConnectProxy(fixture.ControlPlane.Server) { WantsPassword = true };
        // A name that is in the API server's certificate but for its dot, and not the one that no proxy is asked for.
        var port = fixture.ControlPlane.Server.Port;
        var kubeconfig = await KubeconfigAsync(config => Cluster(config)["server"] = $"https://localhost.:{port}");
        await using var process = await OperatorProcess.StartAsync(fixture.ControlPlane, ns, new()
        {
            Kubeconfig = kubeconfig,
            Environment = Proxies($"http://me:word@127.0.0.1:{proxy.Port}", "10.0.0.0/8,.example.org"),
        });

        var connecting = await process.WaitForLogAsync("it said where it connects", entry => (string?)entry["event"] == "Connecting");
        Assert.Equal($"{kubeconfig} (--kubeconfig) through the proxy 127.0.0.1:{proxy.Port}", (string?)connecting["origin"]);
        await process.WaitForLogAsync("Synced");
        Assert.Contains($"CONNECT localhost.:{port} HTTP/1.1 Basic bWU6d29yZA==", proxy.Requests);
        Assert.DoesNotContain(process.Lines, line => line.Contains("word", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AServerOfThisMachineIsNotBehindAProxy()
    {
        fixture.RequireOwn("an API server of this machine");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await using var process = await OperatorProcess.StartAsync(
            fixture.ControlPlane, ns, new() { Environment = Proxies("http://127.0.0.1:1", "") });

        await process.WaitForLogAsync("Synced");
    }

    [Fact]
    public async Task AClusterWhoseAuthorityIsAnIntermediateIsTrustedAndAStrangerOfItsNameIsNot()
    {
        fixture.RequireOwn("a kubeconfig of its own");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        var root = new Unit.Kubernetes.TestAuthority("root");
        var intermediate = new Unit.Kubernetes.TestAuthority("intermediate", root);
        var stranger = new Unit.Kubernetes.TestAuthority("intermediate", new("root"));
        using var own = new TlsListener(intermediate.Server("127.0.0.1"), intermediate.Certificate);
        using var other = new TlsListener(stranger.Server("127.0.0.1"), stranger.Certificate);

        await using var trusting = await StartAsync(own);
        await Eventually.TrueAsync("a request came", () => own.Heard.Length > 0);
        Assert.StartsWith("PRI * HTTP/2.0", own.Heard);

        await using var refusing = await StartAsync(other);
        var line = await refusing.WaitForLogAsync("it said why it cannot list", entry => (string?)entry["event"] == "ReflectorFailed");
        Assert.Contains("the remote certificate is invalid: RemoteCertificateChainErrors (", (string)line["msg"]!);
        Assert.Null(line["stacktrace"]);
        Assert.Equal("", other.Heard);

        async Task<OperatorProcess> StartAsync(TlsListener server)
        {
            var kubeconfig = await KubeconfigAsync(config =>
            {
                Cluster(config)["server"] = server.Address;
                Cluster(config)["certificate-authority-data"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(intermediate.Pem));
            });
            return await OperatorProcess.StartAsync(fixture.ControlPlane, ns, new() { Kubeconfig = kubeconfig });
        }
    }

    [Fact]
    public async Task ANameForTheCertificateIsEnoughToReachAServerByItsAddress()
    {
        fixture.RequireOwn("a kubeconfig of its own");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        var kubeconfig = await KubeconfigAsync(config => Cluster(config)["tls-server-name"] = "localhost");
        await using var process = await OperatorProcess.StartAsync(fixture.ControlPlane, ns, new() { Kubeconfig = kubeconfig });

        await process.WaitForLogAsync("Synced");
    }

    // The operator hides the machine's certificates from its own OpenSSL. A plugin needs them to log in somewhere.
    [Theory]
    [InlineData(null, "none none")]
    [InlineData("/etc/own/bundle.pem", "/etc/own/bundle.pem none")]
    public async Task APluginHasTheEnvironmentOfTheUserAndIsToldTheCluster(string? file, string expected)
    {
        fixture.RequireOwn("a kubeconfig of its own");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        var directory = Directory.CreateTempSubdirectory("plugin-");
        var (plugin, told) = (Path.Combine(directory.FullName, "plugin"), Path.Combine(directory.FullName, "told"));
        await File.WriteAllTextAsync(plugin, $$"""
            #!/bin/sh
            echo "${SSL_CERT_FILE-none} ${SSL_CERT_DIR-none} $KUBERNETES_EXEC_INFO" > {{told}}.new && mv {{told}}.new {{told}}
            echo '{"apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t"} }'
            """);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(plugin, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var kubeconfig = await KubeconfigAsync(config =>
        {
            Cluster(config)["extensions"] = JsonNode.Parse("""[{"name":"client.authentication.k8s.io/exec","extension":{"audience":"x","n":1}}]""");
            config["users"]![0]!["user"] = JsonNode.Parse(
                $$"""{"exec":{"apiVersion":"client.authentication.k8s.io/v1","command":"{{plugin}}","interactiveMode":"Never","provideClusterInfo":true} }""");
        });
        await using var process = await OperatorProcess.StartAsync(fixture.ControlPlane, ns, new()
        {
            Kubeconfig = kubeconfig,
            Environment = new Dictionary<string, string?> { ["SSL_CERT_FILE"] = file, ["SSL_CERT_DIR"] = null },
        });

        await Eventually.TrueAsync("the plugin ran", () => File.Exists(told));
        var text = await File.ReadAllTextAsync(told);
        Assert.StartsWith($"{expected} {{", text);
        var cluster = JsonNode.Parse(text[text.IndexOf('{')..])!["spec"]!["cluster"]!;
        Assert.Equal("""{"audience":"x","n":1}""", cluster["config"]!.ToJsonString());
        Assert.Equal(fixture.ControlPlane.Server.OriginalString.TrimEnd('/'), ((string)cluster["server"]!).TrimEnd('/'));
        Assert.StartsWith("-----BEGIN CERTIFICATE-----", Encoding.UTF8.GetString(Convert.FromBase64String((string)cluster["certificate-authority-data"]!)));
        Assert.Equal(0, await process.StopAsync());
        directory.Delete(true);
    }

    private static JsonObject Cluster(JsonObject config) => config["clusters"]![0]!["cluster"]!.AsObject();

    private static Dictionary<string, string?> Proxies(string https, string exceptions) => new()
    {
        ["HTTPS_PROXY"] = https,
        ["https_proxy"] = null,
        ["NO_PROXY"] = exceptions,
        ["no_proxy"] = null,
    };

    private async Task<string> KubeconfigAsync(Action<JsonObject> change)
    {
        var config = Manifest.Parse(await File.ReadAllTextAsync(fixture.ControlPlane.AdminKubeconfig));
        change(config);
        var path = Path.Combine(fixture.ControlPlane.Directory, $"{Guid.NewGuid():N}.kubeconfig");
        await File.WriteAllTextAsync(path, config.ToJsonString());
        return path;
    }

    /// <summary>Shows a certificate and what leads to its root, and hears what a client then says first.</summary>
    private sealed class TlsListener : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly SslServerAuthenticationOptions _options;

        public TlsListener(X509Certificate2 certificate, X509Certificate2 chain)
        {
            _options = new()
            {
                ServerCertificateContext = SslStreamCertificateContext.Create(certificate, [chain], offline: true),
                ApplicationProtocols = [SslApplicationProtocol.Http2],
            };
            _listener.Start();
            _ = ServeAsync();
        }

        public string Address => $"https://{_listener.LocalEndpoint}";

        public string Heard { get; private set; } = "";

        public void Dispose() => _listener.Dispose();

        private async Task ServeAsync()
        {
            while (true)
            {
                try
                {
                    using var client = await _listener.AcceptTcpClientAsync();
                    await using var stream = new SslStream(client.GetStream());
                    await stream.AuthenticateAsServerAsync(_options);
                    var bytes = new byte[24];
                    var count = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false);
                    Heard += Encoding.ASCII.GetString(bytes, 0, count);
                }
                catch (Exception exception) when (exception is AuthenticationException or IOException)
                {
                    // It was refused.
                }
                catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
                {
                    return;
                }
            }
        }
    }
}
