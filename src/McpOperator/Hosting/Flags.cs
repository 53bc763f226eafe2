using System.Globalization;
using McpOperator.Controller;
using Microsoft.Extensions.Logging;

namespace McpOperator.Hosting;

/// <summary>The flags of <c>run</c>. The zap ones are those of controller-runtime, pkg/log/zap.</summary>
internal static class Flags
{
    private const string AddressRule = "an address such as :8080, 127.0.0.1:0 or [::1]:8080, or 0 to turn it off";
    private const string LevelRule = "debug, info, warn, error, panic, or a number above 0 for debug";
    private const string FormatRule = "json or console";
    private const string BooleanRule = "true or false";
    private const string DnsLabel = "a DNS label (a-z, 0-9 and -, at most 63 characters)";

    public static IReadOnlyList<Flag<RunOptions>> All { get; } =
    [
        new("metrics-bind-address", "ADDRESS", ":8080", "Where Prometheus finds /metrics; 0 turns it off.", AddressRule,
            (o, v) => v == "0" ? o with { Metrics = null }
                : BindAddress.TryParse(v, out var address) ? o with { Metrics = address } : null),
        new("health-probe-bind-address", "ADDRESS", ":8081",
            "Where the kubelet finds /healthz and /readyz; 0 turns them off.", AddressRule,
            (o, v) => v == "0" ? o with { Probes = null }
                : BindAddress.TryParse(v, out var address) ? o with { Probes = address } : null),
        new("leader-elect", null, "false", "Write only while holding a Lease, so that a second replica can stand by.", BooleanRule,
            (o, v) => Values.Boolean(v) is { } b ? o with { LeaderElect = b } : null),
        new("leader-elect-lease-duration", "DURATION", "15s", "For how long the others leave a lease alone that nobody renews.",
            Values.DurationRule, (o, v) => Values.Duration(v) is { } d ? o with { LeaseTiming = o.LeaseTiming with { LeaseDuration = d } } : null),
        new("leader-elect-renew-deadline", "DURATION", "10s", "For how long after its last renewal a leader leads; then it exits.",
            Values.DurationRule, (o, v) => Values.Duration(v) is { } d ? o with { LeaseTiming = o.LeaseTiming with { RenewDeadline = d } } : null),
        new("leader-elect-retry-period", "DURATION", "2s", "Between two renewals, or two looks at the lease of another.",
            Values.DurationRule, (o, v) => Values.Duration(v) is { } d ? o with { LeaseTiming = o.LeaseTiming with { RetryPeriod = d } } : null),
        new("leader-elect-resource-namespace", "NAMESPACE", "the pod's, else the kubeconfig context's", "Where the lease is.",
            DnsLabel, (o, v) => v.Length == 0 ? o with { LeaseNamespace = null } : IsDnsLabel(v) ? o with { LeaseNamespace = v } : null),
        new("watch-namespaces", "A,B,…", "all", "The only namespaces to watch; then Roles are enough.",
            $"namespaces separated by commas, each {DnsLabel}",
            (o, v) => Namespaces(v) is { } names ? o with { WatchNamespaces = names } : null),
        new("watch-timeout", "DURATION", "5m", "How long a watch lasts at least; shorter where something on the way goes silent.",
            "a duration such as 5m, at least 1s and at most 24h",
            (o, v) => Values.Duration(v) is { } d && d >= TimeSpan.FromSeconds(1) ? o with { WatchTimeout = d } : null),
        new("kubeconfig", "FILE", "$KUBECONFIG, else in-cluster, else ~/.kube/config", "How to reach the API server.",
            "a path", (o, v) => o with { Kubeconfig = v.Length == 0 ? null : v }),
        new("workers", "N", "4", "Reconciles in flight.", "a whole number, 1 or more",
            (o, v) => Values.WholeNumber(v) is { } n ? o with { Workers = n } : null),
        new("persist-defaults", null, "true", "Write defaults that depend on the object into its spec.", BooleanRule,
            (o, v) => Values.Boolean(v) is { } b ? o with { PersistDefaults = b } : null),
        new("pod-security", "STANDARD", "restricted", "The Pod Security Standard that the servers' pods are held against.", Values.PodSecurityRule,
            (o, v) => Values.PodSecurity(v) is { } level ? o with { PodSecurity = level } : null),
        new("policy-refresh", null, "true", "Have running gateways see a changed policy at once: patches an annotation of their pods.",
            BooleanRule, (o, v) => Values.Boolean(v) is { } b ? o with { PolicyRefresh = b } : null),
        new("log-level", "LEVEL", "info", "debug, info, warn or error.", LevelRule,
            (o, v) => Level(v) is { } level ? o with { LogLevel = level } : null),
        new("log-format", "FORMAT", "json", "json for machines, console for people.", FormatRule,
            (o, v) => Format(v) is { } format ? o with { LogFormat = format } : null),
        new("zap-log-level", "LEVEL", null, "The same as --log-level.", LevelRule,
            (o, v) => Level(v) is { } level ? o with { LogLevel = level } : null) { Precedence = 1 },
        new("zap-encoder", "FORMAT", null, "The same as --log-format.", FormatRule,
            (o, v) => Format(v) is { } format ? o with { LogFormat = format } : null) { Precedence = 1 },
        new("zap-devel", null, "false", "The same as --log-level=debug --log-format=console.", BooleanRule,
            (o, v) => Values.Boolean(v) switch
            {
                true => o with { LogLevel = LogLevel.Debug, LogFormat = LogFormat.Console },
                false => o,
                null => null,
            }) { Precedence = 0 },
        new("zap-time-encoding", "ENCODING", null, "Accepted without effect: times are RFC 3339.", "", (o, _) => o),
        new("zap-stacktrace-level", "LEVEL", null, "Accepted without effect: an exception brings its stack trace.", "",
            (o, _) => o),
    ];

