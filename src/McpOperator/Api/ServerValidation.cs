using static McpOperator.Api.FieldValidation;

namespace McpOperator.Api;

/// <summary>The MCPServer itself: its name, images, size, environment and what it offers.</summary>
internal static class ServerValidation
{
    /// <summary>The readiness that asks the MCP server itself.</summary>
    public const string Mcp = "mcp";

    private static readonly string[] Readinesses = ["tcp", Mcp];

    public static void Check(SpecFaults faults, MCPServer server)
    {
        var spec = server.Spec;
        if (!Names.IsDns1123Label(server.Metadata.Name))
        {
            faults.Add("metadata.name", $"{SpecFaults.Quote(server.Metadata.Name)} cannot name a Service and a container: " +
                "use at most 63 lower case letters, digits and '-', starting and ending with a letter or digit");
        }

        if (server.AllowAccessFrom?.Length > MCPServer.LongestConsent)
        {
            faults.Add("metadata.annotations[mcpruntime.org/allow-access-from]", $"must not be longer than {MCPServer.LongestConsent} characters, and allows nobody: " +
                "name fewer namespaces, or write *");
        }

        TeamID(faults, "spec.teamID", spec.TeamID);
        Images(faults, spec);
        Scale(faults, spec);
        IngressValidation.Check(faults, spec);
        Amounts(faults, "spec.resources", spec.Resources);
        Environment(faults, spec);
        OneOf(faults, "spec.readiness", spec.Readiness, Readinesses);
        ToolValidation.Check(faults, spec);
        Items(faults, "spec.prompts", spec.Prompts);
        Items(faults, "spec.mcpResources", spec.McpResources);
        Items(faults, "spec.tasks", spec.Tasks);
    }

    private static void Images(SpecFaults faults, MCPServerSpec spec)
    {
        if (spec.Image is null)
            faults.Add("spec.image", $"{Required}: name the server's container image, such as ghcr.io/acme/tools:1.4");
        else
            ImageValidation.Check(faults, "spec.image", spec.Image);
        if (spec.ImageTag is { } tag && !Names.IsImageTag(tag))
        {
            faults.Add("spec.imageTag", $"{SpecFaults.Quote(tag)} is no tag: use at most 128 letters, digits, '_', '.' and '-', " +
                "starting with a letter, a digit or '_'");
        }

        if (spec.RegistryOverride is { } registry && !ImageValidation.IsRegistry(registry))
        {
            faults.Add("spec.registryOverride", $"{SpecFaults.QuoteAddress(registry)} is no registry: " +
                "write host, host:port or host:port/path, such as registry.example.com:5000");
        }

        for (var i = 0; i < (spec.ImagePullSecrets?.Count ?? 0); i++)
        {
            // Blank entries come out of templates; they are left out of the pod.
            if (Defaults.Trimmed(spec.ImagePullSecrets![i]) is { } secret && !Names.IsDns1123Subdomain(secret))
                faults.Add($"spec.imagePullSecrets[{i}]", $"{SpecFaults.Quote(secret)} cannot be the name of a Secret: {DnsName}");
        }
    }

    private static void Scale(SpecFaults faults, MCPServerSpec spec)
    {
        if (spec.Replicas < 0)
            faults.Add("spec.replicas", $"{spec.Replicas} must not be negative; 0 stops the server");
        Port(faults, "spec.port", spec.Port);
        Port(faults, "spec.servicePort", spec.ServicePort);
    }

    private static void Environment(SpecFaults faults, MCPServerSpec spec)
    {
        for (var i = 0; i < (spec.EnvVars?.Count ?? 0); i++)
            EnvVarName(faults, $"spec.envVars[{i}].name", spec.EnvVars![i].Name);
        for (var i = 0; i < (spec.SecretEnvVars?.Count ?? 0); i++)
        {
            var variable = spec.SecretEnvVars![i];
            EnvVarName(faults, $"spec.secretEnvVars[{i}].name", variable.Name);
            if (variable.SecretKeyRef is null)
                faults.Add($"spec.secretEnvVars[{i}].secretKeyRef", $"{Required}: give the name and the key of a Secret");
            else
                SecretKey(faults, $"spec.secretEnvVars[{i}].secretKeyRef", variable.SecretKeyRef);
        }
    }

    private static void EnvVarName(SpecFaults faults, string field, string? name)
    {
        if (string.IsNullOrWhiteSpace(name))
            faults.Add(field, Required);
        else if (!Names.MayBeEnvVarName(name))
            faults.Add(field, $"{SpecFaults.Quote(name)} is no name of an environment variable: use letters, digits, '_', '-' and '.', no digit first");
    }

    private static void Items(SpecFaults faults, string field, IReadOnlyList<InventoryItem>? items)
    {
        for (var i = 0; i < (items?.Count ?? 0); i++)
        {
            if (string.IsNullOrWhiteSpace(items![i].Name))
                faults.Add($"{field}[{i}].name", Required);
        }
    }
}
