namespace McpOperator.Api;

/// <summary>
/// What a spec must satisfy before anything is written for it: whatever the API server would refuse of the objects that
/// it leads to, and what would leave pods that cannot work. The reason of a fault names the way out.
/// </summary>
internal static class Validation
{
    /// <summary>Every fault of the spec in effect (<see cref="Defaults.Apply(string, MCPServerSpec, OperatorSettings)"/>); empty when it is valid.</summary>
    public static IReadOnlyList<SpecFault> Validate(MCPServer server, OperatorSettings settings)
    {
        if (server.Unreadable is { } unreadable)
            return unreadable;
        var faults = new SpecFaults();
        ServerValidation.Check(faults, server);
        GatewayValidation.Check(faults, server.Metadata.Name, server.Spec, settings);
        RolloutValidation.Check(faults, server.Spec);
        PodValidation.Check(faults, server, settings);
        DisruptionBudgetValidation.Check(faults, server.Spec);
        NetworkValidation.Check(faults, server.Spec);
        RouteValidation.Check(faults, server.Spec, settings);
        MtlsValidation.Check(faults, server.Spec, settings);
        return faults.All;
    }

    /// <summary>
    /// Of the faults above, those that concern who may call what. A server without them gets a policy, whatever else is wrong
    /// with it.
    /// </summary>
    public static IReadOnlyList<SpecFault> AccessFaults(MCPServer effective)
    {
        if (effective.Unreadable is { } unreadable)
            return unreadable;
        var faults = new SpecFaults();
        FieldValidation.TeamID(faults, "spec.teamID", effective.Spec.TeamID);
        ToolValidation.Check(faults, effective.Spec);
        IdentityValidation.Check(faults, effective.Spec);
        return faults.All;
    }

    /// <summary>Every fault of the grant; empty when it is valid. A fault keeps this grant out of its server's policy, and no other.</summary>
    public static IReadOnlyList<SpecFault> Validate(MCPAccessGrant grant)
    {
        if (grant.Unreadable is { } unreadable)
            return unreadable;
        var faults = new SpecFaults();
        AccessValidation.Check(faults, grant);
        return faults.All;
    }

    /// <summary>Every fault of the session; empty when it is valid, expired or not.</summary>
    public static IReadOnlyList<SpecFault> Validate(MCPAgentSession session)
    {
        if (session.Unreadable is { } unreadable)
            return unreadable;
        var faults = new SpecFaults();
        AccessValidation.Check(faults, session);
        return faults.All;
    }
}
