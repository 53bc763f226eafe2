namespace McpOperator.Kubernetes;

/// <summary>Names an object of a known kind; what the store is indexed by and the work queue carries.</summary>
public readonly record struct ObjectKey(string Namespace, string Name)
{
    /// <summary><c>namespace/name</c>, as kubectl and other controllers print it.</summary>
    public override string ToString() => $"{Namespace}/{Name}";
}

/// <summary>What the store must know of an object, whatever its kind.</summary>
public interface IKubernetesObject
{
    ObjectKey Key { get; }

    /// <summary>The API server's version of this object; opaque but for <see cref="Kubernetes.ResourceVersion"/>.</summary>
    string ResourceVersion { get; }
}
