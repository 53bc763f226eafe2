using System.Globalization;
using System.IO.Compression;
using McpOperator.Size;

// `report`: what the binary consists of; its linker map and its mstat stand beside it.
// `sbom`: which packages are in it, as CycloneDX, with the versions of the distribution's packages on standard input (NAME VERSION).
// `check`: whether it and the dynamic one keep the budget; exit code 1 when not. `update` writes the budget first.
try
{
    switch (args)
    {
        case ["report", var binary]:
            Describe(binary, top: null);
            return 0;
        case ["report", var binary, var text] when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var top):
            Describe(binary, top);
            return 0;
        case ["sbom", var binary, var version, var time, var assets, var runtimeIdentifier, var distribution]:
            Bill(binary, version, DateTimeOffset.FromUnixTimeSeconds(long.Parse(time, CultureInfo.InvariantCulture)), assets, runtimeIdentifier, distribution);
            return 0;
        case ["check" or "update", var budget, var binary, var dynamic]:
            return Compare(budget, binary, dynamic, update: args[0] == "update") ? 0 : 1;
        default:
            Console.Error.WriteLine("usage: McpOperator.Size report BINARY [TOP] | sbom BINARY VERSION TIME ASSETS RID DISTRIBUTION | check BUDGET BINARY DYNAMIC | update BUDGET BINARY DYNAMIC");
            return 2;
    }
}
catch (Exception e) when (e is IOException or InvalidDataException)
{
    Console.Error.WriteLine($"error: {e.Message}");
    return 1;
}

static void Describe(string binary, int? top)
{
    var image = File.ReadAllBytes(binary);
    var sections = Elf.Sections(image);
    using var mapFile = File.OpenText($"{binary}.map");
    var map = LinkMap.Read(mapFile);
    using var mstat = File.OpenRead($"{binary}.mstat");
    var methods = Mstat.Read(mstat);
    var shares = Accounting.Of(image.Length, sections, map);

    var report = new Report(Console.Out, top ?? 12, image.Length);
    report.Table("all of the file", shares, share => share.Part, share => share.Bytes);
    report.Table("managed code and its tables, by assembly", methods, method => method.Owner.Assembly, method => method.Bytes);
    report.Table("the same, by namespace", methods, method => method.Owner.Namespace, method => method.Bytes);
    report.Table("managed data (dehydrated: types, dictionaries, literals; unpacked at start)",
        Accounting.ManagedData(map, sections), symbol => symbol.Name, symbol => symbol.Bytes);
    report.Table("native code and data", Accounting.Native(shares), share => share.File, share => share.Bytes);
    report.Table("all of the file, by section", shares, share => share.Section, share => share.Bytes);
    if (top is null)
        return;
    report.Table("managed code, by type", methods, method => method.Owner.Definition, method => method.Bytes);
    report.Table("managed code, by method", methods, method => $"{method.Owner}.{method.Name}", method => method.Bytes);
    report.Table("native, by object file", Accounting.Native(shares), share => $"{share.File}({share.Member})", share => share.Bytes);
}

static void Bill(string binary, string version, DateTimeOffset time, string assets, string runtimeIdentifier, string distribution)
{
    using var mapFile = File.OpenText($"{binary}.map");
    using var mstat = File.OpenRead($"{binary}.mstat");
    var versions = new Dictionary<string, string>();
    while (Console.In.ReadLine() is { } line)
        if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var name, var of])
            versions.Add(name, of);
    var (packages, runtime) = Sbom.ReadRestore(assets, runtimeIdentifier);
    var components = Sbom.Components(
        Mstat.Read(mstat).Select(method => method.Owner.Assembly), LinkMap.Read(mapFile).Select(piece => piece.File), packages, runtime, versions, distribution);
    using var output = Console.OpenStandardOutput();
    Sbom.Write(output, components, version, Sbom.Sha256(binary), time);
}

static bool Compare(string budgetFile, string binary, string dynamic, bool update)
{
    var measured = new Dictionary<string, long>
    {
        ["static"] = new FileInfo(binary).Length,
        ["static-gzip"] = Compressed(binary),
        ["dynamic"] = new FileInfo(dynamic).Length,
    };
    var budget = Budget.Parse(File.ReadAllText(budgetFile));
    if (update)
    {
        budget = budget.With(measured);
        File.WriteAllText(budgetFile, budget.ToString());
    }
    Console.WriteLine();
    foreach (var (name, bytes) in measured)
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{bytes,13:N0}  {name} ({budget.Describe(name)})"));
    foreach (var note in budget.Below(measured))
        Console.WriteLine(note);
    var faults = budget.Faults(measured);
    foreach (var fault in faults)
        Console.Error.WriteLine($"error: {fault}");
    return faults.Count == 0;
}

static long Compressed(string path)
{
    using var input = File.OpenRead(path);
    using var output = new MemoryStream();
    using (var gzip = new GZipStream(output, CompressionLevel.SmallestSize, leaveOpen: true))
        input.CopyTo(gzip);
    return output.Length;
}
