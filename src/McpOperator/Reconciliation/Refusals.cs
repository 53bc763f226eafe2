using McpOperator.Controller;
using McpOperator.Kubernetes;
using Microsoft.Extensions.Logging;

namespace McpOperator.Reconciliation;

/// <summary>
/// What the API server last refused of each object of one kind. A refusal is tried again for ever, and is said once: at
/// its first time, and when it reads differently.
/// </summary>
internal sealed class Refusals(ILogger logger, string kind)
{
    private readonly KeyMap<string> _last = new();

    public Problem Note(ObjectKey key, ApiException exception)
    {
        var level = _last.Get(key) == exception.Message ? LogLevel.Debug : LogLevel.Warning;
        _last.Set(key, exception.Message);
        Log.ObjectRefused(logger, level, kind, exception.Message);
        return new Problem(Reasons.ApplyFailed, exception.Message);
    }

    public void Forget(ObjectKey key) => _last.Remove(key);
}
