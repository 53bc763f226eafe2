using static McpOperator.Api.FieldValidation;

namespace McpOperator.Api;

/// <summary>
/// What runs all the same, and is most likely not meant: servers that come from the Go operator may have it, which checks none of this.
/// </summary>
internal static class SpecDoubts
{
    /// <param name="written">With its spec as the user wrote it.</param>
    /// <param name="effective">The same with its defaults.</param>
    public static IReadOnlyList<SpecFault> Of(MCPServer written, MCPServerSpec effective)
    {
        var doubts = new SpecFaults();
        if (!Names.IsDns1035Label(written.Metadata.Name))
            doubts.Add("metadata.name", $"{SpecFaults.Quote(written.Metadata.Name)} starts with a digit, and not every API server takes that for the name of a Service");
        if (written.Pause == PauseRequest.Unclear)
            doubts.Add($"metadata.annotations[{PauseRequests.Annotation}]", $"{PauseRequests.Unclear}, so that the server is not paused");
        Route(doubts, written.Metadata.Name, written.Spec);
        if (effective.HasHttpRoute() && TlsConfig.Of(effective) is { } tls && (tls.HasIssuer || tls.SecretName is not null))
            doubts.Add("spec.tls", "has no effect on an HTTPRoute but the https of its URL: the certificate is that of the Gateway's listener");
        Environment(doubts, effective);
        Address(doubts, "spec.gateway.upstreamURL", effective.Gateway?.UpstreamURL);
        if (effective.Gateway?.StripPrefix is { } prefix)
            Path(doubts, "spec.gateway.stripPrefix", prefix);
        Address(doubts, "spec.analytics.ingestURL", effective.Analytics?.IngestURL);
        Address(doubts, "spec.auth.issuerURL", effective.Auth?.IssuerURL);
        Duration(doubts, "spec.session.maxLifetime", effective.Session?.MaxLifetime);
        Duration(doubts, "spec.session.idleTimeout", effective.Session?.IdleTimeout);
        if (effective.HasMcpReadiness() && effective.HasGateway() && Uri.TryCreate(effective.Gateway!.UpstreamURL, UriKind.Absolute, out var upstream)
            && upstream.Port != effective.Port)
            doubts.Add("spec.readiness", $"asks spec.port, {effective.Port}, and spec.gateway.upstreamURL leads to port {upstream.Port}");
        if (effective.DisruptionBudget is { } budget && effective.Replicas is > 1 and var replicas
            && (budget.MaxUnavailable?.ToString() is "0" or "0%" || budget.MinAvailable?.ToString() is "100%"
                || (budget.MinAvailable is { ValueKind: System.Text.Json.JsonValueKind.Number } least && least.GetInt32() >= replicas)))
            doubts.Add("spec.disruptionBudget", "lets no pod be evicted, so that no node of theirs can be drained");
        return doubts.All;
    }

    private static void Route(SpecFaults doubts, string name, MCPServerSpec written)
    {
        var (prefix, path) = (Defaults.Trimmed(written.PublicPathPrefix), Defaults.Trimmed(written.IngressPath));
        // A default may have been written back when there was no prefix yet.
        if (prefix is not null && path is not null
            && Routing.PathOf(name, null, path) is var unused && unused != Routing.PathOf(name, prefix, null) && unused != Routing.PathOf(name, null, null))
            doubts.Add("spec.ingressPath", $"{SpecFaults.Quote(path)} is not used, for spec.publicPathPrefix is set: take one of the two out");

        Blank(doubts, "spec.publicPathPrefix", prefix);
        if (prefix is null)
            Blank(doubts, "spec.ingressPath", path);
    }

    private static void Blank(SpecFaults doubts, string field, string? path)
    {
        if (path?.Contains(' ', StringComparison.Ordinal) == true)
            doubts.Add(field, $"{SpecFaults.Quote(path)} has blanks in it, which not every ingress controller takes");
    }

    private static void Environment(SpecFaults doubts, MCPServerSpec spec)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < (spec.EnvVars?.Count ?? 0); i++)
            Variable($"spec.envVars[{i}].name", spec.EnvVars![i].Name!);
        for (var i = 0; i < (spec.SecretEnvVars?.Count ?? 0); i++)
            Variable($"spec.secretEnvVars[{i}].name", spec.SecretEnvVars![i].Name!);

        void Variable(string field, string name)
        {
            if (fields.TryGetValue(name, out var before))
                doubts.Add(field, $"{SpecFaults.Quote(name)} is set by {before}, too: this one counts, for it is the last; remove the other");
            else if (!Names.IsEnvVarName(name))
                doubts.Add(field, $"{SpecFaults.Quote(name)} is a name that API servers before 1.30 refuse: use letters, digits, '_', '-' and '.', no digit first");
            fields[name] = field;
        }
    }

    private static void Address(SpecFaults doubts, string field, string? url)
    {
        if (url is not null && !IsHttpUrl(url))
            doubts.Add(field, $"{SpecFaults.QuoteAddress(url)} is handed on as it is, and is no URL that starts with http:// or https://");
    }

    private static void Duration(SpecFaults doubts, string field, string? text)
    {
        if (text is not null && !GoDuration.TryParse(text, out _))
            doubts.Add(field, $"{SpecFaults.Quote(text)} is handed on as it is, and is no duration: write 24h, 1h30m or 45s");
    }
}
