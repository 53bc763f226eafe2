using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace McpOperator.Envtest.Faults;

/// <summary>A request as the front saw it.</summary>
/// <param name="Path">Without the query.</param>
/// <param name="Code">The real API server's answer; zero when it was never asked.</param>
/// <param name="IsLost">The operator never got that answer, or not in whole.</param>
internal sealed record FrontRequest(string Method, string Path, string Query, string Body, int Code = 0, bool IsLost = false)
{
    public bool IsWatch => Query.Contains("watch=1", StringComparison.Ordinal);

    public bool IsWrite => Method != "GET";

    /// <summary>Of all that there is; not the one item with which a reflector asks whether the history is the same.</summary>
    public bool IsList => !IsWrite && !IsWatch && !Query.EndsWith("resourceVersionMatch=Exact", StringComparison.Ordinal) && Collections.Any(end => Path.EndsWith(end, StringComparison.Ordinal));

    public bool IsStatus => Path.EndsWith("/status", StringComparison.Ordinal);

    /// <summary>Whether it is about objects of this kind, or one of them.</summary>
    public bool IsOf(Resource resource) =>
        Path.EndsWith($"/{resource.Plural}", StringComparison.Ordinal) || Path.Contains($"/{resource.Plural}/", StringComparison.Ordinal);

    public override string ToString() => $"{Method} {Path}{Query} {Code}";

    private static readonly string[] Collections = [.. Crowd.Kinds.Select(kind => $"/{kind.Plural}")];
}

/// <summary>What goes wrong: with which requests, how, and how often. It is over when it is disposed.</summary>
internal sealed class Fault(Func<FrontRequest, bool> meets, int times) : IDisposable
{
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left = times;
    private int _hits;

    /// <summary>How often it has happened.</summary>
    public int Hits => Volatile.Read(ref _hits);

    /// <summary>Ends with the fault.</summary>
    public Task Over => _over.Task;

    /// <summary>Of a request.</summary>
    public Func<Exchange, Task>? OnRequest { get; init; }

    /// <summary>Of one event of a watch; writes something in its place. False: the watch is of no more use.</summary>
    public Func<Exchange, string, Task<bool>>? OnEvent { get; init; }

    public bool Takes(FrontRequest request)
    {
        if (_over.Task.IsCompleted || !meets(request) || Interlocked.Decrement(ref _left) < 0)
            return false;
        Interlocked.Increment(ref _hits);
        return true;
    }

    public Task WaitAsync(int hits = 1) => Eventually.TrueAsync($"the fault happened {hits} times", () => Task.FromResult(Hits), seen => seen >= hits);

    public void Dispose() => _over.TrySetResult();
}

