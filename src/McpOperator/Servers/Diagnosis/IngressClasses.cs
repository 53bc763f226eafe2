using System.Text.Json;
using McpOperator.Controller;
using Microsoft.Extensions.Logging;

namespace McpOperator.Servers.Diagnosis;

/// <summary>
/// The IngressClasses of the cluster, for the servers that wait for an address. One list serves them all: at most one a minute, ever more
/// rarely while nobody new waits, and none when nobody does.
/// </summary>
/// <param name="mayList">False where only namespaces are watched: a Role cannot grant what belongs to no namespace.</param>
internal sealed class IngressClasses(ApiClient api, bool mayList, TimeProvider time, ILogger logger)
{
    private readonly Lock _lock = new();
    private Task<IReadOnlyList<Item>?>? _list;
    private long _listedAt;
    private int _count;
    private readonly DiagnosisLists _lists = new((level, fault) => Log.IngressClassesNotListed(logger, level, fault));

    /// <summary>What is known, after a list if one is due. All who ask meanwhile wait for the same one.</summary>
    /// <param name="isFirst">Whether it is the first look of a server: then the next list comes a minute after the last one.</param>
    public async Task<Look> LookAsync(bool isFirst, CancellationToken cancellationToken)
    {
        if (!mayList)
            return new(null, listedAt: long.MaxValue, nextAt: long.MaxValue);
        Task<IReadOnlyList<Item>?> list;
        long listedAt, nextAt;
        lock (_lock)
        {
            var now = time.GetTimestamp();
            if (isFirst)
                _count = Math.Min(_count, 1);
            if (_list is null or { IsFaulted: true } or { IsCanceled: true } || NextAt <= now)
                (_list, _listedAt, _count) = (ListAsync(cancellationToken), now, _count + 1);
            (list, listedAt, nextAt) = (_list, _listedAt, NextAt);
        }

        return new(await list.ConfigureAwait(false), listedAt, nextAt);
    }

    private long NextAt => time.After(_listedAt, DiagnosisLists.Again.Delay(Math.Max(0, _count - 1), random: 0));

    private Task<IReadOnlyList<Item>?> ListAsync(CancellationToken cancellationToken) =>
        _lists.ListAsync<Item>(new ListWatch(api, ResourceTypes.IngressClass, null, null, static json => new Item(json)), cancellationToken);

    /// <summary>What is known. (No struct, and no record: a task of one is a second copy of the machinery.)</summary>
    internal sealed class Look(IReadOnlyList<Item>? classes, long listedAt, long nextAt)
    {
        /// <summary>Null when they cannot be listed.</summary>
        public IReadOnlyList<Item>? Classes => classes;

        /// <summary>Timestamp: what was created later is not among them.</summary>
        public long ListedAt => listedAt;

        /// <summary>Timestamp of the next list.</summary>
        public long NextAt => nextAt;
    }

    /// <summary>As much of an IngressClass as a diagnosis needs.</summary>
    internal sealed class Item(JsonElement json) : IKubernetesObject
    {
        public ObjectKey Key { get; } = ObjectKey.Of(json);

        public string ResourceVersion => "";

        /// <summary>Null when it names none.</summary>
        public string? Controller { get; } = json.Child("spec"u8)?.Text("controller"u8) is { Length: > 0 } controller ? controller : null;
    }
}
