namespace McpOperator.Api;

// What is written back. Nothing of a user's is in it, so a merge patch of it cannot undo an edit.
public static partial class Defaults
{
    /// <summary>
    /// Only the fields that <see cref="Apply(string, MCPServerSpec, OperatorSettings)"/> added: the body of the merge
    /// patch that persists them. Null when nothing is to be persisted.
    /// </summary>
    /// <remarks>
    /// <para>A list is written as a whole when an element got a default: a merge patch knows no elements.</para>
    /// <para>
    /// <c>ingressPath</c> stays unwritten next to a prefix that is there already. It would outlive it: after the user
    /// changed or removed the prefix, the server would stay at the old path.
    /// </para>
    /// </remarks>
    public static MCPServerSpec? Added(MCPServerSpec spec, MCPServerSpec effective)
    {
        var added = new MCPServerSpec
        {
            ImageTag = New(spec.ImageTag, effective.ImageTag),
            Replicas = spec.Replicas is null ? effective.Replicas : null,
            Port = New(spec.Port, effective.Port),
            ServicePort = New(spec.ServicePort, effective.ServicePort),
            IngressHost = New(spec.IngressHost, effective.IngressHost),
            PublicPathPrefix = New(spec.PublicPathPrefix, effective.PublicPathPrefix),
            IngressPath = string.IsNullOrWhiteSpace(spec.PublicPathPrefix) ? New(spec.IngressPath, effective.IngressPath) : null,
            IngressClass = New(spec.IngressClass, effective.IngressClass),
            Tools = spec.Tools is not null && AnyWithoutTrust(spec.Tools) ? effective.Tools : null,
            Auth = Added(spec.Auth ?? new AuthConfig(), effective.Auth),
            Policy = Added(spec.Policy ?? new PolicyConfig(), effective.Policy),
            Session = Added(spec.Session ?? new SessionConfig(), effective.Session),
            Gateway = Added(spec.Gateway ?? new GatewayConfig(), effective.Gateway),
            Analytics = Added(spec.Analytics ?? new AnalyticsConfig(), effective.Analytics),
            Rollout = Added(spec.Rollout ?? new RolloutConfig(), effective.Rollout),
        };
        return NullIfEmpty(added);
    }

    private static AuthConfig? Added(AuthConfig spec, AuthConfig? effective) => effective is null ? null : NullIfEmpty(
        new AuthConfig
        {
            Mode = New(spec.Mode, effective.Mode),
            HumanIDHeader = New(spec.HumanIDHeader, effective.HumanIDHeader),
            AgentIDHeader = New(spec.AgentIDHeader, effective.AgentIDHeader),
            TeamIDHeader = New(spec.TeamIDHeader, effective.TeamIDHeader),
            SessionIDHeader = New(spec.SessionIDHeader, effective.SessionIDHeader),
            TokenHeader = New(spec.TokenHeader, effective.TokenHeader),
        });

    private static PolicyConfig? Added(PolicyConfig spec, PolicyConfig? effective) => effective is null ? null : NullIfEmpty(
        new PolicyConfig
        {
            Mode = New(spec.Mode, effective.Mode),
            DefaultDecision = New(spec.DefaultDecision, effective.DefaultDecision),
            EnforceOn = New(spec.EnforceOn, effective.EnforceOn),
            PolicyVersion = New(spec.PolicyVersion, effective.PolicyVersion),
        });

    private static SessionConfig? Added(SessionConfig spec, SessionConfig? effective) => effective is null ? null : NullIfEmpty(
        new SessionConfig
        {
            Store = New(spec.Store, effective.Store),
            HeaderName = New(spec.HeaderName, effective.HeaderName),
            MaxLifetime = New(spec.MaxLifetime, effective.MaxLifetime),
            IdleTimeout = New(spec.IdleTimeout, effective.IdleTimeout),
            UpstreamTokenHeader = New(spec.UpstreamTokenHeader, effective.UpstreamTokenHeader),
        });

    private static GatewayConfig? Added(GatewayConfig spec, GatewayConfig? effective) => effective is null ? null : NullIfEmpty(
        new GatewayConfig
        {
            Port = New(spec.Port, effective.Port),
            UpstreamURL = New(spec.UpstreamURL, effective.UpstreamURL),
        });

    private static AnalyticsConfig? Added(AnalyticsConfig spec, AnalyticsConfig? effective) => effective is null ? null : NullIfEmpty(
        new AnalyticsConfig
        {
            Source = New(spec.Source, effective.Source),
            EventType = New(spec.EventType, effective.EventType),
            IngestURL = New(spec.IngestURL, effective.IngestURL),
        });

    private static RolloutConfig? Added(RolloutConfig spec, RolloutConfig? effective) => effective is null ? null : NullIfEmpty(
        new RolloutConfig
        {
            Strategy = New(spec.Strategy, effective.Strategy),
            MaxUnavailable = New(spec.MaxUnavailable, effective.MaxUnavailable),
            MaxSurge = New(spec.MaxSurge, effective.MaxSurge),
        });

    private static string? New(string? before, string? after) => string.IsNullOrWhiteSpace(before) ? after : null;

    private static int? New(int? before, int? after) => before is null or 0 ? after : null;

    private static T? NullIfEmpty<T>(T value)
        where T : class, IEquatable<T>, new() => value.Equals(new T()) ? null : value;
}
