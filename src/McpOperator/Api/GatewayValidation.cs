using static McpOperator.Api.FieldValidation;

namespace McpOperator.Api;

/// <summary>The gateway beside a server, how it knows its callers, and what it reports.</summary>
internal static class GatewayValidation
{
    public static void Check(SpecFaults faults, string name, MCPServerSpec spec, OperatorSettings settings)
    {
        Gateway(faults, name, spec, settings);
        IdentityValidation.Check(faults, spec);
        Analytics(faults, spec);
    }

    private static void Gateway(SpecFaults faults, string name, MCPServerSpec spec, OperatorSettings settings)
    {
        if (spec.Gateway is not { } gateway)
            return;
        Port(faults, "spec.gateway.port", gateway.Port);
        if (gateway.Image is not null)
            ImageValidation.Check(faults, "spec.gateway.image", gateway.Image);
        Amounts(faults, "spec.gateway.resources", gateway.Resources);
        if (!spec.HasGateway())
            return;

        if (name == Defaults.GatewayContainer)
            faults.Add("metadata.name", $"{SpecFaults.Quote(name)} is the name of the gateway's container in the same pod: name the server otherwise");
        if (gateway.Port == spec.Port)
            faults.Add("spec.gateway.port", $"{gateway.Port} is spec.port, too: the gateway and the server share one pod and need a port each");
        if (gateway.Port == Defaults.GatewayMetricsPort)
            faults.Add("spec.gateway.port", $"{gateway.Port} is where the gateway serves its metrics: choose another port");
        if (spec.Port == Defaults.GatewayMetricsPort)
            faults.Add("spec.port", $"{spec.Port} is where the gateway in the same pod serves its metrics: choose another port");
        if (spec.ServicePort == Defaults.GatewayMetricsPort)
            faults.Add("spec.servicePort", $"{spec.ServicePort} is the Service's port for the metrics of the gateway: choose another port");
        if (gateway.Image is null && Defaults.Trimmed(settings.GatewayImage) is null)
            faults.Add("spec.gateway.image", $"{Required}: set it, or MCP_GATEWAY_PROXY_IMAGE on the operator");
    }

    private static void Analytics(SpecFaults faults, MCPServerSpec spec)
    {
        if (spec.Analytics is not { } analytics)
            return;
        if (analytics.ApiKeySecretRef is not null)
            SecretKey(faults, "spec.analytics.apiKeySecretRef", analytics.ApiKeySecretRef);
        if (analytics.Disabled is true)
            return;
        if (!spec.HasGateway())
            faults.Add("spec.analytics", "needs the gateway, which sends it: set spec.gateway.enabled to true, or spec.analytics.disabled to true");
        if (Defaults.Trimmed(analytics.IngestURL) is null)
        {
            faults.Add("spec.analytics.ingestURL", $"{Required}: set it, or MCP_SENTINEL_INGEST_URL on the operator, " +
                "or spec.analytics.disabled to true");
        }
    }
}
