using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Kubernetes.Types;
using McpOperator.Mirror;

namespace McpOperator.Servers.Kinds;

/// <summary>The Ingress that brings a server's clients to its Service.</summary>
internal sealed class IngressKind(ServerKinds kinds, Store<ObservedIngress> store, OwnedFields ours)
    : OwnedKind<ObservedIngress>(ResourceTypes.Ingress, ConditionTypes.IngressReady, store, json => new ObservedIngress(json, ours), ours)
{
    private const string TraefikEntryPoints = "traefik.ingress.kubernetes.io/router.entrypoints";
    private const string TraefikTls = "traefik.ingress.kubernetes.io/router.tls";
    private const string NoAddress = "no ingress controller has published an address yet";
    private const string Nginx = "nginx.ingress.kubernetes.io/";

    public override bool IsDue(Pass pass) => kinds.IsRouteDue(pass, this);

    public override DesiredState DesiredStateOf(Pass pass)
    {
        if (pass.Spec.HasIngress() && pass.RouteConflict is { } conflict)
            return new DesiredState.Withhold(new Problem(Reasons.RouteConflict, conflict.Message));
        if (pass.Spec.HasIngress())
            return Apply(pass, FirstTry(pass));
        var live = FindOwned(pass.Server);
        // The predecessor's has no label yet; it gets one, and stays. Where it leads to is what is asked for.
        if (live is null && pass.Server.IsTakenOver() && kinds.IsRouteAwaited(pass))
            return Apply(WithSpec(pass, pass.Spec with { IngressHost = Routing.Resolve(pass.Server.Metadata.Name, pass.Spec).Host }), pass.Settings, FirstTry(pass));
        if (live is null || !kinds.IsRouteKept(pass, live))
            return new DesiredState.Absent();
        // One that stays for a while is as it was, but for the port of the Service, which it would lead past.
        var before = Build(WithSpec(pass, pass.Spec with { ServicePort = live.ServicePort }), pass.Settings, FirstTry(pass));
        return live.Fingerprint == OwnedFields.FingerprintOf(ApplyConfiguration.Of(before)) ? Apply(pass, FirstTry(pass)) : new DesiredState.Keep();

        static MCPServer WithSpec(Pass pass, MCPServerSpec spec) => pass.Server with { Spec = spec };
    }

    /// <summary>Whether an ingress controller leads clients to the server.</summary>
    public override bool Serves(Pass pass) => pass.ResultOf(this) is { Problem: null, Live: ObservedIngress { IsTerminating: false } live } && HasAddress(pass, live)
        && !kinds.Certificate.IsAwaited(pass);

    private static bool HasAddress(Pass pass, ObservedIngress live) => pass.Settings.PermissiveIngressReadiness ? live.HasRule : live.HasLoadBalancer;

    /// <summary>
    /// The metadata path is an extra, and controllers are particular about its form. When the Ingress is refused because of it,
    /// it is tried with another path type, then without it.
    /// </summary>
    public override async Task<ApplyResult> CarryOutAsync(
        Applier applier, Pass pass, DesiredState desired, CancellationToken cancellationToken)
    {
        var result = await base.CarryOutAsync(applier, pass, desired, cancellationToken).ConfigureAwait(false);
        if (desired is not DesiredState.Apply || !IsOfMetadata(result.Problem))
            return result;
        if (FirstTry(pass) == MetadataPath.AsOthers)
            result = await base.CarryOutAsync(applier, pass, Apply(pass, MetadataPath.Lenient), cancellationToken).ConfigureAwait(false);
        if (!IsOfMetadata(result.Problem))
            return result;
        var without = await base.CarryOutAsync(applier, pass, Apply(pass, MetadataPath.None), cancellationToken).ConfigureAwait(false);
        return without with { Problem = without.Problem ?? result.Problem };
    }

    public override IEnumerable<ComponentCondition> ConditionsOf(Pass pass)
    {
        var result = pass.ResultOf(this);
        if (!pass.Spec.HasIngress())
            return result is { Live: null, Problem: null } ? [] : [ConditionOf(pass, result.Problem, _ => Ready(Reasons.IngressCreated, kinds.UntilMessage(pass)))];
        return [ConditionOf(pass, result.Problem, live => live switch
        {
            _ when HasAddress(pass, live) => pass.Settings.PermissiveIngressReadiness
                ? Ready(Reasons.IngressCreated, "the Ingress exists")
                : Ready(Reasons.LoadBalancerAssigned, "an ingress controller has published an address"),
            _ when pass.Memory.AddressWait?.Cause is { } cause => Unready(cause.Reason, $"{NoAddress}: {cause.Message}"),
            _ => Unready(Reasons.LoadBalancerPending, NoAddress),
        })];
    }

    /// <summary>While the Ingress could not be changed it serves the old route, so the URL stays as reported.</summary>
    public override string? UrlOf(Pass pass) => pass.ResultOf(this) switch
    {
        { Live: null } => null,
        // What serves is the one that it takes the place of, as long as that is there.
        _ when !pass.Spec.HasIngress() => kinds.FormerUrlOf(pass, this),
        _ when kinds.HasFormer(pass, this) => null,
        _ when !pass.IsValid || pass.IsPaused => pass.Server.Reported?.Url,
        { Stands: false, Problem: { } problem, Live: var live } when !(IsOfMetadata(problem) && Stands(pass, live, MetadataPath.None)) => pass.Server.Reported?.Url,
        _ => Routing.IngressRoutes(pass.Server.Metadata.Name, pass.Spec)[0].Url(Routing.IsIngressTls(pass.Spec, pass.Settings)),
    };

    /// <param name="server">With the defaults filled in (<see cref="Defaults"/>), and valid.</param>
    internal static Ingress Build(MCPServer server, OperatorSettings settings, MetadataPath metadata = MetadataPath.AsOthers)
    {
        var name = server.Metadata.Name;
        var spec = server.Spec;
        var ingressClass = spec.IngressClass ?? settings.DefaultIngressClass;
        var tls = TlsConfig.Of(spec);
        var annotations = Annotations(spec, tls, ingressClass, settings);
        var routes = Routing.IngressRoutes(name, spec);
        var pathType = spec.IngressPathType ?? Defaults.IngressPathType;
        List<HttpIngressPath> paths = [PathTo(name, spec, routes[0].Path, pathType)];
        if (metadata != MetadataPath.None)
        {
            paths.AddRange(routes.Skip(1).Select(route => PathTo(
                name, spec, route.Path, metadata == MetadataPath.Lenient ? IngressValidation.ImplementationSpecific : pathType)));
        }

        return new Ingress
        {
            Metadata = Labels.MetadataOf(server, Labels.Of(name), annotations.Count == 0 ? null : annotations),
            Spec = new IngressSpec
            {
                IngressClassName = ingressClass,
                Tls = TlsOf(tls, name, routes[0].Host),
                Rules =
                [
                    new IngressRule
                    {
                        Host = routes[0].Host,
                        Http = new HttpIngressRule { Paths = paths },
                    },
                ],
            },
        };
    }

    /// <summary>
    /// The Ingress without the class annotation, to create it with. API servers before 1.27 refuse annotation and
    /// ingressClassName together in a create, not in an update (ValidateIngressCreate in pkg/apis/networking/validation). Null
    /// when it has no such annotation.
    /// </summary>
    internal static Ingress? ForOldCreate(Ingress ingress)
    {
        if (ingress.Metadata.Annotations?.ContainsKey(Routing.ClassAnnotation) != true)
            return null;
        var annotations = new Dictionary<string, string>(ingress.Metadata.Annotations);
        annotations.Remove(Routing.ClassAnnotation);
        return ingress with
        {
            Metadata = ingress.Metadata with { Annotations = annotations.Count == 0 ? null : annotations },
        };
    }

    /// <summary>
    /// While the Ingress carries the form that was accepted, the refused one is not tried again. Without the path it may also be from
    /// when none was wanted: then the last report tells of no refusal.
    /// </summary>
    private MetadataPath FirstTry(Pass pass) =>
        Routing.IngressRoutes(pass.Server.Metadata.Name, pass.Spec).Count > 1 && FindOwned(pass.Server) is { } live
        && (Stands(pass, live, MetadataPath.Lenient)
            || (pass.Server.Reported?.Find(ConditionTypes.IngressReady)?.Reason == Problem.ApplyFailed && Stands(pass, live, MetadataPath.None)))
            ? MetadataPath.Lenient
            : MetadataPath.AsOthers;

    /// <summary>Whether the refusal names the metadata path. Any other refusal would meet the other forms as well.</summary>
    private static bool IsOfMetadata(Problem? problem) =>
        problem is { Reason: Problem.ApplyFailed } && problem.Message.Contains(Routing.ProtectedResource, StringComparison.Ordinal);

    private static bool Stands(Pass pass, Observed live, MetadataPath metadata) =>
        live.Fingerprint == OwnedFields.FingerprintOf(ApplyConfiguration.Of(Build(pass.Server, pass.Settings, metadata)));

    private static DesiredState.Apply Apply(Pass pass, MetadataPath metadata) => Apply(pass.Server, pass.Settings, metadata);

    private static DesiredState.Apply Apply(MCPServer server, OperatorSettings settings, MetadataPath metadata)
    {
        var ingress = Build(server, settings, metadata);
        return new(() => ApplyConfiguration.Of(ingress), refused => RemedyFor(ingress, refused));
    }

    private static HttpIngressPath PathTo(string server, MCPServerSpec spec, string path, string type) => new()
    {
        Path = path,
        PathType = type,
        Backend = new IngressBackend
        {
            Service = new IngressServiceBackend
            {
                Name = server,
                Port = new ServiceBackendPort { Number = spec.ServicePort ?? Defaults.ServicePort },
            },
        },
    };

    /// <summary>IngressTLSs, of which there is one.</summary>
    private static JsonElement? TlsOf(TlsConfig? tls, string server, string? host)
    {
        if (tls is null)
            return null;
        var entry = new JsonObject();
        if (host is not null)
            entry["hosts"] = new JsonArray(host);
        if (tls.SecretNameOf(server) is { } secret)
            entry["secretName"] = secret;
        return JsonElement.Parse(new JsonArray(entry).ToJsonString());
    }

    /// <summary>The user's annotations, and what the controller of the class needs unless the user sets it.</summary>
    private static Dictionary<string, string> Annotations(MCPServerSpec spec, TlsConfig? tls, string ingressClass, OperatorSettings settings)
    {
        var annotations = spec.IngressAnnotations is { } ofUser ? new Dictionary<string, string>(ofUser) : [];
        if (tls is { HasIssuer: true })
            annotations.TryAdd(tls.IssuerKind == TlsConfig.ClusterIssuer ? TlsConfig.ClusterIssuerAnnotation : TlsConfig.IssuerAnnotation, tls.IssuerName!);
        switch (ingressClass)
        {
            case "traefik":
                // The entry point for plain HTTP answers nobody who speaks TLS.
                var isPlain = settings.DefaultIngressEntryPoints == OperatorSettings.PlainEntryPoint;
                annotations.TryAdd(TraefikEntryPoints, tls is not null && isPlain ? OperatorSettings.TlsEntryPoint : settings.DefaultIngressEntryPoints);
                if (Routing.IsIngressTls(spec, settings))
                    annotations.TryAdd(TraefikTls, "true");
                break;
            case "nginx":
                // An Ingress from before there was spec.tls stays as it is.
                if (tls is null)
                {
                    annotations.TryAdd(Nginx + "ssl-redirect", "false");
                    break;
                }

                // Streams of events may be silent for long; 60 s is nginx' default. Traefik neither buffers a stream nor ends it.
                annotations.TryAdd(Nginx + "proxy-buffering", "off");
                annotations.TryAdd(Nginx + "proxy-read-timeout", "3600");
                annotations.TryAdd(Nginx + "proxy-send-timeout", "3600");
                break;
            case "istio":
                annotations.TryAdd(Routing.ClassAnnotation, "istio");
                break;
        }

        return annotations;
    }

    /// <summary>Creates it without the class annotation first (<see cref="ForOldCreate"/>).</summary>
    private static Remedy.Apply? RemedyFor(Ingress ingress, RefusedApply refused) =>
        refused.IsNew && refused.Tried.Count == 0 && ForOldCreate(ingress) is { } older
            ? new Remedy.Apply(ApplyConfiguration.Of(older))
            : null;
}

