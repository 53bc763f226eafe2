using McpOperator.Api;
using McpOperator.Controller;

namespace McpOperator.Mirror;

/// <summary>
/// The variables that a server's spec has dropped since this process began. One of them that turns up in the container again is
/// ours, not another tool's. Nothing is kept of a server whose spec has dropped none. Safe for any number of threads.
/// </summary>
internal sealed class FormerVariables
{
    /// <summary>Per server. Kubernetes keeps ten former revisions of a Deployment.</summary>
    private const int Most = 100;

    private readonly KeyMap<string[]> _names = new();

    public IReadOnlyList<string> Of(ObjectKey server) => _names.Get(server) ?? [];

    /// <summary>The spec was edited.</summary>
    public void Note(StoredServer before, StoredServer after)
    {
        // The variables of a long spec are not kept.
        if (before.IsOutline || after.IsOutline)
            return;
        var names = NamesOf(after).ToHashSet(StringComparer.Ordinal);
        var dropped = NamesOf(before).Where(name => !names.Contains(name)).ToList();
        if (dropped.Count > 0)
            _names.Set(after.Key, [.. dropped.Concat(Of(after.Key)).Distinct().Take(Most)]);
    }

    public void Forget(ObjectKey server) => _names.Remove(server);

    private static IEnumerable<string> NamesOf(StoredServer server)
    {
        var spec = server.Read().Spec;
        return (spec.EnvVars ?? []).Select(variable => variable.Name).Concat((spec.SecretEnvVars ?? []).Select(variable => variable.Name)).OfType<string>();
    }
}
