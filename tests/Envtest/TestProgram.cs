using System.Globalization;
using System.Text.RegularExpressions;

namespace McpOperator.Envtest;

/// <summary>A program of hack/ that runs beside the operator: built with these tests, or published and named by a variable.</summary>
internal sealed partial class TestProgram : IAsyncDisposable
{
    private readonly TaskCompletionSource<int> _port = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<string> _lines = [];
    private TetheredProcess? _process;

    /// <summary>The one that it said.</summary>
    public int Port => _port.Task.Result;

    /// <summary>Runs until it is disposed; returns when it listens.</summary>
    public static Task<TestProgram> HelloMcpAsync(params IReadOnlyList<(string Name, string Value)> environment) =>
        StartAsync("HelloMcp", "hello-mcp", "HELLO_MCP_BINARY", [], [("PORT", "0"), ("HELLO_DRAIN", "0"), .. environment]);

    public static Task<TestProgram> TestGatewayAsync(params IReadOnlyList<(string Name, string Value)> environment) =>
        StartAsync("TestGateway", "test-gateway", "TEST_GATEWAY_BINARY", [], [("PORT", "0"), ("GATEWAY_DRAIN", "0"), .. environment]);

    public static Task<TestProgram> TestIngressAsync(params IReadOnlyList<string> arguments) =>
        StartAsync("TestIngress", "McpOperator.TestIngress", "TEST_INGRESS_BINARY", arguments, []);

    /// <summary>A server of others, from npm: hack/mcp-server has which.</summary>
    public static Task<TestProgram> McpServerAsync(params IReadOnlyList<string> arguments) =>
        StartAsync(Repository.PathTo("hack", "mcp-server"), arguments, []);

    /// <summary>Everything that it wrote, for a failure's message.</summary>
    public override string ToString()
    {
        lock (_lines)
            return string.Join('\n', _lines);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
    }

    /// <summary>The one that was built with these tests, for the same configuration.</summary>
    public static string Built(string project, string assembly) => Path.Combine(AppContext.BaseDirectory.Replace(
        Repository.PathTo("tests", "Envtest"), Repository.PathTo("hack", project), StringComparison.Ordinal), assembly + ".dll");

    private static Task<TestProgram> StartAsync(
        string project, string assembly, string variable, IReadOnlyList<string> arguments, IReadOnlyList<(string Name, string Value)> environment) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } published
            ? StartAsync(published, arguments, environment)
            : StartAsync("dotnet", [Built(project, assembly), .. arguments], environment);

    private static async Task<TestProgram> StartAsync(string file, IReadOnlyList<string> arguments, IReadOnlyList<(string Name, string Value)> environment)
    {
        var program = new TestProgram();
        program._process = await TetheredProcess.StartAsync(
            file, arguments, program.Read, environment.ToDictionary(pair => pair.Name, string? (pair) => pair.Value));
        var ended = program._process.Exited;
        if (await Task.WhenAny(program._port.Task, ended).WaitAsync(Eventually.Limit) != program._port.Task)
            throw new InvalidOperationException($"{file} {string.Join(' ', arguments)} ended with {await ended}:\n{program}");
        return program;
    }

    private void Read(string line)
    {
        lock (_lines)
            _lines.Add(line);
        if (Listens().Match(line) is { Success: true } match)
            _port.TrySetResult(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"(?:listens on port |listening on http://.*:)(\d+)$")]
    private static partial Regex Listens();
}
