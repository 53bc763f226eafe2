using System.Diagnostics;

namespace McpOperator.E2e;

/// <summary>A server that nobody may call without a grant.</summary>
internal static class GrantedServer
{
    public const string Gateway =
        "{gateway: {enabled: true, image: 'ghcr.io/example/mcp-gateway:1.0.0'}, auth: {mode: header}, policy: {mode: allow-list, defaultDecision: deny}}";

    public static Task GrantAsync(Cluster cluster, Namespace ns, Hello hello, string human) => cluster.Client.CreateAsync(
        $$"""
        apiVersion: mcpruntime.org/v1alpha1
        kind: MCPAccessGrant
        metadata: {name: '{{human}}'}
        spec:
          serverRef: {name: '{{hello.Name}}'}
          subject: {humanID: '{{human}}'}
          toolRules: [{name: time, decision: allow}]
        """,
        ns.Name);

    /// <summary>Takes ann's grant away and gives bob one, and reports how long it took until both saw it.</summary>
    /// <param name="before">Done in between, when ann has seen her grant.</param>
    public static async Task SwapAsync(Cluster cluster, Namespace ns, Hello hello, string how, Func<Task>? before = null)
    {
        await GrantAsync(cluster, ns, hello, "ann");
        await using var ann = await hello.ConnectAsync("ann");
        await using var bob = await hello.ConnectAsync("bob");
        await MayCallAsync(ann, true);
        await MayCallAsync(bob, false);

        if (before is not null)
            await before();
        var clock = Stopwatch.StartNew();
        await cluster.Client.DeleteAsync(Resource.MCPAccessGrants, ns.Name, "ann");
        await GrantAsync(cluster, ns, hello, "bob");
        var seen = await Task.WhenAll(TimeAsync(ann, false), TimeAsync(bob, true));
        Report.Line($"{how}: a client sees that its grant is gone after {seen[0].TotalSeconds:0.0} s, and that it has one after {seen[1].TotalSeconds:0.0} s");

        async Task<TimeSpan> TimeAsync(ToolCaller caller, bool may)
        {
            await MayCallAsync(caller, may);
            return clock.Elapsed;
        }
    }

    public static Task<string> MayCallAsync(ToolCaller caller, bool may) => Eventually.TrueAsync(
        may ? "the call was let through" : "the call was refused",
        async () =>
        {
            try
            {
                return await caller.CallAsync("time");
            }
            catch (CallException e)
            {
                return e.Message;
            }
        },
        answer => may ? answer.Contains("by hello-mcp", StringComparison.Ordinal) : answer.Contains("not_granted", StringComparison.Ordinal),
        Cluster.Limit);
}
