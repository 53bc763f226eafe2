using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using static McpOperator.Api.FieldValidation;

namespace McpOperator.Api;

/// <summary>
/// What a spec says of its pods in the words of core/v1: what the operator itself decides is no part of it, and what comes out is within the
/// Pod Security Standard. The rest is for the API server to judge.
/// </summary>
internal static class PodValidation
{
    private const string Top = "spec.podTemplate";
    private const string Pod = $"{Top}.spec";

    /// <summary>Items of a list with keys, which each new item is compared with.</summary>
    private const int MostItems = 250;

    private static readonly string[] PullPolicies = ["Always", Defaults.ImagePullPolicy, "Never"];
    private static readonly string[] Timings =
        ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold", "terminationGracePeriodSeconds"];

    /// <summary>Of a handler of a probe, its members.</summary>
    private static readonly Dictionary<string, string[]> Handlers = new(StringComparer.Ordinal)
    {
        ["httpGet"] = ["path", "port", "scheme", "httpHeaders"],
        ["tcpSocket"] = ["port"],
        ["grpc"] = ["port", "service"],
        ["exec"] = ["command"],
    };

    /// <summary>Members of the server's container and of the pod that have a field of their own in the spec.</summary>
    private static readonly (string Member, string Field)[] OfServer =
    [
        ("image", "spec.image"), ("imagePullPolicy", "spec.imagePullPolicy"), ("command", "spec.command"), ("args", "spec.args"), ("envFrom", "spec.envFrom"),
        ("startupProbe", "spec.probes.startup"), ("livenessProbe", "spec.probes.liveness"), ("readinessProbe", "spec.probes.readiness"),
    ];

    private static readonly (string Member, string Field)[] OfPod =
    [
        ("serviceAccountName", "spec.serviceAccountName"), ("serviceAccount", "spec.serviceAccountName"),
        ("terminationGracePeriodSeconds", "spec.terminationGracePeriodSeconds"),
    ];

    /// <summary>By which Services find the ports of the pods: another one of the name would take their traffic.</summary>
    private const string DeploymentPort = "http";
    private static readonly string[] GatewayPorts = ["gateway", "metrics"];

    private static readonly string[] OwnLabels = [Labels.App, Labels.ManagedBy, Labels.RolloutTrack];

    private static readonly string[] ContainerLists = ["initContainers", "containers"];

    public static void Check(SpecFaults faults, MCPServer server, OperatorSettings settings)
    {
        var spec = server.Spec;
        OneOf(faults, "spec.imagePullPolicy", spec.ImagePullPolicy, PullPolicies);
        if (spec.ServiceAccountName is { } account && !Names.IsDns1123Subdomain(account))
            faults.Add("spec.serviceAccountName", $"{SpecFaults.Quote(account)} cannot be the name of a ServiceAccount: {DnsName}");
        if (spec.TerminationGracePeriodSeconds < 0)
            faults.Add("spec.terminationGracePeriodSeconds", $"{spec.TerminationGracePeriodSeconds} must not be negative");
        if (spec.EnvFrom is { } sources)
            EnvFrom(faults, sources);
        if (spec.Probes is { } probes)
            Probes(faults, probes);
        var before = faults.All.Count;
        if (spec.PodTemplate is not { } template)
            return;
        if (IsTooLarge(faults, Top, template))
            return;

        Template(faults, template, server);
        // Of what does not have the shape of a template nothing could be said.
        if (faults.All.Count == before)
            PodSecurity.Check(faults, settings.PodSecurity, server.Metadata.Name, SecuredTemplate(server, settings));
    }

    /// <summary>
    /// The template as it will be, as far as its security goes: a test holds it against what the operator makes. The gateway's container and volume
    /// are not in it, for nothing in a spec can change how those are secured.
    /// </summary>
    internal static JsonObject SecuredTemplate(MCPServer server, OperatorSettings settings)
    {
        var pod = new JsonObject { ["runAsNonRoot"] = true, ["seccompProfile"] = new JsonObject { ["type"] = "RuntimeDefault" } };
        if (settings.RunAsUser is { } user)
            pod["runAsUser"] = user;
        var template = new JsonObject
        {
            ["metadata"] = new JsonObject(),
            ["spec"] = new JsonObject
            {
                ["securityContext"] = pod,
                ["containers"] = new JsonArray(new JsonObject
                {
                    ["name"] = server.Metadata.Name,
                    ["securityContext"] = new JsonObject
                    {
                        ["allowPrivilegeEscalation"] = false,
                        ["runAsNonRoot"] = true,
                        ["capabilities"] = new JsonObject { ["drop"] = new JsonArray("ALL") },
                    },
                }),
            },
        };
        PodFragment.Merge(template, server);
        return template;
    }

