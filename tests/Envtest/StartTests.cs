using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// What a person reads who has told the operator something wrong: one clear line, and whether it ends. Wrong command lines
/// are in <see cref="CommandTests"/>, wrong tokens and authorities in <see cref="CredentialTests"/>.
/// </summary>
public sealed class StartTests(ControlPlaneFixture fixture)
{
    private const string Context = "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n";
    private const string Cluster = Context + "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n";

    [Theory]
    [InlineData(null, "Could not find file")]
    [InlineData("", "an empty kubeconfig")]
    [InlineData("clusters: [", "no kubeconfig (line 2, column 1)")]
    [InlineData("current-context: nope", "there is no context nope")]
    [InlineData(Context, "there is no cluster c")]
    [InlineData(Cluster, "there is no user u")]
    [InlineData(Context + "clusters: [{name: c, cluster: {server: '127.0.0.1'}}]\nusers: [{name: u, user: {}}]", "the server of cluster c is no URL")]
    [InlineData(Cluster + "users: [{name: u, user: {client-certificate-data: '%', client-key-data: AAAA}}]", "client-certificate-data is no base64")]
    [InlineData(Cluster + "users: [{name: u, user: {client-certificate-data: AAAA}}]", "user u has a client certificate without a key, or the reverse")]
    [InlineData(Cluster + "users: [{name: u, user: {token: t, as: somebody}}]", "user u has as: this operator does not impersonate others")]
    [InlineData(
        Context + "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1', proxy-url: 'http://127.0.0.1:2'}}]\nusers: [{name: u, user: {}}]",
        "cluster c has proxy-url, which this operator does not support")]
    public async Task AKubeconfigThatCannotBeUsedIsTheLastLineAndExitCodeOne(string? text, string expected)
    {
        var directory = Directory.CreateTempSubdirectory("start-");
        var path = Path.Combine(directory.FullName, "kubeconfig");
        if (text is not null)
            await File.WriteAllTextAsync(path, text, TestContext.Current.CancellationToken);

        var ended = await Command.OperatorAsync("--kubeconfig", path, "--metrics-bind-address=0", "--health-probe-bind-address=0");

        Assert.Equal((1, ""), (ended.ExitCode, ended.Output));
        var line = Assert.Single(ended.ErrorLines.Select(line => JsonNode.Parse(line)!), entry => (string?)entry["level"] != "info");
        Assert.Equal(("critical", "NotConnected"), ((string?)line["level"], (string?)line["event"]));
        Assert.Contains(path, (string)line["msg"]!);
        Assert.Contains(expected, (string)line["msg"]!);
        Assert.Null(line["stacktrace"]);
        directory.Delete(true);
    }

    [Theory]
    [InlineData("REQUEUE_DELAY_SECONDS", "soon", "10")]
    [InlineData("MCP_INGRESS_READINESS_MODE", "lenient", "strict")]
    [InlineData("MCP_DEFAULT_INGRESS_TLS", "maybe", "false")]
    [InlineData("DEFAULT_INGRESS_CLASS", "My Class", "traefik")]
    [InlineData("MCP_DEFAULT_INGRESS_HOST", "192.0.2.1", "unset")]
    public async Task AVariableThatCannotBeReadIsOneWarningAndItsDefault(string name, string value, string used)
    {
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await using var process = await OperatorProcess.StartAsync(
            fixture.ControlPlane, ns, new() { Environment = new Dictionary<string, string?> { [name] = value } });
        await process.WaitForLogAsync("Synced");

        var line = Assert.Single(process.Log, entry => (string?)entry["level"] != "info");
        Assert.Equal(("warn", "SettingUnreadable"), ((string?)line["level"], (string?)line["event"]));
        foreach (var part in new[] { name, value, used })
            Assert.Contains(part, (string)line["msg"]!);
        Assert.Equal(0, await process.StopAsync());
    }

