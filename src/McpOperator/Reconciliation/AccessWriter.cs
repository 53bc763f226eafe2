using System.Text.Json;
using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Kubernetes;
using Microsoft.Extensions.Logging;

namespace McpOperator.Reconciliation;

/// <summary>Judges the grants and sessions that name a server, and tells each one what became of it.</summary>
public sealed class AccessWriter(Stores stores, ApiClient api, OperatorCounters counters, TimeProvider time, ILogger logger)
{
    // A server may have thousands of them. Its own edits, and a probe of hanging workers, must not wait for the last one.
    private static readonly TimeSpan LongestReport = TimeSpan.FromMinutes(1);

    private readonly Reporter _grants = new(MCPAccessGrant.Type, stores.Grants, api, counters, logger);
    private readonly Reporter _sessions = new(MCPAgentSession.Type, stores.Sessions, api, counters, logger);

    /// <param name="key">Of the server.</param>
    /// <param name="server">Null when there is none of that name.</param>
    /// <param name="head">Of the policy that is to hold them; null for none.</param>
    public PolicyMembers Judge(ObjectKey key, MCPServer? server, PolicyHead? head)
    {
        var members = PolicyMembers.Of(
            key, server, head,
            stores.Grants.Of(key).Select(static grant => grant.ReadGrant()),
            stores.Sessions.Of(key).Select(static session => session.ReadSession()),
            time.GetUtcNow());
        counters.Judge(members.Verdicts.Count);
        return members;
    }

    /// <summary>Writes the statuses that differ from what is to be said; those of a minute, and the others with the next pass.</summary>
    /// <param name="members">What is to be said.</param>
    /// <param name="isInForce">
    /// Whether the policy that follows from them stands there. Before it does, nobody is told of being accepted, or revoked.
    /// </param>
    /// <param name="cancellationToken">Ends it; what was sent may or may not have happened.</param>
    /// <returns>True when every status is as it should be.</returns>
    /// <exception cref="HttpRequestException">The API server could not be reached.</exception>
    public async Task<bool> ReportAsync(PolicyMembers members, bool isInForce, CancellationToken cancellationToken)
    {
        var isDone = true;
        var begun = time.GetTimestamp();
        foreach (var (member, verdict) in members.Verdicts)
        {
            if (verdict.TakesPolicy && !isInForce)
                continue;
            if (time.GetElapsedTime(begun) > LongestReport)
                return false;
            var status = verdict.ToStatus(member, time.GetUtcNow());
            var reporter = member is MCPAccessGrant ? _grants : _sessions;
            try
            {
                if (await reporter.Writer.WriteAsync(
                    member.Metadata, member.Reported,
                    json => JsonSerializer.Serialize(json, status, ApiJsonContext.Default.AccessStatus),
                    cancellationToken).ConfigureAwait(false))
                    Log.AccessReported(logger, reporter.Kind, member.Key, verdict.Phase, verdict.Message);
                reporter.Refusals.Forget(member.Key);
            }
            catch (ApiException exception) when (!exception.IsPassing)
            {
                // One that cannot be told keeps nobody else from being told.
                if (!exception.IsConflict)
                    reporter.Refusals.Note(member.Key, exception);
                isDone = false;
            }
        }

        return isDone;
    }

    /// <summary>Of one of the two kinds. Of what is deleted it remembers nothing.</summary>
    private sealed class Reporter
    {
        public Reporter(ResourceType type, Members members, ApiClient api, OperatorCounters counters, ILogger logger)
        {
            Kind = type.Kind;
            Writer = new(type, StoredMember.Decode, members.Reports, members.ObserveReport, api, counters);
            Refusals = new(logger, type.Kind);
            members.Gone += Writer.Forget;
            members.Gone += Refusals.Forget;
        }

        public string Kind { get; }

        public StatusWriter<StoredMember> Writer { get; }

        public Refusals Refusals { get; }
    }
}
