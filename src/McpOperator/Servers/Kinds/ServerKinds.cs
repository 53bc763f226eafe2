using System.Text.Json.Nodes;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Mirror;
using McpOperator.Servers.Pods;

namespace McpOperator.Servers.Kinds;

/// <summary>The table of the kinds. Its order is that of the events; each row says what has to come before it.</summary>
internal sealed class ServerKinds
{
    private readonly TimeProvider _time;

    public ServerKinds(Stores stores, OwnedFields ours, TimeProvider time)
    {
        (Configuration, _time) = (stores.Configuration, time);
        var deployments = stores.CreateOwnedStore<ObservedDeployment>(runsPods: true, "", ObjectNames.CanarySuffix);
        Canary = new CanaryKind(this, deployments, stores.FormerVariables, ours);
        Stable = new StableKind(this, deployments, stores.FormerVariables, ours);
        ServiceAccount = new ServiceAccountKind(this);
        PullSecret = new PullSecretKind(this, time);
        Ingress = new IngressKind(this, stores.CreateOwnedStore<ObservedIngress>(runsPods: false, ""), ours);
        HttpRoute = new HttpRouteKind(this, stores.Optional, stores.CreateOwnedStore<ObservedHttpRoute>(runsPods: false, ""), ours);
        IngressRoute = new IngressRouteKind(this, stores.Optional, stores.CreateOwnedStore<ObservedPresence>(runsPods: false, ""), ours);
        var certificates = stores.CreateOwnedStore<ObservedCertificate>(
            runsPods: false, stores.Certificates, ObjectNames.GatewayCertificateSuffix, ObjectNames.IngressCertificateSuffix);
        Certificate = new CertificateKind(stores, certificates, ours);
        GatewayCertificate = CertificateOf(ObjectNames.GatewayCertificateSuffix, MtlsObjects.GatewayCertificate, "gateways' certificate");
        ForIngressRoute =
        [
            GatewayCertificate,
            CertificateOf(ObjectNames.IngressCertificateSuffix, MtlsObjects.IngressCertificate, "Traefik's certificate"),
            OfTraefik(ResourceTypes.TlsOption, ObjectNames.TlsOptionSuffix, MtlsObjects.TlsOption),
            OfTraefik(ResourceTypes.ServersTransport, ObjectNames.ServersTransportSuffix, MtlsObjects.ServersTransport),
            OfTraefik(ResourceTypes.Middleware, ObjectNames.IdentityMiddlewareSuffix, MtlsObjects.Middleware),
        ];
        var policies = stores.CreateOwnedStore<ObservedPresence>(runsPods: false, "", ObjectNames.MtlsNetworkPolicySuffix);
        var service = new ServiceKind(this, stores.CreateOwnedStore<ObservedService>(runsPods: false, ""), ours);
        All =
        [
            new PolicyKind(),
            .. ForIngressRoute,
            ServiceAccount,
            PullSecret,
            Canary,
            Stable,
            service,
            Ingress,
            HttpRoute,
            IngressRoute,
            Certificate,
            new DisruptionBudgetKind(stores.CreateOwnedStore<ObservedPresence>(runsPods: false, ""), ours),
            new NetworkPolicyKind(service, policies, ours),
            new MtlsKind<ObservedPresence>(
                this, ResourceTypes.NetworkPolicy, ObjectNames.MtlsNetworkPolicySuffix, MtlsObjects.NetworkPolicy, stores.Optional.Mtls, policies,
                json => new ObservedPresence(json, ours), ours, "gateways' NetworkPolicy", isWatched: false, isLast: true),
        ];
        for (var i = 0; i < All.Count; i++)
            All[i].Index = i;

        MtlsKind<ObservedCertificate> CertificateOf(string suffix, Func<MCPServer, OperatorSettings, JsonObject> spec, string name) => new(
            this, ResourceTypes.Certificate, suffix, spec, stores.Optional.Certificates, certificates, json => new ObservedCertificate(json, ours), ours, name, isWatched: false);

        MtlsKind<ObservedPresence> OfTraefik(ResourceType type, string suffix, Func<MCPServer, JsonObject> spec) => new(
            this, type, suffix, (server, _) => spec(server), stores.Optional.Mtls, stores.CreateOwnedStore<ObservedPresence>(runsPods: false, suffix), json => new ObservedPresence(json, ours), ours);
    }

    public Configuration Configuration { get; }

    public ConfigVersions NewConfigVersions() => new(_time);

    public IReadOnlyList<OwnedKind> All { get; }

    public StableKind Stable { get; }

    public CanaryKind Canary { get; }

    public ServiceAccountKind ServiceAccount { get; }

    public IngressKind Ingress { get; }

    public HttpRouteKind HttpRoute { get; }

    public IngressRouteKind IngressRoute { get; }

    public CertificateKind Certificate { get; }

    public MtlsKind<ObservedCertificate> GatewayCertificate { get; }

