using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;

namespace McpOperator.Servers;

/// <summary>
/// Tells whoever looks at a server (kubectl describe) what was done for it, and what became of it. One event a pass and
/// kind of change: the objects of a new server are one line, not five.
/// </summary>
internal sealed class ServerEvents(Action<ClusterEvent> record)
{
    public void Changed(MCPServer server, IEnumerable<(Change Change, string Name)> changes)
    {
        var done = changes.Where(static change => change.Change != Change.None).ToList();
        Tell(Change.Created, EventReasons.Created);
        Tell(Change.Updated, EventReasons.Updated);
        Tell(Change.Repaired, EventReasons.Repaired);
        Tell(Change.Deleted, EventReasons.Deleted);

        void Tell(Change change, string reason)
        {
            var names = string.Join(", ", done.Where(entry => entry.Change == change).Select(entry => entry.Name));
            if (names.Length > 0)
                Record(server, isWarning: false, reason, change == Change.Deleted ? "Delete" : "Apply", $"{reason} {names}");
        }
    }

    /// <summary>Of a status that has been written: when the server became ready, or is not, for a cause that is new.</summary>
    /// <param name="server">With the status before.</param>
    public void Reported(MCPServer server, MCPServerStatus status)
    {
        var ready = status.Conditions![0];
        var before = server.Reported?.Find(ConditionTypes.Ready);
        var isFailed = status.Phase == Phase.Error;
        // What a new server waits for first is no news. A spec that is edited and still invalid is, and so is another cause of
        // the same kind.
        var isNews = before is null ? status.Phase is not (Phase.PartiallyReady or Phase.Pending)
            : before.Value.Reason != ready.Reason
                || (isFailed && (server.Reported!.ObservedGeneration != status.ObservedGeneration
                    || server.Reported.Message != JsonHash.OfString(status.Message!)));
        if (!isNews)
            return;
        var reason = ready.Reason == Reasons.AllResourcesReady ? EventReasons.Ready : ready.Reason;
        Record(server, isFailed, reason, ready.Reason == Reasons.InvalidSpec ? "Validate" : "Observe", status.Message!);
    }

    /// <summary>What is doubtful in its spec, and runs all the same.</summary>
    public void Doubtful(MCPServer server, string doubts) => Record(server, isWarning: true, EventReasons.SpecWarning, "Validate", doubts);

    /// <summary>What others have put into its objects, where it is the spec's to say what there is.</summary>
    public void Foreign(MCPServer server, string fields) => Record(
        server, isWarning: false, EventReasons.NotInSpec, "Observe", $"Not in the spec, and left alone: {fields}");

    private void Record(MCPServer server, bool isWarning, string reason, string action, string note) => record(
        new ClusterEvent(MCPServer.Type, server.Key, server.Metadata.Uid, isWarning, reason, action, note));
}