    private static void EnvFrom(SpecFaults faults, JsonElement sources)
    {
        var items = Items(faults, "spec.envFrom", sources);
        for (var i = 0; i < items.Count; i++)
        {
            var field = string.Create(CultureInfo.InvariantCulture, $"spec.envFrom[{i}]");
            if (!Known(faults, field, items[i], "prefix", "configMapRef", "secretRef"))
                continue;
            var references = 0;
            foreach (var (name, kind) in (ReadOnlySpan<(string, string)>)[("configMapRef", "ConfigMap"), ("secretRef", "Secret")])
            {
                if (items[i].Child(name) is not { } reference)
                    continue;
                references++;
                if (!Known(faults, $"{field}.{name}", reference, "name", "optional"))
                    continue;
                if (reference.Text("name"u8) is not { Length: > 0 } target)
                    faults.Add($"{field}.{name}.name", $"{Required}: the name of a {kind} in the server's namespace");
                else if (!Names.IsDns1123Subdomain(target))
                    faults.Add($"{field}.{name}.name", $"{SpecFaults.Quote(target)} cannot be the name of a {kind}: {DnsName}");
                if (reference.Child("optional"u8) is { ValueKind: not (JsonValueKind.True or JsonValueKind.False) })
                    faults.Add($"{field}.{name}.optional", "must be true or false, without quotes");
            }

            if (references != 1)
                faults.Add(field, "must have one of configMapRef and secretRef");
            if (items[i].Child("prefix"u8) is { } prefix && (prefix.ValueKind != JsonValueKind.String || prefix.GetString() is not "" and var text && !Names.MayBeEnvVarName(text)))
                faults.Add($"{field}.prefix", $"{Quote(prefix)} cannot begin the name of an environment variable");
        }
    }

    private static void Probes(SpecFaults faults, JsonElement probes)
    {
        if (!Known(faults, "spec.probes", probes, "startup", "liveness", "readiness"))
            return;
        foreach (var (name, _) in PodFragment.ProbesOf)
        {
            if (probes.Child(name) is not { } probe || !Known(faults, $"spec.probes.{name}", probe, [.. Timings, .. Handlers.Keys]))
                continue;
            foreach (var timing in Timings)
            {
                if (probe.Child(timing) is { } seconds && !(seconds.ValueKind == JsonValueKind.Number && seconds.TryGetInt32(out var number) && number >= 0))
                    faults.Add($"spec.probes.{name}.{timing}", $"{Quote(seconds)} must be a whole number, 0 or more");
            }

            if (name != "readiness" && probe.Child("successThreshold"u8) is { ValueKind: JsonValueKind.Number } successes && successes.TryGetInt32(out var wanted) && wanted > 1)
                faults.Add($"spec.probes.{name}.successThreshold", "must be 1: only a readiness probe can ask for more");
            if (name == "readiness" && probe.Child("terminationGracePeriodSeconds"u8) is not null)
                faults.Add($"spec.probes.{name}.terminationGracePeriodSeconds", "must not be set: a readiness probe ends nothing");
            Handler(faults, $"spec.probes.{name}", probe);
        }
    }

    private static void Handler(SpecFaults faults, string field, JsonElement probe)
    {
        var count = 0;
        foreach (var (type, members) in Handlers)
        {
            if (probe.Child(type) is not { } handler)
                continue;
            count++;
            if (!Known(faults, $"{field}.{type}", handler, members))
                continue;
            if (handler.Child("port"u8) is { } port && !IsPort(port, mayBeName: type is not "grpc"))
                faults.Add($"{field}.{type}.port", $"{Quote(port)} must be a number between 1 and 65535{(type is "grpc" ? "" : ", or the name of a port")}; without one it is spec.port");
            if (type is "exec" && Items(faults, $"{field}.exec.command", handler.Child("command"u8) ?? default) is var words
                && (words.Count == 0 || words.Exists(static word => word.ValueKind != JsonValueKind.String)))
                faults.Add($"{field}.exec.command", "must be a list of texts: a program and its arguments");
        }

        if (count > 1)
            faults.Add(field, $"must have one of {string.Join(", ", Handlers.Keys)}, and not {count} of them");
    }

    private static bool IsPort(JsonElement port, bool mayBeName) => port.ValueKind switch
    {
        JsonValueKind.Number => port.TryGetInt32(out var number) && number is >= 1 and <= 65535,
        JsonValueKind.String => mayBeName && port.GetString() is { Length: > 0 and <= 15 },
        _ => false,
    };

