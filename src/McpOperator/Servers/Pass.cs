using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Mirror;
using McpOperator.Servers.Kinds;

namespace McpOperator.Servers;

/// <summary>One pass over one server: what it goes by, and what has come of its objects so far.</summary>
internal sealed class Pass(MCPServer server, PolicyState? policy, Func<RouteConflict?> conflict, OperatorSettings settings, ServerMemory memory)
{
    private readonly ApplyResult<Observed>?[] _results = new ApplyResult<Observed>?[ServerKinds.Count];

    /// <summary>With its spec in effect.</summary>
    public MCPServer Server { get; } =
        server with { Spec = Defaults.Apply(server.Metadata.Name, server.Spec, settings) };

    /// <summary>With its spec as it is written.</summary>
    public MCPServer AsWritten => server;

    public MCPServerSpec Spec => Server.Spec;

    public IReadOnlyList<SpecFault> Faults => field ??= Validation.Validate(Server, settings);

    public bool IsValid => Faults.Count == 0;

    public OperatorSettings Settings => settings;

    public ServerMemory Memory => memory;

    /// <summary>What is said of the policy of its gateways; null when nothing is.</summary>
    public PolicyState? Policy => policy;

    /// <summary>Who has its route at this moment, for much may have happened since the pass began; null when it may have it.</summary>
    public RouteConflict? Conflict => conflict();

    /// <summary>Gateways run with no other document than one that the operator wrote for this server.</summary>
    public bool MayRunPods => !Spec.HasGateway() || policy is { MayRun: true };

    public bool IsRaced => Array.Exists(_results, static result => result is { IsRaced: true });

    /// <summary>How long until something is put right that somebody else keeps changing back; null when nothing is put off.</summary>
    public TimeSpan? PutOff => _results.Select(static result => result?.PutOff).Append(StatusPutOff).Min();

    /// <summary>The same of its status.</summary>
    public TimeSpan? StatusPutOff { get; set; }

    public bool HasWritten => Array.Exists(_results, static result => result is { Change: not Change.None });

    /// <summary>Its objects, as they are after what was done so far.</summary>
    public IEnumerable<Observed> Live => _results.Select(static result => result?.Live).OfType<Observed>();

    /// <summary>The same pass, after the server itself was written.</summary>
    public Pass Over(MCPServer written) => new(written, policy, conflict, settings, memory);

    public bool IsDone(OwnedKind kind) => _results[kind.Index] is not null;

    /// <summary>What came of one of its objects; nothing before its turn.</summary>
    public ApplyResult<Observed> Of(OwnedKind kind) => _results[kind.Index] ?? default;

    /// <summary>
    /// Brings every object to what is wanted, each when it is due. Those of an invalid server stay as they are: they are of the last
    /// valid spec.
    /// </summary>
    /// <param name="reconcile">Brings one there, or prints it, or asks what would become of it.</param>
    public async Task RunAsync(ServerKinds kinds, Func<OwnedKind, Wanted, Task<ApplyResult<Observed>>> reconcile)
    {
        while (kinds.All.FirstOrDefault(kind => !IsDone(kind) && kind.IsDue(this)) is { } kind)
            _results[kind.Index] = await reconcile(kind, IsValid ? kind.Want(this) : new Wanted.Keep()).ConfigureAwait(false);
    }
}
