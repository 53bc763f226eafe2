using McpOperator.Api;
using McpOperator.Apply;

namespace McpOperator.Mirror;

/// <summary>The state of a server's policy, as the server controller needs it.</summary>
/// <param name="Uid">The server's uid: a later server may have the same name.</param>
/// <param name="Condition">Its condition; null while the gateway is off.</param>
/// <param name="MayRunGateway">
/// Whether the ConfigMap holds a document that the operator wrote for this server: no gateway may run with another one.
/// </param>
/// <param name="PolicyUid">
/// The uid of a ConfigMap that replaced an immutable one, else null. Kubelets never read an immutable ConfigMap again, so pods
/// that mounted it must be replaced.
/// </param>
/// <param name="Problem">Why the ConfigMap could not be deleted after the gateway was switched off; null when nothing is wrong.</param>
/// <param name="Change">The last change of the ConfigMap that no event has reported yet.</param>
internal sealed record PolicyState(
    string Uid, long Generation, ComponentCondition? Condition, bool MayRunGateway, string? PolicyUid = null, Problem? Problem = null, Change Change = Change.None)
{
    /// <summary>Whether it is about this server, and about this generation or a later one.</summary>
    public bool IsAbout(ObjectMeta server) => Uid == server.Uid && Generation >= server.Generation;

    /// <param name="seenByPods">Whether every pod with a gateway sees it.</param>
    public static ComponentCondition ConditionOf(bool exists, bool isCurrent, bool seenByPods) => (exists, isCurrent, seenByPods) switch
    {
        (false, _, _) => Of(false, Reasons.NotCreated, "the policy does not exist"),
        (_, true, true) => Of(true, Reasons.PolicyCurrent, "the ConfigMap holds the current policy"),
        (_, true, false) => Of(
            false, Reasons.PolicyOutdated,
            "the ConfigMap was immutable and has been replaced: pods from before hold another policy until they are replaced, too"),
        _ => Of(false, Reasons.PolicyOutdated, "the ConfigMap holds another policy than the current one"),
    };

    private static ComponentCondition Of(bool isReady, string reason, string message) =>
        new(ConditionTypes.PolicyReady, "policy", isReady, reason, message);
}

/// <summary>
/// The state of each server's policy: the access controller writes it, the server controller reads it. Safe for any number of
/// threads.
/// </summary>
/// <param name="enqueue">Enqueues the server whose policy state has changed.</param>
internal sealed class PolicyStates(Action<ObjectKey> enqueue)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ObjectKey, PolicyState> _states = [];
    private readonly HashSet<ObjectKey> _watched = [];

    /// <summary>Null before its first reconcile.</summary>
    public PolicyState? Get(ObjectKey server)
    {
        lock (_lock)
            return _states.GetValueOrDefault(server);
    }

    /// <summary>
    /// The state for this server (by uid). If it is about an older generation, its condition says that the policy is not current.
    /// Null when there is none.
    /// </summary>
    public PolicyState? About(ObjectMeta server) => Get(server.Key) switch
    {
        { } state when state.IsAbout(server) => state,
        { } state when state.Uid == server.Uid =>
            state with { Condition = PolicyState.ConditionOf(state.MayRunGateway, isCurrent: false, seenByPods: false), Change = Change.None },
        _ => null,
    };

    public void Set(ObjectKey server, PolicyState state)
    {
        lock (_lock)
        {
            var before = _states.GetValueOrDefault(server);
            // An updated policy is reported in the statuses of its grants and sessions, not by an event of the server.
            if (state.Change is Change.None or Change.Updated)
                state = state with { Change = before?.Uid == state.Uid ? before.Change : Change.None };
            if (state == before)
                return;
            _states[server] = state;
        }

        enqueue(server);
    }

    /// <summary>Clears the change, unless the state is another one by now.</summary>
    public void MarkReported(ObjectKey server, PolicyState state)
    {
        lock (_lock)
        {
            if (ReferenceEquals(_states.GetValueOrDefault(server), state))
                _states[server] = state with { Change = Change.None };
        }
    }

    /// <summary>Whether a change of the server's Deployments must enqueue it with the access controller.</summary>
    public bool WatchesPods(ObjectKey server)
    {
        lock (_lock)
            return _watched.Contains(server);
    }

    public void WatchPods(ObjectKey server, bool isWatched)
    {
        lock (_lock)
            _ = isWatched ? _watched.Add(server) : _watched.Remove(server);
    }

    public void Remove(ObjectKey server)
    {
        lock (_lock)
        {
            _states.Remove(server);
            _watched.Remove(server);
        }
    }
}
