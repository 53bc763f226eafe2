using static McpOperator.Api.FieldValidation;

namespace McpOperator.Api;

/// <summary>By what clients are led to a server, and whether they speak TLS to it.</summary>
internal static class RouteValidation
{
    // Of the Gateway API's schema.
    private const int MostParents = 32;
    private const int MostHosts = 16;

    private static readonly string[] IssuerKinds = [TlsConfig.Issuer, TlsConfig.ClusterIssuer];

    public static void Check(SpecFaults faults, MCPServerSpec spec, OperatorSettings settings)
    {
        OneOf(faults, "spec.route", spec.Route, RouteKinds.All);
        Tls(faults, spec, settings);
        var before = faults.All.Count;
        var route = HttpRouteConfig.Of(spec, faults);
        // What is of another type is not there for the rules below.
        if (faults.All.Count > before)
            return;
        if (route is not null)
        {
            Parents(faults, route.ParentRefs);
            Hosts(faults, route.Hostnames);
            Timeouts(faults, route);
        }

        if (spec.HasHttpRoute() && HttpRouteConfig.ParentsOf(spec, settings).Count == 0)
            faults.Add("spec.httpRoute.parentRefs", $"{Required}: name the Gateway that serves the HTTPRoute, or set MCP_DEFAULT_GATEWAY of the operator");
    }

    private static void Parents(SpecFaults faults, IReadOnlyList<ParentReference> parents)
    {
        if (parents.Count > MostParents)
            faults.Add("spec.httpRoute.parentRefs", $"must not have more than {MostParents} items");
        for (var i = 0; i < Math.Min(parents.Count, MostParents); i++)
        {
            var (field, parent) = ($"spec.httpRoute.parentRefs[{i}]", parents[i]);
            if (string.IsNullOrEmpty(parent.Name))
                faults.Add($"{field}.name", $"{Required}: name a Gateway");
            else if (!Names.IsDns1123Subdomain(parent.Name))
                faults.Add($"{field}.name", $"{SpecFaults.Quote(parent.Name)} cannot be the name of a Gateway: {DnsName}");
            if (parent.Namespace is { } ns && !Names.IsDns1123Label(ns))
                faults.Add($"{field}.namespace", $"{SpecFaults.Quote(ns)} cannot be the name of a namespace: use at most 63 lower case letters, digits and '-'");
            if (parent.SectionName is { } section && !Names.IsDns1123Subdomain(section))
                faults.Add($"{field}.sectionName", $"{SpecFaults.Quote(section)} cannot be the name of a listener: {DnsName}");
            Port(faults, $"{field}.port", parent.Port);
            for (var j = 0; j < i; j++)
            {
                if (parents[j] == parent)
                    faults.Add(field, $"is the same as spec.httpRoute.parentRefs[{j}]: take one of them out");
            }
        }
    }

    private static void Hosts(SpecFaults faults, IReadOnlyList<string> hosts)
    {
        if (hosts.Count > MostHosts)
            faults.Add("spec.httpRoute.hostnames", $"must not have more than {MostHosts} items");
        for (var i = 0; i < Math.Min(hosts.Count, MostHosts); i++)
        {
            IngressValidation.Host(faults, $"spec.httpRoute.hostnames[{i}]", hosts[i]);
            for (var j = 0; j < i; j++)
            {
                if (hosts[j] == hosts[i])
                    faults.Add($"spec.httpRoute.hostnames[{i}]", $"{SpecFaults.Quote(hosts[i])} is there twice: take one of them out");
            }
        }
    }

    private static void Timeouts(SpecFaults faults, HttpRouteConfig route)
    {
        var request = Timeout(faults, "spec.httpRoute.timeouts.request", route.RequestTimeout);
        var backend = Timeout(faults, "spec.httpRoute.timeouts.backendRequest", route.BackendTimeout);
        // A request that may take for ever is 0.
        if (request > 0 && (backend > request || backend == 0))
        {
            faults.Add("spec.httpRoute.timeouts.backendRequest",
                $"{SpecFaults.Quote(route.BackendTimeout)} must not be longer than the request, {SpecFaults.Quote(route.RequestTimeout)}: it is a part of that");
        }
    }

