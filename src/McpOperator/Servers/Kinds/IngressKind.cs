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
    private const string ClassAnnotation = "kubernetes.io/ingress.class";

    public override Wanted Want(Pass pass)
    {
        if (pass.Conflict is { } conflict)
            return new Wanted.Withhold(new Problem(Reasons.RouteConflict, conflict.Message));
        var ingress = Build(pass.Server, pass.Settings);
        return new Wanted.Apply(() => ApplyConfiguration.Of(ingress), (in Attempt attempt) => Recover(ingress, attempt));
    }

    public override IEnumerable<Surface> Judge(Pass pass) => [SurfaceOf(
        pass, pass.Of(this).Problem, live => (live, pass.Settings.PermissiveIngressReadiness) switch
        {
            ({ HasLoadBalancer: true }, false) => Ready(Reasons.LoadBalancerAssigned, "an ingress controller has published an address"),
            ({ HasRule: true }, true) => Ready(Reasons.IngressCreated, "the Ingress exists"),
            _ => Unready(Reasons.LoadBalancerPending, "no ingress controller has published an address yet"),
        })];

    /// <summary>As reported before, when it could not be changed: then it leads where it led.</summary>
    public override string? UrlOf(Pass pass) => pass.Of(this) switch
    {
        { Live: null } => null,
        { Problem: not null } => pass.Server.Reported?.Url,
        _ when !pass.IsValid => pass.Server.Reported?.Url,
        _ => Routing.Resolve(pass.Server.Metadata.Name, pass.Spec).Url(pass.Settings),
    };

    /// <param name="server">With its spec in effect (<see cref="Defaults"/>), and valid.</param>
    internal static Ingress Build(MCPServer server, OperatorSettings settings)
    {
        var name = server.Metadata.Name;
        var spec = server.Spec;
        var ingressClass = spec.IngressClass ?? settings.DefaultIngressClass;
        var annotations = Annotations(spec.IngressAnnotations, ingressClass, settings);
        var routes = Routing.Routes(name, spec);
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
                        Http = new HttpIngressRule { Paths = [.. routes.Select(route => PathTo(name, spec, route.Path))] },
                    },
                ],
            },
        };
    }

    /// <summary>
    /// The same Ingress as API servers before 1.27 let it be created: they refuse the class as annotation and as field
    /// together, but only in a create (ValidateIngressCreate in pkg/apis/networking/validation). Null when it has not both.
    /// </summary>
    internal static Ingress? ForOldCreate(Ingress ingress)
    {
        if (ingress.Metadata.Annotations?.ContainsKey(ClassAnnotation) != true)
            return null;
        var annotations = new Dictionary<string, string>(ingress.Metadata.Annotations);
        annotations.Remove(ClassAnnotation);
        return ingress with
        {
            Metadata = ingress.Metadata with { Annotations = annotations.Count == 0 ? null : annotations },
        };
    }

    private static HttpIngressPath PathTo(string server, MCPServerSpec spec, string prefix) => new()
    {
        Path = prefix,
        PathType = "Prefix",
        Backend = new IngressBackend
        {
            Service = new IngressServiceBackend
            {
                Name = server,
                Port = new ServiceBackendPort { Number = spec.ServicePort ?? Defaults.ServicePort },
            },
        },
    };

    /// <summary>The user's annotations, and what the class's controller needs where the user says nothing of it.</summary>
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
                annotations.TryAdd(ClassAnnotation, "istio");
                break;
        }

        return annotations;
    }

    /// <summary>Two steps for what old API servers do not create in one.</summary>
    private static Remedy.Apply? Recover(Ingress ingress, in Attempt attempt) =>
        attempt.IsNew && attempt.Tried.Count == 0 && ForOldCreate(ingress) is { } older
            ? new Remedy.Apply(ApplyConfiguration.Of(older))
            : null;
}

/// <summary>An Ingress, and whether a controller has taken it up.</summary>
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
