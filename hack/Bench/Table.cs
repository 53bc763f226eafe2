using System.Text;

namespace McpOperator.Bench;

/// <summary>A table in Markdown, aligned, so that it reads well on a terminal too.</summary>
internal sealed class Table(params IReadOnlyList<string> headers)
{
    private readonly List<IReadOnlyList<string>> _rows = [];

    public void Add(params IReadOnlyList<string> cells)
    {
        if (cells.Count != headers.Count)
            throw new ArgumentException($"{cells.Count} cells for {headers.Count} columns: {string.Join(", ", cells)}", nameof(cells));
        _rows.Add(cells);
    }

    public override string ToString()
    {
        var widths = headers.Select((header, i) => _rows.Select(row => row[i].Length).Append(header.Length).Max()).ToList();
        var text = new StringBuilder();
        Write(headers, ' ');
        Write([.. widths.Select(_ => "")], '-');
        foreach (var row in _rows)
            Write(row, ' ');
        return text.ToString();

        void Write(IReadOnlyList<string> cells, char fill)
        {
            for (var i = 0; i < cells.Count; i++)
                text.Append('|').Append(fill).Append(cells[i].PadRight(widths[i], fill)).Append(fill);
            text.Append("|\n");
        }
    }
}
