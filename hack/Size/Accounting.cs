namespace McpOperator.Size;

/// <summary>Bytes of the file, where they came from, and what they are for.</summary>
internal sealed record Share(string Part, string Section, string File, string Member, long Bytes);

/// <summary>Every byte of the binary in one share, and in no other.</summary>
internal static class Accounting
{
    private const string ManagedObject = "mcp-operator.o";
    private const string Data = "managed data";
    private const string Constants = "__PrivateImplementationDetails";
    private const string Rest = "headers and padding";

    /// <exception cref="InvalidDataException">The map is not that of the file.</exception>
    public static IReadOnlyList<Share> Of(long fileBytes, IReadOnlyList<Section> sections, IReadOnlyList<LinkedPiece> pieces)
    {
        var linked = pieces.ToLookup(piece => piece.Section);
        var shares = new List<Share>();
        foreach (var section in sections.Where(section => section.IsInFile))
        {
            List<LinkedPiece> inside = section.IsLoaded ? [.. linked[section.Name]] : [];
            shares.AddRange(inside.Select(piece =>
                new Share(Part(piece.Section, piece.File), piece.Section, piece.File, piece.Member, piece.Bytes)));
            var unclaimed = section.Bytes - inside.Sum(piece => piece.Bytes);
            if (unclaimed < 0)
                throw new InvalidDataException($"the linker map is of another build: its pieces of {section.Name} are larger than the section");
            shares.Add(new Share(Rest, section.Name, "", "", unclaimed));
        }
        var outside = fileBytes - sections.Where(section => section.IsInFile).Sum(section => section.Bytes);
        shares.Add(new Share(Rest, "(headers)", "", "", outside));
        return shares;
    }

    /// <summary>The managed data by the names that ILC gives it. The constants of one assembly are one.</summary>
    public static IEnumerable<LinkedSymbol> ManagedData(IEnumerable<LinkedPiece> pieces, IEnumerable<Section> sections)
    {
        var inFile = sections.Where(section => section.IsInFile).Select(section => section.Name).ToHashSet();
        return pieces
            .Where(piece => inFile.Contains(piece.Section) && Part(piece.Section, piece.File) == Data)
            .SelectMany(piece => piece.Symbols)
            .Select(symbol => symbol.Name.IndexOf(Constants, StringComparison.Ordinal) is > 0 and var end
                ? symbol with { Name = symbol.Name[..end] + Constants }
                : symbol);
    }

    /// <summary>What libraries in C brought, and single object files.</summary>
    public static IEnumerable<Share> Native(IEnumerable<Share> shares) =>
        shares.Where(share => share.File is not ("" or ManagedObject or LinkMap.Linker));

    private static string Part(string section, string file) => (section, file) switch
    {
        ("__managedcode" or "__unbox" or ".text", ManagedObject) => "managed code",
        (".dotnet_eh_table", ManagedObject) => "managed code: tables for GC and exceptions",
        (".eh_frame", ManagedObject) => "managed code: unwind tables",
        (_, ManagedObject) => Data,
        (_, LinkMap.Linker) => "linker: indexes, relocations, merged strings",
        (_, "libssl.a" or "libcrypto.a") => "OpenSSL",
        _ when IsCLibrary(file) => "C library",
        _ => ".NET's native runtime",
    };

    private static bool IsCLibrary(string file) =>
        file is "libc.a" or "libm.a" or "libgcc.a" or "libgcc_eh.a"
        || file.StartsWith("libm-", StringComparison.Ordinal) // Debian's libm.a only names it
        || file.Contains("crt", StringComparison.Ordinal);
}
