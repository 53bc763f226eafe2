using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Kubernetes.Types;
using McpOperator.Mirror;
using McpOperator.Servers.Diagnosis;
using McpOperator.Servers.Pods;

namespace McpOperator.Servers.Kinds;

/// <summary>What the Deployments of both tracks have in common.</summary>
internal abstract class DeploymentKind(
    ServerKinds kinds, string condition, Store<ObservedDeployment> store, FormerVariables formerVariables, OwnedFields ours, string suffix = "", string? name = null)
    : OwnedKind<ObservedDeployment>(
        ResourceTypes.Deployment, condition, store, json => new ObservedDeployment(json, ours), ours, suffix, name)
{
    protected ServerKinds Kinds => kinds;

    /// <summary>Whether all replicas are available, of the latest revision, and none of the one before remains.</summary>
    public static bool IsReady(ObservedDeployment live) => WaitsFor(live) is null;

    /// <summary>Whether some available pod may have no gateway.</summary>
    public static bool ServesWithoutGateway(ObservedDeployment? live) =>
        live is { AvailableReplicas: > 0 } && !(live.HasGateway && IsReady(live));

    /// <summary>
    /// When replicas move between the tracks, the track that grows is up before the other one shrinks. Until then that one keeps
    /// its replicas, up to the total of both.
    /// </summary>
    /// <param name="replicas">The desired replicas of the other track.</param>
    protected DesiredState.Apply Apply(Pass pass, Deployment deployment, DeploymentKind other, int replicas)
    {
        var wanted = deployment.Spec.Replicas;
        var held = !pass.IsPlan && FindOwned(pass.Server) is { } live && !other.IsUp(pass.Server, replicas)
            ? Math.Max(wanted, Math.Min(live.DesiredReplicas, wanted + replicas))
            : wanted;
        deployment = deployment with { Spec = deployment.Spec with { Replicas = held } };
        var isReleased = pass.Memory.Held == this && held == wanted;
        Hold(pass, held > wanted);
        return new(
            () => ApplyConfiguration.Of(deployment), refused => RemedyFor(deployment, refused), IsRepair: isReleased ? false : null,
            live => Removal(pass, (ObservedDeployment)live));
    }

    /// <summary>Whether it has that many replicas, all available and of the latest revision.</summary>
    public bool IsUp(MCPServer server, int replicas) =>
        replicas == 0 || (FindOwned(server) is { IsTerminating: false } live && live.DesiredReplicas >= replicas && IsReady(live));

    protected void Hold(Pass pass, bool isHeld)
    {
        if (isHeld)
            pass.Memory.Held = this;
        else if (pass.Memory.Held == this)
            pass.Memory.Held = null;
    }

    /// <summary>Says in the condition that the other track is held.</summary>
    protected static ComponentCondition WithHeld(Pass pass, ComponentCondition component, DeploymentKind other) =>
        pass.Memory.Held == other && other.LiveAfter(pass) is { } held
            ? component with { Message = $"{component.Message}; meanwhile the {other.Name} stays at {held.DesiredReplicas}" }
            : component;

    public override string? ForeignOf(Pass pass) => LiveAfter(pass) is { Foreign: { } fields }
        ? string.Join(", ", fields.Select(field => field.ToString()).Order(StringComparer.Ordinal))
        : null;

    /// <summary>
    /// What stands under our names is the spec's, whoever owns it. Removed are a gateway that is not wanted, and what we once had
    /// in a container: known from a former revision that was brought back, and from what the spec dropped since this process
    /// began.
    /// </summary>
    private byte[]? Removal(Pass pass, ObservedDeployment live)
    {
        var server = pass.Server;
        var isGateway = live.HasForeignGateway && !server.Spec.HasGateway();
        var former = live.Foreign is null ? [] : live.Foreign
            .Where(field => !(isGateway && field.Container == Defaults.GatewayContainer) && (field.IsUndone || IsFormer(pass, field))).ToList();
        return isGateway || former.Count > 0
            ? ForeignRemoval.Patch(live.ResourceVersion, isGateway && live.HasGateway, isGateway && live.HasPolicyVolume, former)
            : null;
    }

    private bool IsFormer(Pass pass, ForeignField field) => field switch
    {
        { Member: ForeignField.PullSecrets } => field.Key == pass.Settings.ProvisionedRegistry.SecretName,
        { Member: "env", Container: Defaults.GatewayContainer } => GatewayContainer.OptionalVariables.Contains(field.Key),
        { Member: "env" } => formerVariables.Of(pass.Server.Key).Contains(field.Key),
        _ => false,
    };

    /// <summary>The policy-uid annotation of the pod template. Once set it stays: removing it would replace the pods again.</summary>
    protected string? PolicyUid(Pass pass) => pass.Policy?.PolicyUid ?? FindOwned(pass.Server)?.PolicyUid;

    /// <summary>Why it could not be applied, or why its pods cannot start.</summary>
    protected Problem? ProblemOf(Pass pass) =>
        pass.ResultOf(this).Problem ?? pass.ResultOf(kinds.PullSecret).Problem ?? pass.ResultOf(kinds.ServiceAccount).Problem;

    protected ComponentCondition ProgressWithForeign(Pass pass, ObservedDeployment live)
    {
        var component = ProgressOf(pass, live);
        return ForeignOf(pass) is { } foreign ? component with { Message = $"{component.Message}; not in the spec, and left alone: {foreign}" } : component;
    }

    private ComponentCondition ProgressOf(Pass pass, ObservedDeployment live) => live switch
    {
        _ when WaitsFor(live) is { } message => CauseOf(pass, live) is { } cause
            ? Unready(cause.Reason, $"{message}: {cause.Message}")
            : Unready(Reasons.DeploymentProgressing, message),
        { DesiredReplicas: 0 } => Ready(Reasons.ScaledToZero, "no replicas are wanted"),
        { DesiredReplicas: var wanted } => Ready(Reasons.DeploymentAvailable, $"{wanted} of {wanted} replicas are available"),
    };

    /// <summary>The cause that explains most of why it waits; null when none is known.</summary>
    protected Cause? CauseOf(Pass pass, ObservedDeployment live)
    {
        var own = live.IsPaused && live.ObservedGeneration >= live.Generation
            ? new Cause(Reasons.DeploymentPaused, $"it is paused; kubectl rollout resume deployment/{live.Key.Name} lets it go on")
            : live.Cause;
        var ofPods = pass.Memory.Diagnosis?.CauseOf(this);
        return own is null || ofPods?.Rank < own.Rank ? ofPods : own;
    }

    private static string? WaitsFor(ObservedDeployment live)
    {
        var wanted = live.DesiredReplicas;
        if (live.ObservedGeneration < live.Generation)
            return "the latest change has not been taken up by the Deployment controller yet";
        if (live.UpdatedReplicas < wanted)
            return $"{live.UpdatedReplicas} of {wanted} replicas are of the latest revision";
        if (live.Replicas > live.UpdatedReplicas)
            return $"{live.Replicas - live.UpdatedReplicas} replicas of an old revision remain";
        if (live.Replicas > wanted)
            return $"{live.Replicas - wanted} surplus replicas remain";
        return live.AvailableReplicas < wanted ? $"{live.AvailableReplicas} of {wanted} replicas are available" : null;
    }

    /// <summary>
    /// If only sources of variables are refused, resets the variables, and if some are there twice, replaces them; else takes over what
    /// others own in the refused fields.
    /// </summary>
    private static Remedy? RemedyFor(Deployment deployment, RefusedApply refused)
    {
        if (refused.IsNew)
            return null;
        if (refused.Refusal.IsOfStoredDuplicates)
            return refused.Tried.Count == 0 ? new Remedy.Patch(_ => EnvironmentReset.ReplacePatch(deployment)) : null;
        if (!EnvironmentReset.Handles(refused.Refusal))
            return refused.Tried.Count == 0 ? Remedy.TakeOver.Of(DeploymentManifest.ExclusivePaths(deployment), refused.Refusal) : null;
        return refused.Tried.Count(static tried => tried is not Remedy.TakeOver) switch
        {
            0 => new Remedy.Apply(ApplyConfiguration.Of(EnvironmentReset.WithoutVariables(deployment))),
            1 => new Remedy.Patch(live => EnvironmentReset.DeletePatch(deployment, live)),
            _ => null,
        };
    }
}
