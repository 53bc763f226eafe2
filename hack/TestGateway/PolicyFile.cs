namespace McpOperator.Testing;

/// <summary>
/// The document that is in force: the last valid one that the file held. It is read four times a second, since what the kubelet
/// replaces is a link of a directory, of which a watch on the file hears nothing.
/// </summary>
internal sealed class PolicyFile(string path, string? server, string? @namespace) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private byte[] _bytes = [];

    public PolicyDocument? Current { get; private set; }

    /// <summary>Why the last reading gave nothing new; empty when it did.</summary>
    public string Problem { get; private set; } = "not read yet";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            Look();
            await Task.Delay(Interval, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Look()
    {
        try
        {
            var bytes = File.ReadAllBytes(path);
            if (Problem.Length == 0 && bytes.AsSpan().SequenceEqual(_bytes))
                return;
            Current = PolicyDocument.Read(bytes, server, @namespace);
            _bytes = bytes;
            Problem = "";
            Console.WriteLine($"policy {Current.Revision} is in force: {Current.Grants.Count} grants, {Current.Sessions.Count} sessions");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            if (Problem != e.Message)
                Console.Error.WriteLine($"error: {path}: {Problem = e.Message}");
        }
    }
}
