using Microsoft.Extensions.Logging;

namespace McpOperator.Controller;

/// <summary>Makes reflectors that have all in common but what they watch.</summary>
/// <param name="timeout">When the API server shall end a watch.</param>
/// <param name="time">The clock of backoffs.</param>
internal sealed class ReflectorFactory(ApiClient api, TimeSpan timeout, TimeProvider time, ILogger logger)
{
    /// <param name="ns">Where; null is everywhere.</param>
    /// <param name="selector">By labels; null is every object.</param>
    /// <param name="fromEtcd">Whether the first list is of what etcd has, not the API server's cache.</param>
    /// <param name="isOptional">Whether the kind need not be installed.</param>
    public IReflector Create<T>(
        ResourceType type, string? ns, string? selector, Decoder<T> decode, Store<T> store, bool fromEtcd = false, bool isOptional = false)
        where T : class, IKubernetesObject
    {
        var reflector = new Reflector<T>(
            new ListWatch<T>(api, type, ns, selector, decode), store, logger, timeout, time, Random.Shared.NextDouble, fromEtcd, isOptional);
        store.Rewound += reflector.Rewound;
        return reflector;
    }
}
