namespace McpOperator.Envtest;

/// <summary>The commands of docs/migration.md, in the order in which somebody gives them, in a cluster that the Go operator left.</summary>
public sealed class MigrationDocumentTests(OwnControlPlane own) : IClassFixture<OwnControlPlane>
{
    [Fact]
    public async Task EveryCommandOfItDoesWhatItSays()
    {
        var controlPlane = own.Require();
        await using var ns = await TestNamespace.CreateAsync(controlPlane);
        await using var other = await TestNamespace.CreateAsync(controlPlane);
        await ns.GrantInAsync(other);
        await new GoOperatorObjects(controlPlane.Client, ns.Name, other.Name).WriteAsync();
        var directory = Directory.CreateTempSubdirectory("migration-");
        const string Name = "mcp-runtime-operator-controller-manager";
        await ShellAsync(
            "kubectl create namespace mcp-runtime"
            + $" && kubectl -n mcp-runtime create deployment {Name} --image=example.org/go-operator:1"
            + $" && kubectl -n mcp-runtime set env deployment/{Name} MCP_CLUSTER_NAME=edge-1"
            + $" && kubectl -n mcp-runtime create poddisruptionbudget {Name} --selector=app={Name} --max-unavailable=1"
            + $" && printf '%s\\n' 'apiVersion: networking.k8s.io/v1' 'kind: NetworkPolicy' 'metadata: {{name: {Name}}}' 'spec: {{podSelector: {{}}}}' | kubectl -n mcp-runtime create -f -");
        var commands = Commands().ToList();
        Assert.Equal(9, commands.Count);

        Assert.Contains("MCP_CLUSTER_NAME=edge-1", (await RunAsync(0)).Output, StringComparison.Ordinal);
        Assert.StartsWith("9 MCPServers: pods are replaced: 1, ", (await RunAsync(1, exitCode: 1)).Output, StringComparison.Ordinal);
        await RunAsync(2);
        Assert.Contains("name: envy", await File.ReadAllTextAsync(Path.Combine(directory.FullName, "servers.yaml")), StringComparison.Ordinal);
        await RunAsync(3);
        Assert.Contains("MCP_CLUSTER_NAME", await File.ReadAllTextAsync(Path.Combine(directory.FullName, "operator.yaml")), StringComparison.Ordinal);
        // As where its kustomize install has another selector; a kubectl of 1.20 goes no further than the rules of the CRDs (DeployTests).
        await ShellAsync($"IMG=example.org/mcp-operator:1 OUT='{directory.FullName}/install.yaml' '{Repository.PathTo("hack", "deploy")}' build-installer");
        Assert.Matches("invalid|error validating", (await RunAsync(4, exitCode: 1)).Errors);
        await RunAsync(5);
        await using (await GoOperatorTakeOverTests.SwitchAsync(controlPlane, ns, other))
        {
            Assert.Contains("gated", (await RunAsync(6)).Output, StringComparison.Ordinal);
            Assert.Equal("No changes\n", (await RunAsync(7)).Output);
        }

        await RunAsync(8);
        Assert.Equal("", (await ShellAsync("kubectl -n mcp-runtime get deployment,networkpolicy,pdb -o name")).Output);
        directory.Delete(recursive: true);

        Task<Command> RunAsync(int index, int exitCode = 0) => ShellAsync(
            commands[index].Replace("mcp-operator diff", $"'{OperatorBinary.Find()}' diff", StringComparison.Ordinal), exitCode);

        async Task<Command> ShellAsync(string command, int exitCode = 0)
        {
            var variables = string.Concat(GoOperatorObjects.Environment.Select(variable => $"export {variable.Key}='{variable.Value}'; "));
            var assets = Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS");
            var run = await Command.RunAsync(
                "/bin/bash",
                ["-c", $"cd '{directory.FullName}'; export KUBECONFIG='{controlPlane.AdminKubeconfig}' PATH='{assets}':$PATH; {variables}{command}"]);
            Assert.True(run.ExitCode == exitCode, $"{command}\n{run}");
            return run;
        }
    }

    /// <summary>What stands in its code blocks, a line each.</summary>
    private static IEnumerable<string> Commands()
    {
        var isCode = false;
        foreach (var line in File.ReadLines(Repository.PathTo("docs", "migration.md")))
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
                isCode = !isCode;
            else if (isCode)
                yield return line;
        }
    }
}
