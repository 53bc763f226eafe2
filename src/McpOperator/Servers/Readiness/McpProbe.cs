using System.Net;
using McpOperator.Api;
using McpOperator.Mirror;

namespace McpOperator.Servers.Readiness;

/// <summary>Asks one pod, as a client of MCP does: initialize, and what tools there are.</summary>
internal sealed class McpProbe(McpClient client, TimeProvider time)
{
    /// <summary>For all of it.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>Where most servers are, and where those of the old transport are.</summary>
    private const string UsualPath = "/mcp";
    private const string UsualEventPath = "/sse";

    /// <summary>Finds a pod of the server, and asks that.</summary>
    public async Task<McpAnswer> AskAsync(McpPods pods, McpTarget target, McpWay? way, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        McpPods.Found pod;
        try
        {
            pod = await pods.FindAsync(target, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new McpAnswer(Reasons.McpPending, "the list of its pods did not come in time");
        }

        return pod.At is null
            ? new McpAnswer(Reasons.McpPending, pod.Problem)
            : await AskAsync(pod.At, target.Path, way, cancellationToken).ConfigureAwait(false) with { Pod = pod.Name, PodHash = pod.Hash };
    }

    /// <param name="path">Where it is expected.</param>
    /// <param name="way">Where it answered the last time; null when that is not known.</param>
    /// <exception cref="OperationCanceledException">It was broken off.</exception>
    public async Task<McpAnswer> AskAsync(IPEndPoint pod, string path, McpWay? way, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        using var http = new McpHttp(pod, client);
        McpFault? first = null;
        try
        {
            if (way is { IsEventStream: true } && await EventsAsync(way.Path).ConfigureAwait(false) is { } likewise)
                return likewise;
            foreach (var at in new[] { way is { IsEventStream: false } ? way.Path : path, path, UsualPath }.Distinct())
            {
                if (await TryAsync(() => Task.FromResult<IMcpTransport>(new StreamableHttp(http, http.UriOf(at))), new McpWay(at, false)).ConfigureAwait(false) is { } answer)
                    return answer;
            }

            foreach (var at in new[] { path, UsualEventPath }.Distinct())
            {
                if (await EventsAsync(at).ConfigureAwait(false) is { } answer)
                    return answer;
            }
        }
        catch (McpFault fault)
        {
            // The first refusal tells more than what the fallbacks met, unless one of them wants to know who asks.
            first = first is null || fault.Reason == Reasons.AuthRequired ? fault : first;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            first ??= new McpFault(Reasons.McpNotAnswering, $"{McpWords.NoAnswer} within {Limit.TotalSeconds:0} s") { Asked = http.Asked };
        }

        return first!.Reason == Reasons.AuthRequired
            ? new McpAnswer(Reasons.AuthRequired, first.Message, first.Asked, new McpInfo(), new McpTools(null, Reasons.AuthRequired, "not compared, since authentication is needed"), way)
            : new McpAnswer(first.Reason, first.Message, first.Asked);

        Task<McpAnswer?> EventsAsync(string at) =>
            TryAsync(() => EventStreamHttp.OpenAsync(http, http.UriOf(at), time, either.Token), new McpWay(at, true));

        // Null of a refusal, after which something else may answer.
        async Task<McpAnswer?> TryAsync(Func<Task<IMcpTransport>> open, McpWay at)
        {
            try
            {
                var transport = await open().ConfigureAwait(false);
                using var events = transport as EventStreamHttp;
                return await new McpConversation(transport, client, time).RunAsync(either.Token, cancellationToken).ConfigureAwait(false) with { Asked = http.Asked, Way = at };
            }
            catch (Exception exception) when (exception is McpFault or HttpRequestException or IOException)
            {
                var fault = exception as McpFault ?? McpHttp.FaultOf(exception);
                fault.Asked = http.Asked;
                if (!fault.IsRefusal && !(at.IsEventStream && first is not null && fault.Reason != Reasons.AuthRequired))
                    throw fault;
                first ??= fault;
                return null;
            }
        }
    }
}
