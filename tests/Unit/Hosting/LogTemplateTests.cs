using System.Reflection;
using McpOperator.Controller;
using Microsoft.Extensions.Logging;

namespace McpOperator.Unit.Hosting;

public sealed class LogTemplateTests
{
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance;

    /// <summary>A line has each field once, and the innermost one counts: the object that the line is about would be lost.</summary>
    [Fact]
    public void NoMessageHasAFieldOfTheScope()
    {
        var scope = new ReconcileScope(1, new("ns", "name")).Select(field => field.Key.ToUpperInvariant()).ToList();
        var messages = typeof(ReconcileScope).Assembly.GetTypes().SelectMany(type => type.GetMethods(All))
            .Where(method => method.GetCustomAttribute<LoggerMessageAttribute>() is not null).ToList();

        Assert.True(messages.Count > 50);
        Assert.Empty(messages.Where(message => message.GetParameters().Any(parameter => scope.Contains(parameter.Name!.ToUpperInvariant())))
            .Select(message => message.Name));
    }
}
