using static McpOperator.Api.FieldValidation;

namespace McpOperator.Api;

/// <summary>Where clients reach a server: host, path, class and annotations of its Ingress.</summary>
internal static class IngressValidation
{
    /// <summary>
    /// The type of a path that is the ingress controller's to understand. ingress-nginx takes any other only for paths of letters, digits,
    /// <c>/</c>, <c>-</c> and <c>_</c> (strict-validate-path-type).
    /// </summary>
    public const string ImplementationSpecific = "ImplementationSpecific";

    private static readonly string[] PathTypes = [Defaults.IngressPathType, "Exact", ImplementationSpecific];

    public static void Check(SpecFaults faults, MCPServerSpec spec)
    {
        if (spec.IngressHost is { } host)
            Host(faults, "spec.ingressHost", host);
        if (spec.PublicPathPrefix is { } prefix)
        {
            if (prefix.Trim('/').Length == 0)
                faults.Add("spec.publicPathPrefix", "must not consist of slashes only; to serve at a path of your own, set spec.ingressPath instead");
            else
                Path(faults, "spec.publicPathPrefix", prefix.Trim('/'));
        }
        else if (spec.IngressPath is { } path)
        {
            // Beside a prefix it is not used.
            Path(faults, "spec.ingressPath", path);
        }

        if (spec.IngressClass is { } ingressClass && !Names.IsDns1123Subdomain(ingressClass))
            faults.Add("spec.ingressClass", $"{SpecFaults.Quote(ingressClass)} cannot be the name of an IngressClass: {DnsName}");
        OneOf(faults, "spec.ingressPathType", spec.IngressPathType, PathTypes);
        if (spec.IngressAnnotations is null)
            return;
        var size = 0L;
        foreach (var (key, value) in spec.IngressAnnotations)
        {
            size += key.Length + value.Length;
            if (!Names.IsQualifiedName(key.ToLowerInvariant()))
            {
                faults.Add($"spec.ingressAnnotations[{SpecFaults.Plain(key)}]", "is no valid key of an annotation: write name or prefix.example.com/name, " +
                    "the name being at most 63 letters, digits, '-', '_' and '.'");
            }
        }

        if (size > 256 * 1024)
            faults.Add("spec.ingressAnnotations", "must not be larger than 256 KiB together");
    }

    public static void Host(SpecFaults faults, string field, string host)
    {
        var name = host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host;
        if (!Names.IsDns1123Subdomain(name))
            faults.Add(field, $"{SpecFaults.Quote(host)} {DnsName}, without scheme, port or path; a leading \"*.\" is allowed");
        else if (System.Net.IPAddress.TryParse(host, out _))
            faults.Add(field, $"{SpecFaults.Quote(host)} must be a DNS name, not an IP address; leave it out to serve every host");
    }
}
