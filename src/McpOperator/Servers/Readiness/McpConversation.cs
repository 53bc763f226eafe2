using System.Globalization;
using System.Text.Json;
using McpOperator.Api;
using McpOperator.Mirror;
using McpOperator.Servers.Diagnosis;

namespace McpOperator.Servers.Readiness;

/// <summary>What is said to a server, by one of the two transports.</summary>
internal sealed class McpConversation(IMcpTransport transport, McpClient client, TimeProvider time)
{
    private const int MostPages = 20;
    private const int MostCapabilities = 32;

    /// <summary>Nobody waits longer for what is not looked at.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(1);

    private int _lastId;

    /// <param name="limit">Of asking. The session is ended after it, too: a server may keep it for long.</param>
    /// <exception cref="McpFault">It has not answered initialize as it should. What comes after that makes no fault.</exception>
    public async Task<McpAnswer> RunAsync(CancellationToken limit, CancellationToken cancellationToken)
    {
        McpInfo? info = null;
        McpTools tools;
        try
        {
            var id = ++_lastId;
            await transport.RequestAsync(JsonRpc.Initialize(id, client), id, result => info = ReadInfo(result), limit).ConfigureAwait(false);
            transport.ProtocolVersion = info!.ProtocolVersion;
            (await transport.NotifyAsync(JsonRpc.Initialized(), limit).ConfigureAwait(false)).Dispose();
            tools = info.Capabilities!.Contains("tools") ? await ListToolsAsync(limit).ConfigureAwait(false) : new McpTools([]);
        }
        catch (Exception exception) when (info is not null && exception is (McpFault or HttpRequestException or IOException or OperationCanceledException))
        {
            var fault = exception as McpFault ?? (exception is OperationCanceledException
                ? new McpFault(Reasons.McpNotAnswering, $"{McpWords.NoAnswer} in time") : McpHttp.FaultOf(exception));
            tools = new McpTools(null, fault.Reason == Reasons.AuthRequired ? Reasons.AuthRequired : Reasons.ToolsNotListed, $"not compared, since tools/list {fault.Message}");
        }
        finally
        {
            await EndAsync(cancellationToken).ConfigureAwait(false);
        }

        return new McpAnswer(Reasons.McpAnswered, Info: info with { Tools = tools.Names?.Count }, Tools: tools);
    }

    private async Task EndAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Farewell, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            if (transport.EndAsync(either.Token) is { } end)
                (await end.ConfigureAwait(false)).Dispose();
        }
        catch (Exception exception) when (exception is McpFault or HttpRequestException or IOException or OperationCanceledException)
        {
            // A server need not know the end of a session (405), and has answered.
        }
    }

    private async Task<McpTools> ListToolsAsync(CancellationToken cancellationToken)
    {
        var names = new ToolNames();
        string? cursor = null;
        for (var page = 0; page < MostPages; page++)
        {
            var id = ++_lastId;
            await transport.RequestAsync(JsonRpc.ListTools(id, cursor), id, result => cursor = names.Read(result), cancellationToken).ConfigureAwait(false);
            if (string.IsNullOrEmpty(cursor))
                return new McpTools(names.InOrder());
        }

        throw new McpFault(Reasons.McpProtocolError, $"has more than {MostPages} pages");
    }

    /// <summary>Reads the result of initialize.</summary>
    /// <exception cref="McpFault">It is none.</exception>
    public static McpInfo ReadInfo(ReadOnlyMemory<byte> json)
    {
        using var parsed = JsonRpc.Parse(json);
        return Read(parsed.Root);
    }

    private static McpInfo Read(JsonElement result)
    {
        var agreed = result.Text("protocolVersion"u8);
        // Of later versions nothing is known but that they are dates, too.
        if (agreed is null || !DateOnly.TryParseExact(agreed, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
            throw new McpFault(Reasons.ProtocolMismatch, $"answered with {(agreed is null ? "no protocol version" : $"protocol version \"{ForeignText.Clean(agreed)}\", which is none")}");
        if (result.Child("serverInfo"u8)?.Text("name"u8) is not { } name)
            throw new McpFault(Reasons.McpProtocolError, "answered initialize without serverInfo.name");
        if (result.Child("capabilities"u8) is not { ValueKind: JsonValueKind.Object } capabilities)
            throw new McpFault(Reasons.McpProtocolError, "answered initialize without capabilities");
        return new McpInfo
        {
            Name = ForeignText.Clean(name),
            Version = ForeignText.Clean(result.Child("serverInfo"u8)?.Text("version"u8)),
            ProtocolVersion = agreed,
            Capabilities = [.. capabilities.EnumerateObject().Take(MostCapabilities).Select(static capability => ForeignText.Clean(capability.Name)).Distinct().Order(StringComparer.Ordinal)],
        };
    }
}
