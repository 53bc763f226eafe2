using McpOperator.Api;

namespace McpOperator.Mirror;

/// <summary>
/// Kinds that most clusters do not have and most servers do not use: nothing is asked for before a server is seen that wants one, or has had one.
/// </summary>
internal sealed class OptionalKinds
{
    private readonly TaskCompletionSource _httpRoutes = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _mtls = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _certificates = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes with the first server that has to do with HTTPRoutes.</summary>
    public Task HttpRoutes => _httpRoutes.Task;

    /// <summary>Completes with the first server that has to do with mTLS.</summary>
    public Task Mtls => _mtls.Task;

    /// <summary>Completes with the first server whose certificates cert-manager issues.</summary>
    public Task Certificates => _certificates.Task;

    public void Note(MCPServer server)
    {
        if (server.Spec.HasHttpRoute() || server.Reported?.Find(ConditionTypes.HttpRouteReady) is not null)
            _httpRoutes.TrySetResult();
        var isMtls = Defaults.Trimmed(server.Spec.Auth?.Mode) == AuthConfig.Mtls || server.Reported?.Find(ConditionTypes.MtlsReady) is not null;
        if (isMtls)
            _mtls.TrySetResult();
        if (isMtls || TlsConfig.Of(server.Spec) is { HasIssuer: true })
            _certificates.TrySetResult();
    }
}
