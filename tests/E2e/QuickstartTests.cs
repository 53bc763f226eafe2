using System.Text.RegularExpressions;

namespace McpOperator.E2e;

/// <summary>docs/quickstart.md as a reader goes through it: every command, and what it prints.</summary>
public sealed partial class QuickstartTests
{
    [Fact]
    public async Task ItsCommandsPrintWhatItSays()
    {
        var blocks = Blocks(await File.ReadAllTextAsync(Repository.PathTo("docs", "quickstart.md")));
        Assert.InRange(blocks.Count, 10, 30);
        await using var shell = await Shell.StartAsync();
        try
        {
            foreach (var (commands, output) in blocks)
            {
                // A reader who sees something else yet looks again; what has no output to be seen has to succeed at once.
                if (output is not null)
                    await Eventually.TrueAsync($"{commands} printed\n{output}", () => shell.RunAsync(commands), ran => Matches(output, ran.Text), Cluster.Limit);
                else if (await shell.RunAsync(commands) is { Code: not 0 } ran)
                    throw new InvalidOperationException($"{commands} failed with {ran.Code}:\n{ran.Text}");
            }
        }
        finally
        {
            await Script.KubectlAsync("delete", "namespace", "quickstart", "--ignore-not-found", "--wait=false");
        }
    }

    /// <summary>Each block of commands, with the output that follows it, if one does.</summary>
    private static List<(string Commands, string? Output)> Blocks(string document)
    {
        var blocks = new List<(string, string?)>();
        foreach (Match match in Fence().Matches(document))
        {
            if (match.Groups[1].Value == "sh")
                blocks.Add((match.Groups[2].Value, null));
            else
                blocks[^1] = blocks[^1] with { Item2 = match.Groups[2].Value };
        }
        return blocks;
    }

    /// <summary>Each line is printed, in this order; … stands for anything.</summary>
    private static bool Matches(string output, string printed)
    {
        var rest = new Queue<string>(printed.Split('\n'));
        return output.Trim().Split('\n').All(line =>
        {
            var pattern = $"^{Regex.Escape(line).Replace("…", ".*", StringComparison.Ordinal)}$";
            while (rest.TryDequeue(out var candidate))
                if (Regex.IsMatch(candidate, pattern))
                    return true;
            return false;
        });
    }

    [GeneratedRegex("^```(sh|text)\n(.*?)^```$", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fence();

    /// <summary>One shell for all of it, as variables and background jobs last.</summary>
    private sealed class Shell : IAsyncDisposable
    {
        private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("quickstart-");
        private TetheredProcess _process = null!;

        public static async Task<Shell> StartAsync()
        {
            var shell = new Shell();
            // By files, since a tethered process has no standard input. With a kubeconfig of its own, which some of the commands change.
            var loop = $$"""
                cd '{{Repository.PathTo()}}'
                cp "$KUBECONFIG" '{{shell._directory.FullName}}/kubeconfig'
                export KUBECONFIG='{{shell._directory.FullName}}/kubeconfig'
                while :; do
                  if [ -e '{{shell._directory.FullName}}/run' ]; then
                    rm '{{shell._directory.FullName}}/run'
                    failed=0
                    trap failed=1 ERR # any of the commands, not the last one alone
                    source '{{shell._directory.FullName}}/commands' >'{{shell._directory.FullName}}/output' 2>&1 </dev/null
                    trap - ERR
                    echo $failed >'{{shell._directory.FullName}}/code.new'
                    mv '{{shell._directory.FullName}}/code.new' '{{shell._directory.FullName}}/code'
                  fi
                  sleep 0.1
                done
                """;
            shell._process = await TetheredProcess.StartAsync("bash", ["-c", loop], _ => { });
            return shell;
        }

        public async Task<(int Code, string Text)> RunAsync(string commands)
        {
            var code = Path.Combine(_directory.FullName, "code");
            File.Delete(code);
            await File.WriteAllTextAsync(Path.Combine(_directory.FullName, "commands"), commands);
            await File.WriteAllTextAsync(Path.Combine(_directory.FullName, "run"), "");
            await Eventually.TrueAsync($"it ended: {commands}", () => File.Exists(code), 2 * Cluster.Limit);
            return (int.Parse(await File.ReadAllTextAsync(code), System.Globalization.CultureInfo.InvariantCulture),
                await File.ReadAllTextAsync(Path.Combine(_directory.FullName, "output")));
        }

        public async ValueTask DisposeAsync()
        {
            await _process.DisposeAsync();
            _directory.Delete(recursive: true);
        }
    }
}
