using System.Globalization;
using System.Text.Json.Nodes;

namespace McpOperator.Soak.Checking;

/// <summary>
/// Reads every object and says what is not as the documents ask for it. It was written from them, not from the code, and shares
/// nothing with it: where both are wrong in the same way, they are so twice.
/// </summary>
internal sealed class Checker
{
    /// <summary>On objects that a run makes in the place of children, to see that nobody touches them.</summary>
    public const string ForeignMark = "soak.test/foreign";

    /// <summary>On copies that a run makes of the operator's objects.</summary>
    public const string CopyMark = "soak.test/copy";

    /// <summary>So many changes by others come before a quarrel: the first ones may be mistakes.</summary>
    public const int Mistakes = 2;

    private const string Contested = "Contested";

    private const string ApplyFailed = "ApplyFailed";

    private const string SelectorMismatch = "SelectorMismatch";

    private static readonly string[] ConditionTypes =
        ["Ready", "DeploymentReady", "ServiceReady", "IngressReady", "GatewayReady", "PolicyReady", "CanaryReady"];

    private readonly Snapshot _snapshot;
    private readonly Settings _settings;
    private readonly Dictionary<string, Wanted> _servers;
    private readonly RouteOrder _routes;
    private readonly List<Finding> _findings = [];
    private readonly HashSet<string> _outOfOrder = [];
    private readonly HashSet<string> _contested = [];
    private readonly HashSet<JsonObject> _checked = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, PolicyState> _policies;
    private readonly Dictionary<string, Judgement> _judgements = [];

    private Checker(Snapshot snapshot, Settings settings)
    {
        _snapshot = snapshot;
        _settings = settings;
        _servers = snapshot.Of(Resource.MCPServers).Select(server => new Wanted(server, settings)).ToDictionary(wanted => wanted.Key);
        _routes = new(_servers.Values);
        _policies = _servers.Values.ToDictionary(wanted => wanted.Key, wanted => new PolicyState(
            wanted, snapshot, Foreign(wanted, Resource.ConfigMaps, wanted.PolicyName) is not null));
        var grants = snapshot.Of(Resource.MCPAccessGrants).ToLookup(Access.TargetOf);
        var sessions = snapshot.Of(Resource.MCPAgentSessions).ToLookup(Access.TargetOf);
        foreach (var key in _servers.Keys.Concat(grants.Select(group => group.Key)).Concat(sessions.Select(group => group.Key)).Distinct())
            _judgements[key] = new Access(_servers.GetValueOrDefault(key), _policies.GetValueOrDefault(key), snapshot.Taken)
                .Judge(grants[key], sessions[key]);
    }

    /// <param name="Compared">The objects that were looked at field by field.</param>
    /// <param name="OutOfOrder">Deployments whose variables have an order that nobody can change, on an old API server.</param>
    /// <param name="Contested">The keys of servers whose status tells of a quarrel.</param>
    /// <param name="Policies">By server.</param>
    /// <param name="Judgements">By the server that they name, be it there or not.</param>
    public sealed record Result(
        IReadOnlyList<Finding> Findings, IReadOnlySet<JsonObject> Compared, IReadOnlySet<string> OutOfOrder, IReadOnlySet<string> Contested,
        IReadOnlyDictionary<string, PolicyState> Policies, IReadOnlyDictionary<string, Judgement> Judgements);

    public static Result Check(Snapshot snapshot, Settings settings)
    {
        var checker = new Checker(snapshot, settings);
        checker.CheckAll();
        return new(checker._findings, checker._checked, checker._outOfOrder, checker._contested, checker._policies, checker._judgements);
    }

    private void CheckAll()
    {
        foreach (var wanted in _servers.Values)
        {
            CheckSpec(wanted);
            CheckChildren(wanted);
            CheckPolicy(wanted);
            CheckStatus(wanted);
        }
        foreach (var verdict in _judgements.Values.SelectMany(judgement => judgement.Verdicts))
            CheckVerdict(verdict);
        foreach (var kind in Snapshot.Children)
            foreach (var live in _snapshot.Of(kind))
                CheckBelongs(kind, live);
        CheckNamespaces();
    }

    private void Find(JsonObject live, string kind, string field, string expected, string? actual) =>
        _findings.Add(new($"{kind} {live.Key()}", field, expected, actual ?? "(absent)"));

