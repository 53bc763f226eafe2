namespace McpOperator.Api;

/// <summary>The image that the pods get.</summary>
internal static class ImageReference
{
    /// <summary>
    /// The spec's image with its tag, moved to the registry that the spec asks for: the provisioned one, else
    /// <c>registryOverride</c>, else (still with <c>useProvisionedRegistry</c>) the registry's pull host.
    /// </summary>
    public static string Resolve(MCPServerSpec spec, OperatorSettings settings)
    {
        var image = Defaults.Trimmed(spec.Image) ?? "";
        if (!HasTagOrDigest(image))
            image = $"{image}:{Defaults.Trimmed(spec.ImageTag) ?? Defaults.ImageTag}";
        return Registry(spec, settings) is { } registry ? Rewrite(image, registry) : image;
    }

    /// <summary>The image of the canary track: the server's own when the spec names none.</summary>
    public static string ResolveCanary(MCPServerSpec spec, OperatorSettings settings) =>
        Resolve(spec with { Image = Defaults.Trimmed(spec.Rollout?.CanaryImage) ?? spec.Image }, settings);

    /// <summary>
    /// True with an <c>@</c>, or with a <c>:</c> after the last slash. A <c>:</c> before it belongs to the port of a registry.
    /// </summary>
    public static bool HasTagOrDigest(string image) =>
        image.Contains('@', StringComparison.Ordinal) || image.LastIndexOf(':') > image.LastIndexOf('/');

    /// <summary>
    /// A registry as it can stand in an image: without scheme (people paste URLs, references know none) and without
    /// slashes at the end. Null when nothing is left.
    /// </summary>
    public static string? NormalizeRegistry(string? registry)
    {
        if (Defaults.Trimmed(registry) is not { } host)
            return null;
        var scheme = host.IndexOf("://", StringComparison.Ordinal);
        host = (scheme < 0 ? host : host[(scheme + 3)..]).TrimEnd('/');
        return host.Length == 0 ? null : host;
    }

    private static string? Registry(MCPServerSpec spec, OperatorSettings settings)
    {
        var provisioned = spec.UseProvisionedRegistry is true;
        return (provisioned ? NormalizeRegistry(settings.ProvisionedRegistry.Url) : null)
            ?? NormalizeRegistry(spec.RegistryOverride)
            ?? (provisioned ? NormalizeRegistry(settings.RegistryPullHost) : null);
    }

    private static string Rewrite(string image, string registry)
    {
        var slash = image.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && LooksLikeRegistry(image.AsSpan(0, slash))
            ? registry + image[slash..]
            : $"{registry}/{image}";
    }

    /// <summary>Docker's rule by which <c>ghcr.io/app</c> names a registry and <c>library/app</c> does not.</summary>
    internal static bool LooksLikeRegistry(ReadOnlySpan<char> segment) =>
        segment.ContainsAny('.', ':') || segment is "localhost";
}
