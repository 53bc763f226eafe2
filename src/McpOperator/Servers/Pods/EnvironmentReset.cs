using System.Text.Json;
using System.Text.Json.Nodes;

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
    /// <param name="body">The apply configuration of the Deployment, here and below.</param>
    public static byte[] WithoutVariables(ReadOnlySpan<byte> body)
    {
        var deployment = JsonNode.Parse(body)!;
        deployment["spec"]!["paused"] = true;
        foreach (var container in ContainersOf(deployment))
            container.Remove("env");
        return ApplyBody.Write(json => deployment.WriteTo(json), body.Length);
    }

    /// <summary>
    /// The second step, if the first did not help: a strategic merge patch that deletes our variables, whoever owns them. Only those
    /// that are there: API servers before 1.28 would add the others (kubernetes/kubernetes#117568).
    /// </summary>
    /// <returns>Empty when none is there.</returns>
    public static byte[] DeletePatch(ReadOnlySpan<byte> body, JsonElement live)
    {
        var containers = new JsonArray();
        var present = live.Child("spec"u8)?.Child("template"u8)?.Child("spec"u8)?.Child("containers"u8);
        foreach (var container in ContainersOf(JsonNode.Parse(body)!))
        {
            var name = (string)container["name"]!;
            var env = VariablesOf(container).Select(static variable => (string)variable["name"]!).Where(variable =>
                present.HasItem(other => other.Is("name"u8, name) && other.Child("env"u8).HasItem(item => item.Is("name"u8, variable)))).ToList();
            if (env.Count > 0)
            {
                containers.Add((JsonNode)new JsonObject
                {
                    ["name"] = name,
                    ["env"] = new JsonArray([.. env.Select(static variable => new JsonObject { ["name"] = variable, ["$patch"] = "delete" })]),
                });
            }
        }

        return containers.Count == 0 ? [] : PatchOf(containers);
    }

    /// <summary>
    /// A strategic merge patch that puts the variables of ours in the place of all that are there, where one is there twice: the Go
    /// operator writes what the spec says, and no apply goes over that.
    /// </summary>
    public static byte[] ReplacePatch(ReadOnlySpan<byte> body)
    {
        var containers = new JsonArray();
        foreach (var container in ContainersOf(JsonNode.Parse(body)!))
        {
            var env = new JsonArray([.. VariablesOf(container).Select(static variable => variable.DeepClone())]);
            env.Add((JsonNode)new JsonObject { ["$patch"] = "replace" });
            containers.Add((JsonNode)new JsonObject { ["name"] = (string)container["name"]!, ["env"] = env });
        }

        return PatchOf(containers);
    }

    private static IEnumerable<JsonObject> ContainersOf(JsonNode deployment) =>
        deployment["spec"]!["template"]!["spec"]!["containers"]!.AsArray().OfType<JsonObject>();

    private static IEnumerable<JsonNode> VariablesOf(JsonObject container) => (container["env"] as JsonArray ?? []).OfType<JsonNode>();

    private static byte[] PatchOf(JsonArray containers)
    {
        var patch = Within("spec", Within("template", Within("spec", Within("containers", containers))));
        return ApplyBody.Write(json => patch.WriteTo(json));
    }

    private static JsonObject Within(string name, JsonNode value) => new() { [name] = value };
}
