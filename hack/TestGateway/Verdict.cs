using static McpOperator.Testing.PolicyDocument;

namespace McpOperator.Testing;

/// <summary>Who calls, by the headers that the policy names.</summary>
internal sealed record Caller(string? Human = null, string? Agent = null, string? Team = null, string? Session = null);

/// <summary>Whether a caller may call a tool, by the rules of docs/policy.md.</summary>
/// <param name="Reason">Null when it may.</param>
internal sealed record Verdict(string? Reason, string Message = "")
{
    private static readonly Verdict Allowed = new((string?)null);
    private static readonly string[] Trusts = ["low", "medium", "high"];

    public static Verdict Of(PolicyDocument document, Caller caller, string tool, DateTimeOffset now)
    {
        if (document.Policy.Mode == "observe")
            return Allowed;
        if (document.Auth.Mode is not (null or "none" or "header"))
            return new("unauthorized", $"auth.mode {document.Auth.Mode}: this stand-in of a gateway knows headers only, and lets nobody in");

        var session = document.Sessions.FirstOrDefault(session => session.Name == caller.Session);
        if (caller.Session is not null)
        {
            if (session is null || !Matches(caller, session.HumanId, session.AgentId, session.TeamId))
                return new("session_unknown", $"no session {caller.Session} of this caller");
            if (session.Revoked)
                return new("session_revoked", $"the session {session.Name} was revoked");
            if (session.ExpiresAt <= now)
                return new("session_expired", $"the session {session.Name} has expired");
        }
        else if (document.Session.Required)
        {
            return new("session_required", "a call needs a session");
        }

        var known = document.Tools.FirstOrDefault(known => known.Name == tool);
        var grants = document.Grants.Where(grant => !grant.Disabled && Matches(caller, grant.HumanId, grant.AgentId, grant.TeamId)).ToList();
        var rules = grants.SelectMany(grant => grant.ToolRules ?? []).Where(rule => rule.Name == tool).ToList();
        if (rules.Any(rule => rule.Decision == "deny"))
            return new("tool_denied", $"a grant denies {tool} to this caller");

        var about = grants.Where(grant => SpeaksOf(grant, tool, known)).ToList();
        if (about.Count == 0)
            return document.Policy.DefaultDecision == "allow" ? Allowed : new("not_granted", $"no grant allows {tool} to this caller");

        var required = rules.Select(rule => Trust(rule.RequiredTrust)).Append(Trust(known?.RequiredTrust)).Max();
        var trust = about.Max(grant => Trust(grant.MaxTrust));
        if (session is not null)
            trust = Math.Min(trust, Trust(session.ConsentedTrust));
        return trust >= required ? Allowed : new("trust_too_low", $"{tool} needs {Trusts[required]} trust, this caller has {Trusts[trust]}");
    }

    /// <summary>A grant with rules allows the tools of its rules, one without rules any tool; both of the allowed side effects only.</summary>
    private static bool SpeaksOf(GrantPart grant, string tool, ToolPart? known) =>
        (grant.ToolRules is not { Count: > 0 } rules || rules.Any(rule => rule.Name == tool))
        && (grant.AllowedSideEffects is not { Count: > 0 } effects || known?.SideEffect is not { } effect || effects.Contains(effect));

    /// <summary>Whom a subject names has to be the caller in each of the ids.</summary>
    private static bool Matches(Caller caller, string? human, string? agent, string? team) =>
        (human ?? caller.Human) == caller.Human && (agent ?? caller.Agent) == caller.Agent && (team ?? caller.Team) == caller.Team;

    private static int Trust(string? word) => Math.Max(0, Array.IndexOf(Trusts, word));
}
