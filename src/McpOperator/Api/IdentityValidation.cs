using static McpOperator.Api.FieldValidation;

namespace McpOperator.Api;

/// <summary>How a gateway knows who calls, and what it decides by: <c>auth</c>, <c>policy</c> and <c>session</c>.</summary>
internal static class IdentityValidation
{
    private static readonly string[] AuthModes = ["none", "header", AuthConfig.OAuth, AuthConfig.Mtls];
    private static readonly string[] PolicyModes = ["allow-list", "observe"];

    public static void Check(SpecFaults faults, MCPServerSpec spec)
    {
        if (spec.Auth is { } auth)
        {
            OneOf(faults, "spec.auth.mode", auth.Mode, AuthModes);
            Header(faults, "spec.auth.humanIDHeader", auth.HumanIDHeader);
            Header(faults, "spec.auth.agentIDHeader", auth.AgentIDHeader);
            Header(faults, "spec.auth.teamIDHeader", auth.TeamIDHeader);
            Header(faults, "spec.auth.sessionIDHeader", auth.SessionIDHeader);
            Header(faults, "spec.auth.tokenHeader", auth.TokenHeader);
            if (auth.Mode == AuthConfig.OAuth && auth.IssuerURL is null && spec.HasGateway())
                faults.Add("spec.auth.issuerURL", $"{Required} with spec.auth.mode oauth: the URL of the authorization server");
            if (auth.Mode == AuthConfig.Mtls && spec.HasGateway())
                TrustDomain(faults, auth.TrustDomain);
        }

        OneOf(faults, "spec.policy.mode", spec.Policy?.Mode, PolicyModes);
        OneOf(faults, "spec.policy.defaultDecision", spec.Policy?.DefaultDecision, Decisions);
        Header(faults, "spec.session.headerName", spec.Session?.HeaderName);
        Header(faults, "spec.session.upstreamTokenHeader", spec.Session?.UpstreamTokenHeader);
    }

    private static void TrustDomain(SpecFaults faults, string? domain)
    {
        if (domain is null)
            faults.Add("spec.auth.trustDomain", $"{Required} with spec.auth.mode mtls: the SPIFFE trust domain of the clients, such as example.org");
        else if (!Spiffe.IsTrustDomain(domain))
        {
            faults.Add("spec.auth.trustDomain", $"{SpecFaults.Quote(domain)} is no SPIFFE trust domain: " +
                "use at most 255 lower case letters, digits, '.', '-' and '_', such as example.org");
        }
    }

    private static void Header(SpecFaults faults, string field, string? name)
    {
        if (name is not null && !Names.IsHeaderName(name))
            faults.Add(field, $"{SpecFaults.Quote(name)} is no name of an HTTP header");
    }
}
