using System.Text.Json;
using McpOperator.Size;

namespace McpOperator.Unit.Size;

public sealed class SbomTests
{
    private static readonly NuGetPackage Yaml = new("YamlDotNet", "18.1.0", ["YamlDotNet.dll"], "MIT", "aa");
    private static readonly NuGetPackage Unused = new("Fractions", "8.3.2", ["Fractions.dll"], "MIT", null);

    private static readonly NuGetPackage Runtime =
        new("Runtime.NativeAOT", "10.0.1", ["System.Private.CoreLib.dll", "libSystem.Native.a", "libbootstrapper.o"], "MIT", null);

    private static readonly Dictionary<string, string> Versions = new() { ["libssl-dev"] = "1:3.0.19+deb12u2", ["libc6-dev"] = "2.36" };

    private static IReadOnlyList<Component> Of(string[] assemblies, params string[] files) =>
        Sbom.Components(assemblies, files, [Yaml, Unused], Runtime, Versions, "debian-12");

    [Fact]
    public void APackageIsListedWhenSomethingOfItIsInTheBinary() => Assert.Equal(
        [Runtime.Component, Yaml.Component],
        Of(["mcp-operator", "YamlDotNet", "System.Private.CoreLib", "System.Private.CompilerGenerated", "YamlDotNet"], "mcp-operator.o", "<internal>", "libSystem.Native.a"));

    [Fact]
    public void WhatIsLinkedHasTheVersionOfTheDistribution() => Assert.Equal(
        [
            new("glibc", "2.36", "pkg:deb/debian/glibc@2.36?distro=debian-12", "LGPL-2.1-or-later"),
            new("openssl", "1:3.0.19+deb12u2", "pkg:deb/debian/openssl@1%3A3.0.19%2Bdeb12u2?distro=debian-12", "Apache-2.0"),
        ],
        Of([], "libssl.a", "libcrypto.a", "rcrt1.o", "libm-2.36.a"));

    [Theory]
    [InlineData("Newtonsoft.Json", "libc.a")]
    [InlineData("YamlDotNet", "libzstd.a")]
    [InlineData("YamlDotNet", "libgcc.a")] // nobody said its version
    public void WhatNobodyKnowsIsAnError(string assembly, string file) =>
        Assert.Throws<InvalidDataException>(() => Of([assembly], file));

    [Fact]
    public void TheSameBinaryHasTheSameBill()
    {
        var first = Written();

        Assert.Equal(first, Written());
        using var bill = JsonDocument.Parse(first);
        var root = bill.RootElement;
        Assert.Equal("CycloneDX", root.GetProperty("bomFormat").GetString());
        Assert.Equal("2026-01-02T03:04:05Z", root.GetProperty("metadata").GetProperty("timestamp").GetString());
        Assert.Equal("pkg:nuget/YamlDotNet@18.1.0", root.GetProperty("components")[0].GetProperty("purl").GetString());
        Assert.Equal("pkg:nuget/YamlDotNet@18.1.0", root.GetProperty("dependencies")[0].GetProperty("dependsOn")[0].GetString());
    }

    private static string Written()
    {
        using var output = new MemoryStream();
        Sbom.Write(output, Of(["YamlDotNet"]), "1.2.3", "bb", new DateTimeOffset(2026, 1, 2, 4, 4, 5, TimeSpan.FromHours(1)));
        return System.Text.Encoding.UTF8.GetString(output.ToArray());
    }
}
