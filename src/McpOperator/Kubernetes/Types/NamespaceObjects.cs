using System.Text.Json.Serialization;

namespace McpOperator.Kubernetes.Types;

/// <summary>The identity that the servers' pods of a namespace share; it has no permissions and no token.</summary>
internal sealed record ServiceAccount : Manifest
{
    public override string ApiVersion => ResourceTypes.ServiceAccount.ApiVersion;
    public override string Kind => ResourceTypes.ServiceAccount.Kind;
    public required bool AutomountServiceAccountToken { get; init; }
}

/// <summary>Written, never read: the operator has no permission to.</summary>
internal sealed record Secret : Manifest
{
    public override string ApiVersion => ResourceTypes.Secret.ApiVersion;
    public override string Kind => ResourceTypes.Secret.Kind;
    public required string Type { get; init; }

    /// <summary>Values in base64, as the wire has them.</summary>
    public required IReadOnlyDictionary<string, byte[]> Data { get; init; }

    /// <summary>Without the data: a record's own text would show it.</summary>
    public override string ToString() => $"Secret {Metadata.Namespace}/{Metadata.Name}";
}

/// <summary>The content of a <c>.dockerconfigjson</c>.</summary>
internal sealed record DockerConfig
{
    public required IReadOnlyDictionary<string, DockerAuth> Auths { get; init; }
}

internal sealed record DockerAuth
{
    public required string Username { get; init; }
    public required string Password { get; init; }

    /// <summary>base64 of <c>username:password</c>.</summary>
    public required string Auth { get; init; }

    /// <summary>Without the password.</summary>
    public override string ToString() => nameof(DockerAuth);
}

/// <summary>How the objects that the operator applies become JSON: unset fields are left out, never null.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    GenerationMode = JsonSourceGenerationMode.Serialization)]
[JsonSerializable(typeof(Deployment))]
[JsonSerializable(typeof(Service))]
[JsonSerializable(typeof(Ingress))]
[JsonSerializable(typeof(ServiceAccount))]
[JsonSerializable(typeof(Secret))]
[JsonSerializable(typeof(DockerConfig))]
internal sealed partial class ManifestJsonContext : JsonSerializerContext;
