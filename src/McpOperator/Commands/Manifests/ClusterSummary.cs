using System.Text;
using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Hosting;

namespace McpOperator.Commands.Manifests;

/// <summary>What a person wants to know first of all that would become of a cluster: by what it means for those who use it.</summary>
internal sealed class ClusterSummary
{
    private readonly (string Title, List<string> Lines)[] _sections =
    [
        ("Pods are replaced", []),
        ("Objects change, and no pod", []),
        ("Routes change", []),
        ("Specs are refused", []),
        ("Specs are doubtful", []),
        ("Grants and sessions do not count", []),
        ("Also", []),
    ];

    public bool IsEmpty => Array.TrueForAll(_sections, static section => section.Lines.Count == 0);

    /// <param name="before">As people read it (<see cref="PrintedObject"/>); null when there is none.</param>
    /// <param name="after">As it would be; null when there would be none.</param>
    public void Changed(ResourceType type, ObjectKey key, JsonElement? before, JsonElement? after)
    {
        List<string> fields = before is { } present && after is { } wanted ? [.. ChangedFields.Of(present, wanted)] : [before is null ? "created" : "deleted"];
        if (fields.Count == 0)
            return;
        var isRollout = type == ResourceTypes.Deployment && before is not null
            && (after is null || fields.Exists(static field => field.StartsWith("spec.template", StringComparison.Ordinal)));
        Add(isRollout ? 0 : 1, $"{type.Kind} {key}: {string.Join(", ", fields)}");
        if (type != ResourceTypes.Ingress)
            return;
        var (served, serves) = (RoutesOf(before), RoutesOf(after));
        if (!served.SequenceEqual(serves))
            Add(2, $"MCPServer {key}: {Text(served)} before, {Text(serves)} after");

        static string Text(List<string> routes) => routes.Count == 0 ? "none" : string.Join(", ", routes);
    }

    public void Conflict(ObjectKey server, Problem problem) => Add(problem.Reason == Reasons.RouteConflict ? 2 : 6, $"MCPServer {server}: {problem.Reason}: {problem.Message}");

    public void Refused(ObjectKey server, IReadOnlyList<SpecFault> faults) => Add(3, $"MCPServer {server}: {string.Join("; ", faults)}");

    public void Doubtful(ObjectKey server, IReadOnlyList<SpecFault> doubts) => Add(4, $"MCPServer {server}: {string.Join("; ", doubts)}");

    public void Rejected(string member, string why) => Add(5, $"{member}: {why}");

    /// <param name="servers">How many were looked at.</param>
    public string Text(int servers)
    {
        var text = new StringBuilder();
        text.Append(servers).Append(servers == 1 ? " MCPServer: " : " MCPServers: ")
            .AppendJoin(", ", _sections.Take(6).Select(static section => $"{section.Title.ToLowerInvariant()}: {section.Lines.Count}")).Append('\n');
        foreach (var (title, lines) in _sections)
        {
            if (lines.Count == 0)
                continue;
            text.Append('\n').Append(title).Append(":\n");
            foreach (var line in lines)
                text.Append("  ").Append(line).Append('\n');
        }

        return text.ToString();
    }

    private void Add(int section, string line) => _sections[section].Lines.Add(Printable.Escape(line));

    private static List<string> RoutesOf(JsonElement? ingress)
    {
        var routes = new List<string>();
        if (ingress?.Child("spec"u8) is not { } spec || spec.Child("rules"u8) is not { ValueKind: JsonValueKind.Array } rules)
            return routes;
        foreach (var rule in rules.EnumerateArray())
        {
            if (rule.Child("http"u8)?.Child("paths"u8) is not { ValueKind: JsonValueKind.Array } paths)
                continue;
            foreach (var path in paths.EnumerateArray())
                routes.Add($"{rule.Text("host"u8)}{path.Text("path"u8)} ({spec.Text("ingressClassName"u8)})");
        }

        return routes;
    }
}
