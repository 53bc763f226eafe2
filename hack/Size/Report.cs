using System.Globalization;

namespace McpOperator.Size;

/// <summary>Prints tables of bytes, the largest first.</summary>
/// <param name="top">How many rows a table may have.</param>
/// <param name="whole">The bytes that a share is a part of.</param>
internal sealed class Report(TextWriter output, int top, long whole)
{
    public void Table<T>(string title, IEnumerable<T> items, Func<T, string> name, Func<T, long> bytes)
    {
        var rows = items
            .GroupBy(name)
            .Select(group => (Name: group.Key, Bytes: group.Sum(bytes)))
            .Where(row => row.Bytes != 0)
            .OrderByDescending(row => row.Bytes).ThenBy(row => row.Name, StringComparer.Ordinal)
            .ToList();
        output.WriteLine();
        output.WriteLine(title);
        foreach (var row in rows.Take(top))
            Row(row.Name, row.Bytes);
        if (rows.Count > top)
            Row($"({rows.Count - top} more)", rows.Skip(top).Sum(row => row.Bytes));
        Row("sum", rows.Sum(row => row.Bytes));
    }

    private void Row(string name, long bytes) =>
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{bytes,13:N0} {100m * bytes / whole,6:N2} %  {name}"));
}
