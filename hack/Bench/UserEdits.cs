namespace McpOperator.Bench;

/// <summary>Whether a user has to wait for a thousand others: edits and new servers while all the rest converges.</summary>
internal static class UserEdits
{
    private const int Pairs = 10;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>Null when they converged before a user could do anything.</summary>
    public static async Task<EditResult?> RunAsync(Recording recording, int servers)
    {
        await using var arena = await Arena.StartWarmAsync(recording);
        await arena.Fleet.CreateAsync(servers);
        var crowd = arena.Fleet.Servers.ToDictionary(server => server.Key);
        var mark = await arena.Requests.CatchUpAsync();
        await using var run = await OperatorRun.StartAsync(arena.ControlPlane);
        List<string> Converged() => [.. arena.Requests.Of(run.User, mark)
            .Where(request => request.What == "patch mcpservers/status" && crowd.ContainsKey(request.Object))
            .Select(request => request.Object).Distinct()];
        await arena.Requests.UntilAsync("a tenth of the servers had converged", () => Converged().Count >= servers / 10);

        var before = Converged().Count;
        var after = before;
        var edited = new HashSet<string>();
        var added = new HashSet<string>();
        while (edited.Count < Pairs)
        {
            arena.Requests.Poll();
            var converged = Converged();
            if (converged.Count >= servers * 9 / 10)
                break;
            after = converged.Count;
            var server = converged.First(key => !edited.Contains(key));
            await arena.Fleet.EditAsync(crowd[server], "2.0.0");
            edited.Add(server);
            added.Add((await arena.Fleet.CreateOneAsync()).Key);
            await Task.Delay(Pause);
        }
        var settled = await arena.SettleAsync(run, mark, "all servers converged", () => arena.Fleet.UnconvergedAsync());
        await run.StopAsync();
        if (edited.Count == 0)
            return null;

        var result = new EditResult(servers, Applied("patch mcpservers", edited), Applied("create mcpservers", added), before, after);
        Progress.Say(
            $"  edits applied in {result.EditSeconds.Max():0.000} s at most, " +
            $"new servers in {result.NewSeconds.Max():0.000} s");
        return result;

        IReadOnlyList<double> Applied(string what, HashSet<string> objects) =>
        [
            .. arena.Requests.Of(ControlPlane.Admin, mark).Where(request => request.What == what && objects.Contains(request.Object))
                .Select(edit => (Apply(edit).Completed - edit.Received).Seconds()),
        ];

        Request Apply(Request edit) => settled.Requests.First(request =>
            request.What == "patch deployments" && request.Object == edit.Object && request.Received > edit.Received);
    }
}
