using System.Text.Json.Nodes;
using McpOperator.Soak.Checking;

namespace McpOperator.Soak;

/// <summary>People, and their tools: what they do to servers, grants and sessions, and to objects that are not theirs.</summary>
internal sealed class Users(KubeClient client, Dice dice)
{
    /// <summary>The fields of the operator that others write are these; whatever else they add is theirs and stays.</summary>
    private const string TheirsKey = "soak.test/theirs";

    public static readonly IReadOnlyList<string> Namespaces = ["soak-a", "soak-b", "soak-c"];

    private static readonly string[] Servers = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"];

    private static readonly string[] Subjects = ["one", "two", "three", "four", "five"];

    private readonly SpecWriter _specs = new(dice);
    private readonly Members _members = new(client, dice, Subjects);

    public Neighbours Neighbours { get; } = new(client, dice);

    /// <summary>One random change, as something that can be repeated, and its kind, for the figures.</summary>
    public (string Kind, Func<Task> Act) Next()
    {
        var @namespace = dice.Pick(Namespaces);
        var server = dice.Pick(Servers);
        return dice.Draw<Func<(string, Func<Task>)>>(
        [
            (20, () => ("create", Create(@namespace, server))),
            (25, () => ("edit", EditServer(@namespace, server, _specs.Edit()))),
            (4, () => ("break", EditServer(@namespace, server, _specs.Break()))),
            (4, () => ("consent", Consent(@namespace, server))),
            (7, () => ("delete", () => client.DeleteAsync(Resource.MCPServers, @namespace, server))),
            (3, () => ("recreate", Recreate(@namespace, server))),
            (12, () => ("grant", Access("MCPAccessGrant", @namespace))),
            (12, () => ("session", Access("MCPAgentSession", @namespace))),
            (4, () => ("access deleted", DeleteAccess(@namespace))),
            (4, () => ("access held", _members.Hold(@namespace))),
            (2, () => ("access let go", _members.LetGo(@namespace))),
            (3, () => ("session expires", _members.Expire(@namespace))),
            (5, () => ("access while broken", AccessWhileBroken(@namespace, server))),
            (4, () => ("mended", EditServer(@namespace, server, SpecWriter.Mend()))),
            (4, () => ("policy made immutable", () => client.PatchAsync(
                Resource.ConfigMaps, @namespace, $"{server}-gateway-policy", """{"immutable":true}"""))),
            (20, () => ("drift", Drift(@namespace, server))),
            (8, () => ("child deleted", DeleteChild(@namespace, server))),
            (3, () => ("foreign object", CreateForeign(@namespace, server))),
            (3, () => ("foreign object deleted", DeleteForeign(@namespace, server))),
            (4, () => ("pods not ready", () => Kubelet.NotReadyAsync(client, @namespace, server))),
            (6, () => ("undo", Neighbours.Undo(@namespace))),
            (6, () => ("restore", Neighbours.Restore(Child(server).Kind, @namespace))),
            (5, () => ("copy", Neighbours.Copy(@namespace, Servers))),
            (2, () => ("copy deleted", Neighbours.DeleteCopy(@namespace, server))),
            (3, () => ("relabel", Neighbours.Relabel(Child(server).Kind, @namespace))),
            (3, () => ("selector", Neighbours.Select(@namespace))),
            (2, () => ("address taken away", () => Kubelet.ServeIngressAsync(client, @namespace, server, null))),
        ])();
    }

    /// <summary>Of every possible server two of three, so that changes find something to change.</summary>
    public IEnumerable<Func<Task>> Beginnings() =>
        from @namespace in Namespaces from server in Servers where dice.Chance(0.67) select Create(@namespace, server);

    /// <summary>Each neighbour once in each namespace, so that none is left to chance.</summary>
    public IEnumerable<Func<Task>> NeighboursCome() => Namespaces.SelectMany(@namespace => new[]
    {
        Neighbours.Undo(@namespace), Neighbours.Restore(Child(Servers[0]).Kind, @namespace), Neighbours.Copy(@namespace, Servers),
        Neighbours.Relabel(Child(Servers[0]).Kind, @namespace), Neighbours.Select(@namespace),
    });

    /// <summary>Grants and sessions for which no policy has room, one after another.</summary>
    public IEnumerable<Func<Task>> Crowd() => new Crowd(client, dice).Come(dice.Pick(Namespaces), dice.Pick(Servers), Namespaces);

    /// <summary>Away with them.</summary>
    public IEnumerable<Func<Task>> CrowdGoes() => new Crowd(client, dice).Go(Namespaces);

    private Func<Task> Create(string @namespace, string name)
    {
        var manifest = Object("MCPServer", name, _specs.Server());
        if (dice.Chance(0.4))
            manifest["metadata"]!["annotations"] = new JsonObject { ["mcpruntime.org/allow-access-from"] = Allowed() };
        return () => client.CreateAsync(manifest, @namespace);
    }

