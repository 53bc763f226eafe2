using System.Text;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Kubernetes;

public sealed class ConnectionSourceTests : IDisposable
{
    private const string Secret = "s3cr3t-value";

    private const string Whole =
        "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: 'https://a'}}]\nusers:\n- name: u";

    private readonly TemporaryDirectory _directory = new();
    private readonly Dictionary<string, string> _variables = [];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void AnExplicitFileGoesBeforeAllElse()
    {
        InCluster();
        _variables["KUBECONFIG"] = _directory.Write("variable", Config("variable"));

        var path = _directory.Write("explicit", Config("explicit"));
        var access = Find(path);

        Assert.Equal(("https://explicit.test/", $"{path} (--kubeconfig)"), (access.Server.AbsoluteUri, access.Origin));
    }

    // As the Go operator does it: a pod can be given a kubeconfig by the variable alone.
    [Fact]
    public void TheVariableGoesBeforeAPodsServiceAccount()
    {
        InCluster();
        var path = _directory.Write("variable", Config("variable"));
        _variables["KUBECONFIG"] = path;

        var access = Find();

        Assert.Equal(("https://variable.test/", $"{path} ($KUBECONFIG)"), (access.Server.AbsoluteUri, access.Origin));
    }

    [Theory]
    [InlineData("/does/not/exist")]
    [InlineData("/dev/null")]
    public void AVariableThatNamesNothingLeavesAPodItsServiceAccount(string variable)
    {
        InCluster();
        _variables["KUBECONFIG"] = variable;

        var access = Find();

        Assert.Equal("https://10.0.0.1/", access.Server.AbsoluteUri);
        Assert.Equal($"in-cluster (no --kubeconfig is given, and $KUBECONFIG names no file that has anything in it: {variable})", access.Origin);
    }

