using System.Reflection;
using System.Runtime.InteropServices;

namespace McpOperator.Commands;

/// <summary>What this binary was built from: a release says <c>version+commit</c>, and what is none the version alone (hack/publish).</summary>
internal static class BuildInfo
{
    private static readonly string[] Parts =
        (Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion ?? "unknown").Split('+', 2);

    public static string Version => Parts[0];

    public static string Commit => Parts.Length > 1 ? Parts[1] : "unknown";

    public static string Runtime { get; } =
        $"{RuntimeInformation.FrameworkDescription} {RuntimeInformation.RuntimeIdentifier}";
}
