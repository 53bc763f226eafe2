namespace McpOperator.Api;

/// <summary>
/// What <c>auth.mode: mtls</c> needs beside a trust domain, which is a part of who may call what (<see cref="IdentityValidation"/>). Traefik maps TLS options
/// to the names in a rule's <c>Host()</c>, so that without one nobody would be asked for a certificate.
/// </summary>
internal static class MtlsValidation
{
    /// <summary>The ingress class whose controller knows IngressRoutes.</summary>
    public const string IngressClass = "traefik";

    public static void Check(SpecFaults faults, MCPServerSpec spec, OperatorSettings settings)
    {
        if (spec.Auth is not { Mode: AuthConfig.Mtls })
            return;
        if (!spec.HasGateway())
        {
            faults.Add("spec.auth.mode", "mtls needs the gateway, which asks for the certificates: set spec.gateway.enabled to true");
            return;
        }

        if (settings.MtlsClusterIssuer is null)
            faults.Add("spec.auth.mode", "mtls needs certificates: set MCP_MTLS_CLUSTER_ISSUER on the operator to the name of a ClusterIssuer of cert-manager");
        if (spec.IngressHost is null or ['*', ..])
            faults.Add("spec.ingressHost", "must be one host with spec.auth.mode mtls: client certificates are asked for by its name");
        if (spec.IngressClass is not IngressClass)
            faults.Add("spec.ingressClass", $"must be {IngressClass} with spec.auth.mode mtls: it is Traefik that asks clients for certificates");
        if (spec.Route is not (null or RouteKinds.Ingress))
            faults.Add("spec.route", "must be Ingress, or unset, with spec.auth.mode mtls: it is an IngressRoute of Traefik that leads clients to the server then");
        if (TlsConfig.Of(spec) is { HasIssuer: true })
            faults.Add("spec.tls.issuer", "must not be set with spec.auth.mode mtls: cert-manager issues by an Ingress, and there is none; name a Secret in spec.tls.secretName");
        if (spec.PublicPathPrefix is not null)
            Braces(faults, "spec.publicPathPrefix", spec.PublicPathPrefix);
        else
            Braces(faults, "spec.ingressPath", spec.IngressPath);
    }

    private static void Braces(SpecFaults faults, string field, string? path)
    {
        if (path?.AsSpan().ContainsAny('{', '}') == true)
            faults.Add(field, $"{SpecFaults.Quote(path)} must not contain braces with spec.auth.mode mtls: Traefik takes what is in them for a regular expression");
    }
}
