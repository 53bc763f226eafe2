using System.Globalization;

namespace McpOperator.Api;

/// <summary>
/// How many bytes a spec may have. The API server takes a megabyte and more, and whoever may create one object could so fill the memory
/// that all servers share.
/// </summary>
internal static class SpecSize
{
    /// <summary>Of an MCPServer: a thousand tools, each with a description of some hundred words.</summary>
    public const int Most = 512 * 1024;

    /// <summary>Of a grant or session: more than any within the bounds of its fields has, and more than a policy takes of one.</summary>
    public const int MostOfAccess = 128 * 1024;

    /// <summary>Null when there is nothing wrong with it.</summary>
    public static SpecFault? Fault(int bytes, int most = Most) => bytes <= most ? null : new("spec", string.Create(
        CultureInfo.InvariantCulture, $"has {bytes} bytes, and must not have more than {most}: shorten its lists and descriptions"));
}
