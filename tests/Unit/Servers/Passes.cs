using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Commands;
using McpOperator.Mirror;
using McpOperator.Servers;
using McpOperator.Servers.Kinds;
using McpOperator.Unit.Mirror;

namespace McpOperator.Unit.Servers;

/// <summary>Passes without an API server.</summary>
internal static class Passes
{
    public static ServerKinds Kinds(Stores? stores = null, TimeProvider? time = null) =>
        new(stores ?? new Stores(Looks.None, Looks.None, SampleServers.Settings), Product.Identity.OwnedFields, time ?? TimeProvider.System);

    public static Pass Over(MCPServer server, PolicyState? policy = null, OperatorSettings? settings = null) =>
        new(server, policy, conflict: static () => null, settings ?? SampleServers.Settings, new ServerMemory(Kinds()));

    /// <summary>What is said of a server whose objects are these.</summary>
    /// <param name="pass">Over the server.</param>
    /// <param name="kinds">The table.</param>
    /// <param name="live">What is there of each kind; null is nothing.</param>
    public static async Task<IReadOnlyList<ComponentCondition>> JudgeAsync(this Pass pass, ServerKinds kinds, Func<OwnedKind, Observed?> live)
    {
        await pass.RunAsync(kinds, (kind, _) => Task.FromResult(new ApplyResult(live(kind))));
        return StatusReport.ConditionsOf(pass, kinds);
    }

    public static T Decode<T>(Func<JsonElement, T> decode, string json) => decode(JsonDocument.Parse(json).RootElement);
}
