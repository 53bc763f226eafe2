using System.Reflection;
using McpOperator.Api;

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