    // What somebody else made, in the place of a child.
    private JsonObject? Foreign(Wanted wanted, Resource kind, string name)
    {
        if (_snapshot.Find(kind, wanted.Namespace, name) is not { } live)
            return null;
        return live.Controller() is { } controller
            ? controller.Raw("uid") == wanted.Server.Uid() ? null : live
            : IsAdoptable(wanted, live) && !IsCopy(live) ? null : live;
    }

    // By its labels; a ConfigMap also by the operator's own entry in managedFields.
    private static bool IsAdoptable(Wanted wanted, JsonObject live) => live.IsManaged()
        && (live.Raw("metadata", "labels", "app") == wanted.Name || (live.At("data") is not null && Comparison.OwnedBy(live).Any()));

    // Which the operator has not made its own: with a selector of the other track, or when it is immutable, it cannot.
    private static bool IsCopy(JsonObject live) => live.Raw("metadata", "annotations", CopyMark) is not null && live.Controller() is null
        && (live.At("spec", "selector", "matchLabels") is not null || live.Flag("immutable"));

    // While the canary cannot come up, since its name is somebody else's, the stable track does not shrink for it.
    private int StableReplicas(Wanted wanted)
    {
        var least = wanted.Replicas - wanted.CanaryReplicas;
        var held = wanted.IsCanary && Foreign(wanted, Resource.Deployments, wanted.CanaryName) is not null
            ? (int?)_snapshot.Find(Resource.Deployments, wanted.Namespace, wanted.Name)?.Number("spec", "replicas")
            : null;
        return held > least && held <= wanted.Replicas ? held.Value : least;
    }

    // Nor does a canary that is not wanted go while the stable track cannot take over.
    private JsonObject? KeptCanary(Wanted wanted) =>
        !wanted.IsCanary && wanted.Replicas > 0 && Foreign(wanted, Resource.Deployments, wanted.Name) is not null
        && _snapshot.Find(Resource.Deployments, wanted.Namespace, wanted.CanaryName) is { } live
        // One whose label somebody has changed is not seen.
        && live.IsManaged() && live.Controller().Raw("uid") == wanted.Server.Uid() && Comparison.OwnedBy(live).Any() && live.Number("spec", "replicas") > 0
            ? live
            : null;

    private bool HasForeignPolicy(Wanted wanted) =>
        wanted.HasGateway && Foreign(wanted, Resource.ConfigMaps, wanted.PolicyName) is not null;

    // Somebody else asks in its selector for a label that the pods of no track have.
    private bool LeadsNowhere(Wanted wanted) =>
        _snapshot.Find(Resource.Services, wanted.Namespace, wanted.Name).At("spec", "selector") is JsonObject selector
        && selector.Any(asked => asked.Key is not ("app" or "app.kubernetes.io/managed-by") && !new[] { wanted.Name, wanted.CanaryName }.Any(track =>
            _snapshot.Find(Resource.Deployments, wanted.Namespace, track).Raw("spec", "template", "metadata", "labels", asked.Key) == selector.Raw(asked.Key)));

    private bool HasItsRoutes(Wanted wanted) => _routes.Before(wanted).Count == 0;

    private void CheckSpec(Wanted wanted)
    {
        if (wanted.Faults().Count > 0)
            return;
        var spec = wanted.Spec;
        if (!_settings.PersistDefaults)
        {
            if (Comparison.OwnedBy(wanted.Server).Any(fields => fields.ContainsKey("f:spec")))
                Find(wanted.Server, "MCPServer", "spec", "not owned by the operator", "owned by it");
            return;
        }
        void Persisted(bool applies, params IReadOnlyList<string> path)
        {
            if (applies && spec.Text(path) is null)
                Find(wanted.Server, "MCPServer", "spec." + string.Join('.', path), "a default", null);
        }

        Persisted(true, "ingressClass");
        Persisted(spec.Text("publicPathPrefix") is null, "ingressPath");
        Persisted(wanted.HasGateway, "gateway", "upstreamURL");
        Persisted(!spec.Text("image")!.Contains('@', StringComparison.Ordinal)
            && !spec.Text("image")!.Split('/')[^1].Contains(':', StringComparison.Ordinal), "imageTag");
    }

