using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Commands;
using McpOperator.Kubernetes;
using McpOperator.Kubernetes.Types;
using McpOperator.Servers.Kinds;
using McpOperator.Servers.Pods;
using McpOperator.Servers.Readiness;
using McpOperator.Unit.Kubernetes;

namespace McpOperator.Unit.Fuzz;

/// <summary>
/// Whatever comes from outside is taken or refused in the documented way, and nothing else happens. Each run is another
/// one; CsCheck_Seed repeats one that failed, FUZZ_ITERATIONS makes it longer.
/// </summary>
public sealed class FuzzTests
{
    private static readonly long Iterations = long.Parse(Environment.GetEnvironmentVariable("FUZZ_ITERATIONS") ?? "1500", CultureInfo.InvariantCulture);

    private static readonly string[] Kinds = ["mcpserver", "deployment", "service", "ingress"];

    private static readonly OperatorSettings Settings = new() { GatewayImage = "example.org/gateway" };

    private static readonly Decoder<IKubernetesObject>[] Decoders =
    [
        json => StoredServer.Decode(json, Product.Identity.OwnedFields), json => StoredAccess.Decode(json, Product.Identity.OwnedFields),
        json => new ObservedDeployment(json, Product.Identity.OwnedFields), json => new ObservedService(json, Product.Identity.OwnedFields),
        json => new ObservedIngress(json, Product.Identity.OwnedFields), json => new ObservedConfigMap(json, Product.Identity.OwnedFields),
    ];

    private static readonly byte[][] Objects = [.. Kinds.Select(Recorded)];

    [Fact]
    public Task AWatchStreamIsReadOrRefused() => Gen.Select(
        Mutation.Of([.. Objects.Select(json => Bytes($$"""{"type":"MODIFIED","object":{{Text(json)}}}""" + "\n" + """{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}""" + "\n"))]),
        Gen.Int[0, Decoders.Length - 1],
        Gen.Int[1, 5000]).SampleAsync(
        async (bytes, decoder, chunk) =>
        {
            await using var stream = new ChunkedStream(bytes, 1, chunk);
            try
            {
                await foreach (var line in WatchStream.ReadAsync(stream, Decoders[decoder], CancellationToken.None))
                    Assert.True(line.Object is null || line.Object.Key.Name.Length > 0, "an object without a name");
            }
            catch (HttpRequestException)
            {
                // Goes on where it was.
            }
        },
        iter: Iterations);

    [Fact]
    public Task AnMcpAnswerIsReadOrRefused() => Mutation.Of([
        .. """
            {"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{},"logging":null},"serverInfo":{"name":"n\u00e9","version":"1"}}}
            {"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a","inputSchema":{"type":"object"}},{"description":"x","name":"b"}],"nextCursor":"c"}}
            {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no","data":{"supported":["2031-01-01"]}}}
            """.Split('\n').Select(line => Bytes(line.Trim()))]).SampleAsync(
        async bytes =>
        {
            JsonRpc.WordsOf(bytes);
            foreach (var read in (ResultReader[])[static json => McpConversation.ReadInfo(json), json => new ToolNames().Read(json)])
            {
                try
                {
                    JsonRpc.Read(bytes, 1, read);
                }
                catch (McpFault fault)
                {
                    Assert.InRange(fault.Message.Length, 5, 700);
                    Assert.DoesNotContain(fault.Message, char.IsControl);
                }
            }

            try
            {
                using var events = new EventReader(new MemoryStream(bytes), new ByteAllowance());
                while (await events.ReadAsync(CancellationToken.None) is not null)
                {
                }
            }
            catch (McpFault)
            {
                // Longer than it may be.
            }
        },
        iter: Iterations);

    [Fact]
    public Task AListIsReadOrRefused() => Gen.Select(
        Mutation.Of([.. Objects.Select(json => Bytes($$"""{"kind":"List","metadata":{"resourceVersion":"9","continue":"x"},"items":[{{Text(json)}},{{Text(json)}}]}"""))]),
        Gen.Int[0, Decoders.Length - 1],
        Gen.Int[1, 5000]).SampleAsync(
        async (bytes, decoder, chunk) =>
        {
            await using var stream = new ChunkedStream(bytes, 1, chunk);
            try
            {
                var list = await ListStream.ReadAsync(
                    stream, Decoders[decoder], item => Assert.NotEmpty(item.Key.Name), CancellationToken.None);
                Assert.NotEmpty(list.ResourceVersion);
            }
            catch (HttpRequestException)
            {
                // Listed again.
            }
        },
        iter: Iterations);