    [Fact]
    public void AVariableThatCannotBeUsedIsNotPassedOver()
    {
        InCluster();
        _variables["KUBECONFIG"] = _directory.Write("variable", "current-context: nope");

        Assert.Contains("there is no context nope", Assert.Throws<ConnectionException>(() => Find()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void APodsServiceAccountGoesBeforeTheHomeDirectory()
    {
        InCluster();
        _variables["HOME"] = _directory.Path;
        _directory.Write(".kube/config", Config("home"));

        var access = Find();

        Assert.Equal("https://10.0.0.1/", access.Server.AbsoluteUri);
        Assert.Equal("in-cluster (neither --kubeconfig nor $KUBECONFIG is given)", access.Origin);
        Assert.Equal("operators", access.Namespace);
        Assert.Equal(Path.Combine(_directory.Path, "sa", "token"), access.TokenFile);
        Assert.Equal(Path.Combine(_directory.Path, "sa", "ca.crt"), access.CertificateAuthorityFile);
    }

    [Fact]
    public void APodsServiceAccountNeedsItsToken()
    {
        InCluster();
        File.Delete(Path.Combine(_directory.Path, "sa", "token"));
        _variables["HOME"] = _directory.Path;
        _directory.Write(".kube/config", Config("home"));

        Assert.Equal("https://home.test/", Find().Server.AbsoluteUri);
    }

    [Fact]
    public void AnAddressOfSixthVersionIsBracketed()
    {
        InCluster();
        _variables["KUBERNETES_SERVICE_HOST"] = "fd00::1";
        _variables["KUBERNETES_SERVICE_PORT"] = "6443";

        Assert.Equal("https://[fd00::1]:6443/", Find().Server.AbsoluteUri);
    }

    [Fact]
    public void TheHomeDirectoryIsLast()
    {
        _variables["HOME"] = _directory.Path;
        var path = _directory.Write(".kube/config", Config("home"));

        var access = Find();

        Assert.Equal("https://home.test/", access.Server.AbsoluteUri);
        Assert.Equal($"{path} (neither --kubeconfig nor $KUBECONFIG is given, and this is no pod)", access.Origin);
    }

    [Fact]
    public void NothingFoundNamesAllThatWasTried()
    {
        _variables["HOME"] = "/nowhere";

        var message = Assert.Throws<ConnectionException>(() => Find()).Message;

        Assert.Contains("--kubeconfig", message, StringComparison.Ordinal);
        Assert.Contains("KUBERNETES_SERVICE_HOST", message, StringComparison.Ordinal);
        Assert.Contains("$KUBECONFIG", message, StringComparison.Ordinal);
        Assert.Contains("/nowhere/.kube/config", message, StringComparison.Ordinal);
    }

    [Fact]
    public void AListOfFilesIsMergedAndTheFirstOneWins()
    {
        var first = _directory.Write("one/config", """
            current-context: work
            clusters:
            - { name: c, cluster: { server: "https://first.test", certificate-authority: ca.crt } }
            """);
        var second = _directory.Write("two/config", """
            current-context: ignored
            clusters:
            - { name: c, cluster: { server: "https://second.test" } }
            contexts:
            - { name: work, context: { cluster: c, user: u, namespace: team-a } }
            users:
            - { name: u, user: { client-certificate: pki/me.crt, client-key: pki/me.key, tokenFile: token } }
            """);
        _variables["KUBECONFIG"] = $"/does/not/exist:{first}:{second}";

        var access = Find();

        Assert.Equal("https://first.test/", access.Server.AbsoluteUri);
        Assert.Equal("team-a", access.Namespace);
        // Each path is relative to the file that it stands in.
        Assert.Equal(Path.Combine(_directory.Path, "one", "ca.crt"), access.CertificateAuthorityFile);
        Assert.Equal(Path.Combine(_directory.Path, "two", "pki", "me.crt"), access.ClientCertificateFile);
        Assert.Equal(Path.Combine(_directory.Path, "two", "pki", "me.key"), access.ClientKeyFile);
        Assert.Equal(Path.Combine(_directory.Path, "two", "token"), access.TokenFile);
    }

    [Fact]
    public void EveryFieldIsRead()
    {
        var access = Find(_directory.Write("config", $$"""
            apiVersion: v1
            kind: Config
            current-context: x
            preferences: {}
            clusters:
            - name: c
              cluster:
                server: https://c.test:6443/k8s
                tls-server-name: other.test
                insecure-skip-tls-verify: true
                certificate-authority-data: {{Convert.ToBase64String("CA"u8)}}
                extensions: [ { name: e, extension: { a: 1 } } ]
            contexts:
            - { name: x, context: { cluster: c, user: u } }
            users:
            - name: u
              user:
                token: "12345"
                username: me
                password: pass
                exec:
                  apiVersion: client.authentication.k8s.io/v1
                  command: ./bin/login
                  args: [ "--a b", c ]
                  env: [ { name: E, value: "1 2" } ]
                  interactiveMode: Never
            """));

        Assert.Equal("https://c.test:6443/k8s", access.Server.AbsoluteUri);
        Assert.Equal("default", access.Namespace);
        Assert.Equal("other.test", access.TlsServerName);
        Assert.True(access.InsecureSkipTlsVerify);
        Assert.Equal("CA", Encoding.UTF8.GetString(access.CertificateAuthority!));
        Assert.Equal(("12345", "me", "pass"), (access.Token, access.Username, access.Password));
        Assert.Equal(Path.Combine(_directory.Path, "bin", "login"), access.Exec!.Command);
        Assert.Equal(["--a b", "c"], access.Exec.Arguments);
        Assert.Equal([KeyValuePair.Create("E", "1 2")], access.Exec.Environment);
    }

    [Fact]
    public void WhatAClusterHoldsForPluginsIsJson()
    {
        var access = Find(_directory.Write("config", """
            current-context: x
            clusters:
            - name: c
              cluster:
                server: https://c.test
                extensions:
                - { name: other, extension: { a: 1 } }
                - name: client.authentication.k8s.io/exec
                  extension:
                    text: plain
                    quoted: "1"
                    numbers: [ 1, -2.5, 1e3, 007, 1.2.3, 10m ]
                    others: [ true, False, ~, null, "null" ]
                    within: { empty: {}, none: , list: [] }
            contexts: [ { name: x, context: { cluster: c, user: u } } ]
            users:
            - name: u
              user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: login, interactiveMode: IfAvailable, provideClusterInfo: true } }
            """));

        Assert.True(access.Exec!.ProvideClusterInfo);
        Assert.Equal(
            """{"text":"plain","quoted":"1","numbers":[1,-2.5,1000,7,"1.2.3","10m"],"others":[true,false,null,null,"null"],"within":{"empty":{},"none":null,"list":[]}}""",
            access.Exec.ClusterConfig);
    }

    [Fact]
    public void APodsProxyIsNotForItsOwnCluster()
    {
        _variables["HTTPS_PROXY"] = "http://proxy.test:3128";
        InCluster();

        Assert.Null(Find().Proxy);
    }

    [Fact]
    public void AKubeconfigsServerIsBehindTheProxyOfTheEnvironment()
    {
        _variables["HTTPS_PROXY"] = "http://me:s3cr3t@proxy.test:3128";
        var path = _directory.Write("config", Config("api"));

        var access = Find(path);
        Assert.Equal("http://me:s3cr3t@proxy.test:3128/", access.Proxy!.AbsoluteUri);
        Assert.Equal($"{path} (--kubeconfig) through the proxy proxy.test:3128", access.Origin);

        _variables["NO_PROXY"] = ".test";
        Assert.Null(Find(path).Proxy);
    }

    [Theory]
    [InlineData("current-context: nope", "nope")]
    [InlineData("contexts: []", "current-context")]
    [InlineData("current-context: x\ncontexts: [{name: x, context: {cluster: c}}]", "cluster c")]
    [InlineData("current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: 'https://a'}}]", "user u")]
    [InlineData("current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: a}}]", "URL")]
    [InlineData("", "empty")]
    [InlineData(Whole + "\n  user: {token: t, as-groups: [g]}\n", "user u has as-groups")]
    [InlineData(Whole + "\n  user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: login, interactiveMode: Always}}\n", "exec plugin login of user u must ask on a terminal (interactiveMode: Always), and the operator has none")]
    [InlineData(Whole + "\n  user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: login, interactiveMode: Sometimes}}\n", "exec plugin login of user u has an interactiveMode other than Never, IfAvailable and Always")]
    public void WhatIsMissingIsNamed(string config, string named)
    {
        var path = _directory.Write("config", config);

        var message = Assert.Throws<ConnectionException>(() => Find(path)).Message;

        Assert.Contains(named, message, StringComparison.Ordinal);
        Assert.Contains(path, message, StringComparison.Ordinal);
    }

    [Fact]
    public void AMissingExplicitFileIsNamed() => Assert.Contains(
        "/does/not/exist", Assert.Throws<ConnectionException>(() => Find("/does/not/exist")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData($"users:\n- name: u\n  user:\n    token: {Secret}\n   bad: [")]
    [InlineData($"users:\n- name: u\n  user: {Secret}")]
    [InlineData($"users: {Secret}")]
    [InlineData($"clusters:\n- name: u\n  cluster: {{ insecure-skip-tls-verify: {Secret} }}")]
    [InlineData($"current-context: x\ncontexts: [{{name: x, context: {{cluster: c, user: u}}}}]\nclusters: [{{name: c, cluster: {{server: 'https://a'}}}}]\nusers: [{{name: u, user: {{client-key-data: '{Secret}!', client-certificate-data: aaaa}}}}]")]
    public void AnErrorNeverQuotesAValue(string config)
    {
        var path = _directory.Write("config", config);

        Assert.DoesNotContain(Secret, Assert.Throws<ConnectionException>(() => Find(path)).ToString(), StringComparison.Ordinal);
    }

    private ClusterAccess Find(string? kubeconfig = null) => new ConnectionSource
    {
        Variable = name => _variables.GetValueOrDefault(name),
        ServiceAccountDirectory = Path.Combine(_directory.Path, "sa"),
    }.Find(kubeconfig);

    private void InCluster()
    {
        _variables["KUBERNETES_SERVICE_HOST"] = "10.0.0.1";
        _variables["KUBERNETES_SERVICE_PORT"] = "443";
        _directory.Write("sa/token", "t");
        _directory.Write("sa/ca.crt", "c");
        _directory.Write("sa/namespace", "operators\n");
    }

    [Theory]
    [InlineData("clusters: {}", "(line 1, column 11)")]
    [InlineData("users: [ { name: u, user: [] } ]", "(line 1, column 27)")]
    [InlineData("contexts: [ x ]", "(line 1, column 13)")]
    [InlineData("clusters: [ { name: c, cluster: { insecure-skip-tls-verify: maybe } } ]", "(line 1, column 61)")]
    [InlineData("users: [ { name: u, user: { token: { s3cr3t-value: x } } } ]", "(line 1, column 36)")]
    public void AFieldOfTheWrongKindIsNamedByItsPlaceAndNotQuoted(string yaml, string place)
    {
        var path = _directory.Write("broken", yaml);

        var fault = Assert.Throws<ConnectionException>(() => Find(path));

        Assert.Equal($"{path}: no kubeconfig {place}", fault.Message);
    }

    [Fact]
    public void AnchorsAndNullsAreYamlLikeAnyOther()
    {
        var access = Find(_directory.Write("anchors", """
            current-context: x
            contexts:
            - name: x
              context:
                cluster: &c production
                user: *c
                namespace: ~
            clusters:
            - name: *c
              cluster: { server: "https://anchored.test", certificate-authority: null }
            users:
            - name: *c
              user: { token: "null", exec: ~ }
            """));

        Assert.Equal(("https://anchored.test/", "default", "null"), (access.Server.AbsoluteUri, access.Namespace, access.Token));
        Assert.Null(access.CertificateAuthorityFile);
    }

    private static string Config(string host) => $$"""
        current-context: x
        contexts: [ { name: x, context: { cluster: c } } ]
        clusters: [ { name: c, cluster: { server: "https://{{host}}.test" } } ]
        """;
}
