using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpOperator.Api;

/// <summary>
/// What a spec says of its pods in the words of core/v1 (<c>envFrom</c>, <c>probes</c>, <c>podTemplate</c>), and how it is merged into the
/// template that the operator makes.
/// </summary>
/// <remarks>
/// What is sent has to be what API servers store, or <see cref="OwnedFields"/> sees a difference after each restart. They rewrite quantities,
/// leave out what is zero, and fill in defaults. Those count within what has one owner as a whole (a list without keys, a <c>fieldRef</c>).
/// Elsewhere a default is nobody's, and stays when an apply takes the fields around it away: of a probe, a hook or the source of a volume a rest
/// would stay that the API server refuses, so that there the defaults are made ours, too. A field that this misses costs an apply after a
/// restart, or that refusal, no more.
/// </remarks>
internal static class PodFragment
{
    /// <summary>Maps whose keys are the user's.</summary>
    private static readonly string[] Maps = ["labels", "annotations", "matchLabels", "nodeSelector", "volumeAttributes", "options"];

    private static readonly string[] Amounts = ["limits", "requests", "overhead", "capacity"];

    /// <summary>Not stored while they are 0 or false (omitempty), or replaced by their default.</summary>
    private static readonly string[] NeverZero =
    [
        "hostNetwork", "hostPID", "hostIPC", "stdin", "stdinOnce", "tty", "readOnly", "hostPort",
        "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold", "partition",
    ];

    /// <summary>Texts that mean something while they are empty. Others are not stored so, or replaced by their default.</summary>
    private static readonly string[] MayBeBlank = ["value", "storageClassName", "apiGroup"];

    /// <summary>Objects that mean something while they are empty. Of all others an API server keeps nothing that anybody could own.</summary>
    private static readonly string[] MayBeEmpty =
        ["emptyDir", "labelSelector", "namespaceSelector", "startup", "liveness", "readiness", "tcpSocket", "httpGet", "grpc"];

    private static readonly string[] Handlers = ["tcpSocket", "httpGet", "grpc", "exec"];

    /// <summary>Of a spec: a field, and the container's member that it becomes.</summary>
    public static readonly (string Field, string Member)[] ProbesOf =
        [("startup", "startupProbe"), ("liveness", "livenessProbe"), ("readiness", "readinessProbe")];

    /// <summary>Whether there is anything to merge.</summary>
    public static bool IsIn(MCPServerSpec spec) => spec.EnvFrom is not null || spec.Probes is not null || spec.PodTemplate is not null;

    /// <param name="template">A PodTemplateSpec with the container of the server.</param>
    /// <param name="server">With the defaults filled in. What is not valid of it (<see cref="PodValidation"/>) may be left out.</param>
    public static void Merge(JsonObject template, MCPServer server)
    {
        var spec = server.Spec;
        var container = (template["spec"]?["containers"] as JsonArray)?.OfType<JsonObject>().First(item => IsText(item["name"], server.Metadata.Name))!;
        if (spec.EnvFrom is { } sources && Stored(sources, "envFrom") is JsonArray { Count: > 0 } envFrom)
            container["envFrom"] = envFrom;
        if (spec.Probes is { ValueKind: JsonValueKind.Object } probes)
            MergeProbes(container, probes, spec.Port ?? Defaults.Port);
        if (spec.PodTemplate is { } given && Stored(given, "podTemplate") is JsonObject fragment)
            Merge(template, fragment);
    }

    /// <summary>
    /// A handler takes the place of the default one; without any, the default one stays: whether the port takes connections. With a startup
    /// probe the others need no delay of their own.
    /// </summary>
    private static void MergeProbes(JsonObject container, JsonElement probes, int port)
    {
        var starts = probes.Child("startup"u8) is not null;
        foreach (var (field, member) in ProbesOf)
        {
            var written = probes.Child(field);
            if (written is null && field == "startup")
                continue;
            var probe = container[member] as JsonObject ?? new JsonObject { ["tcpSocket"] = new JsonObject { ["port"] = port } };
            if (starts || written?.Child("initialDelaySeconds"u8) is not null)
                probe.Remove("initialDelaySeconds");
            if (written is { } given && Stored(given, field) is JsonObject changes)
            {
                if (Array.Find(Handlers, changes.ContainsKey) is { } handler)
                {
                    probe.Remove("tcpSocket");
                    if (handler != "exec" && changes[handler] is JsonObject action && !action.ContainsKey("port"))
                        action["port"] = port;
                }

                Merge(probe, changes);
            }

            container[member] = probe;
        }
    }

    /// <summary>Objects member by member, lists with keys item by item; what else there is twice is the fragment's.</summary>
    private static void Merge(JsonObject target, JsonObject fragment)
    {
        foreach (var (name, value) in fragment)
        {
            if (value is JsonArray { Count: 0 })
                target.Remove(name);
            else if (value is JsonObject part && target[name] is JsonObject whole)
                Merge(whole, part);
            else if (value is JsonArray items && KeysOf(name) is { Length: > 0 } keys && target[name] is JsonArray there)
                Merge(there, items, keys);
            else
                target[name] = value?.DeepClone();
        }
    }

