using System.Buffers;

namespace McpOperator.Api;

/// <summary>The identities in certificates: SPIFFE IDs, by the rules of the SPIFFE standard for them.</summary>
internal static class Spiffe
{
    private static readonly SearchValues<char> TrustDomainCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789.-_");

    /// <summary>Nothing that would end the domain in a URI, or begin a port, a user or a path, is in one.</summary>
    public static bool IsTrustDomain(ReadOnlySpan<char> name) => name.Length is > 0 and <= 255 && !name.ContainsAnyExcept(TrustDomainCharacters);

    /// <summary>
    /// By which the ingress controller shows itself to the gateways of one server, and of no other: its key is in a Secret of the server's namespace, and
    /// whoever reads that gains nothing elsewhere.
    /// </summary>
    /// <param name="server">With a trust domain.</param>
    public static string IngressOf(MCPServer server) =>
        $"spiffe://{server.Spec.Auth!.TrustDomain}/ns/{server.Metadata.Namespace}/ingress/{server.Metadata.Name}";
}
