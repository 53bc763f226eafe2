using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// A control plane whose definitions set no bounds: an installation with older ones. What an API server with ours would have refused is in it, and the
/// operator is the only one who checks.
/// </summary>
public sealed class UnboundedControlPlane : IAsyncLifetime
{
    private static readonly string[] Bounds =
    [
        "maxItems", "maxLength", "maxProperties", "minimum", "maximum", "pattern", "x-kubernetes-validations",
        "x-kubernetes-list-type", "x-kubernetes-list-map-keys", // With them a name may not come twice.
    ];

    private ControlPlane? _controlPlane;

    public async ValueTask InitializeAsync()
    {
        if (new ControlPlaneOptions().UseExistingCluster)
            return;
        _controlPlane = await ControlPlane.StartAsync(new() { AuditPolicy = AuditLog.PolicyWithDocuments });
        var definitions = Manifest.LoadDirectory(Repository.PathTo("config", "crd"));
        foreach (var version in definitions.SelectMany(definition => definition["spec"]!["versions"]!.AsArray()))
        {
            // With it the API server checks spec.replicas whatever the schema says.
            version!["subresources"]!.AsObject().Remove("scale");
            Unbind(version["schema"]!["openAPIV3Schema"]!);
        }

        await _controlPlane.InstallCrdsAsync(definitions);
        await OperatorRole.InstallAsync(_controlPlane);
    }

    public ControlPlane Require()
    {
        Assert.SkipWhen(_controlPlane is null, "replaces the definitions, and USE_EXISTING_CLUSTER is set");
        return _controlPlane!;
    }

    public ValueTask DisposeAsync() => _controlPlane?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static void Unbind(JsonNode schema)
    {
        if (schema is JsonArray items)
        {
            foreach (var item in items)
                Unbind(item!);
        }
        else if (schema is JsonObject members)
        {
            foreach (var bound in Bounds)
                members.Remove(bound);
            foreach (var (_, member) in members)
                Unbind(member!);
        }
    }
}