    [Fact]
    public Task ARefusalSaysSomethingWhateverItsBody() => Gen.Select(
        Mutation.Of(
            Bytes("""{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"no","reason":"Invalid","details":{"causes":[{"reason":"FieldValueInvalid","message":"m","field":"spec.x"}],"retryAfterSeconds":3},"code":422}"""),
            Bytes("<html>502</html>"), []),
        Gen.Int[400, 599]).SampleAsync(
        async (bytes, code) =>
        {
            using var response = new HttpResponseMessage((HttpStatusCode)code) { Content = new ByteArrayContent(bytes) };
            var refusal = await ApiError.FromAsync(response, "PATCH /x", CancellationToken.None);
            Assert.InRange(refusal.Message.Length, 1, 70_000);
            Assert.DoesNotContain('\n', refusal.Message);
        },
        iter: Iterations);

    [Fact]
    public void AServerIsRefusedWithItsFaultsOrBuilt() => Server.Sample(
        json =>
        {
            using var document = JsonDocument.Parse(json.ToJsonString());
            var server = StoredServer.Decode(document.RootElement, Product.Identity.OwnedFields).Read();
            var effective = server with { Spec = Defaults.Apply(server.Metadata.Name, server.Spec, Settings) };
            var faults = Validation.Validate(effective, Settings);
            Assert.All(faults, fault => Assert.DoesNotContain(fault.ToString(), char.IsControl));
            // Of an invalid one, too, whose policy is held against what stands there.
            if (effective.Spec.HasGateway())
                Assert.StartsWith("sha256:", new PolicyDocument(PolicyHead.Of(effective, Settings), [], []).Revision, StringComparison.Ordinal);
            if (faults.Count > 0)
                return;

            Assert.NotEmpty(DeploymentManifest.Body(DeploymentManifest.Build(effective, Settings), effective));
            if (effective.Spec.HasCanary())
                Assert.NotEmpty(DeploymentManifest.Body(DeploymentManifest.BuildCanary(effective, Settings), effective));
            Assert.NotEmpty(ApplyConfiguration.Of(ServiceKind.Build(effective)));
            Assert.NotEmpty(ApplyConfiguration.Of(IngressKind.Build(effective, Settings)));
            // What is in effect stays so.
            Assert.Equal(
                JsonSerializer.Serialize(effective.Spec, ApiJsonContext.Default.MCPServerSpec),
                JsonSerializer.Serialize(Defaults.Apply("demo", effective.Spec, Settings), ApiJsonContext.Default.MCPServerSpec));
        },
        iter: Iterations);

    [Fact]
    public void AQuantityThatIsReadIsPrintedAsOneThatIsTheSame() => Of("0123456789.+-eEmkMGTPinu ", 12).Sample(
        text =>
        {
            if (!Quantity.TryParse(text, out var quantity, out var reason))
            {
                Assert.NotEmpty(reason!);
                return;
            }

            var printed = quantity.ToString();
            Assert.Equal(quantity, Quantity.Parse(printed));
            Assert.Equal(printed, Quantity.Parse(printed).ToString());
        },
        iter: 20 * Iterations);

    [Fact]
    public void AnImageThatIsTakenHasATagOrADigestInTheEnd() => Gen.Select(
        Of("abcXYZ019.:/@-_ #\n", 30), Gen.OneOf<string?>(null, "reg.example.com:5000", "localhost")).Sample(
        (image, registry) =>
        {
            var server = Unit.SampleServers.Effective(new MCPServerSpec { Image = image, RegistryOverride = registry });
            if (Validation.Validate(server, Settings).Count > 0)
                return;
            var resolved = ImageReference.Resolve(server.Spec, Settings);
            Assert.True(ImageReference.HasTagOrDigest(resolved), resolved);
            Assert.DoesNotContain(resolved, char.IsWhiteSpace);
        },
        iter: 10 * Iterations);

    [Fact]
    public void AKubeconfigIsReadOrRefusedInOneLine()
    {
        using var directory = new TemporaryDirectory();
        Mutation.Of(Bytes(
            """
            apiVersion: v1
            kind: Config
            current-context: x
            contexts: [{name: x, context: {cluster: c, user: u, namespace: n}}]
            clusters:
            - name: c
              cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: QUJD, tls-server-name: api, extensions: [{name: client.authentication.k8s.io/exec, extension: {a: [1, "\\u00e9"]}}]}
            users:
            - name: u
              user:
                token: s3cr3t-value
                exec: {apiVersion: client.authentication.k8s.io/v1, command: x, args: [a], env: [{name: A, value: b}], interactiveMode: Never}
            """)).Sample(
            bytes =>
            {
                var path = Path.Combine(directory.Path, $"{Environment.CurrentManagedThreadId}");
                File.WriteAllBytes(path, bytes);
                try
                {
                    Kubeconfig.Read([path], mustExist: true);
                }
                catch (ConnectionException refusal)
                {
                    Assert.DoesNotContain('\n', refusal.Message);
                    Assert.DoesNotContain("s3cr3t", refusal.Message, StringComparison.Ordinal);
                }
            },
            iter: Iterations);
    }

