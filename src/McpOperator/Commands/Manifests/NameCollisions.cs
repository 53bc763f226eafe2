using McpOperator.Api;

namespace McpOperator.Commands.Manifests;

/// <summary>
/// Servers whose objects would have one name, and manifests of objects that a server would make itself. The operator touches nothing
/// that is not its own: whoever comes second reports NameConflict.
/// </summary>
internal static class NameCollisions
{
    /// <param name="servers">Each one with its spec in effect.</param>
    public static List<ManifestFault> Of(IReadOnlyList<ManifestServer> servers, IReadOnlyList<Manifest> others)
    {
        var owners = new Dictionary<string, Manifest>(StringComparer.Ordinal);
        var faults = new List<ManifestFault>();
        foreach (var other in others)
        {
            // What bears our label is taken over.
            if (other.Json.Child("metadata"u8)?.Child("labels"u8)?.Text("app.kubernetes.io/managed-by"u8) != Labels.ManagedByValue)
                owners.TryAdd($"{other.Kind} {other.Key}", other);
        }

        foreach (var server in servers)
        {
            Claim("Deployment", "", "which runs the server");
            Claim("Service", "", "which serves it");
            Claim("Ingress", "", "which routes to it");
            if (server.Effective.Spec.HasCanary())
                Claim("Deployment", ObjectNames.CanarySuffix, "the canary track of this server");
            if (server.Effective.Spec.HasGateway())
                Claim("ConfigMap", ObjectNames.PolicySuffix, "the policy of this server");
            if (server.Effective.Spec.Network is not null)
                Claim("NetworkPolicy", "", "which says who reaches it");
            if (server.Effective.Spec.UsesMtls())
            {
                Claim("Certificate", ObjectNames.GatewayCertificateSuffix, "the certificate of its gateways");
                Claim("Certificate", ObjectNames.IngressCertificateSuffix, "that of Traefik");
                Claim("TLSOption", ObjectNames.TlsOptionSuffix, "which asks its clients for certificates");
                Claim("Middleware", ObjectNames.IdentityMiddlewareSuffix, "which reads these");
                Claim("ServersTransport", ObjectNames.ServersTransportSuffix, "by which Traefik speaks to it");
                Claim("IngressRoute", "", "which routes to it");
                Claim("NetworkPolicy", ObjectNames.MtlsNetworkPolicySuffix, "which keeps everybody else out");
            }

            void Claim(string kind, string suffix, string part)
            {
                var manifest = server.Manifest;
                var name = $"{kind} {manifest.Key}{suffix}";
                if (owners.TryAdd(name, manifest))
                    return;
                var owner = owners[name];
                // One of three of the same name is enough to say.
                if (suffix.Length == 0 && faults.Exists(fault => fault.Source == manifest.Source && fault.Key == manifest.Key))
                    return;
                var whose = owner.Kind == MCPServer.Type.Kind ? $"made for MCPServer {owner.Key.Name}, too" : "a manifest of its own";
                faults.Add(new ManifestFault(manifest, new SpecFault("metadata.name",
                    $"NameConflict: {name}, {part}, is {whose} (document {owner.Source.Document} of {owner.Source.File}): rename one of them")));
            }
        }

        return faults;
    }
}
