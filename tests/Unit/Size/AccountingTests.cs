using McpOperator.Size;

namespace McpOperator.Unit.Size;

public sealed class AccountingTests
{
    private static readonly Section[] Sections =
    [
        new("__managedcode", 100, IsInFile: true, IsLoaded: true),
        new(".rodata", 60, IsInFile: true, IsLoaded: true),
        new(".hydrated", 500, IsInFile: false, IsLoaded: true),
        new(".shstrtab", 30, IsInFile: true, IsLoaded: false),
    ];

    private static LinkedPiece Piece(string section, string file, long bytes, params LinkedSymbol[] symbols) =>
        new(section, file, "", bytes, symbols);

    private static readonly LinkedPiece[] Pieces =
    [
        Piece("__managedcode", "mcp-operator.o", 100),
        Piece(".rodata", "mcp-operator.o", 20,
            new("__embedded_metadata", 12), new("YamlDotNet__PrivateImplementationDetails___A", 5), new("YamlDotNet__PrivateImplementationDetails___B", 3)),
        Piece(".rodata", "libcrypto.a", 30),
        Piece(".hydrated", "mcp-operator.o", 500, new LinkedSymbol("in memory only", 500)),
        Piece(".shstrtab", LinkMap.Linker, 900),
    ];

    private static long Bytes(IEnumerable<Share> shares, string part) => shares.Where(share => share.Part == part).Sum(share => share.Bytes);

    [Fact]
    public void EveryByteOfTheFileIsInOneShare()
    {
        var shares = Accounting.Of(250, Sections, Pieces);

        Assert.Equal(250, shares.Sum(share => share.Bytes));
        Assert.Equal(100, Bytes(shares, "managed code"));
        Assert.Equal(20, Bytes(shares, "managed data"));
        Assert.Equal(30, Bytes(shares, "OpenSSL"));
        // Padding, the section that stripping wrote anew, and 60 bytes outside of all sections.
        Assert.Equal(10 + 30 + 60, Bytes(shares, "headers and padding"));
    }

    [Theory]
    [InlineData(".eh_frame", "mcp-operator.o", "managed code: unwind tables")]
    [InlineData(".eh_frame", "libRuntime.WorkstationGC.a", ".NET's native runtime")]
    [InlineData(".text", "libSystem.Native.a", ".NET's native runtime")]
    [InlineData(".text", "libssl.a", "OpenSSL")]
    [InlineData(".text", "libm-2.36.a", "C library")]
    [InlineData(".text", "crtbeginS.o", "C library")]
    [InlineData(".eh_frame_hdr", "<internal>", "linker: indexes, relocations, merged strings")]
    public void APartIsKnownByItsOrigin(string section, string file, string part) =>
        Assert.Equal(part, Accounting.Of(1, [new(section, 1, IsInFile: true, IsLoaded: true)], [Piece(section, file, 1)])[0].Part);

    [Fact]
    public void AMapOfAnotherBuildIsNoticed() => Assert.Contains(
        "__managedcode",
        Assert.Throws<InvalidDataException>(() => Accounting.Of(250, Sections, [Piece("__managedcode", "mcp-operator.o", 101)])).Message,
        StringComparison.Ordinal);

    [Fact]
    public void ConstantsOfAnAssemblyAreNamedAlike() => Assert.Equal(
        ["__embedded_metadata", "YamlDotNet__PrivateImplementationDetails", "YamlDotNet__PrivateImplementationDetails"],
        Accounting.ManagedData(Pieces, Sections).Select(symbol => symbol.Name));
}
