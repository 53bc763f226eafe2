using System.Text.Json.Nodes;

namespace McpOperator.Bench;

/// <summary>What others do to servers that are in order, and what it costs to follow.</summary>
internal static class Disturbing
{
    private const string Drifted = "registry.example.org/drifted:1";
    private const int DriftedPort = 9;
    private const int EditsPerSecond = 10;
    private const int Added = 100;

    private static readonly ParallelOptions AtOnce = new() { MaxDegreeOfParallelism = 8 };

    /// <summary>
    /// Somebody changes a field that is ours in 5 % of the servers: the image of a Deployment, the port of a Service.
    /// </summary>
    public static async Task<DriftResult> DriftAsync(Arena arena, OperatorRun run)
    {
        var victims = arena.Fleet.Servers.Where((_, i) => i % 20 == 0)
            .Select((server, i) => (Server: server, IsService: i % 2 == 1)).ToList();
        var before = run.Sample();
        var mark = await arena.Requests.CatchUpAsync();
        await Parallel.ForEachAsync(victims, AtOnce, async (victim, _) => await arena.Client.PatchAsync(
            KindOf(victim.IsService), victim.Server.Namespace, victim.Server.Name, Edit(victim.IsService), PatchKind.Json));
        var settled = await arena.SettleAsync(run, mark, "the drift was put right", async () =>
        {
            var left = new List<string>();
            foreach (var (server, isService) in victims)
                if (IsDrifted(await arena.Client.GetAsync(KindOf(isService), server.Namespace, server.Name), isService))
                    left.Add(server.Key);
            return left;
        });

        var edits = arena.Requests.Of(ControlPlane.Admin, mark).Where(request => request.IsWrite).ToList();
        var repairs = edits.Select(edit => (Repair(edit).Completed - edit.Completed).Seconds()).ToList();
        var result = new DriftResult(
            victims.Count, Statistics.Median(repairs), repairs.Max(),
            (settled.LastWrite - edits.Min(edit => edit.Received)).Seconds(), settled.Tally,
            Math.Round(run.Sample().CpuSeconds - before.CpuSeconds, 2));
        Progress.Say(
            $"  drift of {victims.Count}: put right in {result.MedianRepairSeconds:0.000} s, " +
            $"at most {result.MaxRepairSeconds:0.000} s");
        return result;

        Request Repair(Request edit) => settled.Requests.First(request =>
            request.What == edit.What && request.Object == edit.Object && request.Received > edit.Received);
    }

    /// <summary>Users edit ten servers a second.</summary>
    public static async Task<StormResult> StormAsync(Arena arena, OperatorRun run, TimeSpan time)
    {
        var servers = arena.Fleet.Servers;
        var edits = (int)(time.TotalSeconds * EditsPerSecond);
        Progress.Say($"  storm: {edits} edits, {EditsPerSecond} a second, for {time.TotalSeconds:0} s");
        var before = run.Sample();
        var mark = await arena.Requests.CatchUpAsync();
        using var pace = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / EditsPerSecond));
        for (var i = 0; i < edits; i++)
        {
            await pace.WaitForNextTickAsync();
            // A prime: neighbours are edited minutes apart.
            await arena.Fleet.EditAsync(servers[(int)(i * 7919L % servers.Count)], $"2.0.{i}");
        }
        var settled = await arena.SettleAsync(run, mark, "the storm was over", () => arena.Fleet.UnconvergedAsync());
        var lastEdit = arena.Requests.Of(ControlPlane.Admin, mark).Where(request => request.IsWrite).Max(request => request.Completed);
        var sample = run.Sample();
        var result = new StormResult(
            edits, time.TotalSeconds, settled.Tally, (settled.LastWrite - lastEdit).Seconds(),
            Math.Round(sample.CpuSeconds - before.CpuSeconds, 2), Memory.Of(sample));
        Progress.Say(
            $"  storm: converged {result.LagSeconds:0.000} s after the last edit, " +
            $"{result.Requests.Total} requests, CPU {result.CpuSeconds:0.00} s");
        return result;
    }

    /// <summary>More servers come, one every tenth of a second.</summary>
    public static async Task<OneMoreResult> OneMoreAsync(Arena arena, OperatorRun run)
    {
        var before = run.Sample();
        var mark = await arena.Requests.CatchUpAsync();
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        for (var i = 0; i < Added; i++)
        {
            await pace.WaitForNextTickAsync();
            await arena.Fleet.CreateOneAsync();
        }
        var settled = await arena.SettleAsync(run, mark, "the added servers converged", () => arena.Fleet.UnconvergedAsync());
        var result = new OneMoreResult(Added, settled.Tally, Math.Round(run.Sample().CpuSeconds - before.CpuSeconds, 2));
        Progress.Say($"  one more: {result.RequestsEach:0.00} requests and {result.CpuMillisecondsEach:0.0} ms of CPU each");
        return result;
    }

    private static Resource KindOf(bool isService) => isService ? Resource.Services : Resource.Deployments;

    private static JsonArray Edit(bool isService) =>
    [
        new JsonObject
        {
            ["op"] = "replace",
            ["path"] = isService ? "/spec/ports/0/targetPort" : "/spec/template/spec/containers/0/image",
            ["value"] = isService ? DriftedPort : Drifted,
        },
    ];

    private static bool IsDrifted(JsonObject live, bool isService) => isService
        ? live["spec"]!["ports"]![0]!["targetPort"]!.ToString() == $"{DriftedPort}"
        : (string?)live["spec"]!["template"]!["spec"]!["containers"]![0]!["image"] == Drifted;
}
