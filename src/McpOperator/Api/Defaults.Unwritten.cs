namespace McpOperator.Api;

// What is in effect without ever being written into a spec.
public static partial class Defaults
{
    /// <summary>
    /// The four amounts in effect, in canonical form, each one overridden on its own. A default gives way to what the
    /// user wrote: a default limit is raised to a larger request, a default request lowered to a smaller limit, because
    /// the API server refuses a request above its limit.
    /// </summary>
    /// <exception cref="FormatException">A quantity that <see cref="Validation"/> would have refused.</exception>
    public static ResourceRequirements Resources(ResourceRequirements? given)
    {
        var (cpuRequest, cpuLimit) = Amounts(given?.Requests?.Cpu, CpuRequest, given?.Limits?.Cpu, CpuLimit);
        var (memoryRequest, memoryLimit) =
            Amounts(given?.Requests?.Memory, MemoryRequest, given?.Limits?.Memory, MemoryLimit);
        return new ResourceRequirements
        {
            Requests = new ResourceList { Cpu = cpuRequest, Memory = memoryRequest },
            Limits = new ResourceList { Cpu = cpuLimit, Memory = memoryLimit },
        };
    }

    /// <summary>
    /// What the gateway reports, and where; null when it reports nothing. A spec without <c>analytics</c> reports, too, where
    /// the operator knows an ingest URL; nothing is written into it for that.
    /// </summary>
    /// <param name="name">Of the server.</param>
    /// <param name="effective">The spec in effect.</param>
    /// <param name="settings">Of the operator.</param>
    public static AnalyticsConfig? Analytics(string name, MCPServerSpec effective, OperatorSettings settings)
    {
        if (!effective.HasGateway() || effective.Analytics is { Disabled: true })
            return null;
        var analytics = Apply(effective.Analytics ?? new AnalyticsConfig(), name, settings);
        return analytics?.IngestURL is null ? null : analytics;
    }

    private static (string Request, string Limit) Amounts(
        string? request, string defaultRequest, string? limit, string defaultLimit)
    {
        var low = Quantity.Parse(Trimmed(request) ?? defaultRequest);
        var high = Quantity.Parse(Trimmed(limit) ?? defaultLimit);
        if (low > high)
        {
            if (Trimmed(limit) is null)
                high = low;
            else if (Trimmed(request) is null)
                low = high;
        }

        return (low.ToString(), high.ToString());
    }
}