    private Func<Task> EditServer(string @namespace, string name, JsonObject spec) =>
        () => client.PatchAsync(Resource.MCPServers, @namespace, name, new JsonObject { ["spec"] = spec.DeepClone() });

    private Func<Task> Recreate(string @namespace, string name)
    {
        var create = Create(@namespace, name);
        return async () =>
        {
            await client.DeleteAsync(Resource.MCPServers, @namespace, name);
            await create();
        };
    }

    private Func<Task> Consent(string @namespace, string name)
    {
        var allowed = dice.Maybe(Allowed, 0.7);
        return () => client.PatchAsync(Resource.MCPServers, @namespace, name, Annotations("mcpruntime.org/allow-access-from", allowed));
    }

    // What comes and goes while the spec is wrong, and perhaps no longer is. Before that it had a policy, mostly.
    private Func<Task> AccessWhileBroken(string @namespace, string server)
    {
        List<Func<Task>> acts =
        [
            EditServer(@namespace, server, SpecWriter.Mend()),
            EditServer(@namespace, server, new JsonObject { ["gateway"] = new JsonObject { ["enabled"] = true } }),
            Access("MCPAccessGrant", @namespace, server), Access("MCPAgentSession", @namespace, server),
            () => Task.Delay(TimeSpan.FromSeconds(1)),
            EditServer(@namespace, server, dice.Chance(0.6) ? _specs.BreakAccess() : _specs.Break()),
            Access("MCPAccessGrant", @namespace, server), Access("MCPAgentSession", @namespace, server), _members.Disable(@namespace),
        ];
        if (dice.Chance(0.3))
            acts.Add(EditServer(@namespace, server, SpecWriter.Mend()));
        return async () =>
        {
            foreach (var act in acts)
                await act();
        };
    }

    private string Allowed() => dice.Pick("*", "soak-a, soak-b", "soak-c", "nobody");

    private Func<Task> Access(string kind, string @namespace, string? of = null)
    {
        var name = dice.Pick(Subjects);
        var home = of is null ? dice.Pick("", "", "", dice.Pick(Namespaces)) : "";
        var server = of ?? dice.Pick(Servers);
        var spec = kind == "MCPAccessGrant"
            ? _specs.Grant(home, server)
            : _specs.Session(home, server, DateTimeOffset.UtcNow + dice.Seconds(1, 12));
        var manifest = Object(kind, name, spec);
        // All of it, so that one that is there already may move to another server.
        return async () =>
        {
            var live = await client.FindAsync(Resource.Of(manifest), @namespace, name);
            if (live is null)
            {
                await client.CreateAsync(manifest, @namespace);
                return;
            }
            var next = manifest.DeepClone().AsObject();
            next["metadata"]!["resourceVersion"] = live.Raw("metadata", "resourceVersion");
            await client.ReplaceAsync(next, @namespace);
        };
    }

    private Func<Task> DeleteAccess(string @namespace)
    {
        var kind = dice.Pick(Resource.MCPAccessGrants, Resource.MCPAgentSessions);
        var name = dice.Pick(Subjects);
        return () => client.DeleteAsync(kind, @namespace, name);
    }

    private Func<Task> DeleteChild(string @namespace, string server)
    {
        var (kind, name) = Child(server);
        return () => client.DeleteAsync(kind, @namespace, name);
    }

    // What every server has comes more often than what some have.
    private (Resource Kind, string Name) Child(string server) => dice.Draw<(Resource, string)>(
    [
        (4, (Resource.Deployments, server)), (3, (Resource.Services, server)), (3, (Resource.Ingresses, server)),
        (1, (Resource.Deployments, $"{server}-canary")), (1, (Resource.ConfigMaps, $"{server}-gateway-policy")),
    ]);

    private Func<Task> Drift(string @namespace, string server)
    {
        var (kind, name) = Child(server);
        JsonNode patch = dice.Draw<Func<JsonNode>>(
        [
            (2, () => Json("""{"metadata":{"ownerReferences":null}}""")),
            (2, () => Json("""{"metadata":{"labels":{"app.kubernetes.io/managed-by":null}}}""")),
            (1, () => Json("""{"metadata":{"labels":{"app.kubernetes.io/managed-by":"somebody"}}}""")),
            (2, () => Json("""{"metadata":{"labels":{"app":"drift"}}}""")),
            (1, () => Annotations(TheirsKey, "stays")),
            (14, () => kind.Kind switch
            {
                "Deployment" => DeploymentDrift(server),
                "Service" => ServiceDrift(),
                "Ingress" => IngressDrift(),
                _ => Json(dice.Pick("""{"data":{"policy.json":"{}"}}""", """{"data":null}""", """{"data":{"theirs":"stays"}}""")),
            }),
        ])();
        return () => client.PatchAsync(kind, @namespace, name, patch.DeepClone(), kind.Kind == "Deployment" ? PatchKind.Strategic : PatchKind.Merge);
    }

