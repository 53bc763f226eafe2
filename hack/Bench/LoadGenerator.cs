using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace McpOperator.Bench;

/// <summary>
/// The limit: sends the recorded requests for many servers as fast as the API server takes them, and does nothing else. No
/// watch, no decoding, no decision; the bytes are ready before the clock starts.
/// </summary>
internal sealed partial class LoadGenerator : IDisposable
{
    public const string User = "load";

    private readonly HttpClient _http;

    private LoadGenerator(HttpClient http) => _http = http;

    public static async Task<LoadGenerator> StartAsync(ControlPlane controlPlane)
    {
        await OperatorRole.GrantAsync(controlPlane, User);
        var http = KubeClient.ConnectTo(controlPlane.Kubeconfig(User));
        http.DefaultRequestVersion = HttpVersion.Version20;
        http.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        return new(http);
    }

    /// <param name="inFlight">So many servers are worked on at a time.</param>
    /// <returns>From the first request to the last answer.</returns>
    public async Task<TimeSpan> RunAsync(Recording recording, IReadOnlyList<Server> servers, int inFlight)
    {
        var scripts = servers.Select(server => Render(recording, server)).ToList();
        var next = -1;
        var clock = Stopwatch.StartNew();
        var work = Task.WhenAll(Enumerable.Range(0, inFlight).Select(async _ =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < scripts.Count;)
                foreach (var step in scripts[i])
                    await Task.WhenAll(step.Select(SendAsync));
        }));
        await Progress.DuringAsync(work, () => $"sending the requests of server {next} of {scripts.Count}");
        return clock.Elapsed;
    }

    public void Dispose() => _http.Dispose();

    internal static List<List<Rendered>> Render(Recording recording, Server server)
    {
        var was = recording.Server;
        return [.. recording.Steps.Select(step => step.Select(request => new Rendered(
            request.Method, Of(request.Uri), request.MediaType, Encoding.UTF8.GetBytes(Of(BodyOf(request))))).ToList())];

        // A status is for the version of the answer before, which a load generator does not read.
        static string BodyOf(RecordedRequest request) => request.Uri.Contains("/status?", StringComparison.Ordinal)
            ? Version().Replace(request.Body, "")
            : request.Body;

        // Another patch that holds a resource version holds that of the server as created.
        string Of(string text) => text
            .Replace(Versioned(was), Versioned(server), StringComparison.Ordinal)
            .Replace(was.Uid, server.Uid, StringComparison.Ordinal)
            .Replace(was.Name, server.Name, StringComparison.Ordinal)
            .Replace(was.Namespace, server.Namespace, StringComparison.Ordinal);

        static string Versioned(Server of) => $"\"resourceVersion\":\"{of.ResourceVersion}\"";
    }

    [GeneratedRegex(",\"resourceVersion\":\"[0-9]+\"")]
    private static partial Regex Version();

    private async Task SendAsync(Rendered rendered)
    {
        using var request = new HttpRequestMessage(rendered.Method, rendered.Uri);
        request.Version = _http.DefaultRequestVersion;
        request.VersionPolicy = _http.DefaultVersionPolicy;
        if (rendered.Body.Length > 0)
            request.Content = new ByteArrayContent(rendered.Body) { Headers = { ContentType = new(rendered.MediaType) } };
        // Reads the whole answer.
        using var answer = await _http.SendAsync(request);
        if (!answer.IsSuccessStatusCode && !(request.Method == HttpMethod.Get && answer.StatusCode == HttpStatusCode.NotFound))
            throw new InvalidOperationException(
                $"{request.Method} {rendered.Uri}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
    }

    internal sealed record Rendered(HttpMethod Method, string Uri, string MediaType, byte[] Body);
}
