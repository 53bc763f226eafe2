using System.Net;
using McpOperator.Kubernetes;
using McpOperator.Resources;
using McpOperator.Resources.Types;

namespace McpOperator.Reconciliation;

/// <summary>What is done before an intent that was refused is tried again.</summary>
public abstract record Step
{
    private Step()
    {
    }

    /// <summary>Applies this first.</summary>
    public sealed record Apply(byte[] Body) : Step;

    /// <summary>Sends a strategic merge patch.</summary>
    public sealed record Patch(byte[] Body) : Step;

    /// <summary>Takes over what others own at these paths of fieldsV1 (<see cref="Takeover"/>).</summary>
    public sealed record TakeOver(IReadOnlyList<IReadOnlyList<string>> Places) : Step;
}

/// <summary>The step that may help after a refusal; null when none will.</summary>
/// <param name="isNew">Whether the object was not there before.</param>
/// <param name="taken">How many steps were taken already.</param>
/// <param name="refusal">Of the intent.</param>
public delegate Step? Detour(bool isNew, int taken, ApiException refusal);

/// <summary>Ways around what the API server refuses, though each part of it is right.</summary>
public static class Detours
{
    /// <summary>First what others put in the way goes, for then nothing else may be wrong; then the variables.</summary>
    public static Detour Of(Deployment deployment)
    {
        var resets = 0;
        return (isNew, taken, refusal) =>
        {
            if (isNew)
                return null;
            if (!EnvironmentReset.Suffices(refusal))
                return taken == 0 ? TakeOver(DeploymentBuilder.Exclusive(deployment), refusal) : null;
            return resets++ switch
            {
                0 => new Step.Apply(Intent.Of(EnvironmentReset.Paused(deployment))),
                1 => new Step.Patch(EnvironmentReset.Removal(deployment)),
                _ => null,
            };
        };
    }

    /// <summary>What others put in the way goes.</summary>
    public static Detour OfService => (isNew, taken, refusal) =>
        !isNew && taken == 0 ? TakeOver(ServiceBuilder.Exclusive, refusal) : null;

    /// <summary>Two steps for what old API servers do not create in one.</summary>
    public static Detour Of(Ingress ingress) => (isNew, taken, _) =>
        isNew && taken == 0 && IngressBuilder.ForOldCreate(ingress) is { } older ? new Step.Apply(Intent.Of(older)) : null;

    /// <summary>
    /// Only where the API server found the fault. A webhook's or a quota's refusal names no field, and none of the others'
    /// fields is in its way.
    /// </summary>
    private static Step.TakeOver? TakeOver(IReadOnlyList<IReadOnlyList<string>> places, ApiException refusal)
    {
        if (refusal.Code != HttpStatusCode.UnprocessableEntity || refusal.Status.Details?.Causes is not { } causes)
            return null;
        var faulty = places.Where(place => causes.Any(cause => Leads(cause.Field, FieldOf(place)))).ToList();
        return faulty.Count == 0 ? null : new Step.TakeOver(faulty);
    }

    /// <summary>The last field of a place, which may go on to one of its items.</summary>
    private static string FieldOf(IReadOnlyList<string> place) =>
        place.Last(step => step.StartsWith("f:", StringComparison.Ordinal))["f:".Length..];

    /// <summary>True when the path of a cause, such as <c>spec.ports[1].name</c>, goes through a field of this name.</summary>
    private static bool Leads(string? path, string field) =>
        path is not null && path.Split('.', '[').Contains(field);
}
