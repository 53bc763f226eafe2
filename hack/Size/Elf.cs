using System.Buffers.Binary;
using System.Text;

namespace McpOperator.Size;

/// <summary>A section of an executable.</summary>
/// <param name="Bytes">What it takes in memory.</param>
/// <param name="IsInFile">False for one of zeros.</param>
/// <param name="IsLoaded">False for what only tools read, such as names of sections: stripping writes it anew.</param>
internal sealed record Section(string Name, long Bytes, bool IsInFile, bool IsLoaded);

/// <summary>Reads the section headers of a 64-bit little-endian ELF file (man 5 elf).</summary>
internal static class Elf
{
    private const int NoBits = 8; // sh_type
    private const long Alloc = 2; // sh_flags

    /// <exception cref="InvalidDataException">It is no such file.</exception>
    public static IReadOnlyList<Section> Sections(ReadOnlySpan<byte> file)
    {
        if (!file.StartsWith("\u007fELF\u0002\u0001"u8))
            throw new InvalidDataException("no 64-bit little-endian ELF file");
        var table = (int)BinaryPrimitives.ReadInt64LittleEndian(file[0x28..]);
        var entrySize = BinaryPrimitives.ReadInt16LittleEndian(file[0x3a..]);
        var count = BinaryPrimitives.ReadInt16LittleEndian(file[0x3c..]);
        var names = BinaryPrimitives.ReadInt16LittleEndian(file[0x3e..]);

        var namesHeader = file[(table + names * entrySize)..];
        var text = file[(int)BinaryPrimitives.ReadInt64LittleEndian(namesHeader[0x18..])..];
        var sections = new List<Section>();
        for (var i = 1; i < count; i++) // The first one is none.
        {
            var header = file[(table + i * entrySize)..];
            var name = text[BinaryPrimitives.ReadInt32LittleEndian(header)..];
            sections.Add(new Section(
                Encoding.ASCII.GetString(name[..name.IndexOf((byte)0)]),
                BinaryPrimitives.ReadInt64LittleEndian(header[0x20..]),
                BinaryPrimitives.ReadInt32LittleEndian(header[4..]) != NoBits,
                (BinaryPrimitives.ReadInt64LittleEndian(header[8..]) & Alloc) != 0));
        }
        return sections;
    }
}
