using System.Security.Cryptography;
using System.Text.Json;
using System.Xml.Linq;

namespace McpOperator.Size;

/// <summary>One package of which something is in the binary.</summary>
/// <param name="Purl">Its package URL, which is its identity too.</param>
/// <param name="Sha512">Of the package, hexadecimal; null where nobody says.</param>
internal sealed record Component(string Name, string Version, string Purl, string? License, string? Sha512 = null);

/// <summary>A package of the NuGet restore, with the assemblies that it brings.</summary>
internal sealed record NuGetPackage(string Name, string Version, IReadOnlyCollection<string> Assemblies, string? License, string? Sha512)
{
    public Component Component => new(Name, Version, $"pkg:nuget/{Name}@{Version}", License, Sha512);
}

/// <summary>
/// The software bill of materials, CycloneDX 1.6: what is in the binary according to its compiler (mstat) and its linker (map),
/// and not what the build had at hand. A file whose origin is not known is an error, so that nothing is left out in silence.
/// </summary>
internal static class Sbom
{
    private const string Operator = "mcp-operator";

    /// <summary>What the compiler counts its own stubs to: there is no such file.</summary>
    private const string CompilersOwn = "System.Private.CompilerGenerated";

    // The Debian package whose version counts, its source, and the license of what of it is linked.
    private static readonly (string Package, string Source, string License, Predicate<string> Has)[] Libraries =
    [
        ("libssl-dev", "openssl", "Apache-2.0", file => file is "libssl.a" or "libcrypto.a"),
        ("libc6-dev", "glibc", "LGPL-2.1-or-later", file => file is "libc.a" or "crti.o" or "crtn.o" or "rcrt1.o"
            || (file.StartsWith("libm-", StringComparison.Ordinal) || file is "libm.a" or "libmvec.a")),
        ("libzstd-dev", "libzstd", "BSD-3-Clause", file => file is "libzstd.a"),
        ("libgcc-dev", "gcc", "GPL-3.0-or-later WITH GCC-exception-3.1", file => file is "libgcc.a" or "libgcc_eh.a"
            || file.StartsWith("crtbegin", StringComparison.Ordinal) || file.StartsWith("crtend", StringComparison.Ordinal)),
    ];

    /// <param name="assemblies">What the compiler compiled something of.</param>
    /// <param name="files">The archives and object files that the linker took something from.</param>
    /// <param name="runtime">The runtime's own package; its archives are among its assemblies.</param>
    /// <param name="versions">Of the distribution's packages, by name.</param>
    /// <param name="distribution">As in a package URL: <c>debian-12</c>.</param>
    public static IReadOnlyList<Component> Components(
        IEnumerable<string> assemblies,
        IEnumerable<string> files,
        IReadOnlyCollection<NuGetPackage> packages,
        NuGetPackage runtime,
        IReadOnlyDictionary<string, string> versions,
        string distribution)
    {
        var found = new SortedDictionary<string, Component>(StringComparer.Ordinal);
        foreach (var component in assemblies.Distinct().Where(name => name is not (Operator or CompilersOwn)).Select(OfAssembly)
            .Concat(files.Distinct().Where(name => name is not (Operator + ".o") and not LinkMap.Linker).Select(OfFile)))
            found.TryAdd(component.Purl, component);
        return [.. found.Values];

        Component OfAssembly(string name) =>
            (packages.FirstOrDefault(package => package.Assemblies.Contains(name + ".dll"))
                ?? (runtime.Assemblies.Contains(name + ".dll") ? runtime : null))?.Component
            ?? throw new InvalidDataException($"the assembly {name} is of no package");

        Component OfFile(string name)
        {
            // The runtime's first: it brings a library of OpenSSL's name in its own, and archives that others bring too.
            if (runtime.Assemblies.Contains(name))
                return runtime.Component;
            var library = Libraries.FirstOrDefault(library => library.Has(name));
            if (library.Package is null)
                throw new InvalidDataException($"{name} is of no package that is known here: hack/Size/Sbom.cs");
            if (!versions.TryGetValue(library.Package, out var version))
                throw new InvalidDataException($"{name} was linked, and nobody says which version of {library.Package} that is");
            var distributor = distribution.Split('-')[0];
            return new(library.Source, version, $"pkg:deb/{distributor}/{library.Source}@{Uri.EscapeDataString(version)}?distro={distribution}", library.License);
        }
    }

