using McpOperator.Api;
using McpOperator.Controller;
using Microsoft.Extensions.Logging;

namespace McpOperator.Hosting;

internal enum LogFormat
{
    /// <summary>One JSON object for each line, for machines.</summary>
    Json,

    /// <summary>Aligned text, for people.</summary>
    Console,
}

/// <summary>The values of the flags of <c>run</c>.</summary>
internal sealed record RunOptions
{
    /// <summary>Where /metrics is served; null when it is off.</summary>
    public BindAddress? Metrics { get; init; } = new(null, 8080);

    /// <summary>Where /healthz and /readyz are served; null when they are off.</summary>
    public BindAddress? Probes { get; init; } = new(null, 8081);

    /// <summary>Namespaces that are watched, each once; empty for the whole cluster.</summary>
    public IReadOnlyList<string> WatchNamespaces { get; init; } = [];

    /// <summary>How long a watch lasts at least; at most twice as long. The default is that of client-go.</summary>
    public TimeSpan WatchTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Path of the kubeconfig; null for $KUBECONFIG, else in-cluster, else ~/.kube/config.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>Whether to write only while holding the lease.</summary>
    public bool LeaderElect { get; init; }

    public LeaseTiming LeaseTiming { get; init; } = LeaseTiming.Default;

    /// <summary>Where the lease is; null for the pod's namespace, or the one of the kubeconfig's context.</summary>
    public string? LeaseNamespace { get; init; }

    /// <summary>How many reconciles may be in flight; at least 1.</summary>
    public int Workers { get; init; } = 4;

    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    public LogFormat LogFormat { get; init; }

    /// <summary>Whether an annotation of running gateway pods is patched so that they read a changed policy at once.</summary>
    public bool PolicyRefresh { get; init; } = true;

    /// <summary>Null where it is not given: then the environment says.</summary>
    public PodSecurityStandard? PodSecurity { get; init; }

    /// <summary>Whether defaults that depend on the object are written into its spec.</summary>
    public bool PersistDefaults { get; init; } = true;
}
