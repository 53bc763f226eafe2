namespace McpOperator.Kubernetes;

/// <summary>
/// A small file that someone rotates: a token, a certificate. Read again when a minute has passed (client-go's
/// transport/token_source.go), by content, because a mounted Secret is replaced by moving a link. What was read last
/// stays in force while the file cannot be read, or is empty.
/// </summary>
internal sealed class ReloadedFile(string path, TimeProvider time)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private byte[]? _content;
    private long _readAt;
    private bool _expired;

    public string Path => path;

    /// <summary>The content; the same array for as long as it is the same content.</summary>
    /// <exception cref="HttpRequestException">It has never been readable. Names the path, never the content.</exception>
    public byte[] Read()
    {
        lock (_lock)
        {
            if (_content is not null && !_expired && time.GetElapsedTime(_readAt) < Period)
                return _content;

            try
            {
                var content = File.ReadAllBytes(path);
                // Somebody has cut it off and is about to write it: look again at the next call.
                if (content.Length == 0)
                    return _content ?? content;
                if (_content is null || !content.AsSpan().SequenceEqual(_content))
                    _content = content;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (_content is null)
                    throw new HttpRequestException($"{path}: {e.Message}", e);
            }
            _readAt = time.GetTimestamp();
            _expired = false;
            return _content;
        }
    }

    /// <summary>Has the next <see cref="Read"/> look at the file.</summary>
    public void Expire()
    {
        lock (_lock)
            _expired = true;
    }
}
