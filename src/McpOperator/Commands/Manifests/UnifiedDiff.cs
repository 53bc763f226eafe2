using System.Globalization;
using System.Text;

namespace McpOperator.Commands.Manifests;

/// <summary>Two texts of whole lines, held against each other as <c>diff -u</c> prints it.</summary>
/// <remarks>
/// The shortest way from one to the other: Eugene W. Myers, An O(ND) Difference Algorithm and Its Variations (1986). DiffPlex' renderer
/// weighs twice as much, takes lines for equal that differ in blanks, and adds an empty line to the last hunk.
/// </remarks>
internal static class UnifiedDiff
{
    /// <summary>Lines around a change.</summary>
    private const int Context = 3;

    /// <summary>
    /// Lines that differ. The search takes the square of their number in time and memory: where there are more, all from the first to
    /// the last one is told as replaced.
    /// </summary>
    private const int MostChanges = 2000;

    /// <returns>Empty when both are the same.</returns>
    public static string Of(string from, string to, string fromName, string toName)
    {
        var lines = Merged(Lines(from), Lines(to));
        var text = new StringBuilder();
        var (fromLine, toLine) = (0, 0); // before the hunk
        for (var end = 0; lines.FindIndex(end, static line => line.Sign != ' ') is var change and >= 0;)
        {
            var start = Math.Max(end, change - Context);
            (fromLine, toLine) = (fromLine + start - end, toLine + start - end);
            end = EndOf(lines, change);
            var hunk = lines.GetRange(start, end - start);
            var removed = hunk.Count(static line => line.Sign != '+');
            var added = hunk.Count(static line => line.Sign != '-');
            if (text.Length == 0)
                text.Append("--- ").Append(fromName).Append("\n+++ ").Append(toName).Append('\n');
            text.Append("@@ -").Append(Range(fromLine, removed)).Append(" +").Append(Range(toLine, added)).Append(" @@\n");
            foreach (var line in hunk)
                text.Append(line.Sign).Append(line.Text).Append('\n');
            (fromLine, toLine) = (fromLine + removed, toLine + added);
        }

        return text.ToString();
    }

    private static string[] Lines(string text) => text.Length == 0 ? [] : text[..^1].Split('\n');

    /// <summary>A range of no lines is named by the line before it.</summary>
    private static string Range(int before, int count) =>
        string.Create(CultureInfo.InvariantCulture, $"{(count == 0 ? before : before + 1)},{count}");

    /// <summary>Where the hunk of a change ends: changes that are near have one together.</summary>
    private static int EndOf(List<Line> lines, int change)
    {
        for (var i = change + 1; i < lines.Count && i <= change + (2 * Context) + 1; i++)
        {
            if (lines[i].Sign != ' ')
                change = i;
        }

        return Math.Min(lines.Count, change + 1 + Context);
    }

    /// <summary>The lines of both; where they differ, first what goes and then what comes.</summary>
    private static List<Line> Merged(string[] from, string[] to)
    {
        var shorter = Math.Min(from.Length, to.Length);
        var (start, end) = (0, 0);
        while (start < shorter && from[start] == to[start])
            start++;
        while (end < shorter - start && from[^(end + 1)] == to[^(end + 1)])
            end++;
        var goes = new bool[from.Length];
        var comes = new bool[to.Length];
        Mark(from, to, start, end, goes, comes);

        var lines = new List<Line>(from.Length);
        var (i, j) = (0, 0);
        while (i < from.Length || j < to.Length)
        {
            if (i < from.Length && goes[i])
                lines.Add(new Line('-', from[i++]));
            else if (j < to.Length && comes[j])
                lines.Add(new Line('+', to[j++]));
            else
            {
                lines.Add(new Line(' ', from[i++]));
                j++;
            }
        }

        return lines;
    }

    /// <summary>Marks the lines that only one of them has.</summary>
    /// <param name="from">The one.</param>
    /// <param name="to">The other.</param>
    /// <param name="start">Lines at the beginning that are the same.</param>
    /// <param name="end">Lines at the end that are.</param>
    /// <param name="goes">Of <paramref name="from"/>.</param>
    /// <param name="comes">Of <paramref name="to"/>.</param>
    private static void Mark(string[] from, string[] to, int start, int end, bool[] goes, bool[] comes)
    {
        var (n, m) = (from.Length - start - end, to.Length - start - end);
        var most = Math.Min(n + m, MostChanges);
        // By diagonal (x - y): how far one gets along it in the first text with so many changes.
        var furthest = new int[(2 * most) + 3];
        var trace = new List<int[]>();
        for (var changes = 0; changes <= most; changes++)
        {
            trace.Add(furthest.AsSpan(most + 1 - changes, (2 * changes) + 1).ToArray());
            for (var diagonal = -changes; diagonal <= changes; diagonal += 2)
            {
                var at = most + 1 + diagonal;
                var x = diagonal == -changes || (diagonal != changes && furthest[at - 1] < furthest[at + 1]) ? furthest[at + 1] : furthest[at - 1] + 1;
                while (x < n && x - diagonal < m && from[start + x] == to[start + x - diagonal])
                    x++;
                furthest[at] = x;
                if (x < n || x - diagonal < m)
                    continue;
                Follow(trace, n, m, goes.AsSpan(start), comes.AsSpan(start));
                return;
            }
        }

        goes.AsSpan(start, n).Fill(true);
        comes.AsSpan(start, m).Fill(true);
    }

    /// <summary>Back from the end: of each round, where it came from.</summary>
    private static void Follow(List<int[]> trace, int x, int y, Span<bool> goes, Span<bool> comes)
    {
        for (var changes = trace.Count - 1; changes > 0; changes--)
        {
            var (before, diagonal) = (trace[changes], x - y);
            var isAdded = diagonal == -changes || (diagonal != changes && before[changes + diagonal - 1] < before[changes + diagonal + 1]);
            diagonal += isAdded ? 1 : -1;
            x = before[changes + diagonal];
            y = x - diagonal;
            if (isAdded)
                comes[y] = true;
            else
                goes[x] = true;
        }
    }

    private sealed record Line(char Sign, string Text);
}
