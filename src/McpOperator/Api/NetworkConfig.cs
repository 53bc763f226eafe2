using System.Text.Json;

namespace McpOperator.Api;

/// <summary>Who may reach a server, and what it may reach. Peers are the API's own JSON (networking.k8s.io/v1).</summary>
internal sealed record NetworkConfig
{
    /// <summary>NetworkPolicyPeers; null for anybody, empty for nobody.</summary>
    public JsonElement? IngressFrom { get; init; }

    /// <summary>NetworkPolicyEgressRules; null for anything, empty for nothing.</summary>
    public JsonElement? EgressTo { get; init; }
}

/// <summary>The form of what is handed on; whether it makes sense the API server says.</summary>
internal static class NetworkValidation
{
    private static readonly string[] RuleFields = ["to", "ports"];
    private static readonly string[] PortFields = ["protocol", "port", "endPort"];
    private static readonly string[] PeerFields = ["podSelector", "namespaceSelector", "ipBlock"];
    private static readonly string[] SelectorFields = ["matchLabels", "matchExpressions"];
    private static readonly string[] ExpressionFields = ["key", "operator", "values"];
    private static readonly string[] BlockFields = ["cidr", "except"];

    public static void Check(SpecFaults faults, MCPServerSpec spec)
    {
        if (spec.Network is not { } network)
            return;
        if (network is { IngressFrom: null, EgressTo: null })
            faults.Add("spec.network", "must have ingressFrom, egressTo or both: it would allow everything");
        foreach (var list in (ReadOnlySpan<JsonElement?>)[network.IngressFrom, network.EgressTo])
        {
            if (list is { } given && FieldValidation.IsTooLarge(faults, "spec.network", given, "has a list of"))
                return;
        }

        if (network.IngressFrom is { } from)
            Items(faults, "spec.network.ingressFrom", from, Peer);
        if (network.EgressTo is { } to)
            Items(faults, "spec.network.egressTo", to, Rule);
    }

    private static void Rule(SpecFaults faults, string field, JsonElement rule)
    {
        if (!IsObject(faults, field, rule, RuleFields))
            return;
        if (rule.Child("to"u8) is { } peers)
            Items(faults, $"{field}.to", peers, Peer);
        if (rule.Child("ports"u8) is { } ports)
            Items(faults, $"{field}.ports", ports, static (faults, field, port) => IsObject(faults, field, port, PortFields));
    }

    private static void Peer(SpecFaults faults, string field, JsonElement peer)
    {
        if (!IsObject(faults, field, peer, PeerFields))
            return;
        var (pods, namespaces, block) = (peer.Child("podSelector"u8), peer.Child("namespaceSelector"u8), peer.Child("ipBlock"u8));
        if (block is null == (pods ?? namespaces) is null)
            faults.Add(field, "must have an ipBlock, or a podSelector, a namespaceSelector or both");
        Selector(faults, $"{field}.podSelector", pods);
        Selector(faults, $"{field}.namespaceSelector", namespaces);
        if (block is not { } range || !IsObject(faults, $"{field}.ipBlock", range, BlockFields))
            return;
        if (string.IsNullOrEmpty(range.Text("cidr"u8)))
            faults.Add($"{field}.ipBlock.cidr", FieldValidation.Required);
        if (range.Child("except"u8) is { } except)
            Items(faults, $"{field}.ipBlock.except", except, Text);
    }

    private static void Selector(SpecFaults faults, string field, JsonElement? selector)
    {
        if (selector is not { } given || !IsObject(faults, field, given, SelectorFields))
            return;
        if (given.Child("matchExpressions"u8) is { } expressions)
            Items(faults, $"{field}.matchExpressions", expressions, Expression);
        if (given.Child("matchLabels"u8) is not { } labels)
            return;
        if (labels.ValueKind != JsonValueKind.Object)
            faults.Add($"{field}.matchLabels", "must be an object");
        else
            foreach (var label in labels.EnumerateObject())
                Text(faults, $"{field}.matchLabels[{SpecFaults.Plain(label.Name)}]", label.Value);
    }

    private static void Expression(SpecFaults faults, string field, JsonElement expression)
    {
        if (IsObject(faults, field, expression, ExpressionFields) && expression.Child("values"u8) is { } values)
            Items(faults, $"{field}.values", values, Text);
    }

    /// <summary>A null, as of a template's empty value, would be dropped, and more be let in than was meant.</summary>
    private static void Text(SpecFaults faults, string field, JsonElement text)
    {
        if (text.ValueKind != JsonValueKind.String)
            faults.Add(field, "must be a text");
    }

    private static void Items(SpecFaults faults, string field, JsonElement list, Action<SpecFaults, string, JsonElement> check)
    {
        if (list.ValueKind != JsonValueKind.Array)
        {
            faults.Add(field, "must be a list");
            return;
        }

        var i = 0;
        foreach (var item in list.EnumerateArray())
            check(faults, $"{field}[{i++}]", item);
    }

    /// <summary>A misspelt field would be dropped by the API server, and the policy be another than was meant.</summary>
    private static bool IsObject(SpecFaults faults, string field, JsonElement json, string[] known)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            faults.Add(field, "must be an object");
            return false;
        }

        foreach (var member in json.EnumerateObject())
        {
            if (!known.Contains(member.Name))
                faults.Add($"{field}.{SpecFaults.Plain(member.Name)}", $"is not known: there are {string.Join(", ", known)}");
        }

        return true;
    }
}
