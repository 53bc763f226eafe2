using System.Text.Json;
using McpOperator.Api;

namespace McpOperator.Servers.Pods;

/// <summary>
/// The ConfigMaps and Secrets that pods get variables or files from. Not the policy and the certificate, which a gateway reads anew by itself, nor pull
/// secrets, which only a kubelet reads.
/// </summary>
internal sealed class PodReferences
{
    private readonly HashSet<string> _configMaps = new(StringComparer.Ordinal);
    private readonly HashSet<string> _secrets = new(StringComparer.Ordinal);

    /// <param name="body">An apply configuration of a Deployment.</param>
    public PodReferences(ReadOnlyMemory<byte> body, string server)
    {
        using var document = JsonDocument.Parse(body);
        Read(document.RootElement.GetProperty("spec"u8).GetProperty("template"u8).GetProperty("spec"u8));
        _configMaps.Remove(ObjectNames.Policy(server));
        _secrets.Remove(server + ObjectNames.GatewayCertificateSuffix);
    }

    public IReadOnlyCollection<string> ConfigMaps => _configMaps;

    public IReadOnlyCollection<string> Secrets => _secrets;

    // By the names that core/v1 has for them, wherever in a pod's spec they are.
    private void Read(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in json.EnumerateArray())
                Read(item);
        }

        if (json.ValueKind != JsonValueKind.Object)
            return;
        foreach (var member in json.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.Object)
            {
                if (member.NameEquals("configMap"u8) || member.NameEquals("configMapRef"u8) || member.NameEquals("configMapKeyRef"u8))
                    Add(_configMaps, member.Value.Text("name"u8));
                else if (member.NameEquals("secret"u8) || member.NameEquals("secretRef"u8) || member.NameEquals("secretKeyRef"u8))
                    Add(_secrets, member.Value.Text("name"u8) ?? member.Value.Text("secretName"u8));
            }

            Read(member.Value);
        }
    }

    private static void Add(HashSet<string> names, string? name)
    {
        if (!string.IsNullOrEmpty(name))
            names.Add(name);
    }
}
