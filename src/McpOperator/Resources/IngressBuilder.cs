using McpOperator.Api;
using McpOperator.Resources.Types;

namespace McpOperator.Resources;

/// <summary>The Ingress that brings a server's clients to its Service.</summary>
public static class IngressBuilder
{
    private const string TraefikEntryPoints = "traefik.ingress.kubernetes.io/router.entrypoints";
    private const string TraefikTls = "traefik.ingress.kubernetes.io/router.tls";
    private const string NginxSslRedirect = "nginx.ingress.kubernetes.io/ssl-redirect";
    private const string ClassAnnotation = "kubernetes.io/ingress.class";

    /// <param name="server">With its spec in effect (<see cref="Defaults"/>), and valid.</param>
    /// <param name="settings">Of the operator.</param>
    public static Ingress Build(MCPServer server, OperatorSettings settings)
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
    public static Ingress? ForOldCreate(Ingress ingress)
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
}
