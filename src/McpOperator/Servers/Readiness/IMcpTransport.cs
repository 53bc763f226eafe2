namespace McpOperator.Servers.Readiness;

/// <summary>One of the two ways to a server. One request at a time.</summary>
internal interface IMcpTransport
{
    /// <exception cref="McpFault">It has not answered as it should.</exception>
    Task RequestAsync(byte[] message, int id, ResultReader read, CancellationToken cancellationToken);

    /// <returns>What comes of it, to be disposed of.</returns>
    Task<HttpResponseMessage> NotifyAsync(byte[] message, CancellationToken cancellationToken);

    /// <summary>The version that was agreed to, for the requests from now on.</summary>
    string? ProtocolVersion { set; }

    /// <summary>Ends the session.</summary>
    /// <returns>What comes of it, to be disposed of; null where there is nothing to do.</returns>
    Task<HttpResponseMessage>? EndAsync(CancellationToken cancellationToken);
}
