using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>What kubectl describe shows of a server.</summary>
public sealed class EventTests(ControlPlaneFixture fixture)
{
    [Fact]
    public async Task TheLifeOfAServerIsTold()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync("{image: example.org/web}");
        await EventuallyAsync(scenario, "Normal Created Apply", "Created Deployment, Service, Ingress");
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");

        await scenario.EditServerAsync("{port: 9000, servicePort: 8080}");
        await EventuallyAsync(scenario, "Normal Updated Apply", "Updated Deployment, Service, Ingress");
        // When it has lasted for half a minute.
        await EventuallyAsync(scenario, "Normal DeploymentProgressing Observe", "Deployment not ready");
        await scenario.RollOutAsync();
        await EventuallyAsync(scenario, "Normal Ready Observe", "All resources are ready");

        await scenario.Client.DeleteAsync(Resource.Services, scenario.Namespace.Name, ServerScenario.Name);
        await EventuallyAsync(scenario, "Normal Repaired Apply", "Repaired Service");

        await scenario.EditServerAsync("{auth: {mode: mtls}}");
        await EventuallyAsync(scenario, "Warning InvalidSpec Validate", "spec.auth.mode");

        var server = await scenario.ServerAsync();
        Assert.All(await scenario.EventsAsync(), told =>
        {
            Assert.Equal((string)server["metadata"]!["uid"]!, (string)told["regarding"]!["uid"]!);
            Assert.Equal("mcpruntime.org/mcp-operator", (string)told["reportingController"]!);
            Assert.NotEmpty((string)told["reportingInstance"]!);
        });
    }

    [Fact]
    public async Task RepetitionsAreOneEventWithACount()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync("{image: example.org/web}");
        await scenario.SettledAsync();

        for (var i = 0; i < 3; i++)
        {
            var before = (string)(await scenario.ServiceAsync())["metadata"]!["uid"]!;
            await scenario.Client.DeleteAsync(Resource.Services, scenario.Namespace.Name, ServerScenario.Name);
            await Eventually.TrueAsync(
                "the Service was there again",
                () => scenario.Client.FindAsync(Resource.Services, scenario.Namespace.Name, ServerScenario.Name),
                service => service is not null && (string)service["metadata"]!["uid"]! != before);
        }

        await Eventually.TrueAsync(
            "the event was a series",
            () => scenario.EventsAsync(),
            events => events.Count(told => (string)told["reason"]! == "Repaired") == 1
                // Three, when the third repair came before the second was told.
                && events.Any(told => (int?)told["series"]?["count"] is 2 or 3));
    }

    [Fact]
    public async Task ARestartTellsNothing()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--workers", "1");
        await scenario.CreateServerAsync("{image: example.org/web}");
        await scenario.SettledAsync();
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        await EventuallyAsync(scenario, "Normal Created Apply", "Created Deployment");
        var before = (await scenario.EventsAsync()).Count;

        await scenario.StartOperatorAsync(ServerScenario.Permissive, "--workers", "1");
        var barrier = await scenario.PassAsync();
        await EventuallyAsync(scenario, "Normal Created Apply", "Created Deployment", barrier);

        Assert.Equal(before, (await scenario.EventsAsync()).Count);
    }

    private static Task<List<string>> EventuallyAsync(ServerScenario scenario, string told, string note, string name = ServerScenario.Name) =>
        Eventually.TrueAsync(
            $"the event {told} was there, with {note}",
            async () => (await scenario.EventsAsync(name)).Select(Describe).ToList(),
            events => events.Any(line => line.StartsWith(told + " ", StringComparison.Ordinal) && line.Contains(note, StringComparison.Ordinal)));

    private static string Describe(JsonObject told) =>
        $"{(string?)told["type"]} {(string?)told["reason"]} {(string?)told["action"]} {(string?)told["note"]}";
}