    [Theory]
    [InlineData("refused", "Connection refused (127.0.0.1:1)")]
    [InlineData("unknown", "Name or service not known (nowhere.invalid:443)")]
    [InlineData("misnamed", "RemoteCertificateNameMismatch")]
    [InlineData("expired", "NotTimeValid")]
    public async Task AnApiServerThatCannotBeReachedIsOneWarningAKindAndIsWaitedFor(string how, string expected)
    {
        fixture.RequireOwn("a kubeconfig of its own");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        await using var expired = new ExpiredServer();
        var kubeconfig = await KubeconfigAsync(cluster =>
        {
            switch (how)
            {
                case "refused":
                    cluster["server"] = "https://127.0.0.1:1";
                    break;
                case "unknown":
                    cluster["server"] = "https://nowhere.invalid";
                    break;
                case "misnamed":
                    cluster["tls-server-name"] = "somebody-else.example.org";
                    break;
                default:
                    cluster["server"] = expired.Address;
                    cluster["certificate-authority-data"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(expired.CertificatePem));
                    break;
            }
        });
        await using var process = await OperatorProcess.StartAsync(fixture.ControlPlane, ns, new() { Kubeconfig = kubeconfig });

        await Eventually.TrueAsync("every kind was tried", () => Warnings().Count() >= Crowd.Kinds.Count);

        Assert.All(Warnings(), entry =>
        {
            Assert.Equal("ReflectorFailed", (string?)entry["event"]);
            Assert.Contains(expected, (string)entry["msg"]!);
            Assert.DoesNotContain('\n', (string)entry["msg"]!);
            Assert.Null(entry["stacktrace"]);
        });
        Assert.Distinct(Warnings().Select(entry => (string)entry["resource"]!));
        Assert.Equal(500, (int)(await process.GetAsync("/readyz")).Code);
        // A restart would not bring the API server back.
        Assert.Equal("ok", (await process.GetAsync("/healthz")).Text);
        Assert.Equal(0, await process.StopAsync());

        IEnumerable<JsonObject> Warnings() => process.Log.Where(entry => (string?)entry["level"] != "info");
    }

    private async Task<string> KubeconfigAsync(Action<JsonObject> changeCluster)
    {
        var config = Manifest.Parse(await File.ReadAllTextAsync(fixture.ControlPlane.AdminKubeconfig));
        changeCluster(config["clusters"]![0]!["cluster"]!.AsObject());
        var path = Path.Combine(fixture.ControlPlane.Directory, $"{Guid.NewGuid():N}.kubeconfig");
        await File.WriteAllTextAsync(path, config.ToJsonString());
        return path;
    }

    /// <summary>A server that shows a certificate of yesterday, and gets no further than that.</summary>
    private sealed class ExpiredServer : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        private readonly X509Certificate2 _certificate;
        private readonly Task _serving;

        public ExpiredServer()
        {
            var request = new CertificateRequest("CN=expired", _key, HashAlgorithmName.SHA256);
            var names = new SubjectAlternativeNameBuilder();
            names.AddIpAddress(IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
            _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(-1));
            _listener.Start();
            _serving = ServeAsync();
        }

        public string Address => string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

        public string CertificatePem => _certificate.ExportCertificatePem();

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _serving;
            _certificate.Dispose();
            _key.Dispose();
        }

        private async Task ServeAsync()
        {
            while (true)
            {
                try
                {
                    using var client = await _listener.AcceptTcpClientAsync();
                    await using var stream = new SslStream(client.GetStream());
                    await stream.AuthenticateAsServerAsync(_certificate);
                    // With TLS 1.3 the client's refusal comes after the server is content.
                    _ = await stream.ReadAsync(new byte[1]);
                }
                catch (Exception exception) when (exception is AuthenticationException or IOException)
                {
                    // What the client is here to do.
                }
                catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
                {
                    return;
                }
            }
        }
    }
}
