using McpOperator.Api;

namespace McpOperator.Reconciliation;

/// <summary>
/// What a valid spec may ask for and this version does not do: refused with a clear word, rather than half done. Its
/// builders are there; the objects are not reconciled yet.
/// </summary>
public static class NotYet
{
    public static IReadOnlyList<SpecFault> Of(MCPServerSpec spec)
    {
        List<SpecFault> faults = [];
        if (spec.HasGateway())
        {
            faults.Add(new SpecFault(
                "spec.gateway.enabled", "the gateway is not supported by this version of the operator yet; remove it or set it to false"));
        }

        if (spec.HasCanary())
        {
            faults.Add(new SpecFault(
                "spec.rollout.strategy", "Canary is not supported by this version of the operator yet; use RollingUpdate or Recreate"));
        }

        return faults;
    }
}
