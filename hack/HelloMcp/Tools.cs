using System.ComponentModel;
using System.Text.Json.Serialization;
using ModelContextProtocol.Server;

namespace HelloMcp;

/// <summary>What a client can call.</summary>
internal sealed class Tools(string version)
{
    [McpServerTool(Name = "echo", ReadOnly = true), Description("Says back what it is told.")]
    public static string Echo([Description("What to say.")] string text) => text;

    [McpServerTool(Name = "add", ReadOnly = true), Description("Adds two numbers.")]
    public static double Add(double a, double b) => a + b;

    /// <summary>Names the pod and its version, so that a caller sees who of several answered.</summary>
    [McpServerTool(Name = "time", ReadOnly = true), Description("The time, and which server says so.")]
    public string Time() => $"{DateTime.UtcNow:O} by hello-mcp {version} on {Environment.MachineName}";
}

[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(double))]
internal sealed partial class ToolsJson : JsonSerializerContext;
