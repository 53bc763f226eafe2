using Microsoft.Extensions.Logging;

namespace McpOperator.Apply;

/// <summary>Takes over fields of an object or of its status from other managers, with log and metric.</summary>
internal sealed class TakeOvers(ApiClient api, WriteCounters counters, ILogger logger)
{
    /// <inheritdoc cref="FieldOwnership.TakeOverPredecessorAsync"/>
    public async Task<bool> FromPredecessorAsync(ResourceType type, ObjectKey key, bool isStatus, CancellationToken cancellationToken)
    {
        if (!await FieldOwnership.TakeOverPredecessorAsync(api, type, key, isStatus, cancellationToken).ConfigureAwait(false))
            return false;
        counters.Migrated(type.Kind);
        Log.ObjectMigrated(logger, type.Kind);
        return true;
    }

    /// <summary>Once from each manager (<see cref="ApplyMemory.MayTakeOver"/>).</summary>
    /// <param name="manager">The manager that copied our fields; null for none.</param>
    /// <inheritdoc cref="FieldOwnership.TakeOverCopiesAsync"/>
    public async Task<bool> FromCopyAsync(
        ResourceType type, ObjectKey key, string uid, string? manager, bool isStatus, ApplyMemory memory, CancellationToken cancellationToken)
    {
        if (manager is null || !memory.MayTakeOver(uid, manager))
            return false;
        var isThere = await FieldOwnership.TakeOverCopiesAsync(api, type, key, isStatus, cancellationToken).ConfigureAwait(false);
        memory.TakeOver(uid, manager);
        if (!isThere)
            return false;
        counters.Migrated(type.Kind);
        Log.CopyTakenOver(logger, manager, type.Kind);
        return true;
    }
}
