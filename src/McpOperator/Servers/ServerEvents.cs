using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;

namespace McpOperator.Servers;

/// <summary>
/// The events of a server (kubectl describe). One per pass and kind of change: the objects of a new server are one line, not
/// five.
/// </summary>
internal sealed class ServerEvents(Action<ClusterEvent> record)
{
    public void Changed(MCPServer server, IEnumerable<(Change Change, string Name)> changes)
    {
        var done = changes.Where(static change => change.Change != Change.None).ToList();
        Report(Change.Created, EventReasons.Created);
        Report(Change.Updated, EventReasons.Updated);
        Report(Change.Repaired, EventReasons.Repaired);
        Report(Change.Deleted, EventReasons.Deleted);

        void Report(Change change, string reason)
        {
            var names = string.Join(", ", done.Where(entry => entry.Change == change).Select(entry => entry.Name));
            if (names.Length > 0)
                Record(server, isWarning: false, reason, change == Change.Deleted ? "Delete" : "Apply", $"{reason} {names}");
        }
    }

    /// <summary>After a status was written: reports that the server became ready, or a new reason why it is not.</summary>
    /// <param name="server">With the status from before.</param>
    public void Reported(MCPServer server, MCPServerStatus status, Quiet quiet, DateTimeOffset now)
    {
        var ready = status.Conditions![0];
        var before = server.Reported?.Find(ConditionTypes.Ready);
        var isFailed = status.Phase == Phase.Error;
        if (!isFailed && Reasons.Waits.Contains(ready.Reason))
            return;
        // That it comes up is told when it was told that it does not.
        if (ready.Reason == Reasons.AllResourcesReady && !quiet.IsTold && before is { Reason: { } wait, Since: var since } && Reasons.Waits.Contains(wait)
            && KubernetesTime.TryParse(since, out var unreadySince) && now - unreadySince < Quiet.WaitIsTold)
            return;
        // Not that a new server is starting. But each edit that ends in an error again, and an error with the same reason and
        // another message.
        var isNews = before is null ? status.Phase is not (Phase.PartiallyReady or Phase.Pending)
            : before.Value.Reason != ready.Reason
                || (isFailed && (server.Reported!.ObservedGeneration != status.ObservedGeneration
                    || server.Reported.Message != JsonHash.OfString(status.Message!)));
        if (!isNews)
            return;
        var reason = ready.Reason == Reasons.AllResourcesReady ? EventReasons.Ready : ready.Reason;
        if (!status.IsReady())
            quiet.Told();
        Record(server, isFailed || Reasons.Causes.Contains(reason), reason, ready.Reason == Reasons.InvalidSpec ? "Validate" : "Observe", status.Message!);
    }

    /// <summary>What a server waits for as a matter of course, once it has for long.</summary>
    public void Waiting(MCPServer server, MCPServerStatus status, Quiet quiet)
    {
        var ready = status.Conditions![0];
        var wait = !status.IsReady() && status.Phase != Phase.Error && Reasons.Waits.Contains(ready.Reason) ? ready.Reason : null;
        if (!quiet.IsWaitNews(wait, server.Reported?.Find(ConditionTypes.Ready)))
            return;
        quiet.Told();
        Record(server, isWarning: false, ready.Reason, "Observe", status.Message!);
    }

    /// <summary>What is doubtful in its spec, and runs all the same.</summary>
    public void Doubtful(MCPServer server, string doubts) => Record(server, isWarning: true, EventReasons.SpecWarning, "Validate", doubts);

    /// <summary>Fields of others in its containers, which the spec does not have.</summary>
    public void Foreign(MCPServer server, string fields) => Record(
        server, isWarning: false, EventReasons.NotInSpec, "Observe", $"Not in the spec, and left alone: {fields}");

    private void Record(MCPServer server, bool isWarning, string reason, string action, string note) => record(
        new ClusterEvent(MCPServer.Type, server.Key, server.Metadata.Uid, isWarning, reason, action, note));
}
