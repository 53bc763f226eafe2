using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Kubernetes.Types;

namespace McpOperator.Servers.Kinds;

/// <summary>The Ingress that brings a server's clients to its Service.</summary>
internal sealed class IngressKind(Store<ObservedIngress> store, OwnedFields ours)
    : OwnedKind<ObservedIngress>(ResourceTypes.Ingress, ConditionTypes.IngressReady, store, json => new ObservedIngress(json, ours), ours)
{
    private const string TraefikEntryPoints = "traefik.ingress.kubernetes.io/router.entrypoints";
    private const string TraefikTls = "traefik.ingress.kubernetes.io/router.tls";
    private const string NginxSslRedirect = "nginx.ingress.kubernetes.io/ssl-redirect";

    public override DesiredState DesiredStateOf(Pass pass)
    {
        if (pass.RouteConflict is { } conflict)
            return new DesiredState.Withhold(new Problem(Reasons.RouteConflict, conflict.Message));
        return Apply(pass, FirstTry(pass));
    }

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

    public override IEnumerable<ComponentCondition> ConditionsOf(Pass pass) => [ConditionOf(
        pass, pass.ResultOf(this).Problem, live => (live, pass.Settings.PermissiveIngressReadiness) switch
        {
            ({ HasLoadBalancer: true }, false) => Ready(Reasons.LoadBalancerAssigned, "an ingress controller has published an address"),
            ({ HasRule: true }, true) => Ready(Reasons.IngressCreated, "the Ingress exists"),
            _ => Unready(Reasons.LoadBalancerPending, "no ingress controller has published an address yet"),
        })];

    /// <summary>While the Ingress could not be changed it serves the old route, so the URL stays as reported.</summary>
    public override string? UrlOf(Pass pass) => pass.ResultOf(this) switch
    {
        { Live: null } => null,
        _ when !pass.IsValid => pass.Server.Reported?.Url,
        { Stands: false, Problem: { } problem, Live: var live } when !(IsOfMetadata(problem) && Stands(pass, live, MetadataPath.None)) => pass.Server.Reported?.Url,
        _ => Routing.Resolve(pass.Server.Metadata.Name, pass.Spec).Url(pass.Settings),
    };

    /// <param name="server">With the defaults filled in (<see cref="Defaults"/>), and valid.</param>
    internal static Ingress Build(MCPServer server, OperatorSettings settings, MetadataPath metadata = MetadataPath.AsOthers)
    {
        var name = server.Metadata.Name;
        var spec = server.Spec;
        var ingressClass = spec.IngressClass ?? settings.DefaultIngressClass;
        var annotations = Annotations(spec.IngressAnnotations, ingressClass, settings);
        var routes = Routing.Routes(name, spec);
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
        Routing.Routes(pass.Server.Metadata.Name, pass.Spec).Count > 1 && FindOwned(pass.Server) is { } live
        && (Stands(pass, live, MetadataPath.Lenient)
            || (pass.Server.Reported?.Find(ConditionTypes.IngressReady)?.Reason == Problem.ApplyFailed && Stands(pass, live, MetadataPath.None)))
            ? MetadataPath.Lenient
            : MetadataPath.AsOthers;

    /// <summary>Whether the refusal names the metadata path. Any other refusal would meet the other forms as well.</summary>
    private static bool IsOfMetadata(Problem? problem) =>
        problem is { Reason: Problem.ApplyFailed } && problem.Message.Contains(Routing.ProtectedResource, StringComparison.Ordinal);

    private static bool Stands(Pass pass, Observed live, MetadataPath metadata) =>
        live.Fingerprint == OwnedFields.FingerprintOf(ApplyConfiguration.Of(Build(pass.Server, pass.Settings, metadata)));

    private static DesiredState.Apply Apply(Pass pass, MetadataPath metadata)
    {
        var ingress = Build(pass.Server, pass.Settings, metadata);
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

    /// <summary>The user's annotations, and what the controller of the class needs unless the user sets it.</summary>
    private static Dictionary<string, string> Annotations(
        IReadOnlyDictionary<string, string>? ofUser, string ingressClass, OperatorSettings settings)
    {
        var annotations = ofUser is null ? [] : new Dictionary<string, string>(ofUser);
        switch (ingressClass)
        {
            case "traefik":
                annotations.TryAdd(TraefikEntryPoints, settings.DefaultIngressEntryPoints);
                if (settings.DefaultIngressTls)
                    annotations.TryAdd(TraefikTls, "true");
                break;
            case "nginx":
                annotations.TryAdd(NginxSslRedirect, "false");
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
        HasRule = (json.Child("spec"u8)?.Child("rules"u8)).HasItem(static _ => true);
        HasLoadBalancer = (json.Child("status"u8)?.Child("loadBalancer"u8)?.Child("ingress"u8))
            .HasItem(static entry => !string.IsNullOrEmpty(entry.Text("ip"u8)) || !string.IsNullOrEmpty(entry.Text("hostname"u8)));
    }

    public bool HasRule { get; }

    /// <summary>True once the ingress controller has published an address.</summary>
    public bool HasLoadBalancer { get; }
}
