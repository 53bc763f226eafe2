using System.Globalization;
using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Servers.Diagnosis;
using McpOperator.Servers.Pods;

namespace McpOperator.Servers.Kinds;

/// <summary>A Deployment's progress.</summary>
internal sealed class ObservedDeployment : Observed
{
    // One object, as most Deployments have none of it: there are thousands of them.
    private readonly Exceptions? _exceptions;

    public ObservedDeployment(JsonElement json, OwnedFields ours)
        : base(json, ours, Labels.OwnerOf(json))
    {
        var spec = json.Child("spec"u8);
        var annotations = spec?.Child("template"u8)?.Child("metadata"u8)?.Child("annotations"u8);
        var (uid, versions) = (annotations?.Interned("mcpruntime.org/policy-uid"u8), annotations?.Text("mcpruntime.org/config-versions"u8));
        DesiredReplicas = (int)(spec?.Child("replicas"u8) is null ? 1 : spec.Value.Number("replicas"u8));
        var pod = spec?.Child("template"u8)?.Child("spec"u8);
        HasGateway = (pod?.Child("containers"u8)).HasItem(static container => container.Is("name"u8, Defaults.GatewayContainer));
        HasPolicyVolume = (pod?.Child("volumes"u8)).HasItem(static volume => volume.Is("name"u8, GatewayContainer.PolicyVolumeName));
        HasCertificateVolume = (pod?.Child("volumes"u8)).HasItem(static volume => volume.Is("name"u8, GatewayContainer.CertificateVolumeName));
        (var foreign, HasForeignGateway) = ForeignFields.Read(json, ours, LabelledOwner, HasGateway || HasPolicyVolume);
        var labels = ForeignLabel.OnPods(json);
        _exceptions = uid is null && versions is null && foreign is null && labels is null ? null : new(uid, versions, foreign, labels);
        Number = int.TryParse(
            json.Child("metadata"u8)?.Child("annotations"u8)?.Interned("deployment.kubernetes.io/revision"u8), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : 0;
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

    /// <summary>True when the gateways of new pods speak TLS.</summary>
    public bool HasCertificateVolume { get; }

    /// <summary><see cref="ForeignFields.IsGateway"/>.</summary>
    public bool HasForeignGateway { get; }

    /// <summary><see cref="ForeignFields.Fields"/>.</summary>
    public IReadOnlyList<ForeignField>? Foreign => _exceptions?.Foreign;

    /// <summary><see cref="ForeignLabel.OnPods"/>.</summary>
    public IReadOnlyList<ForeignLabel>? ForeignLabels => _exceptions?.ForeignLabels;

    /// <summary>The annotation <see cref="ObjectNames.PolicyUid"/> of the pods; null for most.</summary>
    public string? PolicyUid => _exceptions?.PolicyUid;

    /// <summary>The annotation <see cref="ObjectNames.ConfigVersions"/> of the pods; null for most.</summary>
    public string? ConfigVersions => _exceptions?.ConfigVersions;

    /// <summary>All pods there are, those of older revisions included.</summary>
    public int Replicas { get; }

    public int UpdatedReplicas { get; }

    public int AvailableReplicas { get; }

    public int ReadyReplicas { get; }

    /// <summary>True when the API server refuses its pods because their ServiceAccount is gone.</summary>
    public bool LacksServiceAccount { get; }

    /// <summary>
    /// Of its pods' template: a scaling makes none, and another Deployment of this name has others. Without the number that the Deployment controller
    /// gives it the generation has to do, which every change makes.
    /// </summary>
    public string Revision => string.Create(
        CultureInfo.InvariantCulture, $"{Uid.AsSpan(0, Math.Min(Uid.Length, 8))}-{(Number > 0 ? "" : "g")}{(Number > 0 ? Number : Generation)}");

    /// <summary>The annotation deployment.kubernetes.io/revision; 0 without it. A number takes no room here, among the others.</summary>
    private int Number { get; }

    /// <summary>Whether somebody has paused its rollouts.</summary>
    public bool IsPaused { get; }

    /// <summary>Why it has too few pods, as far as its own status says; null, as a rule, for nothing.</summary>
    public Cause? Cause { get; }

    private static bool IsMissingServiceAccount(JsonElement condition) =>
        condition.Is("type"u8, "ReplicaFailure") && condition.Is("status"u8, "True")
        && condition.Text("message"u8)?.Contains(
            $"serviceaccount \"{ObjectNames.ServiceAccount}\" not found", StringComparison.Ordinal) == true;

    private sealed record Exceptions(
        string? PolicyUid, string? ConfigVersions, IReadOnlyList<ForeignField>? Foreign, IReadOnlyList<ForeignLabel>? ForeignLabels);
}
