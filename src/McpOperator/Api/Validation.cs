namespace McpOperator.Api;

/// <summary>
/// What a spec must satisfy before anything is written for it: whatever the API server would refuse of the objects that
/// it leads to, and what would leave pods that cannot work. A reason names the way out.
/// </summary>
public static partial class Validation
{
    private const string Required = "is required";
    private const string DnsName =
        "must be a DNS name in lower case (letters, digits, '-' and '.'), such as tools.example.com";

    /// <summary>Every fault of the spec in effect (<see cref="Defaults.Apply(string, MCPServerSpec, OperatorSettings)"/>); empty when it is valid.</summary>
    public static IReadOnlyList<SpecFault> Validate(MCPServer server, OperatorSettings settings)
    {
        if (server.Unreadable is { } unreadable)
            return unreadable;
        var faults = new SpecFaults();
        var spec = server.Spec;
        if (!Names.IsDns1035Label(server.Metadata.Name))
        {
            faults.Add("metadata.name", $"{SpecFaults.Quote(server.Metadata.Name)} cannot name a Service and a container: " +
                "use at most 63 lower case letters, digits and '-', starting with a letter and ending with a letter or digit");
        }

        TeamID(faults, "spec.teamID", spec.TeamID);
        Images(faults, spec);
        Scale(faults, spec);
        Ingress(faults, spec);
        Resources(faults, "spec.resources", spec.Resources);
        Environment(faults, spec);
        Tools(faults, spec);
        Inventory(faults, spec);
        Gateway(faults, server.Metadata.Name, spec, settings);
        Identity(faults, spec);
        Analytics(faults, spec);
        Rollout(faults, spec);
        return faults.All;
    }

    /// <summary>
    /// Those of the faults above that concern who may call what: without them a policy can be made of the spec, whatever else is
    /// wrong with the server.
    /// </summary>
    public static IReadOnlyList<SpecFault> AccessFaults(MCPServer effective)
    {
        if (effective.Unreadable is { } unreadable)
            return unreadable;
        var faults = new SpecFaults();
        TeamID(faults, "spec.teamID", effective.Spec.TeamID);
        Tools(faults, effective.Spec);
        Identity(faults, effective.Spec);
        return faults.All;
    }

    private static void TeamID(SpecFaults faults, string field, string? team)
    {
        if (team is null)
            return;
        if (Names.HasSpaceOrControl(team))
            faults.Add(field, $"{SpecFaults.Quote(team)} must not contain white space");
        if (System.Text.Encoding.UTF8.GetByteCount(team) > 128)
            faults.Add(field, "must not be longer than 128 bytes");
    }

