using System.Globalization;

namespace McpOperator.Api;

/// <summary>
/// What an unset field means. This is the only table of it: the CRD's schema, docs/api.md and the samples are tested against
/// these constants.
/// </summary>
/// <remarks>
/// Unset is null, or blank after trimming; for ports also 0, which is how the Go types of this API spell it. Zero
/// replicas are a real value.
/// </remarks>
internal static class Defaults
{
    public const string ImageTag = "latest";
    public const int Replicas = 1;
    public const int Port = 8088;
    public const int ServicePort = 80;
    public const string IngressPathType = "Prefix";
    public const string ImagePullPolicy = "IfNotPresent";

    public const string CpuRequest = "50m";
    public const string MemoryRequest = "64Mi";
    public const string CpuLimit = "500m";
    public const string MemoryLimit = "256Mi";

    public const string RequiredTrust = "low";

    public const int GatewayPort = 8091;

    /// <summary>Where a gateway serves its metrics. It is not a field, but no other port of the pod may be the same.</summary>
    public const int GatewayMetricsPort = 9103;

    /// <summary>The name of the gateway's container. The other container has the name of the server. Not a field either.</summary>
    public const string GatewayContainer = "mcp-gateway";

    public const string AuthMode = "header";
    public const string HumanIDHeader = "X-MCP-Human-ID";
    public const string AgentIDHeader = "X-MCP-Agent-ID";
    public const string TeamIDHeader = "X-MCP-Team-ID";
    public const string SessionIDHeader = "X-MCP-Agent-Session";
    public const string TokenHeader = "Authorization";

    public const string PolicyMode = "allow-list";
    public const string DefaultDecision = "deny";
    public const string EnforceOn = "call_tool";
    public const string PolicyVersion = "v1";

    public const string SessionStore = "kubernetes";
    public const string SessionHeaderName = "X-MCP-Agent-Session";
    public const string MaxLifetime = "24h";
    public const string IdleTimeout = "1h";
    public const string UpstreamTokenHeader = "Authorization";

    public const string AnalyticsEventType = "mcp.request";

    public const string Strategy = "RollingUpdate";
    public const string MaxUnavailable = "25%";
    public const string MaxSurge = "25%";

    // Of grants and sessions. The CRD's schema fills them in, and the policy document where the schema did not. They are never
    // written into a grant or a session.
    public const string MaxTrust = "low";
    public const string ConsentedTrust = "low";
    public const string RuleDecision = "allow";
    public const string RuleRequiredTrust = "low";

    /// <summary><c>&lt;n&gt;-gateway</c>.</summary>
    public static string AnalyticsSource(string name) => name + "-gateway";

    /// <summary><c>http://127.0.0.1:&lt;port&gt;</c>: the gateway and the server share the pod's network.</summary>
    public static string UpstreamURL(int port) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");

    /// <summary>
    /// The spec in effect: every field that has a default is set, and single-word text is trimmed (blank becomes null),
    /// so that a reader only has to ask for null. Resources stay as the user wrote them: see <see cref="Resources"/>.
    /// Applying it to its own result changes nothing.
    /// </summary>
    /// <remarks>
    /// A default host is taken only while the spec has no prefix either. A prefix that was persisted counts as set, so that a
    /// default host which the operator gets later does not move the server away from where its clients know it.
    /// </remarks>
    public static MCPServerSpec Apply(string name, MCPServerSpec spec, OperatorSettings settings)
    {
        var image = Trimmed(spec.Image);
        var port = Set(spec.Port) ?? Port;
        var gateway = spec.HasGateway();
        var host = Trimmed(spec.IngressHost);
        var prefix = Trimmed(spec.PublicPathPrefix);
        var path = Trimmed(spec.IngressPath);
        if (host is null && prefix is null)
            host = Trimmed(settings.DefaultIngressHost);
        if (path is null)
        {
            prefix ??= name;
            path = Routing.PathOf(name, prefix, null);
        }

        return spec with
        {
            TeamID = string.IsNullOrWhiteSpace(spec.TeamID) ? null : spec.TeamID,
            Image = image,
            ImageTag = Trimmed(spec.ImageTag) ?? (image is null || ImageReference.HasTagOrDigest(image) ? null : ImageTag),
            RegistryOverride = Trimmed(spec.RegistryOverride),
            Replicas = spec.Replicas ?? Replicas,
            Port = port,
            ServicePort = Set(spec.ServicePort) ?? ServicePort,
            Route = Trimmed(spec.Route),
            IngressHost = host,
            PublicPathPrefix = prefix,
            IngressPath = path,
            IngressClass = Trimmed(spec.IngressClass) ?? settings.DefaultIngressClass,
            IngressPathType = Trimmed(spec.IngressPathType) ?? IngressPathType,
            ImagePullPolicy = Trimmed(spec.ImagePullPolicy),
            ServiceAccountName = Trimmed(spec.ServiceAccountName),
            Readiness = Trimmed(spec.Readiness),
            Tools = Apply(spec.Tools),
            Auth = Apply(spec.Auth, gateway),
            Policy = Apply(spec.Policy, gateway),
            Session = Apply(spec.Session, gateway),
            Gateway = Apply(spec.Gateway, port),
            Analytics = Apply(spec.Analytics, name, settings),
            Rollout = Apply(spec.Rollout),
        };
    }

