using System.Net;
using System.Text;
using System.Text.Json;
using McpOperator.Commands;
using McpOperator.Kubernetes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Kubernetes;

[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class ConnectionTests : IDisposable
{
    private static readonly ResourceType ConfigMaps = new("", "v1", "configmaps", "ConfigMap");

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly TemporaryDirectory _directory = new();
    private readonly TestAuthority _authority = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task AServerWithTheRightNameIsSpokenToInHttp2()
    {
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));

        Assert.Equal("x", await GetAsync(Access(server, ca: _authority.Pem)));

        Assert.Equal([(null, null, "HTTP/2", server.Address.Authority)], server.Requests);
    }

    [Theory]
    [InlineData("10.1.2.3")]
    [InlineData("totally-other.example")]
    public async Task AServerWithAnotherNameIsRefusedEvenThoughItsAuthorityIsRight(string name)
    {
        await using var server = await TlsServer.StartAsync(_authority.Server(name));

        var fault = await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync(Access(server, ca: _authority.Pem)));

        Assert.Equal(HttpRequestError.SecureConnectionError, fault.HttpRequestError);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task AServerOfAnotherAuthorityIsRefused()
    {
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));

        await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync(Access(server, ca: new TestAuthority().Pem)));
        await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync(Access(server)));

        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task TheNameToCheckCanBeGiven()
    {
        await using var server = await TlsServer.StartAsync(_authority.Server("kubernetes.test"));

        Assert.Equal("x", await GetAsync(Access(server, ca: _authority.Pem, tlsServerName: "kubernetes.test")));
        await Assert.ThrowsAsync<HttpRequestException>(
            () => GetAsync(Access(server, ca: _authority.Pem, tlsServerName: "other.test")));

        Assert.Equal(["kubernetes.test", "other.test"], server.Names);
        // It is for TLS alone: what is asked for is the server by its address.
        Assert.Equal([(null, null, "HTTP/2", server.Address.Authority)], server.Requests);
    }

    [Fact]
    public async Task TheNameToCheckCanBeGivenToAServerWithoutHttp2()
    {
        await using var server = await TlsServer.StartAsync(_authority.Server("kubernetes.test"), HttpProtocols.Http1);

        Assert.Equal("x", await GetAsync(Access(server, ca: _authority.Pem, tlsServerName: "kubernetes.test")));

        Assert.Equal([(null, null, "HTTP/1.1", server.Address.Authority)], server.Requests);
    }

    // A dot says that the name is complete, and that no search list is to be tried. Certificates have none.
    [Fact]
    public async Task ADotAfterTheServersNameIsNotPartOfIt()
    {
        await using var server = await TlsServer.StartAsync(_authority.Server("api.test"));
        // Only to have the name resolved.
        await using var proxy = new ConnectProxy(server.Address);

        Assert.Equal("x", await GetAsync(Access(
            server, ca: _authority.Pem, address: "https://api.test.:6443", proxy: new Uri($"http://127.0.0.1:{proxy.Port}"))));

        Assert.Equal(["CONNECT api.test.:6443 HTTP/1.1"], proxy.Requests);
        Assert.Equal(["api.test"], server.Names);
    }

    [Theory]
    [InlineData("", false, "")]
    [InlineData("me:p%40ss@", true, " Basic bWU6cEBzcw==")]
    public async Task AServerIsReachedThroughAProxyAndCheckedBehindIt(string user, bool wantsPassword, string shown)
    {
        await using var server = await TlsServer.StartAsync(_authority.Server("api.test"));
        await using var proxy = new ConnectProxy(server.Address) { WantsPassword = wantsPassword };

        var way = new Uri($"http://{user}127.0.0.1:{proxy.Port}");
        Assert.Equal("x", await GetAsync(Access(server, ca: _authority.Pem, address: "https://api.test:6443", proxy: way)));
        await Assert.ThrowsAsync<HttpRequestException>(
            () => GetAsync(Access(server, ca: _authority.Pem, address: "https://other.test:6443", proxy: way)));
        Assert.Equal("x", await GetAsync(
            Access(server, ca: _authority.Pem, address: "https://other.test:6443", tlsServerName: "api.test", proxy: way)));

        Assert.Equal(
            [$"CONNECT api.test:6443 HTTP/1.1{shown}", $"CONNECT other.test:6443 HTTP/1.1{shown}", $"CONNECT other.test:6443 HTTP/1.1{shown}"],
            proxy.Requests.Where(request => request.EndsWith(shown, StringComparison.Ordinal)));
        Assert.Equal(2, server.Requests.Count);
        Assert.Equal((null, null, "HTTP/2", "api.test:6443"), server.Requests[0]);
    }

    // What is in the environment is for Connection's maker to weigh (ProxyEnvironment), and a pod's is not for its own cluster.
    [Fact]
    public async Task WithoutAProxyThatOfTheProcessIsNotAsked()
    {
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));
        var before = HttpClient.DefaultProxy;
        HttpClient.DefaultProxy = new FixedProxy(new Uri("http://127.0.0.1:1"));
        try
        {
            Assert.Equal("x", await GetAsync(Access(server, ca: _authority.Pem)));
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }
    }

    [Fact]
    public async Task VerificationCanBeSwitchedOff()
    {
        await using var server = await TlsServer.StartAsync(_authority.Server("elsewhere"));

        Assert.Equal("x", await GetAsync(Access(server, skipVerify: true)));
    }

    [Fact]
    public async Task TheSecondCertificateOfABundleCounts()
    {
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));

        Assert.Equal("x", await GetAsync(Access(server, ca: new TestAuthority("old CA").Pem + _authority.Pem)));
    }

    [Fact]
    public async Task ANewAuthorityInTheFileIsTakenUpAndOldStreamsLiveOn()
    {
        var ca = _directory.Write("ca.crt", _authority.Pem);
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));
        using var connection = new Connection(Access(server, caFile: ca), _time);
        using var client = new ApiClient(Product.Identity, connection, _time);

        // A watch on the old connection.
        var release = new TaskCompletionSource();
        server.Answer = async context =>
        {
            await context.Response.Body.FlushAsync();
            await release.Task;
            await context.Response.WriteAsync("the end");
        };
        using var invoker = new HttpMessageInvoker(connection, disposeHandler: false);
        using var watch = await invoker.SendAsync(new(HttpMethod.Get, server.Address) { Version = HttpVersion.Version20 }, default);

        var next = new TestAuthority("new CA");
        server.Certificate = next.Server("127.0.0.1");
        server.Answer = _ => Task.CompletedTask;
        File.WriteAllText(ca, next.Pem);
        _time.Advance(TimeSpan.FromSeconds(61));

        Assert.Equal("x", await FindAsync(client));
        release.SetResult();
        Assert.Equal("the end", await watch.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task AFailedHandshakeLooksAtTheFileAtOnce()
    {
        var ca = _directory.Write("ca.crt", new TestAuthority().Pem);
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));
        using var connection = new Connection(Access(server, caFile: ca), _time);
        using var client = new ApiClient(Product.Identity, connection, _time);

        await Assert.ThrowsAsync<HttpRequestException>(() => FindAsync(client));
        File.WriteAllText(ca, _authority.Pem);

        Assert.Equal("x", await FindAsync(client));
    }

    [Fact]
    public async Task HalfAFileOrNoneLeavesWhatWasThere()
    {
        var ca = _directory.Write("ca.crt", _authority.Pem);
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));
        using var connection = new Connection(Access(server, caFile: ca), _time);
        using var client = new ApiClient(Product.Identity, connection, _time);
        await FindAsync(client);

        File.WriteAllText(ca, "");
        _time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal("x", await FindAsync(client));
        File.Delete(ca);
        _time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal("x", await FindAsync(client));
    }

    [Fact]
    public async Task AClientCertificateIsShownAndItsRenewalTakenUp()
    {
        var old = _authority.Client("old");
        var certificate = _directory.Write("me.crt", old.CertificatePem());
        var key = _directory.Write("me.key", old.KeyPem());
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));
        using var connection = new Connection(
            Access(server, ca: _authority.Pem, certificateFile: certificate, keyFile: key), _time);
        using var client = new ApiClient(Product.Identity, connection, _time);

        await FindAsync(client);
        var renewed = _authority.Client("new");
        // Not written at once: between the two the pair does not fit.
        File.WriteAllText(certificate, renewed.CertificatePem());
        _time.Advance(TimeSpan.FromSeconds(61));
        await FindAsync(client);
        File.WriteAllText(key, renewed.KeyPem());
        _time.Advance(TimeSpan.FromSeconds(61));
        await FindAsync(client);

        Assert.Equal(["CN=old", "CN=old", "CN=new"], server.Requests.Select(request => request.ClientCertificate));
    }

    [Fact]
    public async Task ATokenFileIsReadAgainAfterAMinute()
    {
        var token = _directory.Write("token", "one\n");
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));
        using var connection = new Connection(Access(server, ca: _authority.Pem, tokenFile: token), _time);
        using var client = new ApiClient(Product.Identity, connection, _time);

        await FindAsync(client);
        File.WriteAllText(token, "two\n");
        _time.Advance(TimeSpan.FromSeconds(59));
        await FindAsync(client);
        _time.Advance(TimeSpan.FromSeconds(1));
        await FindAsync(client);

        Assert.Equal(["Bearer one", "Bearer one", "Bearer two"], server.Requests.Select(request => request.Authorization));
    }

    [Fact]
    public async Task ARefusedTokenIsReplacedAndTheRequestSentOnceMore()
    {
        var token = _directory.Write("token", "one");
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));
        using var connection = new Connection(Access(server, ca: _authority.Pem, tokenFile: token), _time);
        using var client = new ApiClient(Product.Identity, connection, _time);
        await FindAsync(client);

        File.WriteAllText(token, "two");
        server.Answer = context =>
        {
            context.Response.StatusCode = context.Request.Headers.Authorization == "Bearer two" ? 200 : 401;
            return Task.CompletedTask;
        };

        Assert.Equal("x", await FindAsync(client));
        Assert.Equal(["Bearer one", "Bearer one", "Bearer two"], server.Requests.Select(request => request.Authorization));
    }

    // Whoever does not move a file into place cuts the old one off first. What is read in that moment may not stay in force for a minute.
    [Fact]
    public async Task ATokenFileThatIsBeingWrittenIsLookedAtAgain()
    {
        var token = _directory.Write("token", "one");
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));
        using var connection = new Connection(Access(server, ca: _authority.Pem, tokenFile: token), _time);
        using var client = new ApiClient(Product.Identity, connection, _time);
        await FindAsync(client);

        File.WriteAllText(token, "");
        _time.Advance(TimeSpan.FromSeconds(60));
        await FindAsync(client);
        File.WriteAllText(token, "two");
        await FindAsync(client);

        Assert.Equal(["Bearer one", "Bearer one", "Bearer two"], server.Requests.Select(request => request.Authorization));
    }

    [Fact]
    public async Task ABodyIsSentAgainWithTheFreshToken()
    {
        var token = _directory.Write("token", "one");
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));
        using var connection = new Connection(Access(server, ca: _authority.Pem, tokenFile: token), _time);
        using var client = new ApiClient(Product.Identity, connection, _time);
        await FindAsync(client);

        File.WriteAllText(token, "two");
        var bodies = new List<string>();
        server.Answer = async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            bodies.Add(await reader.ReadToEndAsync());
            context.Response.StatusCode = context.Request.Headers.Authorization == "Bearer two" ? 200 : 401;
        };
        await client.CreateAsync(ConfigMaps, "a", "{}"u8.ToArray());

        Assert.Equal(["{}", "{}"], bodies);
    }

    [Fact]
    public async Task ARefusalOfTheFreshTokenIsFinal()
    {
        var token = _directory.Write("token", "one");
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));
        using var connection = new Connection(Access(server, ca: _authority.Pem, tokenFile: token), _time);
        using var client = new ApiClient(Product.Identity, connection, _time);
        await FindAsync(client);

        File.WriteAllText(token, "two");
        server.Answer = Refuse;
        var refusal = await Assert.ThrowsAsync<ApiException>(() => FindAsync(client));

        Assert.Equal(HttpStatusCode.Unauthorized, refusal.Code);
        Assert.Equal(["Bearer one", "Bearer one", "Bearer two"], server.Requests.Select(request => request.Authorization));
    }

    [Fact]
    public async Task ATokenThatCannotChangeIsNotSentTwice()
    {
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));
        server.Answer = Refuse;

        var refusal = await Assert.ThrowsAsync<ApiException>(() => GetAsync(Access(server, ca: _authority.Pem, token: "s3cr3t")));

        Assert.Single(server.Requests, request => request.Authorization == "Bearer s3cr3t");
        Assert.DoesNotContain("s3cr3t", refusal.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ANameAndAPasswordAreBasicAuthentication()
    {
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));

        await GetAsync(Access(server, ca: _authority.Pem, username: "me", password: "pä:ss"));

        Assert.Equal($"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes("me:pä:ss"))}", server.Requests[0].Authorization);
    }

    [Fact]
    public async Task APluginsTokenIsKeptUntilItExpires()
    {
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));
        using var connection = new Connection(Access(server, ca: _authority.Pem, exec: CountingPlugin("token", TimeSpan.FromHours(1))), _time);
        using var client = new ApiClient(Product.Identity, connection, _time);

        await FindAsync(client);
        _time.Advance(TimeSpan.FromMinutes(59));
        await FindAsync(client);
        _time.Advance(TimeSpan.FromMinutes(1));
        await FindAsync(client);

        Assert.Equal(["Bearer token-1", "Bearer token-1", "Bearer token-2"], server.Requests.Select(request => request.Authorization));
    }

    [Fact]
    public async Task ARefusedPluginsTokenIsAskedForOnceMore()
    {
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));
        server.Answer = Refuse;

        await Assert.ThrowsAsync<ApiException>(
            () => GetAsync(Access(server, ca: _authority.Pem, exec: CountingPlugin("token", null))));

        Assert.Equal(["Bearer token-1", "Bearer token-2"], server.Requests.Select(request => request.Authorization));
    }

    [Fact]
    public async Task APluginCanIssueCertificates()
    {
        var first = _authority.Client("plugin-1");
        var second = _authority.Client("plugin-2");
        var output = _directory.Write("output", Credential(first.CertificatePem(), first.KeyPem(), _time.GetUtcNow().AddHours(1)));
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));
        using var connection = new Connection(Access(server, ca: _authority.Pem, exec: Plugin($"cat {output}")), _time);
        using var client = new ApiClient(Product.Identity, connection, _time);

        await FindAsync(client);
        File.WriteAllText(output, Credential(second.CertificatePem(), second.KeyPem(), _time.GetUtcNow().AddHours(9)));
        await FindAsync(client);
        _time.Advance(TimeSpan.FromHours(1));
        await FindAsync(client);

        Assert.Equal(
            ["CN=plugin-1", "CN=plugin-1", "CN=plugin-2"], server.Requests.Select(request => request.ClientCertificate));
    }

    [Theory]
    [InlineData("echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"s3cr3t'; echo no s\\  >&2; exit 3", "exited with code 3: no s")]
    [InlineData("echo s3cr3t", "printed no JSON")]
    [InlineData("echo '{\"apiVersion\":\"v2\",\"status\":{\"token\":\"s3cr3t\"}}'", "apiVersion")]
    [InlineData("echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{}}'", "neither")]
    [InlineData("echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{\"clientKeyData\":\"s3cr3t\"}}'", "without a key")]
    public async Task APluginThatFailsIsNamedAndItsOutputKeptBack(string script, string said)
    {
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));
        var plugin = Plugin(script);

        var fault = await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync(Access(server, ca: _authority.Pem, exec: plugin)));

        Assert.Contains(plugin.Command, fault.Message, StringComparison.Ordinal);
        Assert.Contains(said, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", fault.ToString(), StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task APluginThatIsMissingIsNamed()
    {
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));
        var plugin = new ExecCommand { ApiVersion = "client.authentication.k8s.io/v1", Command = "/no/such/plugin" };

        var fault = await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync(Access(server, ca: _authority.Pem, exec: plugin)));

        Assert.Contains("/no/such/plugin cannot be started", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task APluginSeesItsArgumentsAndEnvironmentAsTheyAre()
    {
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));
        var script = Plugin("""
            case "$KUBERNETES_EXEC_INFO" in *'"kind":"ExecCredential"'*) kind=yes;; esac
            echo "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{\"token\":\"$# $1 $E $kind\"}}"
            """);
        var plugin = new ExecCommand
        {
            ApiVersion = script.ApiVersion,
            Command = script.Command,
            Arguments = ["a b"],
            Environment = [KeyValuePair.Create("E", "c d")],
        };

        await GetAsync(Access(server, ca: _authority.Pem, exec: plugin));

        Assert.Equal("Bearer 1 a b c d yes", server.Requests[0].Authorization);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task APluginIsToldTheClusterWhenItAsks(bool inAFile)
    {
        var info = Path.Combine(_directory.Path, "info");
        await using var server = await TlsServer.StartAsync(_authority.Server("kubernetes.test"));
        var script = Plugin($"printf %s \"$KUBERNETES_EXEC_INFO\" >> {info}; echo >> {info}\n"
            + "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{\"token\":\"t\"}}'");
        ExecCommand Told(string? config) => new()
        {
            ApiVersion = script.ApiVersion,
            Command = script.Command,
            ProvideClusterInfo = true,
            ClusterConfig = config,
        };
        var ca = inAFile ? null : _authority.Pem;
        var caFile = inAFile ? _directory.Write("ca.crt", _authority.Pem) : null;

        await GetAsync(Access(server, ca: ca, caFile: caFile, tlsServerName: "kubernetes.test", exec: Told("""{"audience":"a\"b"}""")));
        await GetAsync(Access(server, skipVerify: true, exec: Told(null)));
        await GetAsync(Access(server, skipVerify: true, exec: script));

        const string start = """{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{""";
        var address = server.Address.OriginalString;
        var authority = Convert.ToBase64String(Encoding.UTF8.GetBytes(_authority.Pem));
        var lines = File.ReadAllLines(info);
        Assert.Equal(
            [
                $$$"""{{{start}}}"cluster":{"server":"{{{address}}}","tls-server-name":"kubernetes.test","certificate-authority-data":"{{{authority}}}","config":{"audience":"a\"b"}},"interactive":false}}""",
                $$$"""{{{start}}}"cluster":{"server":"{{{address}}}","insecure-skip-tls-verify":true,"config":null},"interactive":false}}""",
                $$$"""{{{start}}}"interactive":false}}""",
            ],
            lines.Select(line => line.Replace("\\u002B", "+", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task AMissingTokenFileIsNamed()
    {
        await using var server = await TlsServer.StartAsync(_authority.Server("127.0.0.1"));

        var fault = await Assert.ThrowsAsync<HttpRequestException>(
            () => GetAsync(Access(server, ca: _authority.Pem, tokenFile: "/no/such/token")));

        Assert.Contains("/no/such/token", fault.Message, StringComparison.Ordinal);
    }

    private static Task Refuse(HttpContext context)
    {
        context.Response.StatusCode = 401;
        return Task.CompletedTask;
    }

    private async Task<string?> GetAsync(ClusterAccess access)
    {
        using var connection = new Connection(access, _time);
        using var client = new ApiClient(Product.Identity, connection, _time);
        return await FindAsync(client);
    }

    private static Task<string?> FindAsync(ApiClient client) =>
        client.FindAsync(ConfigMaps, new("a", "b"), json => json.GetProperty("metadata").GetProperty("name").GetString()!);

    private static ClusterAccess Access(
        TlsServer server,
        string? ca = null,
        string? caFile = null,
        string? address = null,
        Uri? proxy = null,
        string? tlsServerName = null,
        bool skipVerify = false,
        string? certificateFile = null,
        string? keyFile = null,
        string? token = null,
        string? tokenFile = null,
        string? username = null,
        string? password = null,
        ExecCommand? exec = null) => new()
        {
            Server = address is null ? server.Address : new Uri(address),
            Namespace = "default",
            Origin = "test",
            Proxy = proxy,
            CertificateAuthority = ca is null ? null : Encoding.UTF8.GetBytes(ca),
            CertificateAuthorityFile = caFile,
            TlsServerName = tlsServerName,
            InsecureSkipTlsVerify = skipVerify,
            ClientCertificateFile = certificateFile,
            ClientKeyFile = keyFile,
            Token = token,
            TokenFile = tokenFile,
            Username = username,
            Password = password,
            Exec = exec,
        };

    private ExecCommand Plugin(string script)
    {
        var path = _directory.Write("plugin", $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return new ExecCommand { ApiVersion = "client.authentication.k8s.io/v1", Command = path };
    }

    /// <summary>Prints token-1, then token-2, …</summary>
    private ExecCommand CountingPlugin(string token, TimeSpan? lifetime)
    {
        var count = Path.Combine(_directory.Path, "count");
        var expiry = lifetime is null ? "" : $",\\\"expirationTimestamp\\\":\\\"{_time.GetUtcNow() + lifetime:yyyy-MM-ddTHH:mm:ssZ}\\\"";
        return Plugin($$"""
            echo x >> {{count}}
            n=$(wc -l < {{count}})
            echo "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{\"token\":\"{{token}}-$n\"{{expiry}} } }"
            """);
    }

    private static string Credential(string certificate, string key, DateTimeOffset expiry) =>
        "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"clientCertificateData\":\""
        + JsonEncodedText.Encode(certificate) + "\",\"clientKeyData\":\"" + JsonEncodedText.Encode(key)
        + $"\",\"expirationTimestamp\":\"{expiry:yyyy-MM-ddTHH:mm:ssZ}\"}}}}";
}
