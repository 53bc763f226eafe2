using System.Text;
using System.Text.Json.Nodes;
using McpOperator.Commands;
using McpOperator.Unit.Kubernetes;

namespace McpOperator.Unit.Commands.Manifests;

public sealed class ValidateCommandTests : IDisposable
{
    private const string Server = "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\n";

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("needs manifests")]
    [InlineData("needs a value", "-f")]
    [InlineData("must be text or json", "-f", "x", "-o", "yaml")]
    [InlineData("must be a DNS label", "-f", "x", "-n", "No_Name")]
    [InlineData("must be NAME=VALUE", "-f", "x", "--set-env", "NOT_OURS=1")]
    [InlineData("must be NAME=VALUE", "-f", "x", "--set-env", "REQUEUE_DELAY_SECONDS=soon")]
    [InlineData("did you mean --strict?", "-f", "x", "--strikt")]
    [InlineData("takes flags only", "-f", "x", "y.yaml")]
    [InlineData("write --strict=false", "-f", "x", "--strict", "false")]
    [InlineData("/nowhere: no such file", "-f", "/nowhere")]
    [InlineData("no file; pipe", "-f", "https://example.com/x.yaml")]
    [InlineData("once only", "-f", "-", "-f", "-")]
    [InlineData("must be a file", "-f", "a,")]
    public void AWrongCallIsOneLineAndExitCode2(string expected, params string[] arguments)
    {
        var (code, output, error) = Run("", arguments);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Equal(1, error.Count(c => c == '\n'));
    }

    [Theory]
    [InlineData("-f", "-")]
    [InlineData("-f-")]
    [InlineData("-f=-")]
    [InlineData("--filename", "-")]
    [InlineData("--filename=-")]
    [InlineData("-Rf", "-")]
    [InlineData("-Rf-", "-nshop", "-otext")]
    public void TheFlagsAreWrittenAsThoseOfKubectl(params string[] arguments) =>
        Assert.Equal(0, Run(Server + "metadata: {name: a}\nspec: {image: 'a:1'}\n", arguments).Code);

    [Fact]
    public void ADirectoryIsReadInTheOrderOfItsNamesAndInDepthOnlyWhenAsked()
    {
        _directory.Write("b.yaml", Server + "metadata: {name: b}\nspec: {}\n");
        _directory.Write("a.yml", Server + "metadata: {name: a}\nspec: {}\n");
        _directory.Write("B.json", "{\"apiVersion\":\"mcpruntime.org/v1alpha1\",\"kind\":\"MCPServer\",\"metadata\":{\"name\":\"bb\"},\"spec\":{}}");
        _directory.Write("notes.txt", ": no YAML [");
        _directory.Write("aa/c.yaml", Server + "metadata: {name: c}\nspec: {}\n");
        _directory.Write("empty/notes.txt", "");

        Assert.Equal(["bb", "a", "b"], Names());
        Assert.Equal(["bb", "a", "c", "b"], Names("-R"));
        Assert.Contains("no file in it ends in", Run("", "-f", Path.Combine(_directory.Path, "empty")).Error, StringComparison.Ordinal);

        IEnumerable<string> Names(params string[] more)
        {
            var (code, output, _) = Run("", ["-f", _directory.Path, "-o", "json", .. more]);
            Assert.Equal(1, code);
            return JsonNode.Parse(output)!.AsArray().Select(fault => (string)fault!["name"]!);
        }
    }

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite)]
    [InlineData(UnixFileMode.UserExecute)]
    public void ADirectoryThatMayNotBeLookedIntoIsOneLineUnlessOneIsRoot(UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
            return;
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "nothing is closed to root");
        _directory.Write("closed/a.yaml", Server + "metadata: {name: a}\nspec: {}\n");
        var closed = Path.Combine(_directory.Path, "closed");
        File.SetUnixFileMode(closed, mode);

        var (code, output, error) = Run("", "-f", closed, "-R");

        File.SetUnixFileMode(closed, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Assert.Equal((2, ""), (code, output));
        Assert.EndsWith(": permission denied\n", error, StringComparison.Ordinal);
        Assert.Equal(1, error.Count(c => c == '\n'));
    }

    [Fact]
    public void EachFaultIsALineAndThoseAfterABrokenDocumentAreFound()
    {
        var (code, output, error) = Run(
            """
            # the first document
            ---
            apiVersion: mcpruntime.org/v1alpha1
            kind: MCPServer
            metadata: {name: web}
            spec:
              imag: nginx
              replicas: -1
            ---
            a: b: c
            ---
            # nothing
            ---
            - a list
            ---
            apiVersion: v1
            kind: List
            items:
            - {apiVersion: apps/v1, kind: Deployment, metadata: {name: x}}
            - {apiVersion: mcpruntime.org/v1alpha1, kind: MCPServr, metadata: {name: why}}
            """, "-f", "-");

        Assert.Equal(1, code);
        Assert.Equal(
            """
            -: document 1 (MCPServer/web): spec.image: Required value
            -: document 1 (MCPServer/web): spec.imag: unknown field; did you mean "image"?
            -: document 1 (MCPServer/web): spec.replicas: Invalid value: -1: should be greater than or equal to 0
            -: document 2: line 10: While scanning a plain scalar value, found invalid mapping.
            -: document 4: line 14: no object: a manifest is a map with apiVersion, kind and metadata
            -: document 5 (MCPServr/why): kind: no matches for kind "MCPServr" in version "mcpruntime.org/v1alpha1"; did you mean "MCPServer"?

            """, output);
        Assert.Equal("note: passed over 1 Deployment (apps/v1)\n", error);
    }

    [Fact]
    public void JsonHoldsWarningsTooAndStrictMakesErrorsOfThem()
    {
        const string yaml = Server + "metadata: {name: web, namespace: shop}\nspec: {image: nginx, ingressHost: shop.example.com}\n";

        var (code, output, error) = Run(yaml, "-f", "-", "-o", "json");
        Assert.Equal((0, ""), (code, error));
        var faults = JsonNode.Parse(output)!.AsArray();
        Assert.Equal(["spec.image", "spec.resources", "spec.ingressHost"], faults.Select(fault => (string)fault!["field"]!));
        Assert.All(faults, fault =>
        {
            Assert.Equal(["file", "document", "line", "kind", "namespace", "name", "field", "message", "severity"], fault!.AsObject().Select(member => member.Key));
            Assert.Equal(("warning", "shop", "web"), ((string?)fault["severity"], (string?)fault["namespace"], (string?)fault["name"]));
        });

        Assert.Equal((0, ""), (Run(yaml, "-f", "-").Code, Run(yaml, "-f", "-").Output));
        Assert.Equal(3, Run(yaml, "-f", "-").Error.Split('\n').Count(line => line.StartsWith("warning: -: document 1 (MCPServer/web): spec.", StringComparison.Ordinal)));
        Assert.Equal((1, 3), (Run(yaml, "-f", "-", "--strict").Code, Run(yaml, "-f", "-", "--strict").Output.Count(c => c == '\n')));
        // What is served with TLS is not doubtful, whoever says that it is.
        Assert.DoesNotContain("ingressHost", Run(yaml, "-f", "-", "--set-env", "MCP_DEFAULT_INGRESS_TLS=true").Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{image: 'a:1', resources: {limits: {cpu: '1'}}}", "")]
    [InlineData("{image: 'a@sha256:0123456789012345678901234567890123456789012345678901234567890123', resources: {requests: {cpu: '1'}}}", "")]
    [InlineData("{image: a, imageTag: '1', resources: {limits: {}}}", "")]
    [InlineData("{image: 'a:latest', resources: {limits: {}}}", "spec.image")]
    [InlineData("{image: a, imageTag: latest, resources: {limits: {}}}", "spec.image")]
    [InlineData("{image: 'a:1', resources: {}}", "spec.resources")]
    [InlineData("{image: 'a:1', resources: {limits: {}}, ingressPath: ' /x'}", "spec.ingressPath")]
    [InlineData("{image: 'a:1', resources: {limits: {}}, replicas: 2, rollout: {strategy: Canary, canaryReplicas: 1, canaryImage: b}}", "spec.rollout.canaryImage")]
    [InlineData("{image: 'a:1', resources: {limits: {}}, replicas: 2, rollout: {strategy: Canary, canaryReplicas: 2}}", "spec.rollout.canaryReplicas")]
    [InlineData("{image: 'a:1', resources: {limits: {}}, replicas: 0, rollout: {strategy: Canary, canaryReplicas: 2}}", "")]
    [InlineData("{image: 'a:1', resources: {limits: {}}, gateway: {enabled: true, image: g}}", "spec.gateway.image")]
    [InlineData("{image: 'a:1', resources: {limits: {}}, ingressHost: a.b, ingressAnnotations: {traefik.ingress.kubernetes.io/router.tls: 'true'}}", "")]
    public void WhatIsDoubtfulIsAWarning(string spec, string field) =>
        Assert.Equal(field, string.Join(' ', Fields(Server + $"metadata: {{name: a}}\nspec: {spec}\n", "warning")));

    [Theory]
    [InlineData("two of one name", "web: {image: 'a:1'}|web: {image: 'a:2'}", "2 metadata.name")]
    [InlineData("one route", "web: {image: 'a:1', ingressPath: /x}|api: {image: 'a:1', ingressPath: /x/}", "1 spec.ingressPath")]
    [InlineData("one prefix", "web: {image: 'a:1'}|api: {image: 'a:1', publicPathPrefix: web}", "1 metadata.name")]
    [InlineData("the canary's name", "web: {image: 'a:1', replicas: 2, rollout: {strategy: Canary, canaryReplicas: 1}}|web-canary: {image: 'a:1'}", "2 metadata.name")]
    [InlineData("no canary", "web: {image: 'a:1'}|web-canary: {image: 'a:1'}", "")]
    [InlineData("other names", "web: {image: 'a:1'}|api: {image: 'a:1'}", "")]
    public void ServersThatCannotBothBeAreFound(string what, string servers, string expected)
    {
        var yaml = string.Join("---\n", servers.Split('|').Select(server => server.Split(": ", 2)).Select(server => Server + $"metadata: {{name: {server[0]}}}\nspec: {server[1]}\n"));
        var faults = Faults(yaml).Where(fault => (string?)fault["severity"] == "error").Select(fault => $"{fault["document"]} {fault["field"]}");
        Assert.True(expected == string.Join(", ", faults), $"{what}: {string.Join(", ", faults)}");
    }

    [Theory]
    [InlineData("apps/v1", "Deployment", "web", "{}", true)]
    [InlineData("v1", "ConfigMap", "web-gateway-policy", "{}", true)]
    [InlineData("v1", "ConfigMap", "web", "{}", false)]
    [InlineData("networking.k8s.io/v1", "Ingress", "web", "{app.kubernetes.io/managed-by: mcp-runtime}", false)]
    [InlineData("apps/v1", "Deployment", "other", "{}", false)]
    public void AnObjectThatTheServerWouldMakeIsAConflict(string apiVersion, string kind, string name, string labels, bool isConflict)
    {
        var yaml = $"apiVersion: {apiVersion}\nkind: {kind}\nmetadata: {{name: {name}, labels: {labels}}}\n---\n{Server}metadata: {{name: web}}\nspec: {{image: 'a:1', gateway: {{enabled: true, image: 'g:1'}}}}\n";
        Assert.Equal(isConflict ? ["metadata.name"] : [], Fields(yaml, "error"));
    }

    [Theory]
    [InlineData("cert-manager.io/v1", "Certificate", "web-gateway-mtls", true)]
    [InlineData("cert-manager.io/v1", "Certificate", "web-traefik-client-mtls", true)]
    [InlineData("traefik.io/v1alpha1", "TLSOption", "web-mtls", true)]
    [InlineData("traefik.io/v1alpha1", "ServersTransport", "web-gateway", true)]
    [InlineData("traefik.io/v1alpha1", "Middleware", "web-spiffe-identity", true)]
    [InlineData("traefik.io/v1alpha1", "IngressRoute", "web", true)]
    [InlineData("networking.k8s.io/v1", "NetworkPolicy", "web-mtls-gateway", true)]
    [InlineData("traefik.io/v1alpha1", "TLSOption", "web", false)]
    public void SoIsOneOfAServerWithMtls(string apiVersion, string kind, string name, bool isConflict)
    {
        const string spec = "gateway: {enabled: true, image: 'g:1'}, ingressHost: a.example.org";
        string Yaml(string auth) => $"apiVersion: {apiVersion}\nkind: {kind}\nmetadata: {{name: {name}}}\n---\n{Server}metadata: {{name: web}}\nspec: {{image: 'a:1', {spec}, auth: {auth}}}\n";

        Assert.Equal(
            isConflict ? ["metadata.name"] : [], Fields(Yaml("{mode: mtls, trustDomain: example.org}"), "error", "--set-env", "MCP_MTLS_CLUSTER_ISSUER=ca"));
        Assert.Equal([], Fields(Yaml("{mode: header}"), "error"));
        Assert.Equal(["spec.auth.mode"], Fields(Yaml("{mode: mtls, trustDomain: example.org}"), "error").Except(["metadata.name"]));
    }

    [Fact]
    public void GrantsAreHeldAgainstTheServersThatAreThere()
    {
        const string grant = "---\napiVersion: mcpruntime.org/v1alpha1\nkind: MCPAccessGrant\n";
        const string spec = "spec: {serverRef: {name: web, namespace: shop}, subject: {}}\n";
        const string yaml = Server + "metadata: {name: web, namespace: shop, annotations: {mcpruntime.org/allow-access-from: a}}\nspec: {image: 'a:1'}\n"
            + grant + "metadata: {name: mine, namespace: shop}\n" + spec
            + grant + "metadata: {name: foreign, namespace: b}\n" + spec
            + grant + "metadata: {name: mine, namespace: a}\n" + spec
            + grant + "metadata: {name: elsewhere, namespace: a}\nspec: {serverRef: {name: other}, subject: {}}\n";

        Assert.Equal(
            ["3 NamespaceNotAllowed", "4 DuplicateName"],
            Faults(yaml).Where(fault => (string?)fault["severity"] == "error").Select(fault => $"{fault["document"]} {((string)fault["message"]!).Split(':')[0]}"));
    }

    [Fact]
    public void AnotherNamespaceThanTheOneThatWasGivenIsAFault()
    {
        const string yaml = Server + "metadata: {name: a}\nspec: {image: 'a:1'}\n---\n" + Server + "metadata: {name: b, namespace: x}\nspec: {image: 'a:1'}\n";

        Assert.Equal([], Fields(yaml, "error"));
        Assert.Equal([], Fields(yaml, "error", "-n", "x"));
        Assert.Equal(["metadata.namespace"], Fields(yaml, "error", "-n", "y"));
    }

    [Fact]
    public void SettingsComeFromTheFlagsToo()
    {
        const string yaml = Server + "metadata: {name: a}\nspec: {image: 'a:1', gateway: {enabled: true}}\n";

        Assert.Equal(["spec.gateway.image"], Fields(yaml, "error"));
        Assert.Equal([], Fields(yaml, "error", "--set-env", "MCP_GATEWAY_PROXY_IMAGE=g:1"));
    }

    [Theory]
    [InlineData("{\"a\": 1, \"a\": 2}", "a", "kind")]
    [InlineData("apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata: {name: a}\nspec: {image: 'a:1', tools: [{name: t, sideEffect: read, name: u}]}\n", "spec.tools[0].name")]
    [InlineData("\u0000", "line 1")]
    [InlineData("a\n\tb: \u0007", "line 2")]
    [InlineData("\ta: b", "line 1")]
    [InlineData("%", "line 1")]
    [InlineData("a: &a [*a]", "line 1")]
    [InlineData("a: 1\n...\nb: 2\n", "line 3")]
    [InlineData("a: \"\\ud800\"", "line 1")]
    [InlineData("{\"a\": \"\\ud800\"}", "line 1")]
    [InlineData("{}", "kind")]
    [InlineData("", null)]
    [InlineData("\ufeff# nothing\r\n---\r\n---\r\n", null)]
    [InlineData("null", null)]
    public void WhatIsNoObjectIsAFaultAndNeverAStackTrace(string text, params string[]? fields) => Assert.Equal(fields ?? [], Fields(text, "error"));

    [Fact]
    public void WhatIsNotUtf8IsAFault()
    {
        _directory.Write("x.yaml", "");
        File.WriteAllBytes(Path.Combine(_directory.Path, "x.yaml"), [0x61, 0x3a, 0x20, 0xff, 0xfe]);
        Assert.Contains("not UTF-8", Run("", "-f", _directory.Path).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsPrintedMovesNoCursor()
    {
        var (_, output, error) = Run(Server + "metadata: {name: \"a\\e[31m\\nb\"}\nspec: {image: 'a:1', \"x\\e\": 1}\n---\napiVersion: v1\nkind: \"X\\e[2J\"\n", "-f", "-");
        Assert.DoesNotContain("\u001b", output + error, StringComparison.Ordinal);
        Assert.DoesNotContain("\nb", output, StringComparison.Ordinal);
    }

    [Fact]
    public void APolicyThatFitsIntoNoConfigMapIsAFault()
    {
        // A label that takes eight bytes here takes eighteen in the document, each on a line of its own.
        var labels = string.Join(", ", Enumerable.Range(0, 64).Select(i => $"'{i}': ''"));
        var tools = string.Join(", ", Enumerable.Range(0, 850).Select(i => $"{{name: t{i}, sideEffect: read, labels: {{{labels}}}}}"));
        string Yaml(bool enabled) => $"{Server}metadata: {{name: a}}\nspec: {{image: 'a:1', gateway: {{enabled: {(enabled ? "true" : "false")}, image: 'g:1'}}, tools: [{tools}]}}\n";

        Assert.StartsWith("PolicyTooLarge: ", (string?)Assert.Single(Faults(Yaml(enabled: true)), IsError)["message"], StringComparison.Ordinal);
        Assert.DoesNotContain(Faults(Yaml(enabled: false)), IsError);

        static bool IsError(JsonNode fault) => (string?)fault["severity"] == "error";
    }

    [Fact]
    public void TheSamplesAreValid()
    {
        var (code, output, error) = Run("", "-f", RepositoryRoot.File("config/samples"), "--set-env", "MCP_GATEWAY_PROXY_IMAGE=example.com/gateway:1");
        Assert.Equal((0, ""), (code, output));
        Assert.Contains("note: passed over 1 Kustomization", error, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Fields(string yaml, string severity, params string[] arguments) =>
        Faults(yaml, arguments).Where(fault => (string?)fault["severity"] == severity).Select(fault => (string)fault["field"]!);

    private static List<JsonNode> Faults(string yaml, params string[] arguments)
    {
        var (code, output, _) = Run(yaml, ["-f", "-", "-o", "json", .. arguments]);
        Assert.True(code is 0 or 1, $"exit code {code}");
        return [.. JsonNode.Parse(output)!.AsArray().Select(fault => fault!)];
    }

    private static (int Code, string Output, string Error) Run(string input, params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var code = ValidateCommand.Execute(arguments, () => new MemoryStream(Encoding.UTF8.GetBytes(input)), output, error);
        return (code, output.ToString(), error.ToString());
    }
}
