namespace McpOperator.Api;

/// <summary>What is doubtful in a spec that runs all the same, and what could be better.</summary>
internal static class SpecWarnings
{
    private const string RouterTls = "traefik.ingress.kubernetes.io/router.tls";

    /// <param name="server">As the user wrote it, and valid.</param>
    /// <param name="effective">Its spec with its defaults.</param>
    public static IEnumerable<SpecFault> Of(MCPServer server, MCPServerSpec effective, OperatorSettings settings)
    {
        var spec = server.Spec;
        foreach (var doubt in SpecDoubts.Of(server, effective))
            yield return doubt;
        if (Image("spec.image", ImageReference.Resolve(effective, settings), spec.Image) is { } image)
            yield return image;
        if (effective.HasCanary() && effective.Rollout!.CanaryImage is { } canary
            && Image("spec.rollout.canaryImage", ImageReference.ResolveCanary(effective, settings), canary) is { } canaryImage)
            yield return canaryImage;
        if (effective.HasCanary() && !effective.IsSuspended() && effective.Replicas > 0 && effective.CanaryReplicas() < effective.Rollout!.CanaryReplicas)
        {
            yield return new("spec.rollout.canaryReplicas", $"{effective.Rollout.CanaryReplicas} is not less than spec.replicas ({effective.Replicas}): " +
                $"the canary gets {effective.CanaryReplicas()}, for one pod at least stays on the stable track");
        }

        if (effective.HasGateway() && effective.Gateway!.Image is { } gateway && Image("spec.gateway.image", gateway, gateway) is { } gatewayImage)
            yield return gatewayImage;
        if (spec.Resources is not { Requests: not null } and not { Limits: not null })
        {
            yield return new("spec.resources", $"not set: the server gets {Defaults.CpuRequest} of CPU and {Defaults.MemoryRequest} of memory, " +
                $"and {Defaults.CpuLimit} and {Defaults.MemoryLimit} at most");
        }

        if (effective.IngressHost is not null && !Routing.IsTls(effective, settings) && spec.IngressAnnotations?.GetValueOrDefault(RouterTls) is not "true")
            yield return new("spec.ingressHost", $"{SpecFaults.Quote(effective.IngressHost)} is served without TLS: what clients send, tokens included, can be read on the way");
        (string Field, string? Text)[] trimmed =
        [
            ("spec.image", spec.Image), ("spec.imageTag", spec.ImageTag), ("spec.registryOverride", spec.RegistryOverride), ("spec.ingressPath", spec.IngressPath),
            ("spec.ingressHost", spec.IngressHost), ("spec.publicPathPrefix", spec.PublicPathPrefix), ("spec.ingressClass", spec.IngressClass),
        ];
        foreach (var (field, text) in trimmed)
        {
            if (text is not null && text.Trim().Length < text.Length)
                yield return new(field, $"{SpecFaults.Quote(text)} has white space around it, which is taken away");
        }
    }

    /// <param name="resolved">As the pods get it.</param>
    /// <param name="written">As the user wrote it.</param>
    private static SpecFault? Image(string field, string resolved, string? written) =>
        resolved.Contains('@', StringComparison.Ordinal) ? null
        : !ImageReference.HasTagOrDigest(resolved) || resolved.EndsWith(":latest", StringComparison.Ordinal)
            ? new(field, $"{SpecFaults.QuoteAddress(written ?? resolved)} names no fixed version: two pods of one server can run different images; give a tag other than latest, or a digest")
            : null;
}
