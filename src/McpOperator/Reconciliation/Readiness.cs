using McpOperator.Resources;

namespace McpOperator.Reconciliation;

/// <summary>One of the things that make up a server, and whether it was seen to work.</summary>
/// <param name="ConditionType">One of <see cref="ConditionTypes"/>.</param>
/// <param name="Kind">What a person calls it.</param>
/// <param name="IsReady">As observed, never as sent.</param>
/// <param name="Reason">One of <see cref="Reasons"/>.</param>
/// <param name="Message">For a person.</param>
/// <param name="IsFailed">True when the operator could not bring it to what is wanted.</param>
public readonly record struct Surface(
    string ConditionType, string Kind, bool IsReady, string Reason, string Message, bool IsFailed = false)
{
    /// <summary>The same observation, with what keeps the operator from changing it.</summary>
    public Surface Failed(Problem problem) =>
        this with { Reason = problem.Reason, Message = problem.Message, IsFailed = true };
}

/// <summary>Why an object could not be brought to its intent.</summary>
/// <param name="Reason">One of <see cref="Reasons"/>.</param>
/// <param name="Message">For a person.</param>
public sealed record Problem(string Reason, string Message);

/// <summary>What the observed objects say of a server. Pure: null stands for an object that is not there.</summary>
public static class Readiness
{
    public static Surface Of(ObservedDeployment? deployment) => Of(deployment, ConditionTypes.DeploymentReady, "Deployment");

    public static Surface OfCanary(ObservedDeployment? canary) => Of(canary, ConditionTypes.CanaryReady, "canary Deployment");

    /// <param name="deployment">In whose pods it is.</param>
    public static Surface OfGateway(ObservedDeployment? deployment) => deployment switch
    {
        null => Missing(ConditionTypes.GatewayReady, "gateway"),
        { HasGateway: false } => GatewayUnready("the Deployment has none yet"),
        _ when !Of(deployment).IsReady => GatewayUnready("the Deployment is not ready"),
        _ => new(ConditionTypes.GatewayReady, "gateway", true, Reasons.GatewayAvailable, "every pod has its gateway"),
    };

    /// <param name="exists">Whether the server's own ConfigMap is there.</param>
    /// <param name="isCurrent">Whether it holds the current policy.</param>
    /// <param name="isShown">Whether no pod is left that is never shown it.</param>
    public static Surface OfPolicy(bool exists, bool isCurrent, bool isShown) => (exists, isCurrent, isShown) switch
    {
        (false, _, _) => Missing(ConditionTypes.PolicyReady, "policy"),
        (_, true, true) => new(
            ConditionTypes.PolicyReady, "policy", true, Reasons.PolicyCurrent, "the ConfigMap holds the current policy"),
        (_, true, false) => new(
            ConditionTypes.PolicyReady, "policy", false, Reasons.PolicyOutdated,
            "the ConfigMap was immutable and has been replaced: pods from before hold another policy until they are replaced, too"),
        _ => new(
            ConditionTypes.PolicyReady, "policy", false, Reasons.PolicyOutdated, "the ConfigMap holds another policy than the current one"),
    };

    private static Surface Of(ObservedDeployment? deployment, string type, string kind)
    {
        if (deployment is null)
            return Missing(type, kind);
        var wanted = deployment.WantedReplicas;
        if (deployment.ObservedGeneration < deployment.Generation)
            return Unready("the latest change has not been taken up by the Deployment controller yet");
        if (deployment.UpdatedReplicas < wanted)
            return Unready($"{deployment.UpdatedReplicas} of {wanted} replicas are of the latest revision");
        if (deployment.Replicas > deployment.UpdatedReplicas)
            return Unready($"{deployment.Replicas - deployment.UpdatedReplicas} replicas of an old revision remain");
        if (deployment.Replicas > wanted)
            return Unready($"{deployment.Replicas - wanted} surplus replicas remain");
        if (deployment.AvailableReplicas < wanted)
            return Unready($"{deployment.AvailableReplicas} of {wanted} replicas are available");
        return wanted == 0
            ? new Surface(type, kind, true, Reasons.ScaledToZero, "no replicas are wanted")
            : new Surface(type, kind, true, Reasons.DeploymentAvailable, $"{wanted} of {wanted} replicas are available");

        Surface Unready(string message) => new(type, kind, false, Reasons.DeploymentProgressing, message);
    }

    public static Surface Of(ObservedService? service) => service switch
    {
        null => Missing(ConditionTypes.ServiceReady, "Service"),
        { HasClusterIP: true } => new(
            ConditionTypes.ServiceReady, "Service", true, Reasons.ClusterIPAssigned, "the Service has its cluster IP"),
        _ => new(
            ConditionTypes.ServiceReady, "Service", false, Reasons.ClusterIPPending, "the Service has no cluster IP yet"),
    };

    /// <param name="ingress">As observed.</param>
    /// <param name="permissive">Whether existing with a rule is enough.</param>
    public static Surface Of(ObservedIngress? ingress, bool permissive) => (ingress, permissive) switch
    {
        (null, _) => Missing(ConditionTypes.IngressReady, "Ingress"),
        ({ HasLoadBalancer: true }, false) => new(
            ConditionTypes.IngressReady, "Ingress", true, Reasons.LoadBalancerAssigned,
            "an ingress controller has published an address"),
        ({ HasRule: true }, true) => new(
            ConditionTypes.IngressReady, "Ingress", true, Reasons.IngressCreated, "the Ingress exists"),
        _ => new(
            ConditionTypes.IngressReady, "Ingress", false, Reasons.LoadBalancerPending,
            "no ingress controller has published an address yet"),
    };

    private static Surface GatewayUnready(string message) =>
        new(ConditionTypes.GatewayReady, "gateway", false, Reasons.GatewayProgressing, message);

    private static Surface Missing(string type, string kind) =>
        new(type, kind, false, Reasons.NotCreated, $"the {kind} does not exist");
}
