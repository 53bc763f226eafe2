using System.Globalization;
using static McpOperator.Api.FieldValidation;

namespace McpOperator.Api;

/// <summary>How a server's pods are replaced, and its canary track.</summary>
internal static class RolloutValidation
{
    private static readonly string[] Strategies = [Defaults.Strategy, RolloutConfig.Recreate, RolloutConfig.Canary];

    public static void Check(SpecFaults faults, MCPServerSpec spec)
    {
        if (spec.Rollout is not { } rollout)
            return;
        OneOf(faults, "spec.rollout.strategy", rollout.Strategy, Strategies);
        var unavailable = Share(faults, "spec.rollout.maxUnavailable", rollout.MaxUnavailable);
        var surge = Share(faults, "spec.rollout.maxSurge", rollout.MaxSurge);
        if (unavailable is > 100 && rollout.MaxUnavailable!.EndsWith('%'))
            faults.Add("spec.rollout.maxUnavailable", $"{SpecFaults.Quote(rollout.MaxUnavailable)} must not be more than 100%");
        if (unavailable == 0 && surge == 0 && rollout.Strategy != RolloutConfig.Recreate)
            faults.Add("spec.rollout.maxUnavailable", "must not be 0 while spec.rollout.maxSurge is 0, too: nothing could ever be replaced");

        if (rollout.CanaryReplicas < 0)
            faults.Add("spec.rollout.canaryReplicas", $"{rollout.CanaryReplicas} must not be negative");
        if (rollout.CanaryImage is not null)
            ImageValidation.Check(faults, "spec.rollout.canaryImage", rollout.CanaryImage);
        if (spec.HasCanary() && rollout.CanaryReplicas is null or 0)
            faults.Add("spec.rollout.canaryReplicas", $"{Required} with strategy Canary: more than 0, and less than spec.replicas");
    }

    /// <summary>The number of <c>3</c> or <c>25%</c>; null when it is unset or neither.</summary>
    private static int? Share(SpecFaults faults, string field, string? value)
    {
        if (value is null)
            return null;
        var digits = value.EndsWith('%') ? value.AsSpan()[..^1] : value;
        if (int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return number;
        faults.Add(field, $"{SpecFaults.Quote(value)} must be a number of pods or a percentage, such as 1 or 25%");
        return null;
    }
}
