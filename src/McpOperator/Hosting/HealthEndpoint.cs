using System.Text;
using Microsoft.Extensions.Logging;

namespace McpOperator.Hosting;

/// <summary>One check of /healthz or /readyz.</summary>
/// <param name="Name">The sub-path, and the name in <c>?exclude=</c>.</param>
/// <param name="Probe">
/// Returns null when all is well, else the reason. It is called at each request, on any thread, and must be quick. A check that
/// throws has failed.
/// </param>
internal sealed record HealthCheck(string Name, Func<string?> Probe);

/// <summary>
/// /healthz or /readyz, as controller-runtime and the API server answer them (pkg/healthz): all checks, one check as
/// a sub-path, <c>?verbose</c>, <c>?exclude=name</c>. The port is open to anyone, so reasons go to the log only.
/// </summary>
/// <param name="name">The path, without its slash.</param>
/// <param name="level">At which a failed check is logged, at each request.</param>
internal sealed class HealthEndpoint(string name, ILogger logger, LogLevel level)
{
    private readonly Lock _lock = new();
    private readonly string _path = "/" + name;
    private HealthCheck[] _checks = [];

    /// <summary>Adds a check, or replaces the one of the same name.</summary>
    public void Add(HealthCheck check)
    {
        lock (_lock)
            _checks = [.. _checks.Where(c => c.Name != check.Name), check];
    }

    /// <summary>Adds a check, or replaces the one of the same name.</summary>
    public void Add(string checkName, Func<string?> probe) => Add(new HealthCheck(checkName, probe));

    internal AdminResponse? Answer(AdminRequest request)
    {
        var path = request.Path.TrimEnd('/');
        if (path == _path)
            return All(request);
        if (!path.StartsWith(_path + "/", StringComparison.Ordinal))
            return null;
        if (_checks.FirstOrDefault(c => c.Name == path[(_path.Length + 1)..]) is not { } check)
            return null;
        if (Passes(check))
        {
            Write(request, "ok");
            return new AdminResponse(200);
        }
        Write(request, "internal server error: reason withheld\n");
        return new AdminResponse(500);
    }

    private AdminResponse All(AdminRequest request)
    {
        var excluded = request.QueryValues("exclude").ToHashSet(StringComparer.Ordinal);
        var failed = false;
        var report = new StringBuilder();
        foreach (var check in _checks)
        {
            if (excluded.Remove(check.Name))
            {
                report.Append("[+]").Append(check.Name).Append(" excluded: ok\n");
            }
            else if (Passes(check))
            {
                report.Append("[+]").Append(check.Name).Append(" ok\n");
            }
            else
            {
                report.Append("[-]").Append(check.Name).Append(" failed: reason withheld\n");
                failed = true;
            }
        }
        if (excluded.Count > 0)
        {
            report.Append("warn: some health checks cannot be excluded: no matches for ")
                .AppendJoin(',', excluded.Order(StringComparer.Ordinal).Select(e => $"\"{Printable.Escape(e)}\""))
                .Append('\n');
        }

        if (failed)
            Write(request, $"{report}{name} check failed\n");
        else if (request.QueryValues("verbose").Any())
            Write(request, $"{report}{name} check passed\n");
        else
            Write(request, "ok");
        return new AdminResponse(failed ? 500 : 200);
    }

    private bool Passes(HealthCheck check)
    {
        string? reason;
        try
        {
            reason = check.Probe();
        }
#pragma warning disable CA1031 // A check that throws has failed, and the probe still gets its answer.
        catch (Exception e)
#pragma warning restore CA1031
        {
            reason = e.Message;
        }
        if (reason is not null)
            logger.CheckFailed(level, name, check.Name, reason);
        return reason is null;
    }

    private static void Write(AdminRequest request, string text)
    {
        var span = request.Body.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length));
        request.Body.Advance(Encoding.UTF8.GetBytes(text, span));
    }
}
