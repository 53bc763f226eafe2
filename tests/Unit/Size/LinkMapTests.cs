using McpOperator.Size;

namespace McpOperator.Unit.Size;

public sealed class LinkMapTests
{
    // As lld 14 writes it.
    private const string Map = """
                     VMA              LMA     Size Align Out     In      Symbol
                     2a8              2a8       20     4 .note.ABI-tag
                     2a8              2a8       20     4         /usr/lib/gcc/12/../../../rcrt1.o:(.note.ABI-tag)
                     2a8              2a8       20     1                 __abi_tag
                    1000             1000      110    64 .rodata
                    1000             1000       40     8         obj/native/mcp-operator.o:(.rodata)
                    1000             1000        0     1                 __embedded_metadata
                    1030             1030        0     1                 __dehydrated_data
                    1040             1040        0     1 here = .
                    1040             1040        0     1         there = .
                    1040             1040       c0     8         /usr/lib/libcrypto.a(x509_vfy.o):(.rodata)
                    1100             1100       10     1         <internal>:(.rodata)
                    2000             2000       18     8 .tdata
                    2000             2000       18     8         obj/native/mcp-operator.o:(.tdata)
                       8                8       10     8                 tls_InlinedThreadStatics
        """;

    [Fact]
    public void EachPieceHasItsSectionOriginAndSize()
    {
        var pieces = LinkMap.Read(new StringReader(Map));
        Assert.Equal(
            [
                (".note.ABI-tag", "rcrt1.o", "", 0x20L),
                (".rodata", "mcp-operator.o", "", 0x40L),
                (".rodata", "libcrypto.a", "x509_vfy.o", 0xc0L),
                (".rodata", LinkMap.Linker, "", 0x10L),
                (".tdata", "mcp-operator.o", "", 0x18L),
            ],
            pieces.Select(piece => (piece.Section, piece.File, piece.Member, piece.Bytes)));
    }

    [Fact]
    public void ASymbolLastsUntilTheNext() => Assert.Equal(
        [new("__embedded_metadata", 0x30), new("__dehydrated_data", 0x10)],
        LinkMap.Read(new StringReader(Map)).Single(piece => piece is { File: "mcp-operator.o", Section: ".rodata" }).Symbols);

    [Fact]
    public void AThreadLocalSymbolHasNoAddress() =>
        Assert.Empty(LinkMap.Read(new StringReader(Map)).Single(piece => piece.Section == ".tdata").Symbols);

    [Theory]
    [InlineData("")]
    [InlineData("Archive member included to satisfy reference by file (symbol)")]
    public void AMapOfAnotherLinkerIsRefused(string text) =>
        Assert.Throws<InvalidDataException>(() => LinkMap.Read(new StringReader(text)));
}
