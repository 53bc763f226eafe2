using System.Globalization;

namespace McpOperator.Kubernetes;

/// <summary>metav1.Time: RFC 3339, UTC, whole seconds.</summary>
public static class KubernetesTime
{
    public static string Format(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
