using System.Collections;
using System.Globalization;

namespace McpOperator.Controller;

/// <summary>
/// The log scope of one reconcile: every line that is logged in it has these three fields. The text of the id is made only when a
/// line is written.
/// </summary>
internal sealed class ReconcileScope(uint id, ObjectKey key) : IReadOnlyList<KeyValuePair<string, object?>>
{
    public int Count => 3;

    public KeyValuePair<string, object?> this[int index] => index switch
    {
        0 => new("reconcileId", id.ToString("x8", CultureInfo.InvariantCulture)),
        1 => new("namespace", key.Namespace),
        2 => new("name", key.Name),
        _ => throw new ArgumentOutOfRangeException(nameof(index)),
    };

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
            yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>For formatters that print scopes as text.</summary>
    public override string ToString() => $"reconcileId={this[0].Value} {key}";
}
