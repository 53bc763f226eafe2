using McpOperator.Commands.Manifests;
using McpOperator.Hosting;

namespace McpOperator.Commands;

/// <summary>
/// <c>diff</c>: what the operator would change in a cluster for the servers among manifests. Exit codes as kubectl diff: 0 for
/// nothing, 1 for something, 2 when it cannot tell.
/// </summary>
internal static class DiffCommand
{
    public static IReadOnlyList<Flag<ManifestOptions>> Flags { get; } = [.. ManifestFlags.Input, ManifestFlags.AllNamespaces, ManifestFlags.Kubeconfig];

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
            var diff = new ClusterDiff(api, given, TimeProvider.System, error);
            try
            {
                await diff.RunAsync().ConfigureAwait(false);
            }
            finally
            {
                // What is known is worth telling, whatever came after it.
                output.Write(diff.Text);
            }

            if (!diff.IsComplete)
                return 2;
            if (diff.HasChanges)
                return 1;
            output.Write("No changes\n");
            return 0;
        }
        catch (Exception exception) when (exception is ConnectionException or HttpRequestException or ApiException)
        {
            return Usage.Fail(error, Printable.Escape(exception.Message));
        }
    }
}
