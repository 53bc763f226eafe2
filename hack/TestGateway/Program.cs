using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Testing;
using Microsoft.AspNetCore.Http.Extensions;
using Yarp.ReverseProxy.Forwarder;

// Stands in for the real gateway in tests only, where they have to see what becomes of a policy. It decides about tools/call by the
// caller's headers, and has no tokens, analytics or metrics. The variables are those of docs/gateway.md.
const int LargestBody = 4 << 20;
var port = int.Parse(Variable("PORT") ?? "8091", CultureInfo.InvariantCulture);
var upstream = Variable("UPSTREAM_URL") ?? "http://127.0.0.1:8088";
var stripPrefix = Variable("STRIP_PREFIX") is { } prefix ? new PathString("/" + prefix.Trim('/')) : default;
var drain = TimeSpan.FromSeconds(int.Parse(Variable("GATEWAY_DRAIN") ?? "3", CultureInfo.InvariantCulture));
var file = new PolicyFile(
    Variable("POLICY_FILE") ?? "/var/run/mcp-runtime/policy/policy.json", Variable("MCP_SERVER_NAME"), Variable("MCP_SERVER_NAMESPACE"));

var builder = WebApplication.CreateEmptyBuilder(new());
builder.WebHost.UseKestrelCore().UseUrls($"http://*:{port}").ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = LargestBody);
builder.Logging.AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Warning);
builder.Services.AddHttpForwarder();
builder.Services.AddHostedService(_ => file);
await using var app = builder.Build();

using var server = new HttpMessageInvoker(new SocketsHttpHandler
{
    UseProxy = false,
    AllowAutoRedirect = false,
    UseCookies = false,
    AutomaticDecompression = DecompressionMethods.None,
    ActivityHeadersPropagator = null,
});
var forwarder = app.Services.GetRequiredService<IHttpForwarder>();
var patient = new ForwarderRequestConfig { ActivityTimeout = TimeSpan.FromHours(1) };
var stopping = app.Lifetime.ApplicationStopping;
app.Run(async context =>
{
    // As hello-mcp does, and for a shorter time: a pod goes on while proxies still send requests to it, and the server after the gateway.
    if (stopping.IsCancellationRequested)
        context.Response.Headers.Connection = "close";
    if (context.Request.Path == "/ready")
        await ReadyAsync(context);
    else if (file.Current is not { } policy)
        await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, new("no_policy", file.Problem));
    else if (await JudgeAsync(context, policy) is { } refusal)
        await RefuseAsync(context, refusal.Reason switch
        {
            "unauthorized" => StatusCodes.Status401Unauthorized,
            "bad_request" => StatusCodes.Status400BadRequest,
            _ => StatusCodes.Status403Forbidden,
        }, refusal);
    else
        await ForwardAsync(context);
});
stopping.Register(() => Thread.Sleep(drain));
await app.StartAsync();
Console.WriteLine($"test-gateway listens on port {new Uri(app.Urls.First()).Port}");
await app.WaitForShutdownAsync();

Task ReadyAsync(HttpContext context)
{
    context.Response.StatusCode = file.Current is null ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
    return context.Response.WriteAsync(file.Current is { } policy ? $"{policy.Revision}\n" : $"{file.Problem}\n");
}

// What keeps the request from the server, if anything does. The body can be read again afterwards.
static async Task<Verdict?> JudgeAsync(HttpContext context, PolicyDocument policy)
{
    if (!HttpMethods.IsPost(context.Request.Method))
        return null;
    context.Request.EnableBuffering(LargestBody, LargestBody);
    try
    {
        using var body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
        context.Request.Body.Position = 0;
        var caller = CallerOf(context.Request.Headers, policy.Auth);
        var messages = body.RootElement.ValueKind == JsonValueKind.Array ? [.. body.RootElement.EnumerateArray()] : new[] { body.RootElement };
        return messages.Where(IsCall).Select(call => Verdict.Of(policy, caller, ToolOf(call), DateTimeOffset.UtcNow))
            .FirstOrDefault(verdict => verdict.Reason is not null);
    }
    catch (JsonException)
    {
        return new("bad_request", "the body is no JSON");
    }

    static bool IsCall(JsonElement message) =>
        message.ValueKind == JsonValueKind.Object && message.TryGetProperty("method", out var method) && method.ValueEquals("tools/call");
    static string ToolOf(JsonElement call) =>
        call.TryGetProperty("params", out var parameters) && parameters.TryGetProperty("name", out var name) ? name.GetString() ?? "" : "";
}

static Caller CallerOf(IHeaderDictionary headers, PolicyDocument.AuthPart auth)
{
    return new(
        Value(auth.HumanIdHeader, "HUMAN_ID_HEADER", "X-MCP-Human-ID"),
        Value(auth.AgentIdHeader, "AGENT_ID_HEADER", "X-MCP-Agent-ID"),
        Value(auth.TeamIdHeader, "TEAM_ID_HEADER", "X-MCP-Team-ID"),
        Value(auth.SessionIdHeader, "SESSION_ID_HEADER", "X-MCP-Agent-Session"));

    string? Value(string? header, string variable, string otherwise) =>
        headers[header ?? Variable(variable) ?? otherwise] is [{ Length: > 0 } value] ? value : null;
}

static Task RefuseAsync(HttpContext context, int status, Verdict verdict)
{
    Console.WriteLine($"refused, {status} {verdict.Reason}: {verdict.Message}");
    context.Response.StatusCode = status;
    context.Response.ContentType = "application/json";
    return context.Response.WriteAsync(new JsonObject { ["error"] = verdict.Reason, ["message"] = verdict.Message }.ToJsonString());
}

async Task ForwardAsync(HttpContext context)
{
    if (stripPrefix.HasValue && context.Request.Path.StartsWithSegments(stripPrefix, out var rest))
        context.Request.Path = rest.HasValue ? rest : "/";
    if (await forwarder.SendAsync(context, upstream, server, patient, HttpTransformer.Default) is not ForwarderError.None and var error)
        Console.Error.WriteLine($"error: {context.Request.GetEncodedPathAndQuery()}: {error}: {context.GetForwarderErrorFeature()?.Exception?.Message}");
}

static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
