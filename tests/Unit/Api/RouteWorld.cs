using System.Text.Json;
using CsCheck;
using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Api;

/// <summary>What happens to one server.</summary>
/// <param name="Gateway">0 for an Ingress; else which Gateway has its HTTPRoute.</param>
internal sealed record RouteStep(int Server, RouteStep.Kind What, int Path, int Host, bool OAuth, bool IsOtherClass, int Age, int Gateway, bool HasTwoHosts)
{
    public enum Kind
    {
        /// <summary>Its spec is written; it is created when it is not there.</summary>
        Write,

        /// <summary>A field is changed that no route goes by.</summary>
        Touch,

        /// <summary>Its spec becomes invalid.</summary>
        Break,

        Delete,

        /// <summary>Deleted, and created with the same name, told as one change.</summary>
        Replace,

        /// <summary>A report that it has its route, or has not, whatever is true.</summary>
        Forge,

        Withdraw,
    }
}

/// <summary>Servers of three namespaces that are changed at random, with few hosts and paths, so that they collide.</summary>
internal sealed class RouteWorld
{
    public const string Metadata = "/.well-known/oauth-protected-resource";

    private static readonly string[] Paths =
    [
        "/", "/a", "/a/", "/a/b", "/a/b/c", "/ab", "/a.b", "/.well-known", Metadata, $"{Metadata}/a", $"{Metadata}/a/b/", $"{Metadata}/ab",
        $"{Metadata}/a.b", $"{Metadata}/a/b/c/d", $"{Metadata}x", $"{Metadata}{Metadata}/a",
    ];

    private readonly Dictionary<ObjectKey, MCPServer> _servers = [];
    private readonly HashSet<ObjectKey> _hadManyHosts = [];
    private int _uids;

    public static ObjectKey[] Keys { get; } =
        [.. from ns in new[] { "x", "y", "z" } from name in new[] { "a", "b", "c" } select new ObjectKey(ns, name)];

    public IReadOnlyDictionary<ObjectKey, MCPServer> Servers => _servers;

    /// <summary>Whether a spec of this server has asked for several hosts at any time.</summary>
    public bool HadManyHosts(ObjectKey key) => _hadManyHosts.Contains(key);

    public static Gen<RouteStep> Step(params RouteStep.Kind[] kinds) => Gen.Select(
        Gen.Int[0, Keys.Length - 1], Gen.OneOf(kinds), Gen.Int[0, Paths.Length - 1], Gen.Int[0, 5], Gen.Bool, Gen.Frequency((4, Gen.Const(false)), (1, Gen.Const(true))),
        Gen.Select(Gen.Int[0, 2], Gen.Frequency((3, Gen.Const(0)), (3, Gen.Const(1)), (1, Gen.Const(2))), Gen.Bool),
        (server, kind, path, host, oauth, isOtherClass, more) => new RouteStep(server, kind, path, host, oauth, isOtherClass, more.Item1, more.Item2, more.Item3));

    /// <returns>The server as it is then, or null for none; and whether it is another than it was.</returns>
    public (ObjectKey Key, MCPServer? Server, bool IsChanged) Take(RouteStep step)
    {
        var key = Keys[step.Server];
        var before = _servers.GetValueOrDefault(key);
        var after = step.What switch
        {
            RouteStep.Kind.Write => before is null ? New(key, step) : Edited(before, SpecOf(step)),
            RouteStep.Kind.Replace => New(key, step),
            RouteStep.Kind.Delete => null,
            _ when before is null => null,
            RouteStep.Kind.Touch => Edited(before, before.Spec with { Replicas = step.Path }),
            RouteStep.Kind.Break => Edited(before, before.Spec with { Image = null }),
            RouteStep.Kind.Forge => Reported(before, hasRoute: true),
            _ => Reported(before, hasRoute: false),
        };
        Set(key, after);
        return (key, after, before != after);
    }

    public void Set(ObjectKey key, MCPServer? server)
    {
        if (server is null)
            _servers.Remove(key);
        else
            _servers[key] = server;
        if (server is not null && NaiveRoutes.Routes(server).Count(route => !route.IsMetadata) > 1)
            _hadManyHosts.Add(key);
    }

    /// <summary>As the operator reports it: of an invalid server its URL stays.</summary>
    public static MCPServer Reported(MCPServer server, bool hasRoute) => server with
    {
        Reported = new LastReport
        {
            Url = server.Spec.Image is null ? server.Reported?.Url
                : hasRoute ? Routing.Resolve(server.Metadata.Name, server.Spec).Url(isTls: false) : null,
            ObservedGeneration = server.Metadata.Generation,
        },
    };

    private static MCPServer Edited(MCPServer server, MCPServerSpec spec) =>
        server with { Metadata = server.Metadata with { Generation = server.Metadata.Generation + 1 }, Spec = spec };

    private MCPServer New(ObjectKey key, RouteStep step) => new()
    {
        Metadata = new ObjectMeta
        {
            Namespace = key.Namespace,
            Name = key.Name,
            Uid = $"uid-{++_uids}",
            Generation = 1,
            CreationTimestamp = SampleServers.Epoch.AddMinutes(-step.Age),
        },
        Spec = SpecOf(step),
    };

    private static string?[] HostsOf(RouteStep step) => (step.Host, step.HasTwoHosts) switch
    {
        (0, _) => [null],
        (1, false) => ["other.example"],
        (1, true) => ["other.example", "h.example"],
        (_, false) => ["h.example"],
        _ => ["h.example", "other.example"],
    };

    private static MCPServerSpec SpecOf(RouteStep step) => new()
    {
        Image = "i",
        Route = step.Gateway == 0 ? null : "HTTPRoute",
        HttpRoute = step.Gateway == 0 ? null : JsonSerializer.SerializeToElement(new
        {
            parentRefs = new[] { new { @namespace = "edge", name = $"g{step.Gateway}" } },
            hostnames = HostsOf(step).OfType<string>(),
        }),
        IngressHost = HostsOf(step)[0],
        IngressPath = Paths[step.Path],
        IngressClass = step.IsOtherClass ? "other" : null,
        Gateway = new GatewayConfig { Enabled = true, Image = "g" },
        Auth = new AuthConfig { Mode = step.OAuth ? "oauth" : "header", IssuerURL = "https://id.example" },
    };
}