    private void CheckChildren(Wanted wanted)
    {
        if (wanted.Faults().Count > 0)
            return;
        var expected = new Expected(wanted, name => PolicyUid(wanted, name));
        var frozen = HasForeignPolicy(wanted);
        var isLed = !frozen && Foreign(wanted, Resource.Deployments, wanted.Name) is null
            && !(wanted.IsCanary && Foreign(wanted, Resource.Deployments, wanted.CanaryName) is not null);

        if (!frozen)
        {
            var stable = expected.Deployment(canary: false);
            stable["spec"]!["replicas"] = StableReplicas(wanted);
            CheckDeployment(wanted.Name, stable);
            if (wanted.IsCanary)
                CheckDeployment(wanted.CanaryName, expected.Deployment(canary: true));
        }

        // Traffic moves when each pod that serves has a gateway. Of pods that the operator may not change, nobody knows.
        var present = _snapshot.Find(Resource.Services, wanted.Namespace, wanted.Name);
        var service = expected.Service(wanted.HasGateway && (isLed || present?.Items("spec", "ports").Any(port => port.Raw("name") == "metrics") != false));
        Check(wanted, Resource.Services, wanted.Name, service, (comparison, live) =>
            comparison.HasNoOther(".spec.ports", "port", service.At("spec", "ports"), live.At("spec", "ports")));

        if (wanted.HasGateway && !isLed && present is not null)
            _checked.Remove(present);

        if (HasItsRoutes(wanted))
            Check(wanted, Resource.Ingresses, wanted.Name, expected.Ingress());

        void CheckDeployment(string name, JsonObject deployment)
        {
            // A backup of a server that has been made anew since, with another spec, brings back what that one asked for.
            if (deployment["spec"]!["template"]!["spec"]!["imagePullSecrets"] is null
                && _snapshot.Find(Resource.Deployments, wanted.Namespace, name) is { } restored && Comparison.IsRestored(restored, "imagePullSecrets"))
                deployment["spec"]!["template"]!["spec"]!["imagePullSecrets"] = Comparison.Anything;
            Check(wanted, Resource.Deployments, name, deployment, (comparison, live) => CheckPods(deployment, comparison, live));
        }

        void CheckPods(JsonObject deployment, Comparison comparison, JsonObject live)
        {
            // What bears our names is as the spec says, whoever owns it.
            var pod = live.At("spec", "template", "spec");
            if (!wanted.HasGateway && pod.Items("containers").Any(one => one.Raw("name") == "mcp-gateway"))
                Find(live, "Deployment", "containers[mcp-gateway]", "not there", "there");
            if (!wanted.HasGateway && pod.Items("volumes").Any(one => one.Raw("name") == "gateway-policy"))
                Find(live, "Deployment", "volumes[gateway-policy]", "not there", "there");
            foreach (var container in deployment.Items("spec", "template", "spec", "containers"))
            {
                var path = $".containers[{container.Raw("name")}]";
                var one = live.Items("spec", "template", "spec", "containers").FirstOrDefault(c => c.Raw("name") == container.Raw("name"));
                comparison.HasNoOther(path + ".ports", "containerPort", container.At("ports"), one.At("ports"));
                comparison.HasNothingUndone(path, container, live);
                string Order(JsonNode? from) => string.Join(' ', from.Items("env").Select(variable => variable.Raw("name")).Intersect(
                    container.Items("env").Select(variable => variable.Raw("name"))));
                if (Order(container) == Order(one))
                    continue;
                // Later ones were merged into a list, which Kubernetes 1.20 does not put into the order that was asked for.
                if (live.Number("metadata", "generation") == 1)
                    Find(live, "Deployment", path + ".env", Order(container), Order(one));
                else
                    _outOfOrder.Add(live.Key());
            }
        }
    }

    // Also of an invalid server, when it has one or has pods that need one.
    private void CheckPolicy(Wanted wanted)
    {
        var policy = _policies[wanted.Key];
        if (policy.Kind is PolicyKind.Off or PolicyKind.Missing)
            return;
        var needsNewPods = policy.Live.Raw("metadata", "annotations", PolicyState.NeedsNewPods) is "true";
        var text = _judgements[wanted.Key].Document is not { } document ? "(a document of this server, with its own revision)"
            : PolicyDocument.Stored(document, policy.Stored) ?? GoJson.Indented(document);
        Check(wanted, Resource.ConfigMaps, wanted.PolicyName, new Expected(wanted, _ => null).ConfigMap(text, needsNewPods));
    }

