using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace McpOperator.Envtest.Faults;

/// <summary>
/// A mutating webhook that the API server asks about every write of some resources in one namespace, as a policy engine of the cluster
/// is. It gives them the label by which they are managed as the platform team wants it, until it is told not to.
/// </summary>
internal sealed class LabelPolicy : IAsyncDisposable
{
    private const string Label = "example.org/webhook";

    private static readonly Resource Configurations =
        new("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", false);

    private readonly WebApplication _app;
    private readonly KubeClient _client;
    private readonly TestAuthority _authority;
    private readonly string _id;
    private int _asked;

    private LabelPolicy(WebApplication app, KubeClient client, TestAuthority authority, string id)
    {
        _app = app;
        _client = client;
        _authority = authority;
        _id = id;
    }

    /// <summary>What it writes there; null to leave the label as it is.</summary>
    public string? Value { get; set; } = "platform";

    /// <summary>Returns when the API server asks it.</summary>
    public static async Task<LabelPolicy> StartAsync(ControlPlane controlPlane, string ns, params string[] resources)
    {
        var authority = new TestAuthority();
        var pair = authority.IssueServer("webhook");
        var certificate = X509Certificate2.CreateFromPem(pair.Certificate, pair.Key);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.UseHttps(certificate)));
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var policy = new LabelPolicy(app, controlPlane.Client, authority, $"labels-{ns}");
        app.Run(policy.ServeAsync);
        await app.StartAsync();
        await policy.RegisterAsync(ns, resources);
        return policy;
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DeleteAsync(Configurations, null, _id);
        await _app.StopAsync();
        await _app.DisposeAsync();
        _authority.Dispose();
    }

    private async Task RegisterAsync(string ns, string[] resources)
    {
        await _client.PatchAsync(Resource.Namespaces, null, ns, $$"""{"metadata": {"labels": {"{{Label}}": "{{_id}}"} } }""");
        await _client.SendAsync(HttpMethod.Post, Configurations.PathTo(), new StringContent(
            new JsonObject
            {
                ["apiVersion"] = Configurations.ApiVersion,
                ["kind"] = Configurations.Kind,
                ["metadata"] = new JsonObject { ["name"] = _id },
                ["webhooks"] = new JsonArray(new JsonObject
                {
                    ["name"] = "labels.example.org",
                    ["clientConfig"] = new JsonObject
                    {
                        ["url"] = $"https://127.0.0.1:{new Uri(_app.Urls.Single()).Port}/",
                        ["caBundle"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(_authority.CertificatePem)),
                    },
                    ["rules"] = new JsonArray(new JsonObject
                    {
                        ["operations"] = new JsonArray("CREATE", "UPDATE"),
                        ["apiGroups"] = new JsonArray("*"),
                        ["apiVersions"] = new JsonArray("*"),
                        ["resources"] = new JsonArray([.. resources.Append("endpoints").Select(resource => (JsonNode)resource)]),
                        ["scope"] = "Namespaced",
                    }),
                    ["namespaceSelector"] = new JsonObject { ["matchLabels"] = new JsonObject { [Label] = _id } },
                    ["sideEffects"] = "None",
                    ["admissionReviewVersions"] = new JsonArray("v1"),
                }),
            }.ToJsonString(), Encoding.UTF8, "application/json"));
        await Eventually.TrueAsync(
            "the API server asked the webhook",
            async () =>
            {
                await _client.SendAsync(
                    HttpMethod.Post, $"/api/v1/namespaces/{ns}/endpoints?dryRun=All",
                    new StringContent("""{"metadata": {"name": "probe"}}""", Encoding.UTF8, "application/json"));
                return Volatile.Read(ref _asked);
            },
            asked => asked > 0);
    }

    private async Task ServeAsync(HttpContext context)
    {
        var request = (await JsonNode.ParseAsync(context.Request.Body))!["request"]!;
        Interlocked.Increment(ref _asked);
        var response = new JsonObject { ["uid"] = (string)request["uid"]!, ["allowed"] = true };
        if (Value is { } value && request["object"]?["metadata"]?["labels"]?["app.kubernetes.io/managed-by"] is not null)
        {
            response["patchType"] = "JSONPatch";
            response["patch"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(
                $$"""[{"op": "replace", "path": "/metadata/labels/app.kubernetes.io~1managed-by", "value": "{{value}}"}]"""));
        }

        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(new JsonObject
        {
            ["apiVersion"] = "admission.k8s.io/v1",
            ["kind"] = "AdmissionReview",
            ["response"] = response,
        }.ToJsonString());
    }
}