/// <summary>How an Ingress serves the path of the OAuth metadata.</summary>
internal enum MetadataPath
{
    /// <summary>With the path type of the spec.</summary>
    AsOthers,

    /// <summary>With a path type that controllers check less.</summary>
    Lenient,

    /// <summary>Not at all.</summary>
    None,
}

/// <summary>An Ingress, and whether a controller serves it.</summary>
internal sealed class ObservedIngress : Observed
{
    public ObservedIngress(JsonElement json, OwnedFields ours)
        : base(json, ours, Labels.OwnerOf(json))
    {
        var rule = FirstOf(json.Child("spec"u8)?.Child("rules"u8));
        HasRule = rule is not null;
        ServicePort = (int)(FirstOf(rule?.Child("http"u8)?.Child("paths"u8))?.Child("backend"u8)?.Child("service"u8)?.Child("port"u8)?.Number("number"u8) ?? 0);
        HasLoadBalancer = (json.Child("status"u8)?.Child("loadBalancer"u8)?.Child("ingress"u8))
            .HasItem(static entry => !string.IsNullOrEmpty(entry.Text("ip"u8)) || !string.IsNullOrEmpty(entry.Text("hostname"u8)));
    }

    public bool HasRule { get; }

    /// <summary>To which its first path leads; 0 where that is unknown.</summary>
    public int ServicePort { get; }

    /// <summary>True once the ingress controller has published an address.</summary>
    public bool HasLoadBalancer { get; }

    private static JsonElement? FirstOf(JsonElement? items) => items is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() > 0 ? list[0] : null;
}
