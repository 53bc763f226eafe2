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
    private readonly OwnedFields _ours = ours;

    protected ServerKinds Kinds => kinds;

    /// <summary>Whether all replicas are available, of the latest revision, and none of the one before remains.</summary>
    public static bool IsReady(ObservedDeployment live) => WaitsFor(live) is null;

    /// <summary>Not before the Secret is there that they mount: they would hang, and what serves would go for them.</summary>
    protected bool MayRunPods(Pass pass) => pass.MayRunPods && !kinds.AwaitsCertificate(pass);

    /// <summary>Whether some available pod may have no gateway.</summary>
    public static bool ServesWithoutGateway(ObservedDeployment? live) =>
        live is { AvailableReplicas: > 0 } && !(live.HasGateway && IsReady(live));

    /// <summary>
    /// When replicas move between the tracks, the track that grows is up before the other one shrinks. Until then that one keeps
    /// its replicas, up to the total of both.
    /// </summary>
    /// <param name="replicas">The desired replicas of the other track.</param>
    protected DesiredState Apply(Pass pass, Deployment deployment, DeploymentKind other, int replicas)
    {
        var standing = FindOwned(pass.Server);
        var wanted = deployment.Spec.Replicas;
        var held = !pass.IsPlan && standing is not null && !other.IsUp(pass.Server, replicas)
            ? Math.Max(wanted, Math.Min(standing.DesiredReplicas, wanted + replicas))
            : wanted;
        deployment = deployment with { Spec = deployment.Spec with { Replicas = held } };
        var versions = VersionsFor(pass, deployment, standing);
        if (!pass.IsPlan && pass.Memory.ConfigVersions is { IsListing: true })
            return new DesiredState.Keep();
        if (!string.IsNullOrEmpty(versions))
            deployment = DeploymentManifest.WithAnnotation(deployment, ObjectNames.ConfigVersions, versions);
        var isReleased = pass.Memory.Held == this && held == wanted;
        Hold(pass, held > wanted);
        return new DesiredState.Apply(
            Body, refused => RemedyFor(Body(), refused), IsRepair: isReleased ? false : null,
            live => Removal(pass, (ObservedDeployment)live));

        byte[] Body() => DeploymentManifest.Body(deployment, pass.Server);
    }

    /// <returns>Null for none. When the server does without from now on, its pods keep what they have, which is no reason to replace them.</returns>
    private string? VersionsFor(Pass pass, Deployment deployment, ObservedDeployment? standing)
    {
        if (pass.Spec.RestartOnChange == true)
        {
            var references = new PodReferences(DeploymentManifest.Body(deployment, pass.Server), pass.Server.Metadata.Name);
            // A track that is made anew has none.
            var live = kinds.Stable.FindOwned(pass.Server)?.ConfigVersions ?? standing?.ConfigVersions;
            var versions = pass.Memory.ConfigVersions ??= kinds.NewConfigVersions();
            var value = versions.Of(pass.Server.Key, references, live, kinds.Configuration);
            // A comparison shows that the pods will be replaced, whatever the versions are.
            return pass.IsPlan && versions.IsListing && value.Length == 0 && standing is not null ? versions.Unknown : value;
        }

        if (pass.Memory.ConfigVersions is not null)
            kinds.Configuration.Forget(pass.Server.Key);
        pass.Memory.ConfigVersions = null;
        return standing?.ConfigVersions;
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
        { DesiredReplicas: 0 } when pass.Spec.IsSuspended() => Ready(Reasons.Suspended, "no replicas are wanted while spec.suspend is true"),
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
    /// others own in the refused fields. Before that, what former applies left of a probe, a hook or a volume goes.
    /// </summary>
    private Remedy? RemedyFor(byte[] body, RefusedApply refused)
    {
        if (refused.IsNew)
            return null;
        if (refused.Refusal.IsOfStoredDuplicates)
            return refused.Tried.Count == 0 ? new Remedy.Patch(_ => EnvironmentReset.ReplacePatch(body)) : null;
        if (refused.Tried.Count == 0 && Leftovers.MayCause(refused.Refusal))
            return new Remedy.Patch(live => Leftovers.Patch(body, live, _ours));
        if (!EnvironmentReset.Handles(refused.Refusal))
            return !refused.Tried.Any(static tried => tried is Remedy.TakeOver) ? Remedy.TakeOver.Of(DeploymentManifest.ExclusivePaths(body), refused.Refusal) : null;
        return refused.Tried.Count(static tried => tried is not Remedy.TakeOver) switch
        {
            0 => new Remedy.Apply(EnvironmentReset.WithoutVariables(body)),
            1 => new Remedy.Patch(live => EnvironmentReset.DeletePatch(body, live)),
            _ => null,
        };
    }
}
