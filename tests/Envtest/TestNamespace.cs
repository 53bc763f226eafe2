using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// A namespace for one test. In a control plane of our own nothing deletes it, since no controller runs that could
/// finish the deletion; in an existing cluster it is deleted at the end.
/// </summary>
public sealed class TestNamespace : IAsyncDisposable
{
    private readonly ControlPlane _controlPlane;

    private TestNamespace(ControlPlane controlPlane, string name)
    {
        _controlPlane = controlPlane;
        Name = name;
    }

    public string Name { get; }

    /// <summary>Whom this test's operator is in the audit log, so that its requests can be told from those of others.</summary>
    public string OperatorUser => $"operator-{Name}";

    public static async Task<TestNamespace> CreateAsync(ControlPlane controlPlane)
    {
        var name = $"t-{Guid.NewGuid():N}"[..14];
        await controlPlane.Client.CreateAsync(new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Namespace",
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["labels"] = new JsonObject { ["mcpruntime.org/envtest"] = "true" },
                ["annotations"] = new JsonObject { ["mcpruntime.org/test"] = TestContext.Current.Test?.TestDisplayName ?? "" },
            },
        });
        return new(controlPlane, name);
    }

    /// <summary>What this test's operator asked of the API server so far, each request once.</summary>
    public async Task<IReadOnlyList<AuditEvent>> OperatorRequestsAsync() =>
        [.. (await _controlPlane.AuditEventsAsync()).Where(e => e.User == OperatorUser && e.IsRequest)];

    public override string ToString() => Name;

    public async ValueTask DisposeAsync()
    {
        if (!_controlPlane.IsOwn)
            await _controlPlane.Client.DeleteAsync(Resource.Namespaces, null, Name);
    }
}
