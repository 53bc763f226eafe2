namespace McpOperator.Envtest;

/// <summary>The published binary where there is nothing else, as in an image made FROM scratch.</summary>
public sealed class EmptyRootTests(ControlPlaneFixture fixture)
{
    [Fact]
    public async Task ItReconcilesInARootDirectoryThatHoldsTheBinaryAndAKubeconfigAndNothingElse()
    {
        fixture.RequireOwn("a kubeconfig with its certificates in it");
        var binary = OperatorBinary.Find();
        Assert.SkipUnless(await IsStaticAsync(binary), $"{binary} is not a static binary: `make publish` makes one on Linux");
        await Isolation.RequireAsync("chroot / /bin/true", "the root directory is replaced");
        var root = Directory.CreateTempSubdirectory("empty-root-");
        var outside = Directory.CreateTempSubdirectory("empty-root-script-");
        await using var ns = await TestNamespace.CreateAsync(fixture.ControlPlane);
        File.Copy(binary, Path.Combine(root.FullName, "mcp-operator"));
        File.Copy(fixture.ControlPlane.Kubeconfig(ns.OperatorUser), Path.Combine(root.FullName, "kubeconfig"));
        var script = await Isolation.ScriptAsync(outside, $"exec env -i \"$(command -v chroot)\" --userspec=65532:65532 {root.FullName} /mcp-operator \"$@\"");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(root.FullName, (UnixFileMode)0b111_101_101);
            File.SetUnixFileMode(Path.Combine(root.FullName, "kubeconfig"), (UnixFileMode)0b100_100_100);
            File.SetUnixFileMode(Path.Combine(root.FullName, "mcp-operator"), (UnixFileMode)0b101_101_101);
        }

        await using (var process = await OperatorProcess.StartAsync(fixture.ControlPlane, ns, new()
        {
            Binary = script,
            Kubeconfig = "/kubeconfig",
            Arguments = ["--metrics-bind-address", "127.0.0.1:0"],
        }))
        {
            await fixture.Client.CreateAsync(
                "{apiVersion: mcpruntime.org/v1alpha1, kind: MCPServer, metadata: {name: web}, spec: {image: example.org/web}}", ns.Name);
            await Eventually.TrueAsync(
                "the server was reported",
                () => fixture.Client.GetAsync(Resource.MCPServers, ns.Name, "web"),
                server => server["status"]?["observedGeneration"] is not null);
            Assert.NotNull(await fixture.Client.FindAsync(Resource.Ingresses, ns.Name, "web"));
            Assert.Equal(200, (int)(await process.GetAsync("/readyz")).Code);
            Assert.Equal(200, (int)(await process.GetAsync("/metrics")).Code);
            Assert.Equal(0, await process.StopAsync());
            Assert.DoesNotContain(process.Log, entry => (string?)entry["level"] is not "info");
        }

        // It has not left anything there either.
        Assert.Equal(["kubeconfig", "mcp-operator"], Directory
            .EnumerateFileSystemEntries(root.FullName, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(root.FullName, path)).Order(StringComparer.Ordinal));
        root.Delete(true);
        outside.Delete(true);
    }

    /// <summary>An ELF file without an interpreter (PT_INTERP) needs no loader.</summary>
    private static async Task<bool> IsStaticAsync(string path)
    {
        await using var file = File.OpenRead(path);
        var header = new byte[4096];
        var length = await file.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false);
        if (length < 64 || !header.AsSpan(0, 4).SequenceEqual("\u007fELF"u8) || header[4] != 2)
            return false;
        var offset = (int)BitConverter.ToInt64(header, 32);
        var size = BitConverter.ToInt16(header, 54);
        var count = BitConverter.ToInt16(header, 56);
        for (var i = 0; i < count && offset + (i * size) + 4 <= length; i++)
        {
            if (BitConverter.ToInt32(header, offset + (i * size)) == 3)
                return false;
        }
        return true;
    }
}
