using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace McpOperator.Hosting;

/// <summary>The key-value pairs of a log entry: those of its scopes, outermost first, then its own.</summary>
internal sealed class LogFields
{
    private const string Template = "{OriginalFormat}";

    private readonly List<KeyValuePair<string, object?>> _fields = [];

    /// <summary>Whether the message has a template, and so contains the entry's own values.</summary>
    public bool HasTemplate { get; private set; }

    /// <summary>How many of the fields come from scopes. They are the first ones.</summary>
    public int FromScopes { get; private set; }

    public static LogFields Of(object? state, IExternalScopeProvider? scopes)
    {
        var fields = new LogFields();
        scopes?.ForEachScope(static (scope, all) => all.Add(scope), fields);
        fields.FromScopes = fields._fields.Count;
        if (state is IReadOnlyList<KeyValuePair<string, object?>>)
            fields.Add(state);
        return fields;
    }

    /// <summary>Each key once, in camelCase, with its innermost value.</summary>
    public IEnumerable<(string Key, object? Value)> Take(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var (key, value) = _fields[i];
            if (_fields.FindLastIndex(f => f.Key == key) == i)
                yield return (key, value);
        }
    }

    public int Count => _fields.Count;

    private void Add(object? state)
    {
        switch (state)
        {
            case IReadOnlyList<KeyValuePair<string, object?>> pairs:
                // By index: an enumerator would be allocated for each log entry.
                for (var i = 0; i < pairs.Count; i++)
                {
                    if (pairs[i].Key == Template)
                        HasTemplate = true;
                    else
                        Add(pairs[i].Key, pairs[i].Value);
                }
                break;
            case not null:
                Add("scope", state.ToString());
                break;
        }
    }

    private void Add(string key, object? value) => _fields.Add(new(JsonNamingPolicy.CamelCase.ConvertName(key), value));
}
