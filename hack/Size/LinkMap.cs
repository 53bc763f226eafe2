using System.Globalization;

namespace McpOperator.Size;

/// <summary>What one object file brought into one section of the binary.</summary>
/// <param name="File">The archive, or the object file where it stands alone; <c>&lt;internal&gt;</c> for what the linker made.</param>
/// <param name="Member">The object file in the archive; empty without one.</param>
/// <param name="Symbols">What it consists of, as far as it is named. A symbol lasts until the next.</param>
internal sealed record LinkedPiece(string Section, string File, string Member, long Bytes, IReadOnlyList<LinkedSymbol> Symbols);

internal sealed record LinkedSymbol(string Name, long Bytes);

/// <summary>
/// Reads a linker map of lld (-Map): hexadecimal address, load address and size, decimal alignment, then by its indentation
/// the name of a section, of a piece of it, or of a symbol in that piece. Written by llvm-project, lld/ELF/MapFile.cpp.
/// </summary>
internal static class LinkMap
{
    /// <summary>What the linker made itself: indexes, relocations, and the strings that it merged.</summary>
    public const string Linker = "<internal>";

    private const int SizeColumn = 34;
    private const int SectionColumn = 49;
    private const int PieceColumn = SectionColumn + 8;
    private const int SymbolColumn = PieceColumn + 8;

    /// <returns>The pieces of all sections, whether they are in the file or only in memory.</returns>
    /// <exception cref="InvalidDataException">It is no map of lld.</exception>
    public static IReadOnlyList<LinkedPiece> Read(TextReader map)
    {
        if (map.ReadLine() is not { } header || header.IndexOf("Out", StringComparison.Ordinal) != SectionColumn)
            throw new InvalidDataException("no linker map of lld");

        var pieces = new List<LinkedPiece>();
        var section = "";
        var symbols = new List<(long Address, string Name)>();
        long address = 0;
        while (map.ReadLine() is { } line)
        {
            if (line.Length <= SectionColumn)
                continue;
            if (line[SectionColumn] != ' ')
            {
                // An assignment of a linker script stands in the same column.
                if (!line.AsSpan(SectionColumn).Contains(' '))
                    section = line[SectionColumn..];
            }
            else if (line[PieceColumn] != ' ')
            {
                if (line.LastIndexOf(":(", StringComparison.Ordinal) is not (> PieceColumn and var end))
                    continue;
                Finish();
                address = Hexadecimal(line[..16]);
                var (file, member) = Origin(line[PieceColumn..end]);
                pieces.Add(new LinkedPiece(section, file, member, Hexadecimal(line[SizeColumn..(SizeColumn + 8)]), []));
            }
            else
            {
                symbols.Add((Hexadecimal(line[..16]), line[SymbolColumn..]));
            }
        }
        Finish();
        return pieces;

        void Finish()
        {
            // What is said of a thread-local symbol is its offset, not its address.
            symbols.RemoveAll(symbol => symbol.Address < address);
            if (symbols.Count == 0)
                return;
            var ends = symbols.Skip(1).Select(symbol => symbol.Address).Append(address + pieces[^1].Bytes);
            pieces[^1] = pieces[^1] with
            {
                Symbols = [.. symbols.Zip(ends, (symbol, next) => new LinkedSymbol(symbol.Name, next - symbol.Address))],
            };
            symbols.Clear();
        }
    }

    private static long Hexadecimal(string text) => long.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary><c>/usr/lib/libc.a(malloc.o)</c> or <c>/usr/lib/crti.o</c>, without the directory.</summary>
    private static (string File, string Member) Origin(string path) =>
        path.EndsWith(')') && path.LastIndexOf('(') is > 0 and var open
            ? (Path.GetFileName(path[..open]), path[(open + 1)..^1])
            : (Path.GetFileName(path), "");
}
