using McpOperator.Api;

namespace McpOperator.Mirror;

/// <summary>What is known of whether a server answers.</summary>
/// <param name="Uid">The server's uid: a later server may have the same name.</param>
/// <param name="Revision">Of the Deployment whose pods were asked.</param>
/// <param name="IsAnswering">Whether it has answered at that revision, and has not failed to three times in a row since.</param>
/// <param name="Info">What it says of itself; while it fails, what it said last. Null before its first answer.</param>
/// <param name="Tools">Null before its first answer.</param>
internal sealed record McpState(string Uid, string Revision, bool IsAnswering, string Reason, string Message, McpInfo? Info, McpTools? Tools);

/// <summary>The tools that a server lists.</summary>
/// <param name="Names">Null when they are not known.</param>
/// <param name="Reason">Why not: of a condition, and in words.</param>
internal sealed record McpTools(IReadOnlyList<string>? Names, string Reason = "", string Message = "")
{
    public bool Equals(McpTools? other) => other is not null && Reason == other.Reason && Message == other.Message
        && (Names is null ? other.Names is null : other.Names is not null && Names.SequenceEqual(other.Names));

    public override int GetHashCode() => HashCode.Combine(Reason, Message, Names?.Count);
}

/// <summary>
/// What the servers answer whose readiness is theirs to tell: written by whoever asks them, read by the pass. Safe for any number of threads.
/// </summary>
/// <param name="enqueue">Enqueues the server whose state has changed.</param>
internal sealed class McpStates(Action<ObjectKey> enqueue)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ObjectKey, McpState> _states = [];
    private readonly long[] _results = new long[Enum.GetValues<McpResult>().Length];
    private int _inFlight;

    /// <summary>How many servers are being asked.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Null before it was asked.</summary>
    public McpState? Get(ObjectKey server)
    {
        lock (_lock)
            return _states.GetValueOrDefault(server);
    }

    public void Set(ObjectKey server, McpState state)
    {
        lock (_lock)
        {
            if (state == _states.GetValueOrDefault(server))
                return;
            _states[server] = state;
        }

        enqueue(server);
    }

    public void Remove(ObjectKey server)
    {
        lock (_lock)
            _states.Remove(server);
    }

    public void Begin() => Interlocked.Increment(ref _inFlight);

    public void End(McpResult result)
    {
        Interlocked.Decrement(ref _inFlight);
        Interlocked.Increment(ref _results[(int)result]);
    }

    /// <summary>How often it came to that.</summary>
    public long Count(McpResult result) => Interlocked.Read(ref _results[(int)result]);
}

/// <summary>What becomes of asking a server.</summary>
internal enum McpResult
{
    Answered,
    AuthRequired,
    NotAnswering,
    ProtocolError,

    /// <summary>There was no pod to ask, the pods could not be listed, or it was broken off.</summary>
    NotAsked,
}
