using System.Buffers;
using System.Text.Json;
using McpOperator.Kubernetes.Types;

namespace McpOperator.Servers.Pods;

/// <summary>
/// How a Deployment gets past a variable that no apply can turn from a reference into a value, or back. The API server
/// refuses one that has both, and both there are when it leaves an empty <c>valueFrom</c> behind (seen with 1.20), or
/// when somebody else's stands where ours is to go.
/// </summary>
/// <remarks>
/// The variables are taken away and then applied anew. Meanwhile the Deployment is paused: no pod may start without them.
/// </remarks>
internal static class EnvironmentReset
{
    /// <summary>True when nothing but sources of variables was refused.</summary>
    public static bool Suffices(ApiException refusal) =>
        refusal.IsInvalid && refusal.Status.Details?.Causes is { Count: > 0 } causes
        && causes.All(cause => cause.Field?.EndsWith("].valueFrom", StringComparison.Ordinal) == true);

    /// <summary>The first step, an apply: the Deployment paused, and without the variables that are ours alone.</summary>
    public static Deployment Paused(Deployment deployment)
    {
        var pod = deployment.Spec.Template.Spec;
        return deployment with
        {
            Spec = deployment.Spec with
            {
                Paused = true,
                Template = deployment.Spec.Template with
                {
                    Spec = pod with { Containers = [.. pod.Containers.Select(container => container with { Env = null })] },
                },
            },
        };
    }

    /// <summary>
    /// The second, when that did not help, a strategic merge patch: what others made of our variables goes as well. To be
    /// sent only while one of them is there: without a list it would add what it is to delete.
    /// </summary>
    public static byte[] Removal(Deployment deployment)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("spec"u8);
            writer.WriteStartObject("template"u8);
            writer.WriteStartObject("spec"u8);
            writer.WriteStartArray("containers"u8);
            foreach (var container in deployment.Spec.Template.Spec.Containers)
            {
                writer.WriteStartObject();
                writer.WriteString("name"u8, container.Name);
                writer.WriteStartArray("env"u8);
                foreach (var variable in container.Env ?? [])
                {
                    writer.WriteStartObject();
                    writer.WriteString("name"u8, variable.Name);
                    writer.WriteString("$patch"u8, "delete"u8);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
