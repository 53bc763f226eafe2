using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// What a user writes arrives as it is. The API server reads the body of an apply as YAML, which knows no surrogate pairs
/// and more line breaks than JSON.
/// </summary>
public sealed class UnicodeTests(ControlPlaneFixture fixture)
{
    private const string Text = "é 日本 😀 \U0010ffff \" \\ \t \n <&> \u0001 \u007f \u0085 \u00a0 \u2028 \u2029 \ufeff \ufffd \uffff";

    [Fact]
    public async Task AStatusQuotesWhatItComplainsOf()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        var server = scenario.ServerManifest("image: example.org/hello:1");
        server["spec"]!["ingressAnnotations"] = new JsonObject { ["example.org/😀"] = "x" };
        await fixture.Client.CreateAsync(server);

        var status = await scenario.EventuallyStatusAsync("it was refused", status => (string?)status["phase"] == "Error");

        Assert.Contains("😀", (string?)status["message"]);
    }

    [Fact]
    public async Task ValuesArriveAsTheyAre()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--workers", "1");
        var server = scenario.ServerManifest("image: example.org/hello:1");
        server["spec"]!["envVars"] = new JsonArray(new JsonObject { ["name"] = "A", ["value"] = Text });
        server["spec"]!["ingressAnnotations"] = new JsonObject { ["example.org/note"] = Text };
        await fixture.Client.CreateAsync(server);
        await scenario.EventuallyStatusAsync("it was brought up", status => (bool?)status["ingressReady"] == true);

        Assert.Equal(Text, (string?)(await scenario.DeploymentAsync())["spec"]!["template"]!["spec"]!["containers"]![0]!["env"]![0]!["value"]);
        Assert.Equal(Text, (string?)(await scenario.IngressAsync())["metadata"]!["annotations"]!["example.org/note"]);
        // And what the fingerprint makes of them is the same: nothing is applied a second time.
        await scenario.RollOutAsync();
        await scenario.EventuallyPhaseAsync("Ready");
        var writes = (await scenario.WritesAsync()).Count;
        await scenario.PassAsync();
        Assert.Equal(writes, (await scenario.WritesAsync()).Count);
    }
}
