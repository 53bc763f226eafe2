using Microsoft.Extensions.Logging;

namespace McpOperator.Apply;

/// <summary>Takes over fields of an object or of its status from other managers, with log and metric.</summary>
internal sealed class TakeOvers(ApiClient api, WriteCounters counters, ILogger logger)
{
    /// <inheritdoc cref="FieldOwnership.TakeOverPredecessorAsync"/>
    public async Task<T?> FromPredecessorAsync<T>(
        ResourceType type, ObjectKey key, bool isStatus, Decoder<T> decode, CancellationToken cancellationToken)
        where T : class
    {
        var taken = await FieldOwnership.TakeOverPredecessorAsync(api, type, key, isStatus, decode, cancellationToken).ConfigureAwait(false);
        if (taken is null)
            return null;
        counters.Migrated(type.Kind);
        Log.ObjectMigrated(logger, type.Kind);
        return taken;
    }

    /// <summary>Once from each manager (<see cref="ApplyMemory.MayTakeOver"/>).</summary>
    /// <param name="manager">The manager that copied our fields; null for none.</param>
    /// <inheritdoc cref="FieldOwnership.TakeOverCopiesAsync"/>
    public async Task<T?> FromCopyAsync<T>(
        ResourceType type, ObjectKey key, string uid, string? manager, bool isStatus, ApplyMemory memory, Decoder<T> decode, CancellationToken cancellationToken)
        where T : class
    {
        if (manager is null || !memory.MayTakeOver(uid, manager))
            return null;
        var taken = await FieldOwnership.TakeOverCopiesAsync(api, type, key, isStatus, decode, cancellationToken).ConfigureAwait(false);
        memory.TakeOver(uid, manager);
        if (taken is null)
            return null;
        counters.Migrated(type.Kind);
        Log.CopyTakenOver(logger, manager, type.Kind);
        return taken;
    }
}
