namespace McpOperator.Kubernetes;

/// <summary>A kind and where the API server serves it. Group is empty for the core API.</summary>
internal sealed record ResourceType(string Group, string Version, string Plural, string Kind)
{
    /// <summary>As written in an object: <c>apps/v1</c>, or <c>v1</c> for the core API.</summary>
    public string ApiVersion { get; } = Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>
    /// Whether API servers have it by themselves: the group of a CustomResourceDefinition is a domain of its maker. The Gateway API's maker is Kubernetes.
    /// </summary>
    public bool IsBuiltIn => !Group.Contains('.') || (Group.EndsWith(".k8s.io", StringComparison.Ordinal) && !Group.StartsWith("gateway.", StringComparison.Ordinal));

    /// <summary>The path of a collection: of one namespace, or of all and of a kind that is in none when <paramref name="ns"/> is null.</summary>
    public string CollectionPath(string? ns)
    {
        var root = Group.Length == 0 ? $"/api/{Version}" : $"/apis/{Group}/{Version}";
        return ns is null ? $"{root}/{Plural}" : $"{root}/namespaces/{Uri.EscapeDataString(ns)}/{Plural}";
    }

    /// <summary>The path of one object, or of its <paramref name="subresource"/>.</summary>
    public string ObjectPath(ObjectKey key, string? subresource = null)
    {
        var path = $"{CollectionPath(key.Namespace)}/{Uri.EscapeDataString(key.Name)}";
        return subresource is null ? path : $"{path}/{subresource}";
    }

    public override string ToString() => Group.Length == 0 ? Plural : $"{Plural}.{Group}";
}