    // Once pods have it they keep it, or they would be replaced again for nothing.
    private string? PolicyUid(Wanted wanted, string deployment)
    {
        if (!wanted.HasGateway)
            return null;
        var live = _policies[wanted.Key].Live;
        if (live.Raw("metadata", "annotations", PolicyState.NeedsNewPods) is "true")
            return live!.Uid();
        var present = _snapshot.Find(Resource.Deployments, wanted.Namespace, deployment)
            .Raw("spec", "template", "metadata", "annotations", PolicyState.PolicyUid);
        return Guid.TryParse(present, out _) ? present : null;
    }

    private void Check(Wanted wanted, Resource kind, string name, JsonObject child, Action<Comparison, JsonObject>? more = null)
    {
        if (Foreign(wanted, kind, name) is not null)
            return;
        if (_snapshot.Find(kind, wanted.Namespace, name) is not { } live)
        {
            _findings.Add(new($"{kind.Kind} {Json.Key(wanted.Namespace, name)}", "", "there", "not there"));
            return;
        }
        _checked.Add(live);
        var ports = new Dictionary<string, int> { ["http"] = wanted.Port, ["gateway"] = wanted.GatewayPort, ["metrics"] = 9103 };
        var comparison = new Comparison($"{kind.Kind} {live.Key()}", ports, _findings);
        comparison.Contains("", child, live);
        comparison.OwnsNoMore(child, live);
        comparison.IsNoCopy(live);
        more?.Invoke(comparison, live);
    }

