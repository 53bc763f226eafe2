using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Kubernetes.Types;
using McpOperator.Servers.Pods;

namespace McpOperator.Servers.Kinds;

/// <summary>
/// Who may reach a server's pods, and what these may reach. Peers get in where the Service leads, so that with a gateway nobody gets around
/// it. Optional, since a role from before it was there does not grant it.
/// </summary>
internal sealed class NetworkPolicyKind(ServiceKind service, Store<ObservedPresence> store, OwnedFields ours)
    : OwnedKind<ObservedPresence>(
        ResourceTypes.NetworkPolicy, ConditionTypes.NetworkPolicyReady, store, json => new ObservedPresence(json, ours), ours)
{
    public override bool IsOptional => true;

    public override bool IsDue(Pass pass) => pass.IsDone(service);

    public override DesiredState DesiredStateOf(Pass pass)
    {
        if (pass.Spec.Network is null)
            return new DesiredState.Absent();
        // While the gateways come up the Service still leads to the servers.
        var toGateway = pass.Spec.HasGateway() && (pass.IsPlan || service.LiveAfter(pass) is not { TargetsGateway: false });
        return new DesiredState.Apply(() => Build(pass.Server, toGateway, pass.Settings.OperatorNamespace));
    }

    public override IEnumerable<ComponentCondition> ConditionsOf(Pass pass) => pass.Spec.Network is not null || pass.ResultOf(this).Problem is not null
        ? [ConditionOf(pass, pass.ResultOf(this).Problem, _ => Ready(Reasons.NetworkPolicyCreated, "the NetworkPolicy exists"))]
        : [];

    /// <param name="server">With the defaults filled in, and valid.</param>
    /// <param name="toGateway">Whether the Service leads to the gateways.</param>
    /// <param name="operatorNamespace">Where the operator runs; null where that is not known.</param>
    internal static byte[] Build(MCPServer server, bool toGateway = true, string? operatorNamespace = null)
    {
        var network = server.Spec.Network!;
        var (types, spec) = (new JsonArray(), new JsonObject { ["podSelector"] = Labels.SelectorOf(server.Metadata.Name) });
        if (network.IngressFrom is { } from)
        {
            types.Add((JsonNode)"Ingress");
            List<string> ports = server.Spec.HasGateway() ? [GatewayContainer.PortName, GatewayContainer.MetricsPortName] : [];
            if (ports.Count == 0 || !toGateway)
                ports.Add(DeploymentManifest.PortName);
            var rules = new JsonArray();
            // A rule without peers would let everybody in.
            if (Stored(from, "") is JsonArray { Count: > 0 } peers)
                rules.Add((JsonNode)Rule(peers, ports));
            // The server itself is asked, whether there is a gateway before it or not.
            if (RuleForOperator(server.Spec, operatorNamespace) is { } rule)
                rules.Add((JsonNode)rule);
            if (rules.Count > 0)
                spec["ingress"] = rules;
        }

        if (network.EgressTo is { } to)
        {
            types.Add((JsonNode)"Egress");
            if (Stored(to, "") is JsonArray { Count: > 0 } rules)
                spec["egress"] = rules;
        }

        spec["policyTypes"] = types;
        return ApplyConfiguration.Of(ResourceTypes.NetworkPolicy, Labels.MetadataOf(server, Labels.Of(server.Metadata.Name)), spec);
    }

    /// <summary>Lets the operator in, which asks the server itself; null where nothing is asked, or nobody knows where the operator runs.</summary>
    public static JsonObject? RuleForOperator(MCPServerSpec spec, string? operatorNamespace) =>
        spec.HasMcpReadiness() && operatorNamespace is not null ? Rule(new JsonArray(OperatorOf(operatorNamespace)), [DeploymentManifest.PortName]) : null;

    private static JsonObject Rule(JsonArray peers, IEnumerable<string> ports) => new()
    {
        ["from"] = peers,
        ["ports"] = new JsonArray([.. ports.Select(static port => new JsonObject { ["port"] = port, ["protocol"] = "TCP" })]),
    };

    /// <summary>The operator's pods, by the label that its Deployment selects, and the name that API servers from 1.21 on give every namespace as a label.</summary>
    private static JsonObject OperatorOf(string ns) => new()
    {
        ["namespaceSelector"] = new JsonObject { ["matchLabels"] = new JsonObject { ["kubernetes.io/metadata.name"] = ns } },
        ["podSelector"] = new JsonObject { ["matchLabels"] = new JsonObject { ["control-plane"] = "controller-manager" } },
    };

    /// <summary>
    /// As API servers store it, who drop what is empty, and write the protocol of a port: the lists are owned as a whole, so that anything else would
    /// be written again after each restart.
    /// </summary>
    /// <param name="name">Of the member; of an item, that of its list.</param>
    private static JsonNode? Stored(JsonElement json, string name)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                var result = new JsonObject();
                foreach (var member in json.EnumerateObject())
                {
                    if (Stored(member.Value, member.Name) is { } value)
                        result[member.Name] = value;
                }

                if (name == "ports" && !result.ContainsKey("protocol"))
                    result["protocol"] = "TCP";
                return name == "matchLabels" && result.Count == 0 ? null : result;
            case JsonValueKind.Array:
                var items = new JsonArray();
                foreach (var item in json.EnumerateArray())
                    items.Add(Stored(item, name));
                return items.Count == 0 ? null : items;
            case JsonValueKind.Null:
                return null;
            default:
                return JsonValue.Create(json);
        }
    }
}
