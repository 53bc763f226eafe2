using System.Globalization;
using HelloMcp;

// Where the operator routes to this server (/NAME/mcp, say) is not known here, and the ingress forwards the path as it is. So every
// path is answered unless MCP_PATH names the one.
var port = int.Parse(Variable("PORT") ?? "8088", CultureInfo.InvariantCulture);
var path = Variable("MCP_PATH") ?? "/{**path}";
var version = Variable("HELLO_VERSION") ?? "1.0.0";
var drain = TimeSpan.FromSeconds(int.Parse(Variable("HELLO_DRAIN") ?? "5", CultureInfo.InvariantCulture));

var fault = Variable("HELLO_FAULT");
if (fault is not null)
    await Fault.HappenAsync(fault);

// The empty one watches no settings file: in an image of one file that would be the whole root.
var builder = WebApplication.CreateEmptyBuilder(new());
builder.WebHost.UseKestrelCore().UseUrls($"http://*:{port}");
builder.Services.AddRoutingCore();
// What a caller did wrong is told to the caller.
builder.Logging.AddSimpleConsole().SetMinimumLevel(LogLevel.Warning).AddFilter("ModelContextProtocol", LogLevel.None);
// Without sessions, as any of several replicas may get the next request.
builder.Services
    .AddMcpServer(options => options.ServerInfo = new() { Name = "hello-mcp", Version = version })
    .WithHttpTransport(options => options.Stateless = true)
    .WithTools(new Tools(version), ToolsJson.Default.Options);

var app = builder.Build();
var stopping = app.Lifetime.ApplicationStopping;
app.Use((context, next) =>
{
    // Else a proxy would send its next request on a connection that is about to be closed.
    if (stopping.IsCancellationRequested)
        context.Response.Headers.Connection = "close";
    return next();
});
app.Use(async (context, next) =>
{
    if (!await Fault.AnswerAsync(fault, context))
        await next();
});
app.MapMcp(path);
// A pod is asked to stop before all proxies have heard that it is going: it serves on for a while.
stopping.Register(() => Thread.Sleep(drain));
await app.StartAsync();
Console.WriteLine($"hello-mcp {version} listens on port {new Uri(app.Urls.First()).Port}");
await app.WaitForShutdownAsync();

static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
