using System.Text.Json;

namespace McpOperator.Api;

/// <summary>The values of <c>spec.route</c>: by what kind of object clients are led to a server.</summary>
internal static class RouteKinds
{
    public const string Ingress = "Ingress";
    public const string HttpRoute = "HTTPRoute";
    public const string None = "None";

    public static readonly string[] All = [Ingress, HttpRoute, None];
}

/// <summary>What the HTTPRoute of a server has beside its path: gateway.networking.k8s.io/v1. A view of <see cref="MCPServerSpec.HttpRoute"/>.</summary>
internal sealed class HttpRouteConfig
{
    private HttpRouteConfig(JsonElement json, SpecFaults? faults)
    {
        const string Field = "spec.httpRoute";
        ParentRefs = SpecView.Items(json, "parentRefs", Field, JsonValueKind.Object, faults, (at, parent) => new ParentReference
        {
            Name = SpecView.Text(parent, "name", at, faults),
            Namespace = SpecView.Text(parent, "namespace", at, faults),
            SectionName = SpecView.Text(parent, "sectionName", at, faults),
            Port = SpecView.Number(parent, "port", at, faults),
        });
        Hostnames = SpecView.Items(json, "hostnames", Field, JsonValueKind.String, faults, static (_, host) => host.GetString()!);
        var timeouts = SpecView.Member(json, "timeouts", Field, JsonValueKind.Object, faults) ?? default;
        RequestTimeout = SpecView.Text(timeouts, "request", $"{Field}.timeouts", faults);
        BackendTimeout = SpecView.Text(timeouts, "backendRequest", $"{Field}.timeouts", faults);
    }

    /// <summary>The Gateways that serve it; empty for the operator's own (<see cref="OperatorSettings.DefaultGateway"/>).</summary>
    public IReadOnlyList<ParentReference> ParentRefs { get; }

    /// <summary>In place of <see cref="MCPServerSpec.IngressHost"/>.</summary>
    public IReadOnlyList<string> Hostnames { get; }

    /// <summary>As the Gateway API writes durations (GEP-2257): <c>10s</c>, <c>1h30m</c>; <c>0s</c> for no end.</summary>
    public string? RequestTimeout { get; }

    /// <inheritdoc cref="RequestTimeout"/>
    public string? BackendTimeout { get; }

    /// <summary>Those, or the operator's own; empty where there is neither.</summary>
    public static IReadOnlyList<ParentReference> ParentsOf(MCPServerSpec spec, OperatorSettings settings) =>
        Of(spec)?.ParentRefs is { Count: > 0 } parents ? parents
        : settings.DefaultGateway is { } gateway ? [new ParentReference { Name = gateway.Name, Namespace = gateway.Namespace }]
        : [];

    /// <param name="faults">Told of what is of another type; null where nobody asks.</param>
    public static HttpRouteConfig? Of(MCPServerSpec spec, SpecFaults? faults = null) =>
        SpecView.Object(spec.HttpRoute, "spec.httpRoute", faults) is { } json ? new HttpRouteConfig(json, faults) : null;
}

/// <summary>A Gateway, or one of its listeners.</summary>
internal sealed record ParentReference
{
    public string? Name { get; init; }

    /// <summary>Null: the server's own.</summary>
    public string? Namespace { get; init; }

    public string? SectionName { get; init; }
    public int? Port { get; init; }
}

/// <summary>TLS at the edge. An Ingress gets its certificate from here; a Gateway has its own. A view of <see cref="MCPServerSpec.Tls"/>.</summary>
internal sealed class TlsConfig
{
    public const string Issuer = "Issuer";
    public const string ClusterIssuer = "ClusterIssuer";

    /// <summary>Of an Ingress: by whom cert-manager has its certificate issued.</summary>
    public const string IssuerAnnotation = "cert-manager.io/issuer";

    /// <inheritdoc cref="IssuerAnnotation"/>
    public const string ClusterIssuerAnnotation = "cert-manager.io/cluster-issuer";

    /// <summary>Makes the issuer of the other annotation one of this kind.</summary>
    public const string IssuerKindAnnotation = "cert-manager.io/issuer-kind";

    private TlsConfig(JsonElement json, SpecFaults? faults)
    {
        SecretName = SpecView.Text(json, "secretName", "spec.tls", faults);
        if (SpecView.Member(json, "issuer", "spec.tls", JsonValueKind.Object, faults) is not { } issuer)
            return;
        IssuerKind = SpecView.Text(issuer, "kind", "spec.tls.issuer", faults) ?? Issuer;
        IssuerName = SpecView.Text(issuer, "name", "spec.tls.issuer", faults);
    }

    /// <summary>Null: with an issuer <c>&lt;n&gt;-tls</c>, else the ingress controller's own certificate.</summary>
    public string? SecretName { get; }

    /// <summary>Whether cert-manager writes the Secret, and not somebody else.</summary>
    public bool HasIssuer => IssuerKind is not null;

    /// <summary>Issuer or ClusterIssuer.</summary>
    public string? IssuerKind { get; }

    public string? IssuerName { get; }

    public string? SecretNameOf(string server) => SecretName ?? (HasIssuer ? ObjectNames.TlsSecret(server) : null);

    /// <inheritdoc cref="HttpRouteConfig.Of"/>
    public static TlsConfig? Of(MCPServerSpec spec, SpecFaults? faults = null) =>
        SpecView.Object(spec.Tls, "spec.tls", faults) is { } json ? new TlsConfig(json, faults) : null;
}
