using static McpOperator.Api.FieldValidation;

namespace McpOperator.Api;

/// <summary>Grants and sessions.</summary>
internal static class AccessValidation
{
    // The CRD's schema has these limits as well, but the CRD in the cluster may be an older one.

    /// <summary>A gateway reads all of them at each call.</summary>
    public const int MaxToolRules = 256;

    /// <summary>There are three. Writing one twice does no harm.</summary>
    public const int MaxSideEffects = 16;

    /// <summary>In characters.</summary>
    public const int MaxToolName = 253;

    /// <summary>In characters: as long as a SPIFFE ID may be, the longest id of a standard.</summary>
    public const int MaxId = 2048;

    /// <summary>In characters.</summary>
    public const int MaxPolicyVersion = 253;

    public static void Check(SpecFaults faults, MCPAccessGrant grant)
    {
        var spec = grant.Spec;
        Member(faults, grant, spec.Subject);
        OneOf(faults, "spec.maxTrust", spec.MaxTrust, TrustLevels);
        NoLonger(faults, "spec.policyVersion", spec.PolicyVersion, MaxPolicyVersion);
        var sideEffects = NoMore(faults, "spec.allowedSideEffects", spec.AllowedSideEffects?.Count, MaxSideEffects);
        for (var i = 0; i < sideEffects; i++)
        {
            if (string.IsNullOrWhiteSpace(spec.AllowedSideEffects![i]))
                faults.Add($"spec.allowedSideEffects[{i}]", $"must be one of {Choices(SideEffects)}");
            else
                OneOf(faults, $"spec.allowedSideEffects[{i}]", spec.AllowedSideEffects[i], SideEffects);
        }

        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        var rules = NoMore(faults, "spec.toolRules", spec.ToolRules?.Count, MaxToolRules);
        for (var i = 0; i < rules; i++)
        {
            var rule = spec.ToolRules![i];
            var field = $"spec.toolRules[{i}]";
            if (string.IsNullOrWhiteSpace(rule.Name))
                faults.Add($"{field}.name", $"{Required}: the name of a tool");
            else if (!names.TryAdd(rule.Name, field))
                faults.Add($"{field}.name", $"{SpecFaults.Quote(rule.Name)} has a rule in {names[rule.Name]} already: remove one of them");
            NoLonger(faults, $"{field}.name", rule.Name, MaxToolName);
            OneOf(faults, $"{field}.decision", rule.Decision, Decisions);
            OneOf(faults, $"{field}.requiredTrust", rule.RequiredTrust, TrustLevels);
        }
    }

    public static void Check(SpecFaults faults, MCPAgentSession session)
    {
        var spec = session.Spec;
        Member(faults, session, spec.Subject);
        if (spec.Subject is { } subject && string.IsNullOrEmpty(subject.HumanID) && string.IsNullOrEmpty(subject.AgentID)
            && Defaults.Trimmed(subject.TeamID) is null)
            faults.Add("spec.subject", "must name a humanID, an agentID or a teamID: a session is somebody's");
        OneOf(faults, "spec.consentedTrust", spec.ConsentedTrust, TrustLevels);
        NoLonger(faults, "spec.policyVersion", spec.PolicyVersion, MaxPolicyVersion);
        if (spec.ExpiresAt is { } time && !KubernetesTime.TryParse(time, out _))
            faults.Add("spec.expiresAt", $"{SpecFaults.Quote(time)} is no time: write it as 2026-03-26T12:00:00Z");
        if (spec.UpstreamTokenSecretRef is { } reference)
            SecretKey(faults, "spec.upstreamTokenSecretRef", reference);
    }

    private static void Member(SpecFaults faults, AccessObject member, Subject? subject)
    {
        if (!Names.IsDns1123Subdomain(member.Metadata.Name))
            faults.Add("metadata.name", $"{SpecFaults.Quote(member.Metadata.Name)} {DnsName}");
        if (member.ServerRef is not { } server || string.IsNullOrEmpty(server.Name))
            faults.Add("spec.serverRef.name", $"{Required}: the name of an MCPServer");
        else if (!Names.IsDns1035Label(server.Name))
        {
            faults.Add("spec.serverRef.name", $"{SpecFaults.Quote(server.Name)} cannot be the name of an MCPServer: " +
                "those have at most 63 lower case letters, digits and '-', starting with a letter and ending with a letter or digit");
        }

        if (Defaults.Trimmed(member.ServerRef?.Namespace) is { } ns && !Names.IsDns1123Label(ns))
            faults.Add("spec.serverRef.namespace", $"{SpecFaults.Quote(ns)} cannot be the name of a namespace");
        if (subject is null)
        {
            faults.Add("spec.subject", $"{Required}: whose calls this is about");
            return;
        }

        Id(faults, "spec.subject.humanID", subject.HumanID);
        Id(faults, "spec.subject.agentID", subject.AgentID);
        TeamID(faults, "spec.subject.teamID", Defaults.Trimmed(subject.TeamID) is null ? null : subject.TeamID);
    }

    /// <summary>
    /// A gateway compares ids letter by letter, and the ids that it gets have no white space around them. A blank id is a fault
    /// and is not left out, since a grant without ids is for everybody.
    /// </summary>
    private static void Id(SpecFaults faults, string field, string? id)
    {
        NoLonger(faults, field, id, MaxId);
        if (id is not null && (id.Trim().Length < id.Length || id.AsSpan().ContainsAnyInRange('\0', '\u001f')))
            faults.Add(field, $"{SpecFaults.Quote(id)} must not have white space around it, or control characters in it: no caller has such an id");
    }

    /// <returns>How many items to check.</returns>
    private static int NoMore(SpecFaults faults, string field, int? count, int most)
    {
        if (count > most)
            faults.Add(field, $"must not have more than {most} items: it has {count}");
        return Math.Min(count ?? 0, most);
    }

    private static void NoLonger(SpecFaults faults, string field, string? text, int most)
    {
        if (text?.Length > most && CharactersIn(text) > most)
            faults.Add(field, $"must not be longer than {most} characters");
    }

    /// <summary>The number of code points, which is what the API server counts for maxLength.</summary>
    private static int CharactersIn(string text)
    {
        var count = 0;
        foreach (var _ in text.EnumerateRunes())
            count++;
        return count;
    }
}