    /// <summary>
    /// The fields that <see cref="Apply(string, MCPServerSpec, OperatorSettings)"/> filled in: the body of the merge patch that
    /// persists them. Null when there are none. No field that the user has set is among them, so the patch cannot undo an edit.
    /// </summary>
    /// <remarks>
    /// <para>A list in which an element got a default is there as a whole: a merge patch cannot change one element.</para>
    /// <para>
    /// <c>ingressPath</c> is not persisted next to a prefix that the user has set. When the user changed or removed the prefix
    /// later, the persisted path would keep the server where it was.
    /// </para>
    /// </remarks>
    public static MCPServerSpec? Added(MCPServerSpec spec, MCPServerSpec effective)
    {
        if (!string.IsNullOrWhiteSpace(spec.PublicPathPrefix))
            effective = effective with { IngressPath = spec.IngressPath };
        // So in every pass but the first of a server: Apply keeps the lists and objects that it does not change.
        return effective == spec ? null : AddedFields.Of(spec, effective);
    }

    /// <summary>
    /// The four amounts in effect, in canonical form. Each one has its own default, which gives way to what the user wrote: a
    /// default limit is raised to a larger request, and a default request is lowered to a smaller limit, because the API server
    /// refuses a request above its limit. They are never written into a spec.
    /// </summary>
    /// <exception cref="FormatException">A quantity is one that <see cref="Validation"/> refuses.</exception>
    public static ResourceRequirements Resources(ResourceRequirements? given)
    {
        var (cpuRequest, cpuLimit) = Amounts(given?.Requests?.Cpu, CpuRequest, given?.Limits?.Cpu, CpuLimit);
        var (memoryRequest, memoryLimit) =
            Amounts(given?.Requests?.Memory, MemoryRequest, given?.Limits?.Memory, MemoryLimit);
        return new ResourceRequirements
        {
            Requests = new ResourceList { Cpu = cpuRequest, Memory = memoryRequest },
            Limits = new ResourceList { Cpu = cpuLimit, Memory = memoryLimit },
        };
    }

    /// <summary>Without the white space around it; null when nothing else is left.</summary>
    internal static string? Trimmed(string? value) => string.IsNullOrWhiteSpace(value) ? null : value.Trim();

    private static int? Set(int? port) => port == 0 ? null : port;

    private static IReadOnlyList<ToolConfig>? Apply(IReadOnlyList<ToolConfig>? tools)
    {
        if (tools is null || !tools.Any(static tool => string.IsNullOrWhiteSpace(tool.RequiredTrust)))
            return tools;
        var result = new ToolConfig[tools.Count];
        for (var i = 0; i < result.Length; i++)
            result[i] = tools[i] with { RequiredTrust = Trimmed(tools[i].RequiredTrust) ?? RequiredTrust };
        return result;
    }

