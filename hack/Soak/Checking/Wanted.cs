using System.Text.Json.Nodes;

namespace McpOperator.Soak.Checking;

/// <summary>What one MCPServer asks for, with its defaults: docs/api.md, read again and written down a second time.</summary>
internal sealed class Wanted(JsonObject server, Settings settings)
{
    public const string MetadataPath = "/.well-known/oauth-protected-resource";

    public JsonObject Server => server;

    public Settings Settings => settings;

    public JsonNode? Spec => server["spec"];

    public string Name => server.Name();

    public string Namespace => server.Namespace();

    public string Key => server.Key();

    public string CanaryName => $"{Name}-canary";

    public string PolicyName => $"{Name}-gateway-policy";

    public string? Team => Spec.Text("teamID");

    public string Image => Resolve(Spec.Text("image")!);

    public string CanaryImage => Spec.Text("rollout", "canaryImage") is { } image ? Resolve(image) : Image;

    public int Replicas => (int)(Spec.Number("replicas") ?? 1);

    public int CanaryReplicas => IsCanary ? Math.Min((int)(Spec.Number("rollout", "canaryReplicas") ?? 0), Math.Max(Replicas - 1, 0)) : 0;

    public string Strategy => Spec.Text("rollout", "strategy") ?? "RollingUpdate";

    public bool IsCanary => Strategy == "Canary";

    public string MaxUnavailable => Spec.Text("rollout", "maxUnavailable") ?? "25%";

    public string MaxSurge => Spec.Text("rollout", "maxSurge") ?? "25%";

    public int Port => Spec.Port("port") ?? 8088;

    public int ServicePort => Spec.Port("servicePort") ?? 80;

    public bool HasGateway => Spec.Flag("gateway", "enabled");

    public int GatewayPort => Spec.Port("gateway", "port") ?? 8091;

    public string GatewayImage => Spec.Text("gateway", "image") ?? settings.GatewayImage;

    public string AuthMode => Spec.Text("auth", "mode") ?? "header";

    public string? IngestUrl => Spec.Text("analytics", "ingestURL") ?? settings.Ingest;

    public bool HasAnalytics => HasGateway && Spec.At("analytics") is not null && !Spec.Flag("analytics", "disabled") && IngestUrl is not null;

    public string Class => Spec.Text("ingressClass") ?? settings.Class;

    public string? Host =>
        Spec.Text("ingressHost") ?? (Prefix is null ? settings.DefaultHost : null);

    public string Path
    {
        get
        {
            var own = $"/{Name}/mcp";
            var path = Spec.Text("ingressPath") is { } given ? given[0] == '/' ? given : "/" + given : null;
            return Prefix is { } prefix ? $"/{prefix}/mcp" : path ?? own;
        }
    }

    public string Scheme => settings.Tls ? "https" : "http";

    public string Url => Host is null ? Path : $"{Scheme}://{Host}{Path}";

    /// <summary>Where its Ingress leads, by what its status says; null: nowhere.</summary>
    public string? ServedRoute => server.Raw("status", "url") is not { } url ? null
        : url[0] == '/' ? url : url[(url.IndexOf("://", StringComparison.Ordinal) + 3)..];

    /// <summary>Whether it has the routes that it asks for; once all is quiet there is nothing between all of them and none.</summary>
    public bool ServesItsRoutes => server.Raw("status", "url") == Url;

    /// <summary>
    /// All that its Ingress serves, or would. Of an invalid server it is the route that its status names; what else there is of it, nobody
    /// can know who has not seen it before.
    /// </summary>
    public IReadOnlyList<string> Routes => Faults().Count > 0 ? ServedRoute is { } served ? [served] : []
        : MetadataRoute is { } metadata ? [Host + Path, metadata] : [Host + Path];

    /// <summary>Below it no other namespace has a route.</summary>
    public string? MetadataRoute => Faults().Count == 0 && HasGateway && AuthMode == "oauth" ? Host + MetadataPath + Path : null;

    /// <summary>Of an invalid server: what its Ingress may serve besides.</summary>
    public string? MetadataRouteOfServed =>
        ServedRoute is { } served ? served.Insert(served.IndexOf('/', StringComparison.Ordinal), MetadataPath) : null;

    public string? Consent => server.Raw("metadata", "annotations", "mcpruntime.org/allow-access-from");

    private string? Prefix => Spec.Text("publicPathPrefix")?.Trim('/') is { Length: > 0 } prefix ? prefix : null;