    private void CheckStatus(Wanted wanted)
    {
        var status = wanted.Server["status"];
        var generation = wanted.Server.Number("metadata", "generation")!.Value;
        void Is(string field, string? expected, string? actual)
        {
            if (expected != actual)
                Find(wanted.Server, "MCPServer", "status." + field, expected ?? "(nothing)", actual);
        }

        Is("observedGeneration", generation.Show(), status.At("observedGeneration").Show());
        var conditions = status.Items("conditions")
            .GroupBy(condition => condition.Raw("type") ?? "").ToDictionary(group => group.Key, group => group.First());
        CheckTransitions("MCPServer", wanted.Server);
        var faults = wanted.Faults();
        if (faults.Count > 0)
        {
            Is("phase", "Error", status.Raw("phase"));
            Is("conditions[Ready].reason", "InvalidSpec", conditions.GetValueOrDefault("Ready").Raw("reason"));
            // What there is of it is observed as ever.
            foreach (var (type, kind) in new[]
            {
                ("DeploymentReady", Resource.Deployments), ("ServiceReady", Resource.Services), ("IngressReady", Resource.Ingresses),
            })
            {
                var live = _snapshot.Find(kind, wanted.Namespace, wanted.Name);
                // The watches are filtered by our label, and nobody puts right what was done to the objects of an invalid server.
                var isThere = live?.IsManaged() == true
                    && (live.Controller() is { } owner ? owner.Raw("uid") == wanted.Server.Uid() : live.Raw("metadata", "labels", "app") == wanted.Name)
                    && (kind != Resource.Ingresses || _settings.Strict || live.Items("spec", "rules").Any())
                    && (kind != Resource.Services || !LeadsNowhere(wanted));
                Is($"conditions[{type}].status", isThere ? "True" : "False", conditions.GetValueOrDefault(type).Raw("status"));
            }
            // Nobody is in the way of a policy that somebody else's object stands for, before it is written.
            if (wanted.HasGateway && !HasForeignPolicy(wanted))
            {
                var policy = _policies[wanted.Key];
                var reason = policy.Kind == PolicyKind.Missing ? "NotCreated"
                    : policy.Kind == PolicyKind.Current && policy.IsShown ? "PolicyCurrent" : "PolicyOutdated";
                var isContested = IsContested(wanted, new("PolicyReady", reason), conditions);
                if (isContested)
                    _contested.Add(wanted.Key);
                Is("conditions[PolicyReady].reason", isContested ? Contested : reason, conditions.GetValueOrDefault("PolicyReady").Raw("reason"));
                Is("conditions[PolicyReady].status", reason == "PolicyCurrent" ? "True" : "False", conditions.GetValueOrDefault("PolicyReady").Raw("status"));
            }
            foreach (var fault in faults)
                if (status.Raw("message")?.Contains(fault, StringComparison.Ordinal) != true)
                    Is("message", $"(something about spec.{fault})", status.Raw("message"));
            return;
        }
        var expected = Surfaces(wanted).Select(surface => IsContested(wanted, surface, conditions) ? surface with { Reason = Contested, IsContested = true } : surface).ToList();
        if (expected.Any(surface => surface.IsContested))
            _contested.Add(wanted.Key);
        var failures = expected.Where(surface => surface.IsFailed || surface.IsContested).Select(surface => surface.Reason).ToList();
        // What is in nobody's way, and serves nobody.
        var waiting = expected.Where(surface => surface.Reason == SelectorMismatch).Select(surface => surface.Reason).ToList();
        // How far its Deployments are, which go by a policy that is not there or are refused, is not known.
        var isFarKnown = !HasForeignPolicy(wanted) && !expected.Any(surface => surface.Reason == ApplyFailed);
        if (isFarKnown)
            _checked.Add(wanted.Server);
        var causes = failures.Count > 0 ? failures : waiting;
        if (conditions.GetValueOrDefault("Ready") is { } ready && causes.Count > 0)
        {
            Is("conditions[Ready].status", "False", ready.Raw("status"));
            if (!causes.Contains(ready.Raw("reason") ?? ""))
                Is("conditions[Ready].reason", string.Join(" or ", causes.Distinct()), ready.Raw("reason"));
        }
        else
        {
            Is("conditions[Ready].status", "True", conditions.GetValueOrDefault("Ready").Raw("status"));
            Is("conditions[Ready].reason", "AllResourcesReady", conditions.GetValueOrDefault("Ready").Raw("reason"));
            var doubts = wanted.Doubts().Select(field => $"spec.{field}: ").ToList();
            var message = status.Raw("message") ?? "";
            var isTold = doubts.Count > 0 && message.StartsWith("All resources are ready, but the spec is doubtful: ", StringComparison.Ordinal)
                && doubts.All(doubt => message.Contains(doubt, StringComparison.Ordinal));
            if (!isTold)
                Is("message", $"All resources are ready{(doubts.Count > 0 ? $", but the spec is doubtful: {string.Join("; ", doubts)}" : "")}", message);
        }
        Is("phase", failures.Count > 0 ? "Error" : waiting.Count > 0 ? "PartiallyReady" : "Ready", status.Raw("phase"));
        // A list that goes by its types: Kubernetes 1.20 keeps them in the order in which they came.
        Is("conditions", string.Join(' ', ConditionTypes.Where(type => type == "Ready" || expected.Any(surface => surface.Type == type))),
            string.Join(' ', status.Items("conditions").Select(condition => condition.Raw("type") ?? "").OrderBy(type => Array.IndexOf(ConditionTypes, type))));
        foreach (var type in ConditionTypes)
        {
            var surface = expected.FirstOrDefault(surface => surface.Type == type);
            var condition = conditions.GetValueOrDefault(type);
            if (condition is not null)
                Is($"conditions[{type}].observedGeneration", generation.Show(), condition.At("observedGeneration").Show());
            if (type == "Ready")
                continue;
            Is(char.ToLowerInvariant(type[0]) + type[1..],
                condition.Raw("status") == "True" ? "true" : "false",
                (status.At(char.ToLowerInvariant(type[0]) + type[1..]) ?? false).Show());
            if (surface is null or { Reason: Comparison.Anything })
                continue;
            Is($"conditions[{type}].reason", surface.Reason, condition.Raw("reason"));
            // What was observed stays true.
            if (surface.Reason == ApplyFailed)
                continue;
            Is($"conditions[{type}].status", surface.IsFailed || (type == "ServiceReady" && LeadsNowhere(wanted)) ? "False" : "True", condition.Raw("status"));
        }
        Is("image", wanted.Image, status.Raw("image"));
        // One whose Ingress is not there, or somebody else's, leads nobody anywhere.
        Is("url", HasItsRoutes(wanted) && Foreign(wanted, Resource.Ingresses, wanted.Name) is null ? wanted.Url : null, status.Raw("url"));
        if (!HasItsRoutes(wanted))
        {
            var before = _routes.Before(wanted).Select(other => other.Key).ToList();
            if (failures.All(reason => reason == "RouteConflict")
                && !before.Any(key => status.Raw("message")?.Contains($"MCPServer {key}", StringComparison.Ordinal) == true))
                Is("message", $"(something about {string.Join(" or ", before)})", status.Raw("message"));
        }
        if (isFarKnown)
        {
            var replicas = Foreign(wanted, Resource.Deployments, wanted.Name) is null ? StableReplicas(wanted) : 0;
            if (KeptCanary(wanted) is { } kept)
                replicas += (int)kept.Number("spec", "replicas")!.Value;
            else if (wanted.IsCanary && Foreign(wanted, Resource.Deployments, wanted.CanaryName) is null)
                replicas += wanted.CanaryReplicas;
            Is("replicas", replicas.Show(), status.At("replicas").Show());
            Is("readyReplicas", replicas.Show(), status.At("readyReplicas").Show());
        }
        // By it the scale subresource finds the pods of both tracks, and of no other server.
        Is("selector", $"app.kubernetes.io/managed-by=mcp-runtime app={wanted.Name}",
            string.Join(' ', (status.Raw("selector") ?? "").Split(',').Order(StringComparer.Ordinal)));
    }