    private static AuthConfig? Apply(AuthConfig? auth, bool gateway)
    {
        if (auth is null && !gateway)
            return null;
        auth ??= new AuthConfig();
        return auth with
        {
            Mode = Trimmed(auth.Mode) ?? AuthMode,
            HumanIDHeader = Trimmed(auth.HumanIDHeader) ?? HumanIDHeader,
            AgentIDHeader = Trimmed(auth.AgentIDHeader) ?? AgentIDHeader,
            TeamIDHeader = Trimmed(auth.TeamIDHeader) ?? TeamIDHeader,
            SessionIDHeader = Trimmed(auth.SessionIDHeader) ?? SessionIDHeader,
            TokenHeader = Trimmed(auth.TokenHeader) ?? TokenHeader,
            IssuerURL = Trimmed(auth.IssuerURL),
            Audience = Trimmed(auth.Audience),
            TrustDomain = Trimmed(auth.TrustDomain),
        };
    }

    private static PolicyConfig? Apply(PolicyConfig? policy, bool gateway)
    {
        if (policy is null && !gateway)
            return null;
        policy ??= new PolicyConfig();
        return policy with
        {
            Mode = Trimmed(policy.Mode) ?? PolicyMode,
            DefaultDecision = Trimmed(policy.DefaultDecision) ?? DefaultDecision,
            EnforceOn = Trimmed(policy.EnforceOn) ?? EnforceOn,
            PolicyVersion = Trimmed(policy.PolicyVersion) ?? PolicyVersion,
        };
    }

    private static SessionConfig? Apply(SessionConfig? session, bool gateway)
    {
        if (session is null && !gateway)
            return null;
        session ??= new SessionConfig();
        return session with
        {
            Store = Trimmed(session.Store) ?? SessionStore,
            HeaderName = Trimmed(session.HeaderName) ?? SessionHeaderName,
            MaxLifetime = Trimmed(session.MaxLifetime) ?? MaxLifetime,
            IdleTimeout = Trimmed(session.IdleTimeout) ?? IdleTimeout,
            UpstreamTokenHeader = Trimmed(session.UpstreamTokenHeader) ?? UpstreamTokenHeader,
        };
    }

    // The port is a constant, which the CRD's schema fills in whenever the object is there. The URL follows from spec.port, and
    // is set only when there is a gateway that uses it.
    private static GatewayConfig? Apply(GatewayConfig? gateway, int port) => gateway is null ? null : gateway with
    {
        Image = Trimmed(gateway.Image),
        Port = Set(gateway.Port) ?? GatewayPort,
        UpstreamURL = Trimmed(gateway.UpstreamURL) ?? (gateway.Enabled is true ? UpstreamURL(port) : null),
        StripPrefix = Trimmed(gateway.StripPrefix),
    };

    private static AnalyticsConfig? Apply(AnalyticsConfig? analytics, string name, OperatorSettings settings)
    {
        if (analytics is null or { Disabled: true })
            return analytics;
        return analytics with
        {
            Source = Trimmed(analytics.Source) ?? AnalyticsSource(name),
            EventType = Trimmed(analytics.EventType) ?? AnalyticsEventType,
            IngestURL = Trimmed(analytics.IngestURL) ?? Trimmed(settings.AnalyticsIngestUrl),
        };
    }

    private static RolloutConfig? Apply(RolloutConfig? rollout) => rollout is null ? null : rollout with
    {
        Strategy = Trimmed(rollout.Strategy) ?? Strategy,
        MaxUnavailable = Trimmed(rollout.MaxUnavailable) ?? MaxUnavailable,
        MaxSurge = Trimmed(rollout.MaxSurge) ?? MaxSurge,
        CanaryImage = Trimmed(rollout.CanaryImage),
    };

    private static (string Request, string Limit) Amounts(
        string? request, string defaultRequest, string? limit, string defaultLimit)
    {
        var low = Quantity.Parse(Trimmed(request) ?? defaultRequest);
        var high = Quantity.Parse(Trimmed(limit) ?? defaultLimit);
        if (low > high)
        {
            if (Trimmed(limit) is null)
                high = low;
            else if (Trimmed(request) is null)
                low = high;
        }

        return (low.ToString(), high.ToString());
    }
}
