namespace McpOperator.Api;

// The gateway and what goes with it, and how a server is rolled out.
public static partial class Validation
{
    private static readonly string[] SideEffects = ["read", "write", "destructive"];
    private static readonly string[] TrustLevels = ["low", "medium", "high"];
    private static readonly string[] AuthModes = ["none", "header", AuthConfig.OAuth];
    private static readonly string[] PolicyModes = ["allow-list", "observe"];
    private static readonly string[] Decisions = ["allow", "deny"];
    private static readonly string[] Strategies = [Defaults.Strategy, RolloutConfig.Recreate, RolloutConfig.Canary];

    private static void Gateway(SpecFaults faults, string name, MCPServerSpec spec, OperatorSettings settings)
    {
        if (spec.Gateway is not { } gateway)
            return;
        Port(faults, "spec.gateway.port", gateway.Port);
        if (gateway.Image is not null)
            Image(faults, "spec.gateway.image", gateway.Image);
        Url(faults, "spec.gateway.upstreamURL", gateway.UpstreamURL);
        if (gateway.StripPrefix is not null)
            Path(faults, "spec.gateway.stripPrefix", gateway.StripPrefix);
        Resources(faults, "spec.gateway.resources", gateway.Resources);
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

    private static void Identity(SpecFaults faults, MCPServerSpec spec)
    {
        if (spec.Auth is { } auth)
        {
            if (auth.Mode == "mtls")
                faults.Add("spec.auth.mode", "mtls is not supported by this version of the operator yet; use header or oauth");
            else
                OneOf(faults, "spec.auth.mode", auth.Mode, AuthModes);
            Header(faults, "spec.auth.humanIDHeader", auth.HumanIDHeader);
            Header(faults, "spec.auth.agentIDHeader", auth.AgentIDHeader);
            Header(faults, "spec.auth.teamIDHeader", auth.TeamIDHeader);
            Header(faults, "spec.auth.sessionIDHeader", auth.SessionIDHeader);
            Header(faults, "spec.auth.tokenHeader", auth.TokenHeader);
            if (auth.Mode == AuthConfig.OAuth && auth.IssuerURL is null && spec.HasGateway())
                faults.Add("spec.auth.issuerURL", $"{Required} with spec.auth.mode oauth: the URL of the authorization server");
            Url(faults, "spec.auth.issuerURL", auth.IssuerURL);
        }

        OneOf(faults, "spec.policy.mode", spec.Policy?.Mode, PolicyModes);
        OneOf(faults, "spec.policy.defaultDecision", spec.Policy?.DefaultDecision, Decisions);
        if (spec.Session is { } session)
        {
            Header(faults, "spec.session.headerName", session.HeaderName);
            Duration(faults, "spec.session.maxLifetime", session.MaxLifetime);
            Duration(faults, "spec.session.idleTimeout", session.IdleTimeout);
            Header(faults, "spec.session.upstreamTokenHeader", session.UpstreamTokenHeader);
        }
    }

    private static void Analytics(SpecFaults faults, MCPServerSpec spec)
    {
        if (spec.Analytics is not { } analytics)
            return;
        Url(faults, "spec.analytics.ingestURL", analytics.IngestURL);
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

    private static void Rollout(SpecFaults faults, MCPServerSpec spec)
    {
        if (spec.Rollout is not { } rollout)
            return;
        OneOf(faults, "spec.rollout.strategy", rollout.Strategy, Strategies);
        var unavailable = Share(faults, "spec.rollout.maxUnavailable", rollout.MaxUnavailable);
        var surge = Share(faults, "spec.rollout.maxSurge", rollout.MaxSurge);
        if (unavailable is > 100 && rollout.MaxUnavailable!.EndsWith('%'))
            faults.Add("spec.rollout.maxUnavailable", $"{SpecFaults.Quote(rollout.MaxUnavailable)} must not be more than 100%");
        if (unavailable == 0 && surge == 0 && rollout.Strategy != RolloutConfig.Recreate)
            faults.Add("spec.rollout.maxUnavailable", "must not be 0 while spec.rollout.maxSurge is 0, too: nothing could ever be replaced");

        if (rollout.CanaryReplicas < 0)
            faults.Add("spec.rollout.canaryReplicas", $"{rollout.CanaryReplicas} must not be negative");
        if (rollout.CanaryImage is not null)
            Image(faults, "spec.rollout.canaryImage", rollout.CanaryImage);
        if (!spec.HasCanary())
            return;
        if (rollout.CanaryReplicas is null or 0)
            faults.Add("spec.rollout.canaryReplicas", $"{Required} with strategy Canary: more than 0 and less than spec.replicas");
        else if (rollout.CanaryReplicas > 0 && !(rollout.CanaryReplicas < spec.Replicas))
        {
            faults.Add("spec.rollout.canaryReplicas", $"{rollout.CanaryReplicas} must be less than spec.replicas ({spec.Replicas}): " +
                "some pods have to stay on the stable track");
        }
    }

    /// <summary>The number of <c>3</c> or <c>25%</c>; null when it is unset or neither.</summary>
    private static int? Share(SpecFaults faults, string field, string? value)
    {
        if (value is null)
            return null;
        var digits = value.EndsWith('%') ? value.AsSpan()[..^1] : value;
        if (int.TryParse(digits, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number))
            return number;
        faults.Add(field, $"{SpecFaults.Quote(value)} must be a number of pods or a percentage, such as 1 or 25%");
        return null;
    }

    private static void Header(SpecFaults faults, string field, string? name)
    {
        if (name is not null && !Names.IsHeaderName(name))
            faults.Add(field, $"{SpecFaults.Quote(name)} is no name of an HTTP header");
    }

    private static void Duration(SpecFaults faults, string field, string? text)
    {
        if (text is not null && !GoDuration.TryParse(text, out _))
            faults.Add(field, $"{SpecFaults.Quote(text)} is no duration: write 24h, 1h30m or 45s");
    }

    private static void Url(SpecFaults faults, string field, string? url)
    {
        if (url is not null && !IsHttpUrl(url))
            faults.Add(field, $"{SpecFaults.QuoteAddress(url)} must be a URL that starts with http:// or https://");
    }

    internal static bool IsHttpUrl(string text) =>
        !Names.HasSpaceOrControl(text) && Uri.TryCreate(text, UriKind.Absolute, out var url)
        && url is { Scheme: "http" or "https", Host.Length: > 0 };
}
