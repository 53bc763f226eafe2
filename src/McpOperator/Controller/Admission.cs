namespace McpOperator.Controller;

/// <summary>
/// Who may be worked on at the same time. A namespace has its share and no more, so that what hangs in one (a webhook of its own takes
/// up to 30 s) keeps no other waiting. What is large is counted by bytes as well: as many of them at once as there are workers would take
/// more memory than a container has. What is small goes on meanwhile. Safe for any number of threads.
/// </summary>
/// <param name="workers">For one namespace.</param>
/// <param name="bytes">For one namespace.</param>
/// <param name="namespaces">So many can use up their bytes.</param>
internal sealed class Admission(int workers, int bytes, int namespaces)
{
    /// <summary>How soon one that has to wait is to ask again.</summary>
    public static readonly TimeSpan NamespaceDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>What has fewer bytes is not counted.</summary>
    private const int Small = 16 * 1024;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (int Workers, int Bytes)> _busy = new(StringComparer.Ordinal);
    private int _bytes;

    /// <param name="length">What it takes, in bytes. Whatever has more than a namespace may use takes all of that.</param>
    /// <returns>False when it has to wait; null never lets go of anything.</returns>
    public Ticket? TryEnter(string ns, int length)
    {
        length = length < Small ? 0 : Math.Min(length, bytes);
        lock (_lock)
        {
            var busy = _busy.GetValueOrDefault(ns);
            if (busy.Workers >= workers || busy.Bytes + length > bytes || _bytes + length > namespaces * bytes)
                return null;
            _busy[ns] = (busy.Workers + 1, busy.Bytes + length);
            _bytes += length;
        }

        return new Ticket(this, ns, length);
    }

    private void Leave(string ns, int length)
    {
        lock (_lock)
        {
            var busy = _busy[ns];
            if (busy.Workers == 1)
                _busy.Remove(ns);
            else
                _busy[ns] = (busy.Workers - 1, busy.Bytes - length);
            _bytes -= length;
        }
    }

    /// <summary>To be disposed of once, when the work is done.</summary>
    public sealed class Ticket(Admission admission, string ns, int length) : IDisposable
    {
        public void Dispose() => admission.Leave(ns, length);
    }
}