    /// <summary>The older one first: by creation time, then by namespace and name.</summary>
    public bool IsOlderThan(Wanted other)
    {
        var byTime = string.CompareOrdinal(Created(server), Created(other.Server));
        if (byTime == 0)
            byTime = string.CompareOrdinal(Namespace, other.Namespace);
        if (byTime == 0)
            byTime = string.CompareOrdinal(Name, other.Name);
        return byTime < 0;
    }

    /// <summary>The field that each rule of docs/api.md finds fault with. Of the rules, those that a schema lets through.</summary>
    public IReadOnlyList<string> Faults()
    {
        var faults = new List<string>();
        void Rule(bool broken, string field)
        {
            if (broken)
                faults.Add(field);
        }

        Rule(Spec.Text("image") is not { } image || image.Contains(' ', StringComparison.Ordinal), "image");
        Rule(Spec.Text("ingressHost") is { } host && System.Net.IPAddress.TryParse(host, out _), "ingressHost");
        Rule(Prefix is null && Spec.Text("ingressPath")?.Contains("..", StringComparison.Ordinal) == true, "ingressPath");
        Rule(Spec.Text("publicPathPrefix")?.Contains("..", StringComparison.Ordinal) == true, "publicPathPrefix");
        foreach (var amount in new[] { "cpu", "memory" })
            Rule(
                Spec.Text("resources", "requests", amount) is { } request && Spec.Text("resources", "limits", amount) is { } limit
                    && Quantity.Of(request) > Quantity.Of(limit),
                "resources");
        Rule(IsCanary && !(Spec.Number("rollout", "canaryReplicas") > 0), "rollout.canaryReplicas");
        Rule(Strategy != "Recreate" && MaxUnavailable is "0" or "0%" && MaxSurge is "0" or "0%", "rollout");
        Rule(HasGateway && GatewayPort == Port, "gateway.port");
        Rule(HasGateway && GatewayPort == 9103, "gateway.port");
        Rule(HasGateway && Port == 9103, "port");
        Rule(HasGateway && ServicePort == 9103, "servicePort");
        Rule(Spec.Text("teamID")?.Any(char.IsWhiteSpace) == true, "teamID");
        Rule(AuthMode == "mtls" && !HasGateway, "auth.mode");
        Rule(AuthMode == "mtls" && HasGateway, "auth.trustDomain");
        Rule(HasGateway && AuthMode == "oauth" && Spec.Text("auth", "issuerURL") is null, "auth.issuerURL");
        Rule(Spec.At("analytics") is not null && !Spec.Flag("analytics", "disabled") && (!HasGateway || IngestUrl is null), "analytics");
        return faults;
    }

    /// <summary>Those that leave open who may call what. That mtls needs the gateway does not: without one nobody asks.</summary>
    public IReadOnlyList<string> AccessFaults() =>
        [.. Faults().Where(field => field is not "auth.mode" && field.Split('.')[0] is "teamID" or "auth" or "policy" or "session" or "tools")];

    /// <summary>The fields of the warnings of docs/api.md: of those, what the users of this run write.</summary>
    public IEnumerable<string> Doubts()
    {
        // A default may have been written back before there was a prefix.
        if (Prefix is { } prefix && Spec.Text("ingressPath")?.TrimStart('/') is { } path && path != $"{prefix}/mcp" && path != $"{Name}/mcp")
            yield return "ingressPath";
        foreach (var (i, secret) in Spec.Items("secretEnvVars").Index())
            if (Spec.Items("envVars").Any(other => other.Raw("name") == secret.Raw("name")))
                yield return $"secretEnvVars[{i}].name";
    }

    private static string Created(JsonObject live) => live.Raw("metadata", "creationTimestamp")!;

    private string Resolve(string image)
    {
        if (!image.Contains('@', StringComparison.Ordinal) && !image[(image.LastIndexOf('/') + 1)..].Contains(':', StringComparison.Ordinal))
            image += ":" + (Spec.Text("imageTag") ?? "latest");
        var provisioned = Spec.Flag("useProvisionedRegistry");
        var registry = provisioned && settings.Registry is { } url ? url
            : Spec.Text("registryOverride") ?? (provisioned ? settings.PullHost : null);
        if (registry is null)
            return image;
        var scheme = registry.IndexOf("://", StringComparison.Ordinal);
        registry = (scheme < 0 ? registry : registry[(scheme + 3)..]).TrimEnd('/');
        var slash = image.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : image[..slash];
        if (first == "localhost" || first.Contains('.', StringComparison.Ordinal) || first.Contains(':', StringComparison.Ordinal))
            image = image[(slash + 1)..];
        return $"{registry}/{image}";
    }
}
