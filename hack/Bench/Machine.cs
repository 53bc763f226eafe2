using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace McpOperator.Bench;

/// <summary>What the figures were measured on and with.</summary>
internal sealed record Machine(
    string Date, int Cores, string Cpu, double MemoryGigabytes, string System, string Kernel, string LoadAverage,
    string KubeApiServer, string Etcd, string Operator, long BinaryBytes, string DotnetOfTheHarness)
{
    /// <param name="loadAverage">Of the minute before the run.</param>
    public static async Task<Machine> ThisAsync(KubeClient client, string loadAverage)
    {
        var binaries = await TestBinaries.FindAsync(Progress.Say);
        var binary = OperatorBinary.Find();
        return new(
            DateTimeOffset.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            Environment.ProcessorCount,
            Field("/proc/cpuinfo", "model name"),
            Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9, 1),
            $"{RuntimeInformation.OSDescription} {RuntimeInformation.OSArchitecture}",
            string.Join('.', File.ReadAllText("/proc/sys/kernel/osrelease").Split('.').Take(2)), // the rest is the builder's
            loadAverage,
            (string)(await client.SendAsync(HttpMethod.Get, "version"))["gitVersion"]!,
            (await OutputAsync(binaries.Etcd, "--version")).Split('\n')[0].Replace("etcd Version: ", "", StringComparison.Ordinal),
            (await OutputAsync(binary, "version")).ReplaceLineEndings(" ").Trim(),
            new FileInfo(binary).Length,
            RuntimeInformation.FrameworkDescription);
    }

    private static string Field(string file, string name) =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim()
        ?? "unknown";

    private static async Task<string> OutputAsync(string file, string argument)
    {
        using var process = Process.Start(new ProcessStartInfo(file, [argument]) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return output;
    }
}
