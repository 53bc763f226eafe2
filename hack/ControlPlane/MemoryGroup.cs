using System.Globalization;

namespace McpOperator.Testing;

/// <summary>
/// A memory cgroup with a limit, as a container runtime makes one: beneath the cgroup of this process where that may be,
/// else beneath the nearest ancestor that hands the memory controller down (cgroup v2 allows no processes beside groups).
/// </summary>
public sealed class MemoryGroup : IAsyncDisposable
{
    private const string Prefix = "mcp-operator-";
    private static int _groups;

    private readonly string _directory;
    private readonly bool _isV2;

    private MemoryGroup(string directory, bool isV2, string program)
    {
        _directory = directory;
        _isV2 = isV2;
        Program = program;
    }

    public string Version => _isV2 ? "cgroup v2" : "cgroup v1";

    /// <summary>
    /// Shell commands that put the shell into the group. The binary is copied from inside, so that the pages of the file are
    /// charged to the group, as they are to the first container of an image.
    /// </summary>
    public string Enter =>
        $"echo $$ >'{_directory}/cgroup.procs' && cp '{OperatorBinary.Find()}' '{Program}' && sync '{Program}' || exit 1;";

    /// <summary>The copy.</summary>
    public string Program { get; }

    /// <summary>Enters the group, and becomes the operator, with its arguments; there after <see cref="WriteScriptAsync"/>.</summary>
    public string Script => Program + ".sh";

    public long PeakUsage => Read(_isV2 ? "memory.peak" : "memory.max_usage_in_bytes");

    /// <summary>How often usage was at the limit.</summary>
    public long Reclaims => _isV2 ? Event("memory.events", "max") : Read("memory.failcnt");

    public long OutOfMemoryKills => Event(_isV2 ? "memory.events" : "memory.oom_control", "oom_kill");

    /// <summary>Null where this machine or this user may not make one.</summary>
    /// <param name="scratch">Where the program is copied to.</param>
    /// <param name="say">Told the reason.</param>
    public static MemoryGroup? TryCreate(long limit, string scratch, Action<string> say)
    {
        var (own, mounts) = (File.ReadAllLines("/proc/self/cgroup"), File.ReadAllLines("/proc/self/mountinfo"));
        foreach (var (directory, isV2) in Candidates(own, mounts))
        {
            var mine = Path.Combine(directory, $"{Prefix}{Environment.ProcessId}-{Interlocked.Increment(ref _groups)}");
            try
            {
                RemoveLeftOvers(directory);
                Directory.CreateDirectory(mine);
                var file = Path.Combine(mine, isV2 ? "memory.max" : "memory.limit_in_bytes");
                if (File.Exists(file))
                {
                    File.WriteAllText(file, limit.ToString(CultureInfo.InvariantCulture));
                    // A kernel without swap accounting has no such file, and a pod gets none anyway.
                    if (isV2 && File.Exists(Path.Combine(mine, "memory.swap.max")))
                        File.WriteAllText(Path.Combine(mine, "memory.swap.max"), "0");
                    return new(mine, isV2, Path.Combine(scratch, $"mcp-operator-{_groups}"));
                }
                Directory.Delete(mine);
            }
            catch (Exception e) when (e is UnauthorizedAccessException or IOException)
            {
                say($"no memory cgroup at {directory}: {e.Message}");
            }
        }
        return null;
    }

    /// <summary>Directories to try, nearest first.</summary>
    /// <param name="own">/proc/self/cgroup.</param>
    /// <param name="mounts">/proc/self/mountinfo.</param>
    public static IEnumerable<(string Directory, bool IsV2)> Candidates(IReadOnlyList<string> own, IReadOnlyList<string> mounts)
    {
        foreach (var line in mounts)
        {
            // 35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory: root and mount point, see proc(5).
            var halves = line.Split(" - ");
            var (left, right) = (halves[0].Split(' '), halves[1].Split(' '));
            var isV2 = right[0] == "cgroup2";
            if (!isV2 && !(right[0] == "cgroup" && right[2].Split(',').Contains("memory")))
                continue;
            var path = own.Select(entry => entry.Split(':', 3))
                .FirstOrDefault(entry => isV2 ? entry[0] == "0" : entry[1].Split(',').Contains("memory"))?[2];
            if (path is null)
                continue;
            // The root of the mount is what of the hierarchy is to be seen there: in a container often its own group.
            var (root, at) = (left[3].TrimEnd('/'), left[4]);
            var rest = path.StartsWith(root, StringComparison.Ordinal) ? path[root.Length..].Trim('/') : "";
            for (; rest.Length > 0; rest = Path.GetDirectoryName(rest) ?? "")
                yield return (Path.Combine(at, rest), isV2);
            yield return (at, isV2);
        }
    }

    public async Task WriteScriptAsync()
    {
        await File.WriteAllTextAsync(Script, $"#!/bin/sh\n{Enter}\nexec '{Program}' \"$@\"\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    public async ValueTask DisposeAsync()
    {
        File.Delete(Program);
        File.Delete(Script);
        // Empty only once the kernel has buried the process.
        await Eventually.TrueAsync("the cgroup could be removed", () => { Directory.Delete(_directory); return true; });
    }

    private static void RemoveLeftOvers(string directory)
    {
        foreach (var old in Directory.EnumerateDirectories(directory, Prefix + "*"))
        {
            try
            {
                Directory.Delete(old);
            }
            catch (IOException)
            {
                // Not left over: a process runs in it.
            }
        }
    }

    private long Read(string file) => long.Parse(File.ReadAllText(Path.Combine(_directory, file)), CultureInfo.InvariantCulture);

    private long Event(string file, string name) => long.Parse(
        File.ReadLines(Path.Combine(_directory, file))
            .First(line => line.StartsWith(name + " ", StringComparison.Ordinal)).Split(' ')[1],
        CultureInfo.InvariantCulture);
}
