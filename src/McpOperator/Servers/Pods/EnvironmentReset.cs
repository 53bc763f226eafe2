using System.Buffers;
using System.Text.Json;
using McpOperator.Kubernetes.Types;

namespace McpOperator.Servers.Pods;

/// <summary>
/// Removes variables and adds them anew, where no apply can turn a reference (<c>valueFrom</c>) into a value, or back. The API
/// server refuses a variable that has both. It gets both when the API server keeps an empty <c>valueFrom</c> (seen with 1.20), or
/// when somebody else owns the other one.
/// </summary>
/// <remarks>Meanwhile the Deployment is paused: no pod may start without its variables.</remarks>
internal static class EnvironmentReset
{
    /// <summary>True when the refusal is about sources of variables only.</summary>
    public static bool Handles(ApiException refusal) =>
        refusal.IsInvalid && refusal.Status.Details?.Causes is { Count: > 0 } causes
        && causes.All(cause => cause.Field?.EndsWith("].valueFrom", StringComparison.Ordinal) == true);

    /// <summary>The first step, an apply: the Deployment paused, without variables. Removes those that only we own.</summary>
    public static Deployment WithoutVariables(Deployment deployment)
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
    /// The second step, if the first did not help: a strategic merge patch that deletes our variables, whoever owns them. API
    /// servers before 1.28 add the items instead to a container that has no <c>env</c> (kubernetes/kubernetes#117568).
    /// </summary>
    public static byte[] DeletePatch(Deployment deployment)
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
