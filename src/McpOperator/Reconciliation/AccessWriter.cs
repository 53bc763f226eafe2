using System.Text.Json;
using McpOperator.Api;
using McpOperator.Kubernetes;
using McpOperator.Resources.Policy;
using Microsoft.Extensions.Logging;

namespace McpOperator.Reconciliation;

/// <summary>Judges the grants and sessions that name a server, and tells each one what became of it.</summary>
public sealed class AccessWriter(Stores stores, ApiClient api, OperatorCounters counters, TimeProvider time, ILogger logger)
{
    // A server may have thousands of them. Its own edits, and a probe of hanging workers, must not wait for the last one.
    private static readonly TimeSpan LongestReport = TimeSpan.FromMinutes(1);

    private readonly StatusWriter<StoredMember> _grants =
        new(MCPAccessGrant.Type, StoredMember.Decode, stores.Grants.Reports, stores.Grants.ObserveReport, api, counters);

    private readonly StatusWriter<StoredMember> _sessions =
        new(MCPAgentSession.Type, StoredMember.Decode, stores.Sessions.Reports, stores.Sessions.ObserveReport, api, counters);

    private readonly Refusals _grantRefusals = new(logger, MCPAccessGrant.Type.Kind);
    private readonly Refusals _sessionRefusals = new(logger, MCPAgentSession.Type.Kind);

    /// <param name="key">Of the server.</param>
    /// <param name="server">Null when there is none of that name.</param>
    public PolicyMembers Judge(ObjectKey key, MCPServer? server)
    {
        var members = PolicyMembers.Of(
            key, server,
            stores.Grants.Of(key).Select(static grant => grant.ReadGrant()),
            stores.Sessions.Of(key).Select(static session => session.ReadSession()),
            time.GetUtcNow());
        counters.Judge(members.Verdicts.Count);
        return members;
    }

    /// <summary>Writes the statuses that differ from what is to be said; those of a minute, and the others with the next pass.</summary>
    /// <param name="members">What is to be said.</param>
    /// <param name="isInForce">
    /// Whether the policy with the accepted ones stands there. Before it does, they are not told that they are accepted.
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
            if (verdict.IsAccepted && !isInForce)
                continue;
            if (time.GetElapsedTime(begun) > LongestReport)
                return false;
            var status = verdict.ToStatus(member, time.GetUtcNow());
            var isGrant = member is MCPAccessGrant;
            var (writer, refusals) = isGrant ? (_grants, _grantRefusals) : (_sessions, _sessionRefusals);
            try
            {
                if (await writer.WriteAsync(
                    member.Metadata, member.Reported,
                    json => JsonSerializer.Serialize(json, status, ApiJsonContext.Default.AccessStatus),
                    cancellationToken).ConfigureAwait(false))
                    Log.AccessReported(logger, isGrant ? MCPAccessGrant.Type.Kind : MCPAgentSession.Type.Kind, member.Key, verdict.Phase, verdict.Message);
                refusals.Forget(member.Key);
            }
            catch (ApiException exception) when (!exception.IsPassing)
            {
                // One that cannot be told keeps nobody else from being told.
                if (!exception.IsConflict)
                    refusals.Note(member.Key, exception);
                isDone = false;
            }
        }

        return isDone;
    }
}
