using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>
/// A namespace for one test, in which <see cref="OperatorUser"/> may do what config/rbac/cluster/role.yaml grants, and nowhere
/// else anything; that this is enough is asserted when the scenario ends. In a control plane of our own nothing deletes it, since no controller runs that could
/// finish the deletion; in an existing cluster it is deleted at the end.
/// </summary>
public sealed class TestNamespace : IAsyncDisposable
{
    private readonly ControlPlane _controlPlane;
    private readonly List<string> _users = [];

    private TestNamespace(ControlPlane controlPlane, string name)
    {
        _controlPlane = controlPlane;
        Name = name;
        _users.Add(OperatorUser);
    }

    public string Name { get; }

    /// <summary>Whom this test's operator is in the audit log, so that its requests can be told from those of others.</summary>
    public string OperatorUser => $"operator-{Name}";

    /// <summary>For a test that takes permissions away: then the end of the scenario does not ask whether they sufficed.</summary>
    public bool ExpectsDenials { get; set; }

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
        var made = new TestNamespace(controlPlane, name);
        if (controlPlane.IsOwn)
            await OperatorRole.GrantAsync(controlPlane, made.OperatorUser, name);
        return made;
    }

    /// <summary>Grants the role in the whole cluster, for an operator that watches all namespaces.</summary>
    public Task GrantEverywhereAsync() => _controlPlane.IsOwn ? OperatorRole.GrantAsync(_controlPlane, OperatorUser) : Task.CompletedTask;

    /// <summary>Grants the role in another test namespace too, for an operator that watches both.</summary>
    public Task GrantInAsync(TestNamespace other) => _controlPlane.IsOwn ? OperatorRole.GrantAsync(_controlPlane, OperatorUser, other.Name) : Task.CompletedTask;

    /// <summary>Grants what an election in this namespace needs, to the operator and to another one.</summary>
    /// <returns>The other one.</returns>
    public async Task<string> GrantLeaseAsync()
    {
        var second = $"{OperatorUser}-second";
        _users.Add(second);
        await OperatorRole.GrantAsync(_controlPlane, second, Name);
        foreach (var user in _users)
            await OperatorRole.GrantLeaseAsync(_controlPlane, user, Name);
        return second;
    }

    /// <summary>What this test's operator asked of the API server so far, each request once.</summary>
    /// <remarks>The API server answers first and writes its log then: what was seen done is in it a moment later.</remarks>
    public Task<IReadOnlyList<AuditEvent>> OperatorRequestsAsync() => RequestsOfAsync(OperatorUser);

    /// <summary>
    /// What API servers before 1.23 cost more: they refuse to create a Service by an apply that names a version, with a 500, and from
    /// then on Services are looked for before they are created.
    /// </summary>
    private static bool IsOfAnOldService(AuditEvent e) => e.Resource == "services"
        && (e is { Verb: "patch", Code: 500 } || (e.Verb == "get" && e.RequestUri.EndsWith("?resourceVersion=0", StringComparison.Ordinal)));

    /// <inheritdoc cref="OperatorRequestsAsync()"/>
    public async Task<IReadOnlyList<AuditEvent>> RequestsOfAsync(string user)
    {
        for (var last = -1; ;)
        {
            AuditEvent[] events = [.. (await _controlPlane.AuditEventsAsync()).Where(e => e.User == user && e.IsRequest && !IsOfAnOldService(e))];
            if (events.Length == last)
                return events;
            last = events.Length;
            await Task.Delay(TimeSpan.FromMilliseconds(250));
        }
    }

    /// <summary>The operators' requests that RBAC refused.</summary>
    public async Task<IReadOnlyList<AuditEvent>> DenialsAsync() =>
        [.. (await _controlPlane.AuditEventsAsync()).Where(e => _users.Contains(e.User) && e.IsDenied)];

    public override string ToString() => Name;

    public async ValueTask DisposeAsync()
    {
        if (!_controlPlane.IsOwn)
        {
            await _controlPlane.Client.DeleteAsync(Resource.Namespaces, null, Name);
            return;
        }
        if (ExpectsDenials)
            return;
        try
        {
            var denials = await DenialsAsync();
            Assert.True(denials.Count == 0, $"config/rbac does not suffice:\n{string.Join('\n', denials)}");
        }
        catch (HttpRequestException)
        {
            // The test stopped the API server, and failed before it started it again.
        }
    }
}
