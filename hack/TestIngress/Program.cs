using System.Net;
using McpOperator.Testing;
using Yarp.ReverseProxy.Configuration;

const string Usage = """
    usage: TestIngress --kubeconfig FILE --class NAME [--gateway NAMESPACE/NAME] [--listen ADDRESS:PORT] [--address ADDRESS]
             serves the Ingresses of that class, and the HTTPRoutes of that Gateway, and writes the address (by default the one that it listens on) into their status;
             prints `listening on URL` when it does, and runs until SIGTERM
    """;

string? kubeconfig = null, @class = null, address = null, gateway = null;
var listen = new IPEndPoint(IPAddress.Loopback, 0);
for (var i = 0; i < args.Length; i += 2)
{
    var value = i + 1 < args.Length ? args[i + 1] : null;
    switch (args[i])
    {
        case "--kubeconfig" when value is not null: kubeconfig = value; break;
        case "--class" when value is not null: @class = value; break;
        case "--gateway" when value is not null: gateway = value; break;
        case "--address" when value is not null: address = value; break;
        case "--listen" when value is not null && IPEndPoint.TryParse(value, out var endPoint): listen = endPoint; break;
        default: return Refuse();
    }
}
if (kubeconfig is null || @class is null)
    return Refuse();

using var client = KubeClient.FromKubeconfig(kubeconfig);
var builder = WebApplication.CreateEmptyBuilder(new());
builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(listen));
builder.Logging.AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Warning);
builder.Services.AddReverseProxy().LoadFromMemory([], [])
    // A connection for each request, or else all of them would go to the pod that kube-proxy chose for the first.
    .ConfigureHttpClient((_, handler) => handler.PooledConnectionLifetime = TimeSpan.Zero);

await using var app = builder.Build();
app.UseRouting();
app.MapReverseProxy();
await app.StartAsync();
Console.WriteLine($"listening on {app.Urls.First()}");

var controller = new IngressController(client, @class, address ?? listen.Address.ToString(), gateway, app.Services.GetRequiredService<InMemoryConfigProvider>());
await controller.RunAsync(app.Lifetime.ApplicationStopping);
await app.WaitForShutdownAsync();
return 0;

static int Refuse()
{
    Console.Error.WriteLine(Usage);
    return 2;
}