    /// <returns>In milliseconds; null for none, or one that cannot be read.</returns>
    private static long? Timeout(SpecFaults faults, string field, string? text)
    {
        if (text is null)
            return null;
        if (TryGatewayDuration(text) is { } duration)
            return duration;
        faults.Add(field, $"{SpecFaults.Quote(text)} is no duration of the Gateway API: write 30s, 1h30m, or 0s for no end, with at most four whole numbers of h, m, s and ms");
        return null;
    }

    /// <summary>GEP-2257: one to four times one to five digits and a unit.</summary>
    private static long? TryGatewayDuration(string text)
    {
        var (total, parts) = (0L, 0);
        var rest = text.AsSpan();
        while (rest.Length > 0)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits is < 1 or > 5 || ++parts > 4)
                return null;
            var number = long.Parse(rest[..digits], System.Globalization.CultureInfo.InvariantCulture);
            rest = rest[digits..];
            var (unit, length) = rest.StartsWith("ms") ? (1, 2) : rest[0] switch
            {
                'h' => (3_600_000, 1),
                'm' => (60_000, 1),
                's' => (1_000, 1),
                _ => (0, 0),
            };
            if (unit == 0)
                return null;
            total += number * unit;
            rest = rest[length..];
        }

        return parts == 0 ? null : total;
    }

    private static void Tls(SpecFaults faults, MCPServerSpec spec, OperatorSettings settings)
    {
        var before = faults.All.Count;
        if (TlsConfig.Of(spec, faults) is not { } tls || faults.All.Count > before)
            return;
        if (tls.SecretName is { } secret && !Names.IsDns1123Subdomain(secret))
            faults.Add("spec.tls.secretName", $"{SpecFaults.Quote(secret)} cannot be the name of a Secret: {DnsName}");
        // Its certificates are identities: of gateways, of the ingress, of callers. A user's Ingress names what it likes.
        if (settings.MtlsClusterIssuer is { } identities)
        {
            if (tls is { IssuerKind: TlsConfig.ClusterIssuer } && tls.IssuerName == identities)
                faults.Add("spec.tls.issuer.name", $"must not be {SpecFaults.Quote(identities)}, which issues the identities of mTLS (MCP_MTLS_CLUSTER_ISSUER): name another issuer");
            if (spec.IngressAnnotations?.GetValueOrDefault(TlsConfig.ClusterIssuerAnnotation) == identities)
                faults.Add($"spec.ingressAnnotations[{TlsConfig.ClusterIssuerAnnotation}]", $"must not be {SpecFaults.Quote(identities)}, which issues the identities of mTLS (MCP_MTLS_CLUSTER_ISSUER)");
            // What cert-manager takes for an Issuer of this name may be turned into the ClusterIssuer.
            if (spec.IngressAnnotations?.ContainsKey(TlsConfig.IssuerKindAnnotation) == true
                && (tls.IssuerName == identities || spec.IngressAnnotations.GetValueOrDefault(TlsConfig.IssuerAnnotation) == identities))
                faults.Add($"spec.ingressAnnotations[{TlsConfig.IssuerKindAnnotation}]", $"must not be there with an issuer {SpecFaults.Quote(identities)}, as the ClusterIssuer of that name issues the identities of mTLS (MCP_MTLS_CLUSTER_ISSUER)");
        }

        if (!tls.HasIssuer)
            return;
        OneOf(faults, "spec.tls.issuer.kind", tls.IssuerKind, IssuerKinds);
        if (string.IsNullOrEmpty(tls.IssuerName))
            faults.Add("spec.tls.issuer.name", $"{Required}: name an Issuer or a ClusterIssuer of cert-manager");
        else if (!Names.IsDns1123Subdomain(tls.IssuerName))
            faults.Add("spec.tls.issuer.name", $"{SpecFaults.Quote(tls.IssuerName)} cannot be the name of an issuer: {DnsName}");
        if (spec.HasIngress() && spec.IngressHost is null)
            faults.Add("spec.tls.issuer", "needs spec.ingressHost: a certificate is issued for a name");
    }
}
