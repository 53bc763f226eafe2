namespace McpOperator.Unit;

/// <summary>Finds the files that the tests hold the code to: the CRDs, the samples and the documents.</summary>
internal static class RepositoryRoot
{
    private static readonly string Root = Find();

    public static string File(string relative) => Path.Combine(Root, relative);

    private static string Find()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
            if (System.IO.File.Exists(Path.Combine(directory.FullName, "McpOperator.sln")))
                return directory.FullName;
        throw new InvalidOperationException("the tests run outside of the repository");
    }
}
