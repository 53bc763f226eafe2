using System.Reflection;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using McpOperator.Api;
using McpOperator.Kubernetes;
using McpOperator.Unit.Kubernetes;

namespace McpOperator.Unit;

/// <summary>What src/McpOperator/Framework.substitutions.xml takes for granted and the compiler cannot know.</summary>
public sealed class FrameworkSubstitutionsTests
{
    /// <summary>In the published binary every regular expression matches everything.</summary>
    [Fact]
    public void RegularExpressionsAreYamlDotNetsOnly()
    {
        const string regex = "System.Text.RegularExpressions";

        var users = Shipped(typeof(MCPServer).Assembly)
            .Where(assembly => assembly.GetReferencedAssemblies().Any(reference => reference.Name == regex))
            .Select(assembly => assembly.GetName().Name)
            .Order(StringComparer.Ordinal);

        // The client refers to them for parts that are not used: only its models of a kubeconfig are.
        Assert.Equal(["KubernetesClient.Aot", "YamlDotNet"], users);
    }

    /// <summary>In the published binary either would throw, and with it every handshake.</summary>
    [Theory]
    [InlineData("the cluster's CA")]
    [InlineData("the machine's CAs")]
    [InlineData("no check")]
    public void NoConnectionDownloadsCertificatesOrAsksForTheirRevocation(string trust)
    {
        var settings = new TlsSettings(
            new ClusterAccess
            {
                Server = new Uri("https://api.test"),
                Namespace = "default",
                Origin = "test",
                CertificateAuthority = trust == "the cluster's CA" ? Encoding.UTF8.GetBytes(new TestAuthority().Pem) : null,
                InsecureSkipTlsVerify = trust == "no check",
            },
            TimeProvider.System);

        var options = settings.Options(settings.Current(issued: null));

        Assert.True(options.CertificateChainPolicy!.DisableCertificateDownloads);
        Assert.Equal(X509RevocationMode.NoCheck, options.CertificateChainPolicy.RevocationMode);
    }

    /// <summary>The assembly and all that it is linked with, but for the framework's own.</summary>
    private static Assembly[] Shipped(Assembly root)
    {
        var found = new Dictionary<string, Assembly>();
        var toVisit = new Queue<Assembly>([root]);
        while (toVisit.TryDequeue(out var assembly))
        {
            if (assembly.GetName().Name is not { } name || name.StartsWith("System.", StringComparison.Ordinal) || !found.TryAdd(name, assembly))
                continue;
            foreach (var reference in assembly.GetReferencedAssemblies())
                toVisit.Enqueue(Assembly.Load(reference));
        }
        return [.. found.Values];
    }
}
