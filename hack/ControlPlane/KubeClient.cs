using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using k8s;

namespace McpOperator.Testing;

public enum PatchKind
{
    Merge,
    Json,
    Strategic,
}

/// <summary>
/// The API as tests and tools need it: any kind, JSON in and out. It shares nothing with the operator's own connection,
/// so that a fault there cannot hide from the tests. Throws <see cref="KubeException"/> for any answer but 2xx, with its message but
/// for indices in the paths of fields: old API servers name <c>spec.list.field</c>, newer ones <c>spec.list[0].field</c>, and a test
/// that expects the one or the other would not find it everywhere.
/// </summary>
public sealed partial class KubeClient : IDisposable
{
    /// <summary>Tells the tests' own requests from the operator's in the audit log.</summary>
    public const string UserAgent = "mcp-envtest";

    private const string DefaultFieldManager = "envtest";

    private readonly HttpClient _http;
    private readonly KubernetesClientConfiguration _configuration;

    private KubeClient(HttpClient http, KubernetesClientConfiguration configuration)
    {
        _http = http;
        _configuration = configuration;
    }

    public Uri Server => _http.BaseAddress!;

    public static KubeClient FromKubeconfig(string path)
    {
        var configuration = KubernetesClientConfiguration.BuildConfigFromConfigFile(path);
        return new(Connect(configuration), configuration);
    }

