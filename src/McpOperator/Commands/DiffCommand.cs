using McpOperator.Commands.Manifests;
using McpOperator.Hosting;
using McpOperator.Kubernetes;

namespace McpOperator.Commands;

/// <summary>
/// <c>diff</c>: what the operator would change in a cluster for the servers among manifests. Exit codes as kubectl diff: 0 for
/// nothing, 1 for something, 2 when it cannot tell.
/// </summary>
internal static class DiffCommand
{
    public static IReadOnlyList<Flag<ManifestOptions>> Flags { get; } = [.. ManifestFlags.Input, ManifestFlags.Kubeconfig];

    /// <param name="error">What is wrong, and what the operator would report.</param>
    public static async Task<int> ExecuteAsync(IReadOnlyList<string> arguments, Func<Stream> input, TextWriter output, TextWriter error)
    {
        if (ManifestInput.Read(arguments, Flags, "diff", input, output, error, out var exitCode) is not { } given)
            return exitCode;
        if (given.IsRefused(error, reports: false))
            return 2;
        try
        {
            var access = new ConnectionSource().Find(given.Options.Kubeconfig);
            CertificateStores.OpenOnlyWhatIsNeeded(access);
            using var connection = new Connection(access, TimeProvider.System);
            using var api = new ApiClient(Product.Identity, connection, TimeProvider.System);
            var diff = new ClusterDiff(api, given, error);
            await diff.RunAsync().ConfigureAwait(false);
            output.Write(diff.Text.Length > 0 ? diff.Text : diff.IsComplete ? "No changes\n" : "");
            return !diff.IsComplete ? 2 : diff.Text.Length > 0 ? 1 : 0;
        }
        catch (Exception exception) when (exception is ConnectionException or HttpRequestException or ApiException)
        {
            return Usage.Fail(error, Printable.Escape(exception.Message));
        }
    }
}