    /// <summary>One line about flags that contradict each other; null when none do.</summary>
    public static string? Contradiction(RunOptions options)
    {
        var timing = options.LeaseTiming;
        return !options.LeaderElect || timing.IsSound ? null : string.Create(
            CultureInfo.InvariantCulture,
            $"--leader-elect-lease-duration ({timing.LeaseDuration.TotalSeconds}s) must be longer than --leader-elect-renew-deadline "
            + $"({timing.RenewDeadline.TotalSeconds}s), and that longer than {LeaseTiming.Jitter} times --leader-elect-retry-period "
            + $"({timing.RetryPeriod.TotalSeconds}s)");
    }

    private static LogLevel? Level(string value) => value.ToLowerInvariant() switch
    {
        "debug" => LogLevel.Debug,
        "info" => LogLevel.Information,
        "warn" or "warning" => LogLevel.Warning,
        "error" => LogLevel.Error,
        "panic" or "critical" => LogLevel.Critical,
        // zap's numbers are levels of verbosity. Here all of them are debug.
        _ => Values.WholeNumber(value) is null ? null : LogLevel.Debug,
    };

    private static LogFormat? Format(string value) => value.ToLowerInvariant() switch
    {
        "json" => LogFormat.Json,
        "console" => LogFormat.Console,
        _ => null,
    };

    private static List<string>? Namespaces(string value)
    {
        var names = new List<string>();
        if (value.Length == 0)
            return names; // a template may leave an empty value; the same as no flag
        foreach (var part in value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!IsDnsLabel(part))
                return null;
            if (!names.Contains(part))
                names.Add(part);
        }
        // Whoever wrote "," wanted to limit the operator: that must not become the whole cluster.
        return names.Count == 0 ? null : names;
    }

    private static bool IsDnsLabel(string name) =>
        name.Length is > 0 and <= 63 && name[0] != '-' && name[^1] != '-' &&
        name.All(c => c is '-' or (>= 'a' and <= 'z') or (>= '0' and <= '9'));
}