    private static void Merge(JsonArray target, JsonArray items, string[] keys)
    {
        foreach (var item in items)
        {
            if (item is JsonObject part && target.OfType<JsonObject>().FirstOrDefault(other => keys.All(key => IsSame(other[key], part[key]))) is { } whole)
                Merge(whole, part);
            else
                target.Add(item?.DeepClone());
        }
    }

    /// <summary>The merge keys of the lists that the operator has items in, too; empty of a list that is merged by nothing.</summary>
    public static string[] KeysOf(string list) => list switch
    {
        "containers" or "initContainers" or "volumes" or "env" or "imagePullSecrets" or "resourceClaims" or "schedulingGates" => ["name"],
        "ports" => ["containerPort", "protocol"],
        "volumeMounts" => ["mountPath"],
        "volumeDevices" => ["devicePath"],
        "hostAliases" => ["ip"],
        "topologySpreadConstraints" => ["topologyKey", "whenUnsatisfiable"],
        _ => [],
    };

    /// <summary>Whether its keys are the user's.</summary>
    public static bool IsMap(string name) => Maps.Contains(name);

    private static bool IsSame(JsonNode? left, JsonNode? right) => left is not null && right is not null && left.ToString() == right.ToString();

    public static bool IsText(JsonNode? node, string text) => node is JsonValue value && value.TryGetValue<string>(out var found) && found == text;

    /// <summary>In the form in which API servers store it; null for nothing.</summary>
    /// <param name="name">Of the member that holds it, or of the list whose item it is.</param>
    private static JsonNode? Stored(JsonElement json, string name, string parent = "")
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                return StoredObject(json, name, parent);
            case JsonValueKind.Array:
                var items = new JsonArray();
                foreach (var item in json.EnumerateArray())
                    items.Add(Stored(item, name, name) ?? (item.ValueKind == JsonValueKind.Object ? new JsonObject() : null));
                // What is to be dropped by nobody's default can be taken back.
                return items.Count == 0 && name != "drop" ? null : items;
            case JsonValueKind.Null or JsonValueKind.Undefined:
                return null;
            case JsonValueKind.False when NeverZero.Contains(name):
            case JsonValueKind.Number when NeverZero.Contains(name) && JsonMarshal.GetRawUtf8Value(json).SequenceEqual("0"u8):
            case JsonValueKind.String when json.ValueEquals(""u8) && parent != name && (parent == "tolerations" || !MayBeBlank.Contains(name)):
                return null;
            case JsonValueKind.String or JsonValueKind.Number when Amounts.Contains(parent) || name is "sizeLimit" or "divisor":
                return Quantity.TryParse(json.ToString(), out var amount, out _) ? JsonValue.Create(amount.ToString()) : JsonValue.Create(json);
            default:
                return JsonValue.Create(json);
        }
    }

    private static JsonObject? StoredObject(JsonElement json, string name, string parent)
    {
        var isMap = IsMap(name);
        var result = new JsonObject();
        foreach (var member in json.EnumerateObject())
        {
            if ((isMap ? Verbatim(member.Value) : Stored(member.Value, member.Name, name)) is { } value)
                result[member.Name] = value;
        }

        Complete(result, name, parent);
        return result.Count == 0 && !MayBeEmpty.Contains(name) ? null : result;
    }

    /// <summary>With the defaults that are to be ours.</summary>
    private static void Complete(JsonObject result, string name, string parent)
    {
        switch (name)
        {
            case "ports":
                result.TryAdd("protocol", "TCP"); // a part of the key, see ContainerPort
                break;
            case "fieldRef":
                result.TryAdd("apiVersion", "v1");
                break;
            case "resourceFieldRef":
                result.TryAdd("divisor", "0");
                break;
            case "serviceAccountToken":
                result.TryAdd("expirationSeconds", 3600);
                break;
            case "podCertificate":
                result.TryAdd("maxExpirationSeconds", 86400);
                break;
            case "startup" or "startupProbe" or "livenessProbe" or "readinessProbe":
                result.TryAdd("timeoutSeconds", 1);
                result.TryAdd("periodSeconds", 10);
                result.TryAdd("successThreshold", 1);
                result.TryAdd("failureThreshold", 3);
                break;
            case "httpGet":
                result.TryAdd("path", "/");
                result.TryAdd("scheme", "HTTP");
                break;
            case "grpc":
                result.TryAdd("service", "");
                break;
            case "hostPath":
                result.TryAdd("type", "");
                break;
            case "configMap" or "secret" or "downwardAPI" or "projected" when parent == "volumes":
                result.TryAdd("defaultMode", 420);
                break;
            case "spec" when parent == "volumeClaimTemplate":
                result.TryAdd("volumeMode", "Filesystem");
                break;
        }
    }

    private static JsonValue? Verbatim(JsonElement value) =>
        value.ValueKind is JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Null ? null : JsonValue.Create(value);
}
