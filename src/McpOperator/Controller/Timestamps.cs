namespace McpOperator.Controller;

/// <summary>Points of time to come, as timestamps of a clock: they go on evenly when somebody puts the time of day right.</summary>
internal static class Timestamps
{
    public static long After(this TimeProvider time, long timestamp, TimeSpan delay) =>
        timestamp + (long)(delay.TotalSeconds * time.TimestampFrequency);

    /// <summary>Zero when it has passed.</summary>
    public static TimeSpan Until(this TimeProvider time, long timestamp) =>
        time.GetElapsedTime(time.GetTimestamp(), timestamp) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;
}