    private static void Images(SpecFaults faults, MCPServerSpec spec)
    {
        if (spec.Image is null)
            faults.Add("spec.image", $"{Required}: name the server's container image, such as ghcr.io/acme/tools:1.4");
        else
            Image(faults, "spec.image", spec.Image);
        if (spec.ImageTag is { } tag && !Names.IsImageTag(tag))
        {
            faults.Add("spec.imageTag", $"{SpecFaults.Quote(tag)} is no tag: use at most 128 letters, digits, '_', '.' and '-', " +
                "starting with a letter, a digit or '_'");
        }

        if (spec.RegistryOverride is { } registry && !IsRegistry(registry))
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

    private static void Port(SpecFaults faults, string field, int? port)
    {
        if (port is < 1 or > 65535)
            faults.Add(field, $"{port} must be between 1 and 65535");
    }

    private static void Ingress(SpecFaults faults, MCPServerSpec spec)
    {
        if (spec.IngressHost is { } host)
            Host(faults, host);
        if (spec.PublicPathPrefix is { } prefix)
        {
            if (prefix.Trim('/').Length == 0)
                faults.Add("spec.publicPathPrefix", "must not consist of slashes only; to serve at a path of your own, set spec.ingressPath instead");
            else
                Path(faults, "spec.publicPathPrefix", prefix.Trim('/'));
        }

        // One that follows from the prefix has no faults but the prefix's, which the user did write.
        if (spec.IngressPath is { } path && !(spec.PublicPathPrefix is { } given && path == Routing.PathOf("", given, null)))
            Path(faults, "spec.ingressPath", path);
        if (spec.IngressClass is { } ingressClass && !Names.IsDns1123Subdomain(ingressClass))
            faults.Add("spec.ingressClass", $"{SpecFaults.Quote(ingressClass)} cannot be the name of an IngressClass: {DnsName}");
        if (spec.IngressAnnotations is null)
            return;
        var size = 0L;
        foreach (var (key, value) in spec.IngressAnnotations)
        {
            size += key.Length + value.Length;
            if (!Names.IsQualifiedName(key.ToLowerInvariant()))
            {
                faults.Add($"spec.ingressAnnotations[{SpecFaults.Plain(key)}]", "is no valid key of an annotation: write name or prefix.example.com/name, " +
                    "the name being at most 63 letters, digits, '-', '_' and '.'");
            }
        }

        if (size > 256 * 1024)
            faults.Add("spec.ingressAnnotations", "must not be larger than 256 KiB together");
    }

    private static void Host(SpecFaults faults, string host)
    {
        var name = host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host;
        if (!Names.IsDns1123Subdomain(name))
            faults.Add("spec.ingressHost", $"{SpecFaults.Quote(host)} {DnsName}, without scheme, port or path; a leading \"*.\" is allowed");
        else if (System.Net.IPAddress.TryParse(host, out _))
            faults.Add("spec.ingressHost", $"{SpecFaults.Quote(host)} must be a DNS name, not an IP address; leave it out to serve every host");
    }

    // The last ones are what the API server refuses in the path of an Ingress.
    private static void Path(SpecFaults faults, string field, string path)
    {
        if (Names.HasSpaceOrControl(path))
            faults.Add(field, $"{SpecFaults.Quote(path)} must not contain white space or control characters");
        if (path.Contains('`', StringComparison.Ordinal))
            faults.Add(field, $"{SpecFaults.Quote(path)} must not contain backquotes: ingress controllers quote paths with them");
        if (path.Contains("..", StringComparison.Ordinal))
            faults.Add(field, $"{SpecFaults.Quote(path)} must not contain \"..\"");
        if (path.Contains("//", StringComparison.Ordinal) || path.Contains("/./", StringComparison.Ordinal)
            || path.EndsWith("/.", StringComparison.Ordinal) || path.Contains("%2f", StringComparison.OrdinalIgnoreCase))
            faults.Add(field, $"{SpecFaults.Quote(path)} must not contain \"//\", \"/./\" or \"%2f\", or end with \"/.\"");
    }

    private static void Resources(SpecFaults faults, string field, ResourceRequirements? resources)
    {
        Amount(faults, field, "cpu", resources?.Requests?.Cpu, resources?.Limits?.Cpu);
        Amount(faults, field, "memory", resources?.Requests?.Memory, resources?.Limits?.Memory);
    }

    private static void Amount(SpecFaults faults, string field, string resource, string? request, string? limit)
    {
        var low = Amount(faults, $"{field}.requests.{resource}", request);
        var high = Amount(faults, $"{field}.limits.{resource}", limit);
        if (low > high)
        {
            faults.Add($"{field}.requests.{resource}", $"{SpecFaults.Quote(request)} must not be more than the limit, {SpecFaults.Quote(limit)}: " +
                "lower the request or raise the limit");
        }
    }

    private static Quantity? Amount(SpecFaults faults, string field, string? amount)
    {
        if (string.IsNullOrWhiteSpace(amount))
            return null;
        if (Quantity.TryParse(amount, out var quantity, out var reason))
            return quantity;
        faults.Add(field, $"{SpecFaults.Quote(amount)} {reason}");
        return null;
    }

    private static void Environment(SpecFaults faults, MCPServerSpec spec)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < (spec.EnvVars?.Count ?? 0); i++)
            EnvVarName(faults, names, $"spec.envVars[{i}].name", spec.EnvVars![i].Name);
        for (var i = 0; i < (spec.SecretEnvVars?.Count ?? 0); i++)
        {
            var variable = spec.SecretEnvVars![i];
            EnvVarName(faults, names, $"spec.secretEnvVars[{i}].name", variable.Name);
            if (variable.SecretKeyRef is null)
                faults.Add($"spec.secretEnvVars[{i}].secretKeyRef", $"{Required}: give the name and the key of a Secret");
            else
                SecretKey(faults, $"spec.secretEnvVars[{i}].secretKeyRef", variable.SecretKeyRef);
        }
    }

    private static void EnvVarName(SpecFaults faults, Dictionary<string, string> names, string field, string? name)
    {
        if (string.IsNullOrWhiteSpace(name))
            faults.Add(field, Required);
        else if (!Names.IsEnvVarName(name))
            faults.Add(field, $"{SpecFaults.Quote(name)} is no name of an environment variable: use letters, digits, '_', '-' and '.', no digit first");
        else if (!names.TryAdd(name, field))
            faults.Add(field, $"{SpecFaults.Quote(name)} is already set by {names[name]}: remove one of them");
    }

    private static void SecretKey(SpecFaults faults, string field, SecretKeyRef reference)
    {
        if (string.IsNullOrWhiteSpace(reference.Name))
            faults.Add($"{field}.name", $"{Required}: the name of a Secret in the server's namespace");
        else if (!Names.IsDns1123Subdomain(reference.Name))
            faults.Add($"{field}.name", $"{SpecFaults.Quote(reference.Name)} cannot be the name of a Secret: {DnsName}");
        if (string.IsNullOrWhiteSpace(reference.Key))
            faults.Add($"{field}.key", $"{Required}: the key in that Secret");
        else if (!Names.IsDataKey(reference.Key))
            faults.Add($"{field}.key", $"{SpecFaults.Quote(reference.Key)} cannot be the key of a Secret: use letters, digits, '-', '_' and '.'");
    }

    private static void Tools(SpecFaults faults, MCPServerSpec spec)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < (spec.Tools?.Count ?? 0); i++)
        {
            var tool = spec.Tools![i];
            var field = $"spec.tools[{i}]";
            if (string.IsNullOrWhiteSpace(tool.Name))
                faults.Add($"{field}.name", Required);
            else if (!names.TryAdd(tool.Name, field))
                faults.Add($"{field}.name", $"{SpecFaults.Quote(tool.Name)} is the name of {names[tool.Name]} already: tools need names of their own");
            if (string.IsNullOrWhiteSpace(tool.SideEffect))
                faults.Add($"{field}.sideEffect", $"{Required}: one of {Choices(SideEffects)}");
            else
                OneOf(faults, $"{field}.sideEffect", tool.SideEffect, SideEffects);
            OneOf(faults, $"{field}.requiredTrust", tool.RequiredTrust, TrustLevels);
            OneOf(faults, $"{field}.riskLevel", tool.RiskLevel, TrustLevels);
        }
    }

    private static void Inventory(SpecFaults faults, MCPServerSpec spec)
    {
        Items(faults, "spec.prompts", spec.Prompts);
        Items(faults, "spec.mcpResources", spec.McpResources);
        Items(faults, "spec.tasks", spec.Tasks);
    }

    private static void Items(SpecFaults faults, string field, IReadOnlyList<InventoryItem>? items)
    {
        for (var i = 0; i < (items?.Count ?? 0); i++)
        {
            if (string.IsNullOrWhiteSpace(items![i].Name))
                faults.Add($"{field}[{i}].name", Required);
        }
    }

    private static void OneOf(SpecFaults faults, string field, string? value, string[] choices)
    {
        if (!string.IsNullOrWhiteSpace(value) && !choices.Contains(value))
            faults.Add(field, $"{SpecFaults.Quote(value)} is not one of {Choices(choices)}");
    }

    private static string Choices(string[] choices) => string.Join(", ", choices);
}
