using System.Globalization;
using System.Text;

namespace McpOperator.Size;

/// <summary>One line of the budget.</summary>
/// <param name="Name">What is weighed: <c>static</c>, <c>static-gzip</c>, <c>dynamic</c>.</param>
/// <param name="Bytes">What it weighed when the budget was written.</param>
/// <param name="Ceiling">What it must not weigh, whatever the budget says.</param>
internal sealed record BudgetLine(string Name, long Bytes, long? Ceiling = null);

/// <summary>What the binary may weigh. Lines are <c>NAME BYTES [CEILING]</c>; comments begin with #, and stay.</summary>
internal sealed class Budget
{
    /// <summary>Percent: what the same sources may weigh more on another machine, or after a fix.</summary>
    private const int Tolerance = 2;

    private readonly IReadOnlyList<string> _comments;
    private readonly IReadOnlyList<BudgetLine> _lines;

    private Budget(IReadOnlyList<string> comments, IReadOnlyList<BudgetLine> lines)
    {
        _comments = comments;
        _lines = lines;
    }

    /// <exception cref="InvalidDataException">A line is of another form.</exception>
    public static Budget Parse(string text)
    {
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToLookup(line => line[0] == '#');
        return new Budget([.. lines[true]], [.. lines[false].Select(Line)]);
    }

    /// <summary>What is wrong, each in one line that says what to do. Empty: the budget is kept.</summary>
    public IReadOnlyList<string> Faults(IReadOnlyDictionary<string, long> measured) =>
        [.. measured.Select(figure => Fault(figure.Key, figure.Value)).OfType<string>()];

    /// <summary>The figures that are so far below the budget that it should be tightened.</summary>
    public IReadOnlyList<string> Below(IReadOnlyDictionary<string, long> measured) =>
    [
        .. measured
            .Where(figure => _lines.Any(line => line.Name == figure.Key && figure.Value * 100 < line.Bytes * (100 - Tolerance)))
            .Select(figure => $"{figure.Key} is more than {Tolerance} % below its budget: make size-update keeps what was gained"),
    ];

    /// <summary>For a person: what is allowed.</summary>
    public string Describe(string name) => _lines.FirstOrDefault(line => line.Name == name) is { } line
        ? Text($"budget {line.Bytes:N0}{(line.Ceiling is { } ceiling ? Text($", ceiling {ceiling:N0}") : "")}")
        : "no budget";

    /// <summary>The budget with these figures; the ceilings, and figures that were not measured, stay.</summary>
    public Budget With(IReadOnlyDictionary<string, long> measured)
    {
        var kept = _lines.Select(line => measured.TryGetValue(line.Name, out var bytes) ? line with { Bytes = bytes } : line);
        var added = measured.Where(figure => _lines.All(line => line.Name != figure.Key))
            .Select(figure => new BudgetLine(figure.Key, figure.Value));
        return new Budget(_comments, [.. kept, .. added]);
    }

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var comment in _comments)
            text.Append(comment).Append('\n');
        foreach (var line in _lines)
            text.Append(CultureInfo.InvariantCulture, $"{line.Name} {line.Bytes}{(line.Ceiling is { } ceiling ? $" {ceiling}" : "")}\n");
        return text.ToString();
    }

    private string? Fault(string name, long bytes)
    {
        if (_lines.FirstOrDefault(line => line.Name == name) is not { } budget)
            return $"{name} has no budget: make size-update writes one";
        if (bytes > budget.Ceiling)
            return Text($"{name} is {bytes:N0} bytes, above its ceiling of {budget.Ceiling:N0}: something has to go (make size SIZE_TOP=50)");
        return bytes * 100 > budget.Bytes * (100 + Tolerance)
            ? Text($"{name} is {bytes:N0} bytes, {100m * bytes / budget.Bytes - 100:N1} % above its budget of {budget.Bytes:N0}: ")
                + "take it out again (make size SIZE_TOP=50 says what it is), or make size-update in the same commit"
            : null;
    }

    private static BudgetLine Line(string line)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words.Length is 2 or 3 && words.Skip(1).All(word => long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            ? new BudgetLine(words[0], Number(words[1]), words.Length == 3 ? Number(words[2]) : null)
            : throw new InvalidDataException($"the budget has a line that is not 'NAME BYTES [CEILING]': {line}");
    }

    private static long Number(string word) => long.Parse(word, NumberStyles.None, CultureInfo.InvariantCulture);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