    /// <summary>A full spec, of which values are others, or gone.</summary>
    private static readonly Gen<JsonNode> Server = Gen.Select(Gen.Int[0, 1000], Value.Array[0, 6], Gen.Int[0, 1 << 20].Array[6], (_, values, places) =>
    {
        var server = JsonNode.Parse(Full)!;
        for (var i = 0; i < values.Length; i++)
        {
            List<(JsonNode Parent, string Member)> members = [.. Members(server["spec"]!)];
            var (parent, member) = members[places[i] % members.Count];
            if (parent is JsonObject fields)
                fields[member] = values[i]?.DeepClone();
            else
                ((JsonArray)parent)[int.Parse(member, CultureInfo.InvariantCulture)] = values[i]?.DeepClone();
        }

        return server;
    });

    private static Gen<JsonNode?> Value => Gen.OneOf(
        Gen.OneOf("null", "{}", "[]", "true", "false", "0", "-1", "1", "2", "80", "9103", "65536", "1.5", "\"\"", "\" \"", "\"1\"", "\"0%\"", "\"Canary\"", "\"Recreate\"",
            "\"oauth\"", "\"a b\"", "\"../x\"", "\"*.example.org\"", "\"https://x\"", "\"1Gi\"", "\"24h\"", "\"\\u0000\"", "\"\\u2028\"", "\"\\ud83d\\ude00\"", "[{}]", "[null]", "[\"a\"]")
            .Select(json => JsonNode.Parse(json)),
        Gen.String[0, 20].Select(text => (JsonNode?)JsonValue.Create(text)));

    private static IEnumerable<(JsonNode Parent, string Member)> Members(JsonNode node)
    {
        IEnumerable<(string Member, JsonNode? Value)> members = node switch
        {
            JsonObject fields => fields.Select(field => (field.Key, field.Value)),
            JsonArray items => items.Select((item, i) => ($"{i}", item)),
            _ => [],
        };
        foreach (var (member, value) in members)
        {
            yield return (node, member);
            if (value is null)
                continue;
            foreach (var below in Members(value))
                yield return below;
        }
    }

    private const string Full = """
        {
          "metadata": {"name": "demo", "namespace": "team", "uid": "u", "resourceVersion": "1", "generation": 1},
          "spec": {
            "teamID": "t", "description": "d", "image": "example.org/x:1", "imageTag": "1", "registryOverride": "reg.example.com", "useProvisionedRegistry": true,
            "imagePullSecrets": ["s"], "replicas": 3, "port": 8088, "servicePort": 80, "ingressPath": "/p", "ingressHost": "h.example.org", "publicPathPrefix": "p",
            "ingressClass": "nginx", "ingressAnnotations": {"a": "b"},
            "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
            "envVars": [{"name": "A", "value": "b"}], "secretEnvVars": [{"name": "B", "secretKeyRef": {"name": "s", "key": "k"}}],
            "tools": [{"name": "t", "description": "d", "requiredTrust": "low", "sideEffect": "read", "riskLevel": "low", "labels": {"a": "b"}}],
            "auth": {"mode": "header", "humanIDHeader": "H", "issuerURL": "https://id", "audience": "a", "trustDomain": "t"},
            "policy": {"mode": "allow-list", "defaultDecision": "deny", "enforceOn": "call_tool", "policyVersion": "v1"},
            "session": {"required": true, "store": "kubernetes", "headerName": "S", "maxLifetime": "24h", "idleTimeout": "1h", "upstreamTokenHeader": "Authorization"},
            "gateway": {"enabled": true, "image": "g", "port": 8091, "upstreamURL": "http://127.0.0.1:1", "stripPrefix": "/x", "resources": {"limits": {"cpu": "1"}}},
            "analytics": {"disabled": false, "ingestURL": "http://x", "source": "s", "eventType": "e", "apiKeySecretRef": {"name": "n", "key": "k"}},
            "rollout": {"strategy": "Canary", "maxUnavailable": "25%", "maxSurge": "1", "canaryReplicas": 1, "canaryImage": "y:1"}
          }
        }
        """;

    private static Gen<string> Of(string characters, int longest) => Gen.Char[characters].Array[0, longest].Select(text => new string(text));

    private static byte[] Recorded(string kind) => Bytes(
        JsonNode.Parse(File.ReadAllText(RepositoryRoot.File($"tests/Unit/Servers/Recorded/{kind}.json")))!.ToJsonString());

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