/// <summary>
/// A front that stands before the real API server, over TLS and HTTP/2, and fails as it is told to. It takes a token
/// from the operator, and is the given user towards the API server, whose audit log therefore reads as ever.
/// </summary>
internal sealed class FaultyApiServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _server;
    private readonly TestAuthority _authority;
    private readonly string _directory;
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _lock = new();
    private readonly List<Fault> _faults = [];
    private readonly List<FrontRequest> _requests = [];
    private string _token = NewToken();

    private FaultyApiServer(WebApplication app, HttpClient server, TestAuthority authority, string directory)
    {
        _app = app;
        _server = server;
        _authority = authority;
        _directory = directory;
    }

    /// <summary>The way of the operator to this front.</summary>
    public TcpRelay Wire { get; private set; } = null!;

    /// <summary>For the operator; names a file with the token.</summary>
    public string Kubeconfig => Path.Combine(_directory, "kubeconfig");

    /// <summary>All requests that were answered or refused so far; a watch counts when it begins.</summary>
    public IReadOnlyList<FrontRequest> Requests
    {
        get
        {
            lock (_lock)
                return [.. _requests];
        }
    }

    /// <param name="user">As whom it asks the API server.</param>
    public static async Task<FaultyApiServer> StartAsync(ControlPlane controlPlane, string user)
    {
        var authority = new TestAuthority();
        var pair = authority.IssueServer("front");
        var certificate = X509Certificate2.CreateFromPem(pair.Certificate, pair.Key);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(certificate);
        }));
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var front = new FaultyApiServer(
            app, KubeClient.ConnectTo(controlPlane.Kubeconfig(user)), authority, Directory.CreateTempSubdirectory("mcp-front-").FullName);
        app.Run(front.ServeAsync);
        await app.StartAsync();
        front.Wire = new(new(IPAddress.Loopback, new Uri(app.Urls.Single()).Port));
        await front.WriteKubeconfigAsync();
        return front;
    }

    /// <summary>Has requests fail. The first fault that meets a request has it.</summary>
    public Fault Fail(Func<FrontRequest, bool> meets, Func<Exchange, Task> how, int times = int.MaxValue) =>
        Add(new(meets, times) { OnRequest = how });

    /// <summary>Has events fail, of watches that are open already, too.</summary>
    public Fault FailEvents(Func<FrontRequest, bool> meets, Func<Exchange, string, Task<bool>> how, int times = int.MaxValue) =>
        Add(new(meets, times) { OnEvent = how });

    /// <summary>From now on only another token is good; the operator's file still has the old one.</summary>
    public void RevokeToken() => _token = NewToken();

    /// <summary>Puts the token that is good into the operator's file.</summary>
    public Task WriteTokenAsync() => File.WriteAllTextAsync(Path.Combine(_directory, "token"), _token);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Wire.DisposeAsync();
        await _app.StopAsync(_end.Token);
        await _app.DisposeAsync();
        _server.Dispose();
        _authority.Dispose();
        _end.Dispose();
        Directory.Delete(_directory, true);
    }

    private static string NewToken() => Guid.NewGuid().ToString("N");

    private Fault Add(Fault fault)
    {
        lock (_lock)
            _faults.Add(fault);
        return fault;
    }

    private Fault? FaultOf(FrontRequest request, Func<Fault, bool> isOfKind)
    {
        lock (_lock)
            return _faults.Find(fault => isOfKind(fault) && fault.Takes(request));
    }

    private async Task WriteKubeconfigAsync()
    {
        await WriteTokenAsync();
        await File.WriteAllTextAsync(Kubeconfig, new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Config",
            ["current-context"] = "front",
            ["clusters"] = new JsonArray(new JsonObject
            {
                ["name"] = "front",
                ["cluster"] = new JsonObject
                {
                    ["server"] = $"https://127.0.0.1:{Wire.Port}",
                    ["certificate-authority-data"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(_authority.CertificatePem)),
                },
            }),
            ["users"] = new JsonArray(new JsonObject
            {
                ["name"] = "operator",
                ["user"] = new JsonObject { ["tokenFile"] = Path.Combine(_directory, "token") },
            }),
            ["contexts"] = new JsonArray(new JsonObject
            {
                ["name"] = "front",
                ["context"] = new JsonObject { ["cluster"] = "front", ["user"] = "operator" },
            }),
        }.ToJsonString());
    }

    private async Task ServeAsync(HttpContext context)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _end.Token);
        try
        {
            using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
            var request = new FrontRequest(
                context.Request.Method, context.Request.Path, context.Request.QueryString.Value ?? "", await reader.ReadToEndAsync(either.Token));
            var exchange = new Exchange(context, request, this, either.Token);
            if (context.Request.Headers.Authorization != $"Bearer {_token}")
                await exchange.RefuseAsync(HttpStatusCode.Unauthorized, "Unauthorized");
            else if (FaultOf(request, fault => fault.OnRequest is not null) is { } fault)
                await fault.OnRequest!(exchange);
            else
                await exchange.ForwardAsync();
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or HttpRequestException)
        {
            // The operator or the API server has gone; whoever is left shall see a broken stream, not an end.
            context.Abort();
        }
    }

    internal async Task<HttpResponseMessage> AskAsync(HttpContext context, FrontRequest request, CancellationToken cancellation)
    {
        using var message = new HttpRequestMessage(new(request.Method), request.Path + request.Query);
        foreach (var name in (string[])["Accept", "User-Agent"])
            message.Headers.TryAddWithoutValidation(name, (string?)context.Request.Headers[name]);
        if (context.Request.ContentType is { } type)
        {
            message.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(request.Body));
            message.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        }
        return await _server.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellation);
    }

    internal void Note(FrontRequest request)
    {
        lock (_lock)
            _requests.Add(request);
    }

    internal async Task<bool> CarryEventAsync(Exchange exchange, string line)
    {
        if (FaultOf(exchange.Request, fault => fault.OnEvent is not null) is { } fault)
            return await fault.OnEvent!(exchange, line);
        await exchange.WriteAsync(line + '\n');
        return true;
    }
}

