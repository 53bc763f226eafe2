namespace McpOperator.Access;

/// <summary>How the fields of a policy are written: what is always there, and what is left out when it says nothing.</summary>
internal static class PolicyJson
{
    public static void Always(this GoJsonWriter json, string name, string? value)
    {
        json.Name(name);
        json.String(value);
    }

    public static void IfSet(this GoJsonWriter json, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            json.Always(name, value);
    }

    public static void IfTrue(this GoJsonWriter json, string name, bool? value)
    {
        if (value is not true)
            return;
        json.Name(name);
        json.True();
    }

    public static void Each<T>(this GoJsonWriter json, string name, IReadOnlyList<T>? items, Action<T> write)
    {
        if (items is not { Count: > 0 })
            return;
        json.Name(name);
        json.StartArray();
        foreach (var item in items)
        {
            json.StartObject();
            write(item);
            json.EndObject();
        }

        json.EndArray();
    }
}