    private sealed record Surface(string Type, string Reason, bool IsFailed = false, bool IsContested = false);

    // Nobody but its writers knows for how long a quarrel is told: for ten minutes, or until another operator leads. But there was one.
    private bool IsContested(Wanted wanted, Surface surface, Dictionary<string, JsonObject> conditions)
    {
        (Resource Kind, string Name)? child = surface.Type switch
        {
            "DeploymentReady" or "GatewayReady" => (Resource.Deployments, wanted.Name),
            "CanaryReady" => (Resource.Deployments, wanted.CanaryName),
            "ServiceReady" => (Resource.Services, wanted.Name),
            "IngressReady" => (Resource.Ingresses, wanted.Name),
            "PolicyReady" => (Resource.ConfigMaps, wanted.PolicyName),
            _ => null,
        };
        return child is var (kind, name) && conditions.GetValueOrDefault(surface.Type).Raw("reason") == Contested
            && _snapshot.Changes.GetValueOrDefault(Snapshot.ChangesKey(kind, wanted.Namespace, name)) >= Mistakes;
    }

    private List<Surface> Surfaces(Wanted wanted)
    {
        var all = new List<Surface>();
        var frozen = HasForeignPolicy(wanted);
        void Add(string type, Resource kind, string name, string reason, bool isWanted = true)
        {
            if (!isWanted)
                all.Add(new(type, "RouteConflict", true));
            else if (frozen && kind == Resource.Deployments)
                // Without a policy nothing is tried, so that nobody has met what may stand in the way.
                all.Add(new(type, Comparison.Anything));
            else if (Foreign(wanted, kind, name) is { } foreign)
                all.Add(new(type, IsCopy(foreign) && IsAdoptable(wanted, foreign) ? ApplyFailed : "NameConflict", true));
            else
                all.Add(new(type, reason));
        }

        var replicas = wanted.Replicas - wanted.CanaryReplicas;
        Add("DeploymentReady", Resource.Deployments, wanted.Name, replicas == 0 ? "ScaledToZero" : "DeploymentAvailable");
        Add("ServiceReady", Resource.Services, wanted.Name, LeadsNowhere(wanted) ? SelectorMismatch : "ClusterIPAssigned");
        Add("IngressReady", Resource.Ingresses, wanted.Name,
            _settings.Strict ? "LoadBalancerAssigned" : "IngressCreated", HasItsRoutes(wanted));
        if (wanted.HasGateway)
        {
            // It is in the Deployment's pods, and has no object of its own that could be somebody else's.
            if (frozen)
                all.Add(new("GatewayReady", Comparison.Anything));
            else if (Foreign(wanted, Resource.Deployments, wanted.Name) is not null)
                all.Add(new("GatewayReady", "NotCreated", true));
            else
                all.Add(new("GatewayReady", "GatewayAvailable"));
            Add("PolicyReady", Resource.ConfigMaps, wanted.PolicyName, "PolicyCurrent");
        }
        if (wanted.IsCanary)
            Add("CanaryReady", Resource.Deployments, wanted.CanaryName, wanted.CanaryReplicas == 0 ? "ScaledToZero" : "DeploymentAvailable");
        return all;
    }