/// <summary>One request and its answer, in the hands of a <see cref="Fault"/>.</summary>
internal sealed class Exchange(HttpContext context, FrontRequest request, FaultyApiServer front, CancellationToken cancellation)
{
    public FrontRequest Request => request;

    public CancellationToken Cancellation => cancellation;

    /// <summary>A Status, as the API server answers it; it is never asked.</summary>
    public async Task RefuseAsync(HttpStatusCode code, string reason, string? message = null, int? retryAfter = null)
    {
        front.Note(request);
        context.Response.StatusCode = (int)code;
        context.Response.ContentType = "application/json";
        if (retryAfter is not null)
            context.Response.Headers.RetryAfter = $"{retryAfter}";
        await WriteAsync(new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["status"] = "Failure",
            ["code"] = (int)code,
            ["reason"] = reason,
            ["message"] = message ?? $"the front says {reason}",
        }.ToJsonString());
    }

    /// <summary>The real answer.</summary>
    public async Task ForwardAsync()
    {
        using var answer = await BeginAsync(request);
        if (!request.IsWatch)
        {
            await answer.Content.CopyToAsync(context.Response.Body, cancellation);
            return;
        }

        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellation), Encoding.UTF8);
        while (await reader.ReadLineAsync(cancellation) is { } line && await front.CarryEventAsync(this, line))
        {
        }
    }

    /// <summary>The real answer to the same request of another version of its API, for one that this API server does not have.</summary>
    public async Task TranslateAsync(string apiVersion, string served)
    {
        var translated = request with { Path = request.Path.Replace(apiVersion, served, StringComparison.Ordinal), Body = Text(request.Body, apiVersion, served) };
        using var answer = await BeginAsync(translated);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellation), Encoding.UTF8);
        while (await reader.ReadLineAsync(cancellation) is { } line)
            await WriteAsync(Text(line, served, apiVersion) + '\n');

        static string Text(string json, string from, string to) => json.Replace($"\"{from}\"", $"\"{to}\"", StringComparison.Ordinal);
    }

    /// <summary>Lets the API server do what it is asked, and has its answer break off, or not even begin.</summary>
    public async Task LoseAnswerAsync(bool inTheMiddle)
    {
        using var answer = await front.AskAsync(context, request, cancellation);
        front.Note(request with { Code = (int)answer.StatusCode, IsLost = true });
        var text = await answer.Content.ReadAsStringAsync(cancellation);
        if (inTheMiddle)
            await WriteAsync(text[..(text.Length / 2)]);
        Abort();
    }

    /// <summary>All of a list arrives but its end, with enough space after it that the items are read.</summary>
    /// <param name="meanwhile">Happens after the API server has answered, and before the operator can ask again.</param>
    public async Task LoseEndOfListAsync(Func<Task> meanwhile)
    {
        using var answer = await front.AskAsync(context, request, cancellation);
        front.Note(request with { Code = (int)answer.StatusCode, IsLost = true });
        var text = (await answer.Content.ReadAsStringAsync(cancellation)).TrimEnd();
        await WriteAsync(text[..^1] + new string(' ', 200_000));
        await meanwhile();
        Abort();
    }

    /// <summary>Lets the API server do what it is asked, and answers 200 with something else.</summary>
    public async Task GarbleAnswerAsync(string text)
    {
        using var answer = await front.AskAsync(context, request, cancellation);
        front.Note(request with { Code = (int)answer.StatusCode, IsLost = true });
        await WriteAsync(text);
    }

    public async Task WriteAsync(string text)
    {
        await context.Response.WriteAsync(text, Encoding.UTF8, cancellation);
        await context.Response.Body.FlushAsync(cancellation);
    }

    /// <summary>RST_STREAM: the answer breaks off here, and the connection lives on.</summary>
    public void Abort() => context.Abort();

    private async Task<HttpResponseMessage> BeginAsync(FrontRequest asked)
    {
        var answer = await front.AskAsync(context, asked, cancellation);
        front.Note(request with { Code = (int)answer.StatusCode });
        context.Response.StatusCode = (int)answer.StatusCode;
        context.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
        if (answer.Headers.RetryAfter is { } retryAfter)
            context.Response.Headers.RetryAfter = retryAfter.ToString();
        await context.Response.Body.FlushAsync(cancellation);
        return answer;
    }
}