    private static void Template(SpecFaults faults, JsonElement template, MCPServer server)
    {
        if (!Known(faults, Top, template, "metadata", "spec"))
            return;
        if (template.Child("metadata"u8) is { } metadata && Known(faults, $"{Top}.metadata", metadata, "labels", "annotations"))
        {
            Map(faults, $"{Top}.metadata.labels", metadata.Child("labels"u8), static key => OwnLabels.Contains(key)
                ? "is the operator's: Service and Deployment find the pods by it" : null);
            Map(faults, $"{Top}.metadata.annotations", metadata.Child("annotations"u8), static key => key.StartsWith("mcpruntime.org/", StringComparison.Ordinal)
                ? "is the operator's" : null);
        }

        if (template.Child("spec"u8) is not { } pod)
            return;
        if (pod.ValueKind != JsonValueKind.Object)
        {
            faults.Add(Pod, "must be an object");
            return;
        }

        Elsewhere(faults, Pod, pod, OfPod);
        if (server.Spec.HasGateway() && pod.Child("shareProcessNamespace"u8) is { ValueKind: not JsonValueKind.False })
            faults.Add($"{Pod}.shareProcessNamespace", "must not be set beside spec.gateway: what else runs in the pod could reach into the gateway");
        if (pod.Child("ephemeralContainers"u8) is not null)
            faults.Add($"{Pod}.ephemeralContainers", "must not be set: they are for pods that run already");
        var before = faults.All.Count;
        Lists(faults, Pod, "spec", pod);
        if (faults.All.Count > before)
            return;
        foreach (var volume in ItemsOf(pod, "volumes"))
        {
            if (volume.Is("name"u8, PolicyVolume))
                faults.Add($"{Pod}.volumes[{PolicyVolume}]", "is the operator's, which mounts the policy by it: name it otherwise");
            if (volume.Is("name"u8, CertificateVolume))
                faults.Add($"{Pod}.volumes[{CertificateVolume}]", "is the operator's, which mounts the gateway's certificate by it: name it otherwise");
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var list in ContainerLists)
        {
            foreach (var container in ItemsOf(pod, list))
            {
                var name = container.Text("name"u8)!;
                Container(faults, $"{Pod}.{list}[{SpecFaults.Plain(name)}]", container, name, list, server);
                if (!names.Add(name))
                    faults.Add($"{Pod}.{list}[{SpecFaults.Plain(name)}]", "is the name of another container, too");
            }
        }
    }

    /// <summary>The volume of the gateway with its policy.</summary>
    public const string PolicyVolume = "gateway-policy";

    /// <summary>That with its certificate, of a server with mTLS.</summary>
    public const string CertificateVolume = "gateway-mtls";

    private static void Container(SpecFaults faults, string field, JsonElement container, string name, string list, MCPServer server)
    {
        var spec = server.Spec;
        if (name == Defaults.GatewayContainer)
        {
            faults.Add(field, "is the gateway's container, which spec.gateway describes: name it otherwise");
            return;
        }

        var isServer = name == server.Metadata.Name;
        if (isServer && list != "containers")
            faults.Add(field, "has the name of the server's container: name it otherwise");
        if (isServer)
        {
            Elsewhere(faults, field, container, OfServer);
            foreach (var kind in (ReadOnlySpan<string>)["requests", "limits"])
            {
                foreach (var resource in (ReadOnlySpan<string>)["cpu", "memory"])
                {
                    if (container.Child("resources"u8)?.Child(kind)?.Child(resource) is not null)
                        faults.Add($"{field}.resources.{kind}.{resource}", $"cannot be set here: set spec.resources.{kind}.{resource}");
                }
            }

            foreach (var variable in ItemsOf(container, "env"))
            {
                var text = variable.Text("name"u8);
                if (spec.EnvVars?.Any(other => other.Name == text) == true || spec.SecretEnvVars?.Any(other => other.Name == text) == true)
                    faults.Add($"{field}.env[{SpecFaults.Plain(text)}]", "is a variable of spec.envVars or spec.secretEnvVars: set it there");
            }
        }

        foreach (var port in ItemsOf(container, "ports"))
        {
            var number = port.Number("containerPort"u8);
            var at = string.Create(CultureInfo.InvariantCulture, $"{field}.ports[{number}]");
            if (port.Text("name"u8) is { } portName && (portName == DeploymentPort || (spec.HasGateway() && GatewayPorts.Contains(portName))))
                faults.Add($"{at}.name", $"{SpecFaults.Quote(portName)} is the operator's, whose Service leads to the port of that name: name it otherwise");
            if (port.Text("protocol"u8) is { Length: > 0 } protocol && protocol != "TCP")
                continue;
            if (number == spec.Port)
                faults.Add(at, "is the server's port: set spec.port");
            if (spec.HasGateway() && (number == spec.Gateway!.Port || number == Defaults.GatewayMetricsPort))
                faults.Add(at, "is a port of the gateway in the same pod: choose another");
        }
    }

