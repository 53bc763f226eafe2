using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;

namespace McpOperator.Mirror;

/// <summary>What is to be known of a server's policy by whoever runs its pods.</summary>
/// <param name="Uid">Of the server that this is about: another one may have its name.</param>
/// <param name="Generation">Of its spec.</param>
/// <param name="Surface">What is reported of it; null while the gateway is off.</param>
/// <param name="MayRun">
/// Whether a document stands there that the operator wrote for this server: gateways run with no other.
/// </param>
/// <param name="PodsUid">
/// The uid of a ConfigMap that took the place of an immutable one. Kubelets never look at that one again, so that pods from
/// before do not get the new one. Null when nothing of the kind has happened.
/// </param>
/// <param name="Problem">Why a document that is not wanted any more is still there; null when nothing is wrong.</param>
/// <param name="Change">What was done to the ConfigMap and is not told yet.</param>
internal sealed record PolicyState(
    string Uid, long Generation, Surface? Surface, bool MayRun, string? PodsUid = null, Problem? Problem = null, Change Change = Change.None)
{
    /// <summary>Whether it is about the server as it is now written.</summary>
    public bool IsAbout(ObjectMeta server) => Uid == server.Uid && Generation >= server.Generation;

    /// <summary>What is reported of a policy.</summary>
    /// <param name="exists">Whether the server's own ConfigMap is there.</param>
    /// <param name="isCurrent">Whether it holds the current policy.</param>
    /// <param name="isShown">Whether no pod is left that is never shown it.</param>
    public static Surface SurfaceOf(bool exists, bool isCurrent, bool isShown) => (exists, isCurrent, isShown) switch
    {
        (false, _, _) => Of(false, Reasons.NotCreated, "the policy does not exist"),
        (_, true, true) => Of(true, Reasons.PolicyCurrent, "the ConfigMap holds the current policy"),
        (_, true, false) => Of(
            false, Reasons.PolicyOutdated,
            "the ConfigMap was immutable and has been replaced: pods from before hold another policy until they are replaced, too"),
        _ => Of(false, Reasons.PolicyOutdated, "the ConfigMap holds another policy than the current one"),
    };

    private static Surface Of(bool isReady, string reason, string message) =>
        new(ConditionTypes.PolicyReady, "policy", isReady, reason, message);
}

/// <summary>
/// Where the two controllers meet: the one that keeps the policies says what stands, the one that runs the pods reads it. Safe
/// for any number of threads.
/// </summary>
/// <param name="look">Asks for a look at the server: what is said of its policy is news.</param>
internal sealed class PolicyBoard(Action<ObjectKey> look)
{
    private readonly Lock _lock = new();
    private readonly KeyMap<PolicyState> _states = new();
    private readonly KeyMap<object> _awaiting = new(); // a set

    /// <summary>Null before the policy was looked at for the first time.</summary>
    public PolicyState? Get(ObjectKey server) => _states.Get(server);

    /// <summary>What is said of the policy of this very server; of a spec that has not been looked at, that it is not current. Null when nothing is said.</summary>
    public PolicyState? About(ObjectMeta server) => Get(server.Key) switch
    {
        { } state when state.IsAbout(server) => state,
        { } state when state.Uid == server.Uid =>
            state with { Surface = PolicyState.SurfaceOf(state.MayRun, isCurrent: false, isShown: false), Change = Change.None },
        _ => null,
    };

    public void Set(ObjectKey server, PolicyState state)
    {
        lock (_lock)
        {
            var before = _states.Get(server);
            // A policy that follows its grants tells so by theirs, and not by an event of the server.
            if (state.Change is Change.None or Change.Updated)
                state = state with { Change = before?.Uid == state.Uid ? before.Change : Change.None };
            if (state == before)
                return;
            _states.Set(server, state);
        }

        look(server);
    }

    /// <summary>The change was told.</summary>
    public void MarkReported(ObjectKey server, PolicyState state)
    {
        lock (_lock)
        {
            if (ReferenceEquals(_states.Get(server), state))
                _states.Set(server, state with { Change = Change.None });
        }
    }

    /// <summary>Whether what is said of its policy waits for what becomes of its pods: then their changes are a reason to look.</summary>
    public bool AwaitsPods(ObjectKey server) => _awaiting.Get(server) is not null;

    public void AwaitPods(ObjectKey server, bool isAwaited)
    {
        if (isAwaited)
            _awaiting.Set(server, this);
        else
            _awaiting.Remove(server);
    }

    public void Remove(ObjectKey server)
    {
        _states.Remove(server);
        _awaiting.Remove(server);
    }
}
