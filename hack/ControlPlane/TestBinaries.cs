using System.Diagnostics;

namespace McpOperator.Testing;

/// <summary>
/// Where kube-apiserver and etcd are, by envtest's convention: TEST_ASSET_KUBE_APISERVER and TEST_ASSET_ETCD name the
/// files, KUBEBUILDER_ASSETS the directory; else <c>hack/envtest</c> gets them.
/// </summary>
public sealed record TestBinaries(string KubeApiServer, string Etcd)
{
    public static async Task<TestBinaries> FindAsync(Action<string> progress, CancellationToken cancellation = default)
    {
        var apiServer = Environment.GetEnvironmentVariable("TEST_ASSET_KUBE_APISERVER");
        var etcd = Environment.GetEnvironmentVariable("TEST_ASSET_ETCD");
        if (!string.IsNullOrEmpty(apiServer) && !string.IsNullOrEmpty(etcd))
            return new(Existing(apiServer, "TEST_ASSET_KUBE_APISERVER"), Existing(etcd, "TEST_ASSET_ETCD"));

        var assets = Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS");
        if (string.IsNullOrEmpty(assets) || !IsComplete(assets))
            assets = await AskScriptAsync(progress, cancellation);
        return new(
            string.IsNullOrEmpty(apiServer) ? Path.Combine(assets, "kube-apiserver") : Existing(apiServer, "TEST_ASSET_KUBE_APISERVER"),
            string.IsNullOrEmpty(etcd) ? Path.Combine(assets, "etcd") : Existing(etcd, "TEST_ASSET_ETCD"));
    }

    private static bool IsComplete(string directory) =>
        File.Exists(Path.Combine(directory, "kube-apiserver")) && File.Exists(Path.Combine(directory, "etcd"));

    private static string Existing(string path, string variable) =>
        File.Exists(path) ? path : throw new FileNotFoundException($"{variable}={path}: there is no such file", path);

    private static async Task<string> AskScriptAsync(Action<string> progress, CancellationToken cancellation)
    {
        var script = Repository.PathTo("hack", "envtest");
        using var process = Process.Start(new ProcessStartInfo(script) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var lastLine = "";
        process.ErrorDataReceived += (_, e) =>
        {
            if (string.IsNullOrEmpty(e.Data))
                return;
            lastLine = e.Data;
            progress(e.Data);
        };
        process.BeginErrorReadLine();
        var answer = await process.StandardOutput.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return process.ExitCode == 0 ? answer.Trim() : throw new InvalidOperationException($"{script} failed: {lastLine}");
    }
}
