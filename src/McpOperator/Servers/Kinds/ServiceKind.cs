using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Kubernetes.Types;
using McpOperator.Servers.Pods;

namespace McpOperator.Servers.Kinds;

/// <summary>The Service in front of a server's pods: of their gateways, where they have one.</summary>
internal sealed class ServiceKind(ServerKinds kinds, Store<ObservedService> store, OwnedFields ours)
    : OwnedKind<ObservedService>(ResourceTypes.Service, ConditionTypes.ServiceReady, store, json => new ObservedService(json, ours), ours)
{
    /// <summary>Where fields of others can make ours invalid: two ports cannot have one name.</summary>
    private static readonly IReadOnlyList<IReadOnlyList<string>> ExclusivePaths = [["f:spec", "f:ports"]];

    /// <summary>Its target port depends on what the Deployments run.</summary>
    public override bool IsDue(Pass pass) => pass.IsDone(kinds.Stable) && pass.IsDone(kinds.Canary);

    public override DesiredState DesiredStateOf(Pass pass)
    {
        // Traffic moves to the gateways when each pod that serves has one. The other way round it moves at once: the servers
        // themselves always listen.
        var live = FindOwned(pass.Server);
        var targetsGateway = pass.Spec.HasGateway()
            && (live is null or { TargetsGateway: true } || pass.Memory.TargetsGateway
                || !(DeploymentKind.ServesWithoutGateway(kinds.Stable.LiveAfter(pass)) || DeploymentKind.ServesWithoutGateway(kinds.Canary.LiveAfter(pass))));
        return new DesiredState.Apply(
            () => ApplyConfiguration.Of(Build(pass.Server, targetsGateway)), RemedyFor,
            IsRepair: live is not null && live.TargetsGateway != targetsGateway ? false : null,
            Removal: live => pass.Spec.HasGateway() || live is not ObservedService { HasForeignMetrics: true } ? null : MetricsRemoval(live.ResourceVersion));
    }

    public override async Task<ApplyResult> CarryOutAsync(
        Applier applier, Pass pass, DesiredState desired, CancellationToken cancellationToken)
    {
        var result = await base.CarryOutAsync(applier, pass, desired, cancellationToken).ConfigureAwait(false);
        if (pass is { IsValid: true, IsPaused: false })
            pass.Memory.TargetsGateway = pass.Spec.HasGateway() && (pass.Memory.TargetsGateway || result.Live is ObservedService { TargetsGateway: true });
        return result;
    }

    public override IEnumerable<ComponentCondition> ConditionsOf(Pass pass) => [ConditionOf(pass, pass.ResultOf(this).Problem, live => live switch
    {
        { HasClusterIP: false } => Unready(Reasons.ClusterIPPending, "the Service has no cluster IP yet"),
        _ when MismatchOf(pass, live) is { } label => Unready(
            Reasons.SelectorMismatch,
            $"no pod has the label {label.Key}={label.Value} that its selector asks for (by {label.Manager}), so that it leads nowhere; "
                + $"take it out of the selector: kubectl edit service {live.Key.Name}"),
        _ => Ready(Reasons.ClusterIPAssigned, "the Service has its cluster IP"),
    })];

    /// <summary>The first label that others ask for in the selector, and that the pods of no track have; null for none.</summary>
    private ForeignLabel? MismatchOf(Pass pass, ObservedService live)
    {
        foreach (var label in live.ForeignSelector ?? [])
        {
            if (!label.IsOn(kinds.Stable.LiveAfter(pass)?.ForeignLabels) && !label.IsOn(kinds.Canary.LiveAfter(pass)?.ForeignLabels))
                return label;
        }

        return null;
    }

    /// <param name="server">With the defaults filled in (<see cref="Defaults"/>), and valid.</param>
    /// <param name="targetsGateway">Whether traffic goes to the gateways, if the spec has one: they must be available first.</param>
    internal static Service Build(MCPServer server, bool targetsGateway = true)
    {
        var spec = server.Spec;
        var hasGateway = spec.HasGateway() && targetsGateway;
        var http = new ServicePort
        {
            Name = "http",
            Number = spec.ServicePort ?? Defaults.ServicePort,
            // By name: when the number changes, old pods are still reached at the port that they listen on.
            TargetPort = hasGateway ? GatewayContainer.PortName : DeploymentManifest.PortName,
        };
        return new Service
        {
            Metadata = Labels.MetadataOf(server, Labels.Of(server.Metadata.Name), hasGateway ? Scraping() : null),
            Spec = new ServiceSpec
            {
                Type = "ClusterIP",
                Selector = Labels.Of(server.Metadata.Name),
                Ports = hasGateway ? [http, Metrics] : [http],
            },
        };
    }

    private static ServicePort Metrics => new()
    {
        Name = "metrics",
        Number = Defaults.GatewayMetricsPort,
        TargetPort = GatewayContainer.MetricsPortName,
    };

    /// <summary>Where Prometheus' widespread scrape configuration finds the gateway's metrics.</summary>
    private static Dictionary<string, string> Scraping() => new()
    {
        ["prometheus.io/scrape"] = "true",
        ["prometheus.io/port"] = Defaults.GatewayMetricsPort.ToString(CultureInfo.InvariantCulture),
        ["prometheus.io/path"] = "/metrics",
    };

    /// <summary>
    /// Deletes the metrics port of a gateway that is off. By that port it is told where the traffic goes, and one that a backup tool brought
    /// back would lead it to gateways that are not there yet, when they are switched on again.
    /// </summary>
    private static byte[] MetricsRemoval(string resourceVersion) => ApplyBody.Write(json => new JsonObject
    {
        ["metadata"] = new JsonObject { ["resourceVersion"] = resourceVersion },
        ["spec"] = new JsonObject
        {
            ["ports"] = new JsonArray(new JsonObject { ["port"] = Defaults.GatewayMetricsPort, ["$patch"] = "delete" }),
        },
    }.WriteTo(json));

    /// <summary>Takes over the ports of others that make ours invalid.</summary>
    private static Remedy.TakeOver? RemedyFor(RefusedApply refused) =>
        !refused.IsNew && refused.Tried.Count == 0 ? Remedy.TakeOver.Of(ExclusivePaths, refused.Refusal) : null;
}

