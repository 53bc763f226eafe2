using System.Text;
using System.Text.Json.Nodes;

namespace McpOperator.Testing;

/// <summary>What an administrator installs for an operator: the role of config/rbac, and its binding to a user.</summary>
public static class OperatorRole
{
    public const string Name = "mcp-runtime-operator-role";

    private const string LeaseName = "mcp-runtime-operator-leader-election-role";

    /// <summary>The ClusterRole, and the Role for the election without its namespace.</summary>
    public static IReadOnlyList<JsonObject> Manifests()
    {
        List<JsonObject> roles =
        [
            .. Manifest.LoadDirectory(Repository.PathTo("config", "rbac")),
            .. Manifest.LoadDirectory(Repository.PathTo("config", "rbac", "cluster")),
        ];
        roles.RemoveAll(manifest => manifest["rules"] is null);
        foreach (var role in roles)
            role["metadata"]!.AsObject().Remove("namespace");
        return roles;
    }

    public static async Task InstallAsync(ControlPlane controlPlane)
    {
        foreach (var manifest in Manifests())
            await controlPlane.Client.ApplyAsync(manifest);
    }

    /// <summary>Grants it, and waits until the grant is in force; installs the role where it is missing.</summary>
    /// <param name="namespace">Null: everywhere.</param>
    public static async Task GrantAsync(ControlPlane controlPlane, string user, string? @namespace = null)
    {
        // A control plane that a test has started for itself may not have it yet.
        if (await controlPlane.Client.FindAsync(Resource.ClusterRoles, null, Name) is null)
            await InstallAsync(controlPlane);
        await controlPlane.Client.ApplyAsync(
            $$"""
            apiVersion: rbac.authorization.k8s.io/v1
            kind: {{(@namespace is null ? "ClusterRoleBinding" : "RoleBinding")}}
            metadata: {name: {{user}}}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{Name}}}
            subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: {{user}}}]
            """,
            @namespace);
        await UntilAllowedAsync(controlPlane, user, @namespace ?? "", "list", Resource.MCPServers.Group, Resource.MCPServers.Plural);
    }

    /// <summary>Grants what --leader-elect needs, in the namespace that the lease is in.</summary>
    public static async Task GrantLeaseAsync(ControlPlane controlPlane, string user, string @namespace)
    {
        var role = Manifests().Single(manifest => (string?)manifest["metadata"]!["name"] == LeaseName);
        await controlPlane.Client.ApplyAsync(role, @namespace);
        await controlPlane.Client.ApplyAsync(
            $$"""
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: {{user}}-leader-election}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{LeaseName}}}
            subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: {{user}}}]
            """,
            @namespace);
        await UntilAllowedAsync(controlPlane, user, @namespace, "create", Resource.Leases.Group, Resource.Leases.Plural);
    }

    /// <summary>Waits until a grant is in force: the authorizer learns of it by a watch.</summary>
    // Asked about the user, not as the user, whose requests are counted.
    public static Task UntilAllowedAsync(ControlPlane controlPlane, string user, string @namespace, string verb, string group, string resource, string? name = null) =>
        Eventually.TrueAsync(
            $"{user} had its role",
            () => controlPlane.Client.SendAsync(
                HttpMethod.Post,
                "apis/authorization.k8s.io/v1/subjectaccessreviews",
                new StringContent(
                    new JsonObject
                    {
                        ["apiVersion"] = "authorization.k8s.io/v1",
                        ["kind"] = "SubjectAccessReview",
                        ["spec"] = new JsonObject
                        {
                            ["user"] = user,
                            ["resourceAttributes"] = new JsonObject
                            {
                                ["namespace"] = @namespace,
                                ["verb"] = verb,
                                ["group"] = group,
                                ["resource"] = resource,
                                ["name"] = name,
                            },
                        },
                    }.ToJsonString(),
                    Encoding.UTF8,
                    "application/json")),
            review => (bool?)review["status"]!["allowed"] == true);
}
