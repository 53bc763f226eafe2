using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Servers.Diagnosis;
using McpOperator.Servers.Pods;

namespace McpOperator.Servers.Kinds;

/// <summary>A Deployment's progress.</summary>
internal sealed class ObservedDeployment : Observed
{
    public ObservedDeployment(JsonElement json, OwnedFields ours)
        : base(json, ours, Labels.OwnerOf(json))
    {
        var spec = json.Child("spec"u8);
        PolicyUid = spec?.Child("template"u8)?.Child("metadata"u8)?.Child("annotations"u8)?.Interned("mcpruntime.org/policy-uid"u8);
        DesiredReplicas = (int)(spec?.Child("replicas"u8) is null ? 1 : spec.Value.Number("replicas"u8));
        var pod = spec?.Child("template"u8)?.Child("spec"u8);
        HasGateway = (pod?.Child("containers"u8)).HasItem(static container => container.Is("name"u8, Defaults.GatewayContainer));
        HasPolicyVolume = (pod?.Child("volumes"u8)).HasItem(static volume => volume.Is("name"u8, GatewayContainer.PolicyVolumeName));
        (Foreign, HasForeignGateway) = ForeignFields.Read(json, ours, LabelledOwner, HasGateway || HasPolicyVolume);
        IsPaused = spec?.Child("paused"u8) is { ValueKind: JsonValueKind.True };
        if (json.Child("status"u8) is not { } status)
            return;
        ObservedGeneration = status.Number("observedGeneration"u8);
        Replicas = (int)status.Number("replicas"u8);
        UpdatedReplicas = (int)status.Number("updatedReplicas"u8);
        AvailableReplicas = (int)status.Number("availableReplicas"u8);
        ReadyReplicas = (int)status.Number("readyReplicas"u8);
        LacksServiceAccount = status.Child("conditions"u8).HasItem(IsMissingServiceAccount);
        Cause = DeploymentCauses.Of(status);
    }

    /// <summary>The generation that the numbers below describe.</summary>
    public long ObservedGeneration { get; }

    /// <summary>Of the live spec, whoever set it.</summary>
    public int DesiredReplicas { get; }

    /// <summary>True when new pods get a gateway.</summary>
    public bool HasGateway { get; }

    public bool HasPolicyVolume { get; }

    /// <summary><see cref="ForeignFields.IsGateway"/>.</summary>
    public bool HasForeignGateway { get; }

    /// <summary><see cref="ForeignFields.Fields"/>.</summary>
    public IReadOnlyList<ForeignField>? Foreign { get; }

    /// <summary>The annotation <see cref="ObjectNames.PolicyUid"/> of the pods; null for most.</summary>
    public string? PolicyUid { get; }

    /// <summary>All pods there are, those of older revisions included.</summary>
    public int Replicas { get; }

    public int UpdatedReplicas { get; }

    public int AvailableReplicas { get; }

    public int ReadyReplicas { get; }

    /// <summary>True when the API server refuses its pods because their ServiceAccount is gone.</summary>
    public bool LacksServiceAccount { get; }

    /// <summary>Whether somebody has paused its rollouts.</summary>
    public bool IsPaused { get; }

    /// <summary>Why it has too few pods, as far as its own status says; null, as a rule, for nothing.</summary>
    public Cause? Cause { get; }

    private static bool IsMissingServiceAccount(JsonElement condition) =>
        condition.Is("type"u8, "ReplicaFailure") && condition.Is("status"u8, "True")
        && condition.Text("message"u8)?.Contains(
            $"serviceaccount \"{ObjectNames.ServiceAccount}\" not found", StringComparison.Ordinal) == true;
}
