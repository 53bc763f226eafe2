using System.Text;
using System.Text.Json;
using McpOperator.Api;
using McpOperator.Resources.Types;

namespace McpOperator.Resources;

/// <summary>What the servers of a namespace share. No server owns it, so that none takes it along when it goes.</summary>
public static class NamespaceObjects
{
    public const string ServiceAccountName = "mcp-workload";

    public static ServiceAccount ServiceAccount(string ns) => new()
    {
        Metadata = new Metadata { Name = ServiceAccountName, Namespace = ns, Labels = Managed() },
        AutomountServiceAccountToken = false,
    };

    /// <exception cref="InvalidOperationException">The registry has no credentials.</exception>
    public static Secret PullSecret(string ns, ProvisionedRegistry registry)
    {
        if (registry is not { Url: { } url, Username: { } username, Password: { } password })
            throw new InvalidOperationException("the provisioned registry has no credentials");
        var config = new DockerConfig
        {
            Auths = new Dictionary<string, DockerAuth>
            {
                [url] = new()
                {
                    Username = username,
                    Password = password,
                    Auth = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{username}:{password}")),
                },
            },
        };
        return new Secret
        {
            Metadata = new Metadata { Name = registry.SecretName, Namespace = ns, Labels = Managed() },
            Type = "kubernetes.io/dockerconfigjson",
            Data = new Dictionary<string, byte[]>
            {
                [".dockerconfigjson"] = JsonSerializer.SerializeToUtf8Bytes(config, ManifestJsonContext.Default.DockerConfig),
            },
        };
    }

    private static Dictionary<string, string> Managed() => new() { [Labels.ManagedBy] = Labels.ManagedByValue };
}