/// <summary>A Service, whether it has its address, and where it leads.</summary>
internal sealed class ObservedService : Observed
{
    public ObservedService(JsonElement json, OwnedFields ours)
        : base(json, ours, Labels.OwnerOf(json))
    {
        var spec = json.Child("spec"u8);
        HasClusterIP = !string.IsNullOrEmpty(spec?.Text("clusterIP"u8));
        ForeignSelector = ForeignLabel.InSelector(json);
        TargetsGateway = (spec?.Child("ports"u8)).HasItem(static port =>
            port.Is("name"u8, GatewayContainer.MetricsPortName) && port.Number("port"u8) == Defaults.GatewayMetricsPort);
        HasForeignMetrics = TargetsGateway
            && (spec?.Child("ports"u8)).HasItem(static port => port.Is("name"u8, DeploymentManifest.PortName))
            && (spec?.Child("ports"u8)).HasItem(static port => port.Number("port"u8) == Defaults.GatewayMetricsPort && port.Is("targetPort"u8, GatewayContainer.MetricsPortName))
            && !ours.Owns(json, "f:spec", "f:ports", $$"""k:{"port":{{Defaults.GatewayMetricsPort}},"protocol":"TCP"}""");
    }

    public bool HasClusterIP { get; }

    /// <summary><see cref="ForeignLabel.InSelector"/>.</summary>
    public IReadOnlyList<ForeignLabel>? ForeignSelector { get; }

    /// <summary>True when its traffic goes to the pods' gateways, not to the servers.</summary>
    public bool TargetsGateway { get; }

    /// <summary>Whether the metrics port is not ours, and not the only one: a Service needs one.</summary>
    public bool HasForeignMetrics { get; }
}
