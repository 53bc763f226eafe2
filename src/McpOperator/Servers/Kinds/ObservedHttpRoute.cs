using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Servers.Diagnosis;

namespace McpOperator.Servers.Kinds;

/// <summary>An HTTPRoute, and what the controllers of its Gateways say of it.</summary>
internal sealed class ObservedHttpRoute : Observed
{
    private readonly List<Answer> _answers = [];

    public ObservedHttpRoute(JsonElement json, OwnedFields ours)
        : base(json, ours, Labels.OwnerOf(json))
    {
        if (json.Child("status"u8)?.Child("parents"u8) is not { ValueKind: JsonValueKind.Array } parents)
            return;
        foreach (var parent in parents.EnumerateArray())
        {
            if (parent.Child("parentRef"u8) is not { } reference)
                continue;
            var to = new ParentReference
            {
                Name = reference.Text("name"u8),
                Namespace = reference.Text("namespace"u8) ?? Key.Namespace,
                SectionName = reference.Text("sectionName"u8),
                Port = reference.Child("port"u8) is { ValueKind: JsonValueKind.Number } port && port.TryGetInt32(out var number) ? number : null,
            };
            _answers.Add(AnswerOf(to, parent.Child("conditions"u8), Generation));
        }
    }

    /// <summary>
    /// What is said of one parent; null while nobody says anything. Where several controllers do, one that serves it is enough, and a refusal says
    /// more than silence.
    /// </summary>
    public Answer? AnswerOf(ParentReference parent)
    {
        var asked = parent with { Namespace = parent.Namespace ?? Key.Namespace };
        Answer? best = null;
        foreach (var answer in _answers)
        {
            if (answer.Parent == asked && (best is null || answer.IsServed || (best is { IsServed: false, Refusal: null } && answer.Refusal is not null)))
                best = answer;
        }

        return best;
    }

    private static Answer AnswerOf(ParentReference parent, JsonElement? conditions, long generation)
    {
        var (isAccepted, isResolved, isWaiting, refusal) = (false, false, false, (string?)null);
        if (conditions is not { ValueKind: JsonValueKind.Array } all)
            return new(parent, false, null);
        foreach (var condition in all.EnumerateArray())
        {
            var (type, status) = (condition.Text("type"u8), condition.Text("status"u8));
            // That a part of it is invalid is bad news when it is true. One of another type does not keep it from being served.
            var isGood = status == (type == "PartiallyInvalid" ? "False" : "True");
            if (type is not ("Accepted" or "ResolvedRefs" or "Programmed" or "PartiallyInvalid"))
                continue;
            if (status == "Unknown" || (condition.Child("observedGeneration"u8) is not null && condition.Number("observedGeneration"u8) < generation))
                isWaiting |= type != "PartiallyInvalid";
            else if (!isGood)
                refusal ??= RefusalOf(condition);
            else
                (isAccepted, isResolved) = (isAccepted || type == "Accepted", isResolved || type == "ResolvedRefs");
        }

        return new(parent, isAccepted && isResolved && !isWaiting && refusal is null, refusal);
    }

    /// <summary>In the words of the controller, and what they ask for.</summary>
    private static string RefusalOf(JsonElement condition)
    {
        var reason = ForeignText.Clean(condition.Text("reason"u8));
        var message = ForeignText.Clean(condition.Text("message"u8));
        var advice = reason switch
        {
            "NotAllowedByListeners" => "allowedRoutes of the Gateway's listeners must let in routes of this namespace",
            "RefNotPermitted" => "a ReferenceGrant must allow it, in the namespace that is referred to",
            "NoMatchingParent" => "the Gateway needs a listener of that name and port",
            "NoMatchingListenerHostname" => "a listener's hostname must cover spec.httpRoute.hostnames, or spec.ingressHost",
            "BackendNotFound" => "the Service is not there yet",
            _ => null,
        };
        return (message.Length > 0 ? $"{reason}: {message}" : reason) + (advice is null ? "" : $" ({advice})");
    }

    /// <summary>What a controller says of one parent.</summary>
    internal sealed class Answer(ParentReference parent, bool isServed, string? refusal)
    {
        public ParentReference Parent => parent;

        public bool IsServed => isServed;

        /// <summary>Why not; null when it is served, or not said yet.</summary>
        public string? Refusal => refusal;
    }
}
