using System.Text.Json;
using McpOperator.Api;
using McpOperator.Kubernetes;

namespace McpOperator.Resources;

/// <summary>
/// What is kept of an object that belongs to a server: whose it is, whether it still carries what we applied, and how
/// far it has come. Not the object: a thousand servers have three thousand of these.
/// </summary>
public abstract class Observed : IKubernetesObject
{
    protected Observed(JsonElement json)
    {
        var metadata = json.GetProperty("metadata"u8);
        Key = new ObjectKey(metadata.Interned("namespace"u8) ?? "", metadata.Interned("name"u8) ?? "");
        Uid = metadata.Text("uid"u8) ?? "";
        ResourceVersion = metadata.Text("resourceVersion"u8) ?? "";
        Generation = metadata.Number("generation"u8);
        if (metadata.Child("labels"u8) is { } labels && labels.Is("app.kubernetes.io/managed-by"u8, Labels.ManagedByValue))
            LabelledServer = labels.Interned("app"u8);
        Fingerprint = OwnedFields.Fingerprint(json);
        if (metadata.Child("ownerReferences"u8) is { ValueKind: JsonValueKind.Array } owners)
        {
            foreach (var owner in owners.EnumerateArray())
            {
                if (owner.Child("controller"u8) is { ValueKind: JsonValueKind.True })
                {
                    ControllerUid = owner.Interned("uid"u8);
                    ControllerKind = owner.Interned("kind"u8);
                    ControllerName = owner.Interned("name"u8);
                }
            }
        }
    }

    public ObjectKey Key { get; }

    public string Uid { get; }

    public string ResourceVersion { get; }

    public long Generation { get; }

    /// <summary>The server that our labels on it name; null when it does not carry them.</summary>
    public string? LabelledServer { get; }

    /// <summary>Of the object that controls it; null when none does.</summary>
    public string? ControllerUid { get; }

    public string? ControllerKind { get; }

    public string? ControllerName { get; }

    /// <summary>Whether it is ours though it has lost label and owner; only where the kind needs to know.</summary>
    public virtual bool IsProvablyOurs => false;

    /// <summary>Equals the intent's fingerprint while the object carries exactly what we applied.</summary>
    public ulong Fingerprint { get; }
}

/// <summary>A Deployment's progress.</summary>
public sealed class ObservedDeployment : Observed
{
    private ObservedDeployment(JsonElement json)
        : base(json)
    {
        var spec = json.Child("spec"u8);
        PolicyUid = spec?.Child("template"u8)?.Child("metadata"u8)?.Child("annotations"u8)?.Interned("mcpruntime.org/policy-uid"u8);
        WantedReplicas = (int)(spec?.Child("replicas"u8) is null ? 1 : spec.Value.Number("replicas"u8));
        HasGateway = (spec?.Child("template"u8)?.Child("spec"u8)?.Child("containers"u8))
            .HasItem(static container => container.Is("name"u8, Defaults.GatewayContainer));
        if (json.Child("status"u8) is not { } status)
            return;
        ObservedGeneration = status.Number("observedGeneration"u8);
        Replicas = (int)status.Number("replicas"u8);
        UpdatedReplicas = (int)status.Number("updatedReplicas"u8);
        AvailableReplicas = (int)status.Number("availableReplicas"u8);
        ReadyReplicas = (int)status.Number("readyReplicas"u8);
        LacksServiceAccount = status.Child("conditions"u8).HasItem(IsMissingServiceAccount);
    }

    /// <summary>The generation that the numbers below describe.</summary>
    public long ObservedGeneration { get; }

    /// <summary>Of the live spec, whoever set it.</summary>
    public int WantedReplicas { get; }

    /// <summary>True when new pods get a gateway.</summary>
    public bool HasGateway { get; }

    /// <summary>The annotation <see cref="GatewayContainer.PolicyUid"/> of the pods; null for most.</summary>
    public string? PolicyUid { get; }

    /// <summary>All pods there are, those of older revisions included.</summary>
    public int Replicas { get; }

    public int UpdatedReplicas { get; }

    public int AvailableReplicas { get; }

    public int ReadyReplicas { get; }

    /// <summary>True when the API server refuses its pods because their ServiceAccount is gone.</summary>
    public bool LacksServiceAccount { get; }

    public static ObservedDeployment Decode(JsonElement json) => new(json);

    private static bool IsMissingServiceAccount(JsonElement condition) =>
        condition.Is("type"u8, "ReplicaFailure") && condition.Is("status"u8, "True")
        && condition.Text("message"u8)?.Contains(
            $"serviceaccount \"{NamespaceObjects.ServiceAccountName}\" not found", StringComparison.Ordinal) == true;
}

/// <summary>A Service, and whether it has its address.</summary>
public sealed class ObservedService : Observed
{
    private ObservedService(JsonElement json)
        : base(json)
    {
        var spec = json.Child("spec"u8);
        HasClusterIP = !string.IsNullOrEmpty(spec?.Text("clusterIP"u8));
        LeadsToGateway = (spec?.Child("ports"u8)).HasItem(static port =>
            port.Is("name"u8, "metrics") && port.Number("port"u8) == Defaults.GatewayMetricsPort);
    }

    public bool HasClusterIP { get; }

    /// <summary>True when its traffic goes to the pods' gateways, not to the servers.</summary>
    public bool LeadsToGateway { get; }

    public static ObservedService Decode(JsonElement json) => new(json);
}

/// <summary>An Ingress, and whether a controller has taken it up.</summary>
public sealed class ObservedIngress : Observed
{
    private ObservedIngress(JsonElement json)
        : base(json)
    {
        HasRule = IsFilledArray(json.Child("spec"u8)?.Child("rules"u8));
        HasLoadBalancer = IsFilledArray(json.Child("status"u8)?.Child("loadBalancer"u8)?.Child("ingress"u8));
    }

    public bool HasRule { get; }

    /// <summary>True once the ingress controller has published an address.</summary>
    public bool HasLoadBalancer { get; }

    public static ObservedIngress Decode(JsonElement json) => new(json);

    private static bool IsFilledArray(JsonElement? element) =>
        element is { ValueKind: JsonValueKind.Array } array && array.GetArrayLength() > 0;
}
