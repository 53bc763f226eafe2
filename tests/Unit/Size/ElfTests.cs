using System.Text;
using McpOperator.Size;

namespace McpOperator.Unit.Size;

public sealed class ElfTests
{
    [Fact]
    public void SectionsOfARealExecutable()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.Is64BitProcess, "there is no ELF file at hand");
        var sections = Elf.Sections(File.ReadAllBytes(Environment.ProcessPath!)).ToDictionary(section => section.Name);

        Assert.True(sections[".text"] is { Bytes: > 0, IsInFile: true, IsLoaded: true });
        Assert.True(sections[".bss"] is { Bytes: > 0, IsInFile: false, IsLoaded: true });
        Assert.True(sections[".shstrtab"] is { Bytes: > 0, IsInFile: true, IsLoaded: false });
    }

    [Fact]
    public void AnotherFileIsRefused() => Assert.Throws<InvalidDataException>(() => Elf.Sections(Encoding.ASCII.GetBytes("#!/bin/sh\n")));
}
