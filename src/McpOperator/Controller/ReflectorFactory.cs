using Microsoft.Extensions.Logging;

namespace McpOperator.Controller;

/// <summary>Makes reflectors that have all in common but what they watch.</summary>
/// <param name="timeout">When the API server shall end a watch.</param>
/// <param name="time">The clock of backoffs.</param>
/// <param name="known">Completes when all that may want an optional kind is known; null where nobody waits for one.</param>
internal sealed class ReflectorFactory(ApiClient api, TimeSpan timeout, TimeProvider time, ILogger logger, Task? known = null)
{
    /// <param name="ns">Where; null is everywhere.</param>
    /// <param name="selector">By labels; null is every object.</param>
    /// <param name="fromEtcd">Whether the first list is of what etcd has, not the API server's cache.</param>
    /// <param name="isOptional">Whether the kind need not be installed.</param>
    /// <param name="wanted">Nothing is asked for before it completes; null for at once.</param>
    public IReflector Create<T>(
        ResourceType type, string? ns, string? selector, Decoder<T> decode, Store<T> store, bool fromEtcd = false, bool isOptional = false, Task? wanted = null)
        where T : class, IKubernetesObject
    {
        var reflector = new Reflector(
            new ListWatch(api, type, ns, selector, decode), store, logger, timeout, time, Random.Shared.NextDouble, fromEtcd, isOptional, wanted, known);
        store.Rewound += reflector.Rewound;
        return reflector;
    }

    /// <summary>Of an object its version alone, once somebody wants it: of etcd, since an older one would look like a change.</summary>
    /// <param name="fields">A field selector; null for every object.</param>
    public IReflector CreateForVersions(ResourceType type, string? ns, string? fields, Store<ObjectVersion> store, Task wanted) => new Reflector(
        new ListWatch(api, type, ns, null, ObjectVersion.Decode, fields, metadataOnly: true), store, logger, timeout, time, Random.Shared.NextDouble,
        fromEtcd: true, isOptional: true, wanted: wanted);
}
