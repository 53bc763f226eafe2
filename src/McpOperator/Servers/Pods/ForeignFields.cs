using System.Text.Json;
using McpOperator.Api;

namespace McpOperator.Servers.Pods;

/// <summary>
/// Fields of others (<c>metadata.managedFields</c>) in what the spec decides of the pods of a Deployment: in our containers, among
/// the pull secrets, or in the place of a gateway.
/// </summary>
/// <param name="Fields">In our containers and among the pull secrets; null, as a rule, for none.</param>
/// <param name="IsGateway">Whether others own a part of the gateway or of its policy volume, or nobody is listed as owner.</param>
internal readonly record struct ForeignFields(IReadOnlyList<ForeignField>? Fields, bool IsGateway)
{
    /// <summary>Enough for a message; others may add any number.</summary>
    private const int Most = 20;

    private const string GatewayStep = $$"""k:{"name":"{{Defaults.GatewayContainer}}"}""";
    private const string VolumeStep = $$"""k:{"name":"{{GatewayContainer.PolicyVolumeName}}"}""";

    /// <summary>Lists that have an owner per item.</summary>
    private static readonly string[] Lists = ["env", "ports", "volumeMounts"];

    /// <summary>Fields that our containers have only where the spec says so.</summary>
    private static readonly string[] Members = ["envFrom", "startupProbe", "lifecycle", "command", "args"];

    /// <param name="server">The name of its container; null when the labels do not say.</param>
    /// <param name="hasGateway">Whether there is a gateway container, or its volume.</param>
    public static ForeignFields Read(JsonElement live, OwnedFields ours, string? server, bool hasGateway)
    {
        var own = ours.TryFindOurs(live, isStatus: false, out var fields) ? PodOf(fields) : null;
        var isGateway = hasGateway && !HasGateway(own);
        List<ForeignField>? foreign = null;
        foreach (var entry in OwnedFields.EntriesOf(live))
        {
            if (ours.IsOurs(entry, isStatus: false) || entry.Child("fieldsV1"u8) is not { } theirs || PodOf(theirs) is not { } pod)
                continue;
            isGateway |= hasGateway && HasGateway(pod);
            if (server is null)
                continue;
            Read(entry, ForeignField.Pod, ForeignField.PullSecrets, pod, own, foreign ??= []);
            if (pod.Child("f:containers") is not { } containers)
                continue;
            foreach (var name in (ReadOnlySpan<string>)[server, Defaults.GatewayContainer])
            {
                var step = $$"""k:{"name":"{{name}}"}""";
                if (containers.Child(step) is { } container)
                    Read(entry, name, container, own?.Child("f:containers")?.Child(step), foreign);
            }
        }

        return new(foreign is { Count: > 0 } ? foreign : null, isGateway);
    }

    private static JsonElement? PodOf(JsonElement fields) => fields.Child("f:spec"u8)?.Child("f:template"u8)?.Child("f:spec"u8);

    private static bool HasGateway(JsonElement? pod) =>
        pod?.Child("f:containers")?.Child(GatewayStep) is not null || pod?.Child("f:volumes")?.Child(VolumeStep) is not null;

    private static void Read(JsonElement entry, string container, JsonElement theirs, JsonElement? ours, List<ForeignField> foreign)
    {
        foreach (var list in Lists)
            Read(entry, container, list, theirs, ours, foreign);
        foreach (var member in Members)
        {
            if (foreign.Count < Most && theirs.Child($"f:{member}") is not null && ours?.Child($"f:{member}") is null)
                foreign.Add(ForeignField.Of(entry, container, member, key: null)!);
        }
    }

    private static void Read(JsonElement entry, string container, string list, JsonElement theirs, JsonElement? ours, List<ForeignField> foreign)
    {
        if (theirs.Child($"f:{list}") is not { ValueKind: JsonValueKind.Object } items)
            return;
        var own = ours?.Child($"f:{list}");
        foreach (var item in items.EnumerateObject())
        {
            if (item.Name.StartsWith("k:", StringComparison.Ordinal) && own?.Child(item.Name) is null
                && foreign.Count < Most && ForeignField.Of(entry, container, list, item.Name["k:".Length..]) is { } field && !foreign.Contains(field))
                foreign.Add(field);
        }
    }
}

/// <summary>A field in one of our containers, or of the pod itself, that the operator did not write.</summary>
/// <param name="Container">The container's name; <see cref="Pod"/> for none.</param>
/// <param name="Member">A field of the container, such as <c>env</c>.</param>
/// <param name="Key">The key of the list item; null for a field that is no list.</param>
/// <param name="IsUndone">Whether <c>kubectl rollout undo</c> brought it back.</param>
internal sealed record ForeignField(string Container, string Member, string? Key, string Manager, bool IsUndone)
{
    public const string Pod = "";
    public const string PullSecrets = "imagePullSecrets";

    /// <summary>
    /// The manager of <c>kubectl rollout undo</c>: it sends a former template, and no manager, so the API server takes the name
    /// of its user agent. Commands of kubectl that edit a Deployment name one (<c>kubectl-edit</c>, <c>kubectl-set</c>, …).
    /// </summary>
    private const string UndoManager = "kubectl";

    /// <param name="key">The key fields of a list's item, as JSON; null of what is no list.</param>
    /// <returns>Null when the key is not valid: anybody may edit managedFields.</returns>
    public static ForeignField? Of(JsonElement entry, string container, string member, string? key)
    {
        var manager = entry.Interned("manager"u8) ?? "";
        var isUndone = manager == UndoManager && entry.Is("operation"u8, "Update");
        if (key is null)
            return new(container, member, null, manager, isUndone);
        try
        {
            using var fields = JsonDocument.Parse(key);
            return fields.RootElement.Child(KeyOf(member)) is { } value ? new(container, member, value.ToString(), manager, isUndone) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The merge key of a list, in a strategic merge patch as well.</summary>
    public static string KeyOf(string list) => list switch
    {
        "env" or PullSecrets => "name",
        "ports" => "containerPort",
        _ => "mountPath",
    };

    public override string ToString()
    {
        if (Member == PullSecrets)
            return $"pull secret {Key} (by {Manager})";
        var what = Member switch
        {
            "env" => $"variable {Key}",
            "ports" => $"port {Key}",
            "volumeMounts" => $"mount {Key}",
            _ => Member,
        };
        return $"{what} of container {Container} (by {Manager})";
    }
}
