using McpOperator.Api;

namespace McpOperator.Servers.Readiness;

/// <summary>How many bytes a server may still send, over all of its answers: it may send without end.</summary>
internal sealed class ByteAllowance
{
    /// <summary>In all: lists of tools may have many pages.</summary>
    private const int Most = 1024 * 1024;

    /// <summary>Of one message, which is held in memory: eight at a time, and a list of tools with long descriptions has some hundred kilobytes.</summary>
    private const int LongestMessage = 256 * 1024;

    private int _left = Most;

    /// <exception cref="McpFault">It has sent more.</exception>
    public void Take(int count)
    {
        _left -= count;
        if (_left < 0)
            throw new McpFault(Reasons.McpProtocolError, $"sent more than {Most / 1024} KiB");
    }

    /// <exception cref="McpFault">It is longer.</exception>
    public static void CheckMessage(long length)
    {
        if (length > LongestMessage)
            throw new McpFault(Reasons.McpProtocolError, $"sent a message of more than {LongestMessage / 1024} KiB");
    }
}