    private JsonNode DeploymentDrift(string server)
    {
        JsonNode Container(string fields)
        {
            var patch = Json("""{"spec":{"template":{"spec":{"containers":[]}}}}""");
            patch["spec"]!["template"]!["spec"]!["containers"]!.AsArray().Add(Json($"{{\"name\":\"{server}\",{fields}}}"));
            return patch;
        }

        return dice.Pick<Func<JsonNode>>(
            () => new JsonObject { ["spec"] = new JsonObject { ["replicas"] = dice.Between(0, 9) } },
            () => Container("\"image\":\"drift/image:1\""),
            () => Container("\"env\":[{\"name\":\"A\",\"value\":\"drift\"}]"),
            () => Container("\"env\":[{\"name\":\"DRIFT\",\"value\":\"stays\"}]"),
            () => Container("\"livenessProbe\":null"),
            () => Container("\"readinessProbe\":{\"periodSeconds\":77}"),
            () => Container("\"resources\":{\"limits\":{\"memory\":\"3Gi\"}}"),
            () => Container("\"securityContext\":{\"runAsNonRoot\":null}"),
            () => Json("""{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}"""),
            () => Json("""{"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":7}}}}"""),
            () => Json("""{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"now"}}}}}"""),
            () => Json("""{"spec":{"template":{"spec":{"containers":[{"name":"sidecar","image":"theirs"}]}}}}"""),
            () => Json("""{"spec":{"template":{"spec":{"volumes":[{"name":"theirs","emptyDir":{}}]}}}}"""),
            () => Json("""{"spec":{"template":{"spec":{"serviceAccountName":"default"}}}}"""))();
    }

    private JsonNode ServiceDrift() => Json(dice.Pick(
        """{"spec":{"ports":[{"name":"http","port":4711,"targetPort":4711}]}}""",
        """{"spec":{"ports":[{"name":"http","port":80,"targetPort":4711}]}}""",
        """{"spec":{"selector":{"app":"drift"}}}""",
        """{"spec":{"type":"NodePort"}}""",
        """{"metadata":{"annotations":{"prometheus.io/port":"1"}}}"""));

    private JsonNode IngressDrift() => Json(dice.Pick(
        """{"spec":{"rules":[{"host":"drift.soak.test"}]}}""",
        """{"spec":{"rules":null,"defaultBackend":{"service":{"name":"drift","port":{"number":1}}}}}""",
        """{"spec":{"ingressClassName":"drift"}}""",
        """{"metadata":{"annotations":null}}""",
        """{"metadata":{"annotations":{"example.com/rate":"drift"}}}"""));

    private Func<Task> CreateForeign(string @namespace, string server)
    {
        var (kind, name) = Child(server);
        var manifest = new JsonObject
        {
            ["apiVersion"] = kind.ApiVersion,
            ["kind"] = kind.Kind,
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["annotations"] = new JsonObject { [Checker.ForeignMark] = "true" },
            },
        };
        // Somebody else's, by an owner or by nothing.
        if (dice.Chance(0.3))
            manifest["metadata"]!["ownerReferences"] = Json("""
                [{"apiVersion":"example.com/v1","kind":"Other","name":"other","uid":"00000000-0000-4000-8000-000000000000","controller":true}]
                """);
        if (kind.Kind == "ConfigMap")
            manifest["data"] = new JsonObject { ["theirs"] = "stays" };
        else
            manifest["spec"] = kind.Kind switch
            {
                "Deployment" => Json("""
                    {"selector":{"matchLabels":{"x":"y"}},"template":{"metadata":{"labels":{"x":"y"}},
                     "spec":{"containers":[{"name":"x","image":"x"}]}}}
                    """),
                "Service" => Json("""{"ports":[{"port":1}]}"""),
                _ => Json("""{"defaultBackend":{"service":{"name":"x","port":{"number":1}}}}"""),
            };
        return () => client.CreateAsync(manifest, @namespace);
    }

    private Func<Task> DeleteForeign(string @namespace, string server)
    {
        var (kind, name) = Child(server);
        return async () =>
        {
            var live = await client.GetAsync(kind, @namespace, name);
            if (live.Raw("metadata", "annotations", Checker.ForeignMark) is not null)
                await client.DeleteAsync(kind, @namespace, name);
        };
    }

    private static JsonObject Object(string kind, string name, JsonObject spec) => new()
    {
        ["apiVersion"] = "mcpruntime.org/v1alpha1",
        ["kind"] = kind,
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = spec,
    };

    private static JsonObject Annotations(string name, string? value) =>
        new() { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [name] = value } } };

    private static JsonNode Json(string text) => JsonNode.Parse(text)!;
}