    private static void Elsewhere(SpecFaults faults, string field, JsonElement json, (string Member, string Field)[] members)
    {
        foreach (var (member, where) in members)
        {
            if (json.Child(member) is not null)
                faults.Add($"{field}.{member}", $"cannot be set here: set {where}");
        }
    }

    /// <summary>
    /// What is merged by keys must have them, each combination once, and no list may hold a null. Names of containers and volumes, which
    /// become a part of a fault, are DNS labels.
    /// </summary>
    private static void Lists(SpecFaults faults, string field, string name, JsonElement json)
    {
        var keys = PodFragment.KeysOf(name);
        if (json.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in json.EnumerateObject())
            {
                if (PodFragment.KeysOf(member.Name).Length > 0 && member.Value.ValueKind is not (JsonValueKind.Array or JsonValueKind.Null))
                    faults.Add($"{field}.{member.Name}", "must be a list");
                else if (!PodFragment.IsMap(member.Name))
                    Lists(faults, $"{field}.{SpecFaults.Plain(member.Name)}", member.Name, member.Value);
            }
        }
        else if (json.ValueKind == JsonValueKind.Array)
        {
            if (keys.Length > 0 && json.GetArrayLength() is var count && count > MostItems)
            {
                faults.Add(field, string.Create(CultureInfo.InvariantCulture, $"has {count} items, and may have {MostItems} at most"));
                return;
            }

            var seen = new HashSet<string>(StringComparer.Ordinal);
            var i = 0;
            foreach (var item in json.EnumerateArray())
            {
                var at = string.Create(CultureInfo.InvariantCulture, $"{field}[{i++}]");
                if (item.ValueKind == JsonValueKind.Null)
                    faults.Add(at, "must not be null: remove it or give it a value");
                else if (keys.Length > 0 && (item.ValueKind != JsonValueKind.Object || item.Child(keys[0]) is not { ValueKind: JsonValueKind.String or JsonValueKind.Number } key))
                    faults.Add($"{at}.{keys[0]}", Required);
                else if (keys.Length > 0 && !seen.Add(string.Join(' ', keys.Select(each => item.Child(each)?.ToString() ?? (each == "protocol" ? "TCP" : "")))))
                    faults.Add(at, $"{Quote(item.Child(keys[0])!.Value)} is in this list already: remove one of them");
                else if (name is "containers" or "initContainers" or "volumes" && !Names.IsDns1123Label(item.Text("name"u8)))
                    faults.Add($"{at}.name", $"{Quote(item.Child("name"u8)!.Value)} must be a DNS label: at most 63 lower case letters, digits and '-'");
                else
                    Lists(faults, at, "", item);
            }
        }
    }

    private static void Map(SpecFaults faults, string field, JsonElement? map, Func<string, string?> refusal)
    {
        if (map is not { } given)
            return;
        if (given.ValueKind != JsonValueKind.Object)
        {
            faults.Add(field, "must be a map of names to text");
            return;
        }

        foreach (var entry in given.EnumerateObject())
        {
            var at = $"{field}[{SpecFaults.Plain(entry.Name)}]";
            if (entry.Value.ValueKind != JsonValueKind.String)
                faults.Add(at, "must be text: put it in quotes");
            else if (!Names.IsQualifiedName(entry.Name.ToLowerInvariant()))
                faults.Add(at, "is no valid key: write name or prefix.example.com/name, the name being at most 63 letters, digits, '-', '_' and '.'");
            else if (refusal(entry.Name) is { } reason)
                faults.Add(at, reason);
        }
    }

    /// <summary>False where it is no object. Says which of its members are unknown.</summary>
    private static bool Known(SpecFaults faults, string field, JsonElement json, params string[] members)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            faults.Add(field, "must be an object");
            return false;
        }

        foreach (var member in json.EnumerateObject())
        {
            if (member.Value.ValueKind != JsonValueKind.Null && !members.Contains(member.Name))
                faults.Add($"{field}.{SpecFaults.Plain(member.Name)}", $"is no field of it: use {Choices(members)}");
        }

        return true;
    }

    private static List<JsonElement> Items(SpecFaults faults, string field, JsonElement json)
    {
        if (json.ValueKind is JsonValueKind.Array)
            return [.. json.EnumerateArray()];
        if (json.ValueKind is not JsonValueKind.Undefined)
            faults.Add(field, "must be a list");
        return [];
    }

    private static JsonElement.ArrayEnumerator ItemsOf(JsonElement json, string list) =>
        json.Child(list) is { ValueKind: JsonValueKind.Array } items ? items.EnumerateArray() : default;

    private static string Quote(JsonElement value) =>
        SpecFaults.Quote(value.ValueKind == JsonValueKind.String ? value.GetString() : System.Text.Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(value)));
}
