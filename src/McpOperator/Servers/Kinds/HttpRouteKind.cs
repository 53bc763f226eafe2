using System.Text.Json.Nodes;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Kubernetes.Types;
using McpOperator.Mirror;

namespace McpOperator.Servers.Kinds;

/// <summary>The HTTPRoute that brings a server's clients to its Service by way of a Gateway. Optional: the CRD is not part of Kubernetes.</summary>
internal sealed class HttpRouteKind(ServerKinds kinds, OptionalKinds optional, Store<ObservedHttpRoute> store, OwnedFields ours)
    : OwnedKind<ObservedHttpRoute>(ResourceTypes.HttpRoute, ConditionTypes.HttpRouteReady, store, json => new ObservedHttpRoute(json, ours), ours)
{
    /// <summary>For ever: streams of events have no end.</summary>
    private const string NoTimeout = "0s";

    public override bool IsOptional => true;

    public override Task? Wanted => optional.HttpRoutes;

    public override bool IsDue(Pass pass) => kinds.IsRouteDue(pass, this);

    public override DesiredState DesiredStateOf(Pass pass)
    {
        if (pass.Spec.HasHttpRoute())
        {
            return pass.RouteConflict is { } conflict
                ? new DesiredState.Withhold(new Problem(Reasons.RouteConflict, conflict.Message))
                : new DesiredState.Apply(() => Build(pass.Server, pass.Settings));
        }

        return kinds.IsRouteKept(pass, FindOwned(pass.Server)) ? new DesiredState.Keep() : new DesiredState.Absent();
    }

    /// <summary>Whether each Gateway says that it serves it.</summary>
    public override bool Serves(Pass pass) => pass.ResultOf(this) is { Problem: null, Live: ObservedHttpRoute { IsTerminating: false } live }
        && HttpRouteConfig.ParentsOf(pass.Spec, pass.Settings).All(parent => live.AnswerOf(parent) is { IsServed: true });

    public override IEnumerable<ComponentCondition> ConditionsOf(Pass pass)
    {
        var result = pass.ResultOf(this);
        if (!pass.Spec.HasHttpRoute())
            return result is { Live: null, Problem: null } ? [] : [ConditionOf(pass, result.Problem, _ => Ready(Reasons.HttpRouteAccepted, kinds.UntilMessage(pass)))];
        return [ConditionOf(pass, result.Problem, live => ConditionOf(pass, live))];
    }

    public override string? UrlOf(Pass pass) => kinds.UrlOf(pass, this);

    /// <param name="server">With the defaults filled in, and valid.</param>
    internal static byte[] Build(MCPServer server, OperatorSettings settings)
    {
        var (name, spec) = (server.Metadata.Name, server.Spec);
        var hosts = Routing.HostsOf(spec);
        var type = spec.IngressPathType is "Exact" ? "Exact" : "PathPrefix";
        // Its lists are owned as a whole, and the CRD's schema fills them up: without its defaults (but for the empty group of a Service) it would be written again after each restart.
        var config = HttpRouteConfig.Of(spec);
        var timeouts = new JsonObject { ["request"] = config?.RequestTimeout ?? NoTimeout };
        if (config?.BackendTimeout is { } backend)
            timeouts["backendRequest"] = backend;
        var body = new JsonObject
        {
            ["parentRefs"] = new JsonArray([.. HttpRouteConfig.ParentsOf(spec, settings).Select(ReferenceTo)]),
            ["rules"] = new JsonArray(new JsonObject
            {
                ["matches"] = new JsonArray([.. Routing.Routes(name, spec).Select(static route => route.Path).Distinct().Select(path =>
                    new JsonObject { ["path"] = new JsonObject { ["type"] = type, ["value"] = path } })]),
                ["backendRefs"] = new JsonArray(new JsonObject
                {
                    ["kind"] = ResourceTypes.Service.Kind,
                    ["name"] = name,
                    ["port"] = spec.ServicePort ?? Defaults.ServicePort,
                    ["weight"] = 1,
                }),
                ["timeouts"] = timeouts,
            }),
        };
        if (hosts[0] is not null)
            body["hostnames"] = new JsonArray([.. hosts.Select(static host => JsonValue.Create(host))]);
        return ApplyConfiguration.Of(ResourceTypes.HttpRoute, Labels.MetadataOf(server, Labels.Of(name)), body);
    }

    private ComponentCondition ConditionOf(Pass pass, ObservedHttpRoute live)
    {
        var meanwhile = kinds.Ingress.LiveAfter(pass) is null ? "" : "; the Ingress serves until then";
        var waiting = "";
        foreach (var parent in HttpRouteConfig.ParentsOf(pass.Spec, pass.Settings))
        {
            switch (live.AnswerOf(parent))
            {
                case { IsServed: true }:
                    break;
                case { Refusal: { } refusal }:
                    return Unready(Reasons.HttpRouteNotAccepted, $"{TextOf(parent, pass.Server)} does not serve it: {refusal}{meanwhile}");
                default:
                    waiting = waiting.Length > 0 ? waiting : TextOf(parent, pass.Server);
                    break;
            }
        }

        return waiting.Length > 0
            ? Unready(Reasons.HttpRoutePending, $"no controller has said yet whether {waiting} serves it: is there such a Gateway, and does its controller run?{meanwhile}")
            : Ready(Reasons.HttpRouteAccepted, "each Gateway serves it");
    }

    private static JsonObject ReferenceTo(ParentReference parent)
    {
        var reference = new JsonObject { ["group"] = ResourceTypes.HttpRoute.Group, ["kind"] = "Gateway", ["name"] = parent.Name };
        if (parent.Namespace is { } ns)
            reference["namespace"] = ns;
        if (parent.SectionName is { } section)
            reference["sectionName"] = section;
        if (parent.Port is { } port)
            reference["port"] = port;
        return reference;
    }

    private static string TextOf(ParentReference parent, MCPServer server)
    {
        var listener = parent.SectionName is { } section ? $", listener {section}" : "";
        var port = parent.Port is { } number ? $", port {number}" : "";
        return $"Gateway {parent.Namespace ?? server.Metadata.Namespace}/{parent.Name}{listener}{port}";
    }
}
