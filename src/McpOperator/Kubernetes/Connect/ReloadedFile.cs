namespace McpOperator.Kubernetes;

/// <summary>
/// A small file that is rotated: a token, a certificate. It is read again when a minute has passed (client-go's
/// transport/token_source.go), and compared by content, because a mounted Secret is replaced by moving a link. While the file
/// cannot be read, or is empty, the last content stays in force.
/// </summary>
internal sealed class ReloadedFile(string path, TimeProvider time)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private byte[]? _content;
    private long _readAt;
    private bool _expired;

    public string Path => path;

    /// <summary>The content. The same array is returned until the content changes.</summary>
    /// <exception cref="HttpRequestException">The file has never been readable. The message names the path.</exception>
    public byte[] Read()
    {
        lock (_lock)
        {
            if (_content is not null && !_expired && time.GetElapsedTime(_readAt) < Period)
                return _content;

            try
            {
                var content = File.ReadAllBytes(path);
                // Its writer has truncated it and not written it yet: it is read again at the next call.
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

    /// <summary>Makes the next <see cref="Read"/> read the file, however short the last one is ago.</summary>
    public void Expire()
    {
        lock (_lock)
            _expired = true;
    }
}