    private void CheckVerdict(Verdict verdict)
    {
        if (verdict.IsUntold)
            return;
        var live = verdict.Subject;
        var kind = live.Raw("kind") ?? "Grant or session";
        _checked.Add(live);
        void Is(string field, string expected, string? actual)
        {
            if (expected != actual)
                Find(live, kind, "status." + field, expected, actual);
        }

        var generation = live.At("metadata", "generation").Show();
        Is("phase", verdict.Phase, live.Raw("status", "phase"));
        Is("observedGeneration", generation, live.At("status", "observedGeneration").Show());
        var accepted = live.Items("status", "conditions").FirstOrDefault(condition => condition.Raw("type") == "Accepted");
        Is("conditions[Accepted].reason", verdict.Reason, accepted.Raw("reason"));
        Is("conditions[Accepted].status", verdict.Phase is "Accepted" or "Disabled" ? "True" : "False", accepted.Raw("status"));
        Is("conditions[Accepted].observedGeneration", generation, accepted.At("observedGeneration").Show());
        CheckTransitions(kind, live);
    }

    private void CheckTransitions(string kind, JsonObject live)
    {
        foreach (var condition in live.Items("status", "conditions"))
            if (!DateTimeOffset.TryParseExact(condition.Raw("lastTransitionTime"), "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal, out var since) || since > _snapshot.Taken.AddSeconds(1))
                Find(live, kind, $"status.conditions[{condition.Raw("type")}].lastTransitionTime", "a time that has come", condition.Raw("lastTransitionTime"));
    }

    // No leftover of ours, and nothing of ours on what is not.
    private void CheckBelongs(Resource kind, JsonObject live)
    {
        if (live.Raw("metadata", "annotations", ForeignMark) is not null && Comparison.OwnedBy(live).Any())
            Find(live, kind.Kind, "metadata.managedFields", "nothing of the operator's: it is somebody else's", "some");
        if (live.Controller() is not { } controller || controller.Raw("kind") != "MCPServer")
            return;
        if (_servers.Values.FirstOrDefault(server => server.Server.Uid() == controller.Raw("uid")) is not { } owner)
        {
            Find(live, kind.Kind, "", "gone with its owner", "there");
            return;
        }
        if (!live.IsManaged() || owner.Faults().Count > 0)
            return;
        var wanted = kind == Resource.Deployments ? live.Name() == owner.Name || (owner.IsCanary && live.Name() == owner.CanaryName) || live == KeptCanary(owner)
            : kind == Resource.ConfigMaps ? owner.HasGateway && live.Name() == owner.PolicyName
            : kind == Resource.Ingresses ? live.Name() == owner.Name && HasItsRoutes(owner)
            : live.Name() == owner.Name;
        // Of one that has lost its managedFields nothing shows who made it.
        if (!wanted && Comparison.OwnedBy(live).Any() && !(HasForeignPolicy(owner) && kind == Resource.Deployments))
            Find(live, kind.Kind, "", "not there: its server does not want it", "there");
    }

    private void CheckNamespaces()
    {
        foreach (var group in _servers.Values.Where(wanted => wanted.Faults().Count == 0).GroupBy(wanted => wanted.Namespace))
        {
            var account = _snapshot.Find(Resource.ServiceAccounts, group.Key, "mcp-workload");
            if (account is null || account.Flag("automountServiceAccountToken"))
                _findings.Add(new($"ServiceAccount {group.Key}/mcp-workload", "", "there, without a token", account.Show()));
            if (_settings.Registry is not null && group.Any(wanted => wanted.Spec.At("imagePullSecrets") is not JsonArray { Count: > 0 })
                && _snapshot.Find(Resource.Secrets, group.Key, "mcp-runtime-registry-pull")?.Raw("type") != "kubernetes.io/dockerconfigjson")
                _findings.Add(new($"Secret {group.Key}/mcp-runtime-registry-pull", "", "there", "not there, or of another type"));
        }
    }
}