    /// <summary>What an IngressRoute refers to, or what that needs.</summary>
    public IReadOnlyList<OwnedKind> ForIngressRoute { get; }

    public PullSecretKind PullSecret { get; }

    /// <summary>What leads clients to the server; null where nothing is to.</summary>
    public OwnedKind? RouteOf(MCPServerSpec spec) =>
        spec.HasIngress() ? Ingress : spec.HasHttpRoute() ? HttpRoute : spec.HasIngressRoute() ? IngressRoute : null;

    /// <summary>First the one that is wanted: the others stay until it serves.</summary>
    public bool IsRouteDue(Pass pass, OwnedKind kind) => RouteOf(pass.Spec) is not { } wanted || wanted == kind || pass.IsDone(wanted);

    /// <summary>Whether one that is not wanted any more stays, so that one of them serves at any time.</summary>
    public bool IsRouteKept(Pass pass, Observed? live) => live is { IsTerminating: false } && IsRouteAwaited(pass);

    /// <summary>Whether what leads clients to the server is to be another than what did, and does not serve yet.</summary>
    public bool IsRouteAwaited(Pass pass) => !pass.IsPlan && pass.RouteConflict is null && RouteOf(pass.Spec) is { } wanted && !wanted.Serves(pass);

    /// <summary>The URL of an HTTPRoute or an IngressRoute: as it was, while it is not as the spec asks.</summary>
    public string? UrlOf(Pass pass, OwnedKind kind) => pass.ResultOf(kind) switch
    {
        { Live: null } => null,
        _ when RouteOf(pass.Spec) != kind => FormerUrlOf(pass, kind),
        _ when HasFormer(pass, kind) => null,
        { Problem: null } when pass is { IsValid: true, IsPaused: false } =>
            Routing.Resolve(pass.Server.Metadata.Name, pass.Spec).Url(Routing.IsTls(pass.Spec, pass.Settings)),
        _ => pass.Server.Reported?.Url,
    };

    /// <summary>That of one which is not wanted any more: it is what serves, as long as it is there; null once it is not.</summary>
    public string? FormerUrlOf(Pass pass, OwnedKind kind) => IsInPlace(pass, kind) ? pass.Server.Reported?.Url : null;

    /// <summary>Whether one that it takes the place of serves still.</summary>
    public bool HasFormer(Pass pass, OwnedKind wanted) =>
        (wanted != Ingress && IsInPlace(pass, Ingress)) || (wanted != HttpRoute && IsInPlace(pass, HttpRoute)) || (wanted != IngressRoute && IsInPlace(pass, IngressRoute));

    /// <summary>Whether one that is not wanted any more is there. One that finalizers hold counts only until what takes its place serves.</summary>
    private bool IsInPlace(Pass pass, OwnedKind kind) =>
        pass.ResultOf(kind).Live is not null && !(kind.IsGoing(pass) && RouteOf(pass.Spec) is { } wanted && wanted.Serves(pass));

    /// <summary>Says of one that is not wanted any more how long it stays. It is reported, so that the next operator knows of it, and that it has its route.</summary>
    public string UntilMessage(Pass pass) => RouteOf(pass.Spec) is { } wanted ? $"it stays until the {wanted.Name} serves" : "it is to go";

    /// <summary>
    /// Whether pods would hang, for want of the Secret with their certificate. It stays when the certificate is issued anew, so that it is asked for once.
    /// </summary>
    public bool AwaitsCertificate(Pass pass) => pass.Spec.UsesMtls() && !pass.IsPlan && !pass.Spec.IsSuspended()
        && GatewayCertificate.FindOwned(pass.Server) is not { IsReady: true } && Stable.FindOwned(pass.Server) is not { HasCertificateVolume: true, DesiredReplicas: > 0 };

    /// <summary>Whether every pod that serves is as the spec asks: its gateway speaks TLS, or does not.</summary>
    public bool HaveSwitched(Pass pass)
    {
        foreach (var kind in (ReadOnlySpan<DeploymentKind>)[Stable, Canary])
        {
            if (kind.LiveAfter(pass) is { } live && (live.HasCertificateVolume != pass.Spec.UsesMtls() || !DeploymentKind.IsReady(live)))
                return false;
        }

        return true;
    }

    /// <summary>The pods of a server, by track.</summary>
    public List<GatewayPods> PodsOf(MCPServer server)
    {
        var pods = new List<GatewayPods>(capacity: 2);
        foreach (var kind in (ReadOnlySpan<DeploymentKind>)[Stable, Canary])
        {
            if (kind.Get(server.Key) is { } live && server.AsOwner().Controls(live))
            {
                pods.Add(new(
                    live.HasGateway, DeploymentKind.IsReady(live),
                    AreAllUpdated: live.ObservedGeneration >= live.Generation && live.Replicas == live.UpdatedReplicas, live.PolicyUid));
            }
        }

        return pods;
    }
}