    /// <summary>The bare way to the server of a kubeconfig with client certificates; the caller disposes it.</summary>
    public static HttpClient ConnectTo(string kubeconfig) =>
        Connect(KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig));

    public async Task<JsonObject> GetAsync(Resource resource, string? @namespace, string name) =>
        await SendAsync(HttpMethod.Get, resource.PathTo(@namespace, name));

    /// <summary>Null when there is no such object.</summary>
    public async Task<JsonObject?> FindAsync(Resource resource, string? @namespace, string name)
    {
        try
        {
            return await GetAsync(resource, @namespace, name);
        }
        catch (KubeException e) when (e.Code == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    public async Task<IReadOnlyList<JsonObject>> ListAsync(Resource resource, string? @namespace = null, string? labelSelector = null)
    {
        var path = resource.PathTo(@namespace);
        if (labelSelector is not null)
            path += $"?labelSelector={Uri.EscapeDataString(labelSelector)}";
        var list = await SendAsync(HttpMethod.Get, path);
        return [.. ((JsonArray?)list["items"] ?? []).Select(item => item!.AsObject())];
    }

    /// <param name="namespace">For a namespaced manifest that names none.</param>
    public Task<JsonObject> CreateAsync(JsonObject manifest, string? @namespace = null) =>
        SendAsync(HttpMethod.Post, Resource.Of(manifest).PathTo(NamespaceOf(manifest, @namespace)), Body(manifest));

    /// <inheritdoc cref="CreateAsync(JsonObject, string?)"/>
    public Task<JsonObject> CreateAsync(string yaml, string? @namespace = null) => CreateAsync(Manifest.Parse(yaml), @namespace);

    /// <summary>PUT: with metadata.resourceVersion a 409 when somebody was faster, without it unconditional.</summary>
    public Task<JsonObject> ReplaceAsync(JsonObject manifest, string? @namespace = null, string? subresource = null) => SendAsync(
        HttpMethod.Put,
        Resource.Of(manifest).PathTo(NamespaceOf(manifest, @namespace), NameOf(manifest), subresource),
        Body(manifest));

    /// <summary>Server-side apply.</summary>
    public Task<JsonObject> ApplyAsync(
        JsonObject manifest, string? @namespace = null, string fieldManager = DefaultFieldManager, bool force = true, string? subresource = null) => SendAsync(
            HttpMethod.Patch,
            $"{Resource.Of(manifest).PathTo(NamespaceOf(manifest, @namespace), NameOf(manifest), subresource)}"
                + $"?fieldManager={Uri.EscapeDataString(fieldManager)}&force={(force ? "true" : "false")}",
            Body(manifest, "application/apply-patch+yaml"));

    /// <summary>Server-side apply of one document.</summary>
    public Task<JsonObject> ApplyAsync(string yaml, string? @namespace = null, string fieldManager = DefaultFieldManager, bool force = true) =>
        ApplyAsync(Manifest.Parse(yaml), @namespace, fieldManager, force);

    public Task<JsonObject> PatchAsync(
        Resource resource, string? @namespace, string name, JsonNode patch,
        PatchKind kind = PatchKind.Merge, string? subresource = null, string fieldManager = DefaultFieldManager) => SendAsync(
            HttpMethod.Patch,
            $"{resource.PathTo(@namespace, name, subresource)}?fieldManager={Uri.EscapeDataString(fieldManager)}",
            Body(patch, kind switch
            {
                PatchKind.Json => "application/json-patch+json",
                PatchKind.Strategic => "application/strategic-merge-patch+json",
                _ => "application/merge-patch+json",
            }));

    /// <summary>A merge patch, written as JSON text.</summary>
    public Task<JsonObject> PatchAsync(Resource resource, string? @namespace, string name, string mergePatch) =>
        PatchAsync(resource, @namespace, name, JsonNode.Parse(mergePatch)!);

    /// <summary>Merges the given fields into the status, through the status subresource.</summary>
    public Task<JsonObject> PatchStatusAsync(Resource resource, string? @namespace, string name, JsonObject status) =>
        PatchAsync(resource, @namespace, name, new JsonObject { ["status"] = status }, PatchKind.Merge, "status", "kubelet");

    /// <summary>
    /// Background propagation: no controller runs in a test control plane that could honour another one, and an object
    /// with foreground propagation would stay for ever.
    /// </summary>
    public Task<JsonObject> DeleteAsync(Resource resource, string? @namespace, string name) =>
        SendAsync(HttpMethod.Delete, $"{resource.PathTo(@namespace, name)}?propagationPolicy=Background");

    /// <summary>Any request; an answer that is no JSON object comes as <c>{"text": …}</c>.</summary>
    public async Task<JsonObject> SendAsync(
        HttpMethod method, string path, HttpContent? content = null, string accept = "application/json", CancellationToken cancellation = default)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        request.Headers.Accept.ParseAdd(accept);
        // Only a cluster that somebody else set up has tokens or passwords; our own has client certificates.
        if (_configuration.TokenProvider is { } tokens)
            request.Headers.Authorization = await tokens.GetAuthenticationHeaderAsync(cancellation);
        else if (!string.IsNullOrEmpty(_configuration.AccessToken))
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _configuration.AccessToken);
        using var response = await _http.SendAsync(request, cancellation);
        var text = await response.Content.ReadAsStringAsync(cancellation);
        var answer = AsObject(text);
        if (response.IsSuccessStatusCode)
            return answer;
        throw new KubeException(
            response.StatusCode,
            (string?)answer["reason"] ?? "",
            $"{method} {path}: {(int)response.StatusCode} {Index().Replace((string?)answer["message"] ?? text, "")}");
    }

    public void Dispose() => _http.Dispose();

    private static HttpClient Connect(KubernetesClientConfiguration configuration)
    {
        var handler = new SocketsHttpHandler();
        if (ClientCertificate(configuration) is { } clientCertificate)
            handler.SslOptions.ClientCertificates = [clientCertificate];
        if (configuration.SkipTlsVerify)
        {
#pragma warning disable CA5359 // insecure-skip-tls-verify is what the kubeconfig asks for
            handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        }
        else if (configuration.SslCaCerts is { Count: > 0 } authorities)
        {
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }
        var http = new HttpClient(handler) { BaseAddress = new Uri(configuration.Host.TrimEnd('/') + "/") };
        http.DefaultRequestHeaders.UserAgent.ParseAdd(UserAgent);
        return http;
    }

    private static X509Certificate2? ClientCertificate(KubernetesClientConfiguration configuration)
    {
        var certificate = Pem(configuration.ClientCertificateData, configuration.ClientCertificateFilePath);
        var key = Pem(configuration.ClientCertificateKeyData, configuration.ClientKeyFilePath);
        return certificate is null || key is null ? null : X509Certificate2.CreateFromPem(certificate, key);
    }

    private static string? Pem(string? base64, string? file)
    {
        if (!string.IsNullOrEmpty(base64))
            return Encoding.UTF8.GetString(Convert.FromBase64String(base64));
        return string.IsNullOrEmpty(file) ? null : File.ReadAllText(file);
    }

    private static JsonObject AsObject(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject ?? new JsonObject { ["text"] = text };
        }
        catch (JsonException)
        {
            return new JsonObject { ["text"] = text };
        }
    }

    /// <summary>For <see cref="SendAsync"/>.</summary>
    public static StringContent Body(JsonNode json, string mediaType = "application/json") =>
        new(json.ToJsonString(), Encoding.UTF8, new MediaTypeHeaderValue(mediaType));

    private static string NameOf(JsonObject manifest) => (string)manifest["metadata"]!["name"]!;

    private static string? NamespaceOf(JsonObject manifest, string? otherwise) =>
        !Resource.Of(manifest).Namespaced ? null : (string?)manifest["metadata"]?["namespace"] ?? otherwise ?? "default";

    [GeneratedRegex(@"(?<=\w)\[\d+\]")]
    private static partial Regex Index();
}
