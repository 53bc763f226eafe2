namespace McpOperator.Commands.Manifests;

/// <summary>The files that <c>-f</c> names, by kubectl's rules.</summary>
internal static class ManifestFiles
{
    /// <summary>Standard input.</summary>
    public const string Input = "-";

    /// <summary>Far more than any list of manifests, and less than what would take the memory.</summary>
    private const int MaxSize = 64 * 1024 * 1024;

    /// <summary>Every file with its bytes, in order: a directory's in that of their names.</summary>
    /// <param name="isRecursive">Directories within directories too.</param>
    /// <exception cref="IOException">One cannot be read; the message is for a person.</exception>
    public static IEnumerable<(string Name, byte[] Bytes)> Read(IReadOnlyList<string> names, bool isRecursive, Func<Stream> input)
    {
        foreach (var name in names)
        {
            if (name == Input)
                yield return (name, Bytes(name, input));
            else if (name.StartsWith("http://", StringComparison.Ordinal) || name.StartsWith("https://", StringComparison.Ordinal))
                throw new IOException($"{name}: no file; pipe what is there into -f -");
            else if (!Directory.Exists(name))
                yield return (name, Bytes(name, () => File.OpenRead(name)));
            else
            {
                var found = false;
                foreach (var file in Within(name, isRecursive))
                {
                    found = true;
                    yield return (file, Bytes(file, () => File.OpenRead(file)));
                }

                if (!found)
                    throw new IOException($"{name}: no file in it ends in .json, .yaml or .yml{(isRecursive ? "" : "; -R looks into the directories within")}");
            }
        }
    }

    /// <summary>As Go's filepath.Walk: by names, a directory's files where its own name stands.</summary>
    private static IEnumerable<string> Within(string directory, bool isRecursive)
    {
        string[] entries;
        try
        {
            entries = Directory.GetFileSystemEntries(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{directory}: {Reason(e)}");
        }

        foreach (var entry in entries.OrderBy(Path.GetFileName, StringComparer.Ordinal))
        {
            // Null, and no exception, where one may list the directory and not look at what is in it: reading it says so.
            var isLink = new FileInfo(entry).LinkTarget is not null;
            if (Directory.Exists(entry) && !isLink)
            {
                if (!isRecursive)
                    continue;
                foreach (var file in Within(entry, isRecursive))
                    yield return file;
            }
            else if (Path.GetExtension(entry) is ".json" or ".yaml" or ".yml")
                yield return entry;
        }
    }

    private static byte[] Bytes(string name, Func<Stream> open)
    {
        try
        {
            using var stream = open();
            using var bytes = new MemoryStream();
            var block = new byte[81920];
            for (int read; (read = stream.Read(block)) > 0;)
            {
                bytes.Write(block, 0, read);
                if (bytes.Length > MaxSize)
                    throw new IOException("larger than 64 MiB");
            }

            return bytes.ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{name}: {Reason(e)}");
        }
    }

    // .NET's own messages name the whole path again.
    private static string Reason(Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => "no such file or directory",
        UnauthorizedAccessException => "permission denied",
        _ => e.Message,
    };
}
