using YamlDotNet.Core;

namespace McpOperator.Kubernetes;

/// <summary>One value of a YAML document. An alias is the very value of its anchor, so a document is a graph without cycles.</summary>
internal abstract class YamlValue(Mark start)
{
    public Mark Start { get; } = start;
}

/// <param name="text">Without quotes and escapes.</param>
/// <param name="isPlain">It has no quotes and is no block: it may be a number or a boolean.</param>
/// <param name="tag">Empty when it has none.</param>
internal sealed class YamlText(Mark start, string text, bool isPlain, string tag = "") : YamlValue(start)
{
    public string Text { get; } = text;

    public bool IsPlain { get; } = isPlain;

    public string Tag { get; } = tag;
}

internal sealed class YamlList(Mark start) : YamlValue(start)
{
    public List<YamlValue> Items { get; } = [];
}

internal sealed class YamlMap(Mark start) : YamlValue(start)
{
    /// <summary>As they stand there: a name may come twice.</summary>
    public List<(YamlText Name, YamlValue Value)> Entries { get; } = [];

    /// <summary>The last one of this name counts; null when there is none.</summary>
    public YamlValue? Find(string name)
    {
        for (var i = Entries.Count - 1; i >= 0; i--)
        {
            if (Entries[i].Name.Text == name)
                return Entries[i].Value;
        }

        return null;
    }
}
