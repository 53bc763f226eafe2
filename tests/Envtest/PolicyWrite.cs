using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>A document that was stored, and by which request.</summary>
internal sealed record PolicyWrite(AuditEvent Request, JsonObject Document);

/// <summary>The documents of a server in the order in which they were stored, read from the audit log.</summary>
internal static class PolicyWrites
{
    /// <summary>Of whoever wrote them; refused ones are left out.</summary>
    public static async Task<IReadOnlyList<PolicyWrite>> PolicyWritesAsync(this ServerScenario scenario, string server = ServerScenario.Name) =>
        Of(await scenario.ControlPlane.AuditEventsAsync(), scenario.Namespace.Name, server);

    public static IReadOnlyList<PolicyWrite> Of(IEnumerable<AuditEvent> events, string ns, string server = ServerScenario.Name) =>
    [
        .. from request in events
           where request is { IsRequest: true, IsWrite: true, Resource: "configmaps", Code: 200 or 201 } && request.RequestObject.Length > 0
               && request.Namespace == ns && NameOf(request) == Gateways.PolicyName(server)
           let text = (string?)JsonNode.Parse(request.RequestObject)?["data"]?["policy.json"]
           where text is not null
           select new PolicyWrite(request, JsonNode.Parse(text)!.AsObject()),
    ];

    /// <summary>The API server's log does not name what a POST creates, unless it says so in the body.</summary>
    private static string? NameOf(AuditEvent request) =>
        request.Name.Length > 0 ? request.Name : (string?)JsonNode.Parse(request.RequestObject)?["metadata"]?["name"];
}
