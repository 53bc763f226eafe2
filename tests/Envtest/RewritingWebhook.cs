using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace McpOperator.Envtest;

/// <summary>A mutating admission webhook that has the images of one namespace's Deployments come from a mirror.</summary>
internal sealed class RewritingWebhook : IAsyncDisposable
{
    public const string Mirror = "mirror.example.org/";

    private readonly WebApplication _app;
    private readonly TestAuthority _authority;
    private readonly KubeClient _client;
    private readonly string _name;

    private RewritingWebhook(WebApplication app, TestAuthority authority, KubeClient client, string name)
    {
        _app = app;
        _authority = authority;
        _client = client;
        _name = name;
    }

    private static Resource Configurations { get; } =
        new("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", Namespaced: false);

    public static async Task<RewritingWebhook> StartAsync(KubeClient client, string ns)
    {
        var authority = new TestAuthority();
        var pair = authority.IssueServer("webhook");
        var certificate = X509Certificate2.CreateFromPem(pair.Certificate, pair.Key);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate)));
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Run(AnswerAsync);
        await app.StartAsync();

        await client.PatchAsync(Resource.Namespaces, null, ns, $$"""{"metadata": {"labels": {"example.org/rewritten": "{{ns}}"} } }""");
        var body = new JsonObject
        {
            ["apiVersion"] = Configurations.ApiVersion,
            ["kind"] = Configurations.Kind,
            ["metadata"] = new JsonObject { ["name"] = $"rewriting-{ns}" },
            ["webhooks"] = new JsonArray(new JsonObject
            {
                ["name"] = "rewriting.example.org",
                ["admissionReviewVersions"] = new JsonArray("v1"),
                ["sideEffects"] = "None",
                ["namespaceSelector"] = JsonNode.Parse($$"""{"matchLabels": {"example.org/rewritten": "{{ns}}"} }"""),
                ["clientConfig"] = new JsonObject
                {
                    ["url"] = $"{app.Urls.Single()}/",
                    ["caBundle"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(authority.CertificatePem)),
                },
                ["rules"] = JsonNode.Parse("""[{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["deployments"]}]"""),
            }),
        };
        await client.SendAsync(HttpMethod.Post, Configurations.PathTo(), new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"));
        return new(app, authority, client, $"rewriting-{ns}");
    }

    public async ValueTask DisposeAsync()
    {
        await _client.SendAsync(HttpMethod.Delete, Configurations.PathTo(null, _name));
        await _app.DisposeAsync();
        _authority.Dispose();
    }

    private static async Task AnswerAsync(HttpContext http)
    {
        var review = (await JsonNode.ParseAsync(http.Request.Body))!["request"]!;
        var patch = new JsonArray();
        var containers = review["object"]!["spec"]!["template"]!["spec"]!["containers"]!.AsArray();
        for (var i = 0; i < containers.Count; i++)
        {
            if ((string?)containers[i]!["image"] is { } image && !image.StartsWith(Mirror, StringComparison.Ordinal))
                patch.Add(new JsonObject { ["op"] = "replace", ["path"] = $"/spec/template/spec/containers/{i}/image", ["value"] = Mirror + image });
        }

        var answer = new JsonObject
        {
            ["apiVersion"] = "admission.k8s.io/v1",
            ["kind"] = "AdmissionReview",
            ["response"] = new JsonObject
            {
                ["uid"] = (string?)review["uid"],
                ["allowed"] = true,
                ["patchType"] = "JSONPatch",
                ["patch"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(patch.ToJsonString())),
            },
        };
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(answer.ToJsonString());
    }
}
