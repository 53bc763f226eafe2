using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Mirror;
using McpOperator.Servers.Kinds;
using McpOperator.Servers.Readiness;

namespace McpOperator.Servers;

/// <summary>One reconcile of one server: its inputs, and the results so far.</summary>
internal sealed class Pass(MCPServer server, PolicyState? policy, Func<RouteConflict?> conflict, OperatorSettings settings, ServerMemory memory)
{
    private readonly Dictionary<OwnedKind, ApplyResult> _results = [];
    private readonly List<(Change Change, string Name)> _held = [];

    /// <summary>With the defaults filled in.</summary>
    public MCPServer Server { get; } =
        server with { Spec = Defaults.Apply(server.Metadata.Name, server.Spec, settings) };

    /// <summary>As stored, without the defaults.</summary>
    public MCPServer Stored => server;

    public MCPServerSpec Spec => Server.Spec;

    public IReadOnlyList<SpecFault> Faults => field ??= Validation.Validate(Server, settings);

    public bool IsValid => Faults.Count == 0;

    public OperatorSettings Settings => settings;

    public ServerMemory Memory => memory;

    /// <summary>Whether it plans the final state (render, diff), and not the next step.</summary>
    public bool IsPlan { get; init; }

    /// <summary>Whether everything stays as it is, and only what would change is found out.</summary>
    public bool IsPaused { get; init; }

    /// <summary>What would change of the objects of a paused server.</summary>
    public IReadOnlyList<(Change Change, string Name)> Held => _held;

    /// <summary>The state of its gateway policy; null when none is known.</summary>
    public PolicyState? Policy => policy;

    /// <summary>
    /// Why it may not have its route. Read at the time of use: the table may have changed since the pass began. Null when it may.
    /// </summary>
    public RouteConflict? RouteConflict => conflict();

    /// <summary>
    /// No pod with a gateway is created before its ConfigMap holds a document that the operator wrote for this server. A suspended one
    /// has no pods, and of a paused one nothing is created.
    /// </summary>
    public bool MayRunPods => IsPaused || !Spec.HasGateway() || Spec.IsSuspended() || policy is { MayRunGateway: true };

    /// <summary>What is told of the MCP server itself; null unless the spec has it asked.</summary>
    public McpReport? Mcp { get; set; }

    public bool HasConflict => _results.Values.Any(static result => result.IsConflict);

    /// <summary>How long until the next repair of a contested object; null when none is put off.</summary>
    public TimeSpan? PutOff => _results.Values.Select(static result => result.PutOff).Append(StatusPutOff).Min();

    /// <summary>The same for its status.</summary>
    public TimeSpan? StatusPutOff { get; set; }

    public bool HasWritten => _results.Values.Any(static result => result.Change != Change.None);

    /// <summary>Whether each object was brought to its desired state, so that nothing of the predecessor is left in one.</summary>
    public bool IsComplete => IsValid && !IsPaused && MayRunPods && PutOff is null
        && !_results.Values.Any(static result => result.IsConflict || result.Problem is { Reason: not Reasons.RouteConflict });

    /// <summary>Its live objects, as of the results so far.</summary>
    public IEnumerable<Observed> Live => _results.Values.Select(static result => result.Live).OfType<Observed>();

    /// <summary>The same pass with the server as it was written.</summary>
    public Pass WithServer(MCPServer written) => new(written, policy, conflict, settings, memory);

    public bool IsDone(OwnedKind kind) => _results.ContainsKey(kind);

    /// <summary>The result for one kind; the default before its turn.</summary>
    public ApplyResult ResultOf(OwnedKind kind) => _results.GetValueOrDefault(kind);

    /// <summary>
    /// Carries out every kind as soon as it is due. With an invalid spec every object stays as the last valid one made it, and of a paused server as it is.
    /// </summary>
    /// <param name="carryOut">Applies one kind (run), prints it (render), or sends a dry run (diff).</param>
    public async Task RunAsync(ServerKinds kinds, Func<OwnedKind, DesiredState, Task<ApplyResult>> carryOut)
    {
        while (kinds.All.FirstOrDefault(kind => !IsDone(kind) && kind.IsDue(this)) is { } kind)
        {
            var desired = IsValid ? kind.DesiredStateOf(this) : new DesiredState.Keep();
            if (IsPaused && kind.ChangeBy(this, desired) is not Change.None and var change)
                _held.Add((change, kind.Name));
            _results[kind] = await carryOut(kind, IsPaused ? new DesiredState.Keep() : desired).ConfigureAwait(false);
        }
    }
}
