using McpOperator.Api;
using McpOperator.Controller;
using McpOperator.Mirror;

namespace McpOperator.Access;

/// <summary>The stores of grants, sessions, and the ConfigMaps with the policies.</summary>
internal sealed class AccessStores
{
    /// <summary>
    /// How long a change of a grant or a session waits for others of the same server. They come in bursts (a directory that is
    /// applied, a team that is moved), and each document reaches every gateway of the server.
    /// </summary>
    public static readonly TimeSpan Burst = TimeSpan.FromMilliseconds(500);

    private readonly IEnqueuer _access;
    private readonly KeyMap<object> _immutable;

    /// <param name="access">The queue of the access controller.</param>
    /// <param name="immutable"><see cref="Stores.ImmutablePolicies"/>.</param>
    public AccessStores(IEnqueuer access, KeyMap<object> immutable)
    {
        _access = access;
        _immutable = immutable;
        Grants = new AccessByServer(OnMemberChanged);
        Sessions = new AccessByServer(OnMemberChanged);
        ConfigMaps = new Store<ObservedConfigMap>(OnPolicyChanged);
    }

    public AccessByServer Grants { get; }

    public AccessByServer Sessions { get; }

    public Store<ObservedConfigMap> ConfigMaps { get; }

    /// <summary>A list is complete, and handled at once; a change waits for the others of its burst.</summary>
    private void OnMemberChanged(ObjectKey server, Origin origin)
    {
        if (origin == Origin.List)
            _access.Add(server, Priority.Listed);
        else
            _access.AddAfter(server, Burst);
    }

    private void OnPolicyChanged(ObservedConfigMap? before, ObservedConfigMap? after, Origin origin)
    {
        var key = (after ?? before)!.Key;
        if (!key.Name.EndsWith(ObjectNames.PolicySuffix, StringComparison.Ordinal))
            return;
        var server = key with { Name = key.Name[..^ObjectNames.PolicySuffix.Length] };
        if (after is { IsImmutable: true } or { NeedsNewPods: true })
            _immutable.Set(server, this);
        // Our own write goes on with the answer.
        if (origin != Origin.OwnWrite)
            _access.Add(server, Stores.Urgency(before, after, origin));
    }
}