    /// <summary>The same for the same binary: it says no time but the commit's, and no serial number.</summary>
    public static void Write(Stream output, IReadOnlyList<Component> components, string version, string sha256, DateTimeOffset time)
    {
        using var json = new Utf8JsonWriter(output, new() { Indented = true, NewLine = "\n" });
        var self = $"pkg:generic/{Operator}@{version}";
        json.WriteStartObject();
        json.WriteString("bomFormat", "CycloneDX");
        json.WriteString("specVersion", "1.6");
        json.WriteNumber("version", 1);
        json.WriteStartObject("metadata");
        json.WriteString("timestamp", time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture));
        json.WritePropertyName("component");
        WriteComponent(json, "application", new(Operator, version, self, "Apache-2.0"), "SHA-256", sha256);
        json.WriteEndObject();
        json.WriteStartArray("components");
        foreach (var component in components)
            WriteComponent(json, "library", component, "SHA-512", component.Sha512);
        json.WriteEndArray();
        json.WriteStartArray("dependencies");
        json.WriteStartObject();
        json.WriteString("ref", self);
        json.WriteStartArray("dependsOn");
        foreach (var component in components)
            json.WriteStringValue(component.Purl);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteComponent(Utf8JsonWriter json, string type, Component component, string algorithm, string? hash)
    {
        json.WriteStartObject();
        json.WriteString("type", type);
        json.WriteString("bom-ref", component.Purl);
        json.WriteString("name", component.Name);
        json.WriteString("version", component.Version);
        if (hash is not null)
        {
            json.WriteStartArray("hashes");
            json.WriteStartObject();
            json.WriteString("alg", algorithm);
            json.WriteString("content", hash);
            json.WriteEndObject();
            json.WriteEndArray();
        }
        if (component.License is not null)
        {
            json.WriteStartArray("licenses");
            json.WriteStartObject();
            json.WriteString("expression", component.License);
            json.WriteEndObject();
            json.WriteEndArray();
        }
        json.WriteString("purl", component.Purl);
        json.WriteEndObject();
    }

    /// <summary>What the restore wrote down (project.assets.json).</summary>
    public static (IReadOnlyList<NuGetPackage> Packages, NuGetPackage Runtime) ReadRestore(string assetsFile, string runtimeIdentifier)
    {
        using var assets = JsonDocument.Parse(File.ReadAllBytes(assetsFile));
        var folders = assets.RootElement.GetProperty("packageFolders").EnumerateObject().Select(folder => folder.Name).ToList();
        var libraries = assets.RootElement.GetProperty("libraries");
        var framework = assets.RootElement.GetProperty("project").GetProperty("frameworks").EnumerateObject().First();

        var packages = new List<NuGetPackage>();
        foreach (var entry in assets.RootElement.GetProperty("targets").GetProperty(framework.Name).EnumerateObject())
        {
            var library = libraries.GetProperty(entry.Name);
            if (library.GetProperty("type").GetString() != "package" || !entry.Value.TryGetProperty("runtime", out var runtime))
                continue;
            packages.Add(Package(entry.Name, [.. runtime.EnumerateObject().Select(file => Path.GetFileName(file.Name))]));
        }

        // A download of the SDK's own, of which the restore says the version alone: [10.0.1, 10.0.1].
        const string Pack = "Microsoft.NETCore.App.Runtime.NativeAOT.";
        var pack = framework.Value.GetProperty("downloadDependencies").EnumerateArray()
            .Single(download => download.GetProperty("name").GetString() == Pack + runtimeIdentifier);
        var name = $"{Pack}{runtimeIdentifier}/{pack.GetProperty("version").GetString()!.TrimStart('[').Split(',')[0]}";
        var directory = Directory(name);
        return (packages, Package(name,
            [.. System.IO.Directory.EnumerateFiles(Path.Combine(directory, "runtimes"), "*", SearchOption.AllDirectories).Select(file => Path.GetFileName(file)), OpenSslShim]));

        NuGetPackage Package(string name, IReadOnlyCollection<string> assemblies)
        {
            var directory = Directory(name);
            var parts = name.Split('/');
            var nuspec = XDocument.Load(Path.Combine(directory, parts[0].ToLowerInvariant() + ".nuspec"));
            var license = nuspec.Descendants().FirstOrDefault(element => element.Name.LocalName == "license" && (string?)element.Attribute("type") == "expression")?.Value;
            var hash = System.IO.Directory.EnumerateFiles(directory, "*.nupkg.sha512").Select(File.ReadAllText).FirstOrDefault();
            return new(parts[0], parts[1], assemblies, license, hash is null ? null : Convert.ToHexStringLower(Convert.FromBase64String(hash.Trim())));
        }

        string Directory(string name) =>
            folders.Select(folder => Path.Combine(folder, name.ToLowerInvariant())).FirstOrDefault(System.IO.Directory.Exists)
            ?? throw new InvalidDataException($"{name} is in no folder of packages: {string.Join(", ", folders)}");
    }

    // Compiled by the build from the sources that the compiler's package brings: for a static OpenSSL there is no binary one.
    private const string OpenSslShim = "libSystem.Security.Cryptography.Native.OpenSsl.a";

    public static string Sha256(string file) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));
}
