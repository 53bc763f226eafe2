using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace McpOperator.Envtest.Faults;

/// <summary>
/// A mutating webhook that the API server asks about every write in one namespace, as an administrator's policy engine would be. It
/// takes everything as it is, until it is told what to deny or to change.
/// </summary>
internal sealed class AdmissionWebhook : IAsyncDisposable
{
    public const string Name = "deny.example.org";

    private const string Label = "example.org/webhook";
    private const string Probe = "webhook-probe";

    private static readonly Resource Configurations =
        new("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", false);

    private readonly WebApplication _app;
    private readonly KubeClient _client;
    private readonly TestAuthority _authority;
    private readonly string _id;
    private volatile bool _isAsked;
    private int _denied;

    private AdmissionWebhook(WebApplication app, KubeClient client, TestAuthority authority, string id)
    {
        _app = app;
        _client = client;
        _authority = authority;
        _id = id;
    }

    /// <summary>The metav1.Status of the denial of a request (admission/v1); null to take it.</summary>
    public Func<JsonNode, JsonObject?> Deny { get; set; } = _ => null;

    /// <summary>The JSON patch of the object of a request; null to leave it as it is.</summary>
    public Func<JsonNode, JsonArray?> Change { get; set; } = _ => null;

    public int Denied => Volatile.Read(ref _denied);

    /// <summary>Returns when the API server asks it.</summary>
    public static async Task<AdmissionWebhook> StartAsync(ControlPlane controlPlane, string ns)
    {
        var authority = new TestAuthority();
        var pair = authority.IssueServer("webhook");
        var certificate = X509Certificate2.CreateFromPem(pair.Certificate, pair.Key);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate)));
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var webhook = new AdmissionWebhook(app, controlPlane.Client, authority, $"webhook-{ns}");
        app.Run(webhook.ServeAsync);
        await app.StartAsync();
        await webhook.RegisterAsync(ns);
        return webhook;
    }

    /// <summary>Denies writes of a resource, or of a subresource as in <c>mcpservers/status</c>.</summary>
    public void DenyWrites(string resource, int code, string? reason, string message, int? retryAfter = null) => Deny = request =>
        ResourceOf(request) != resource ? null : new JsonObject
        {
            ["code"] = code,
            ["reason"] = reason,
            ["message"] = message,
            ["details"] = retryAfter is null ? null : new JsonObject { ["retryAfterSeconds"] = retryAfter },
        };

    public static string ResourceOf(JsonNode request) => string.Join(
        '/', ((string?[])[(string?)request["resource"]!["resource"], (string?)request["subResource"]]).Where(part => !string.IsNullOrEmpty(part)));

    public async ValueTask DisposeAsync()
    {
        await _client.DeleteAsync(Configurations, null, _id);
        await _app.StopAsync();
        await _app.DisposeAsync();
        _authority.Dispose();
    }

    private async Task RegisterAsync(string ns)
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
                    ["name"] = Name,
                    ["clientConfig"] = new JsonObject
                    {
                        ["url"] = $"https://127.0.0.1:{new Uri(_app.Urls.Single()).Port}/",
                        ["caBundle"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(_authority.CertificatePem)),
                    },
                    ["rules"] = new JsonArray(new JsonObject
                    {
                        ["operations"] = new JsonArray("*"),
                        ["apiGroups"] = new JsonArray("*"),
                        ["apiVersions"] = new JsonArray("*"),
                        ["resources"] = new JsonArray("*/*"),
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
                    HttpMethod.Post, $"{Resource.ConfigMaps.PathTo(ns)}?dryRun=All",
                    new StringContent($$"""{"metadata": {"name": "{{Probe}}"} }""", Encoding.UTF8, "application/json"));
                return _isAsked;
            },
            isAsked => isAsked);
    }

    private async Task ServeAsync(HttpContext context)
    {
        var review = (await JsonNode.ParseAsync(context.Request.Body))!;
        var request = review["request"]!;
        _isAsked = true;
        var denial = Deny(request);
        if (denial is not null)
            Interlocked.Increment(ref _denied);
        var response = new JsonObject { ["uid"] = (string)request["uid"]!, ["allowed"] = denial is null, ["status"] = denial };
        if (denial is null && Change(request) is { } patch)
        {
            response["patchType"] = "JSONPatch";
            response["patch"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(patch.ToJsonString()));
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
