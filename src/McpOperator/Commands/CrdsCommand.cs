using System.Reflection;

namespace McpOperator.Commands;

/// <summary><c>crds</c>: the CRDs that this very binary was built with, as one stream of YAML documents.</summary>
internal static class CrdsCommand
{
    internal const string Prefix = "crd/";

    public static int Execute(IReadOnlyList<string> arguments, TextWriter output, TextWriter error)
    {
        if (arguments.Count > 0)
            return Usage.Fail(error, "crds takes no arguments");
        var assembly = Assembly.GetExecutingAssembly();
        var documents = assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name =>
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
                return reader.ReadToEnd();
            });
        Write(documents, output);
        return 0;
    }

    /// <summary>Separates the documents, whether or not they begin with a separator of their own.</summary>
    internal static void Write(IEnumerable<string> documents, TextWriter output)
    {
        foreach (var document in documents)
        {
            var text = document.Trim('\n', '\r', '\uFEFF');
            if (!text.StartsWith("---", StringComparison.Ordinal))
                output.Write("---\n");
            output.Write(text);
            output.Write('\n');
        }
    }
}
