using System.Globalization;
using System.Text.Json;

namespace McpOperator.Testing;

/// <summary>One line of the API server's audit log. What does not apply to a request is empty, never null.</summary>
/// <param name="IsDenied">
/// The user lacks the permission. A 403 alone does not say so: admission answers one too, as for a namespace that ends.
/// </param>
/// <param name="RequestObject">The body as JSON, where the policy asks for more than <c>Metadata</c>.</param>
/// <param name="Received">When the request arrived; the same at every stage.</param>
/// <param name="StageTime">When it reached this stage: once complete, when the answer was sent.</param>
public sealed record AuditEvent(
    string Stage,
    string User,
    string UserAgent,
    string Verb,
    string Group,
    string Resource,
    string Subresource,
    string Namespace,
    string Name,
    string RequestUri,
    int Code,
    bool IsDenied,
    string RequestObject,
    DateTimeOffset Received,
    DateTimeOffset StageTime)
{
    /// <summary>
    /// True for exactly one line of a request: a watch is logged when it arrives, so that an open one counts, and again
    /// with its code when it ends; everything else only when it is complete. (ResponseStarted would be the stage for an
    /// open watch, but Kubernetes 1.20 writes it when the watch ends.)
    /// </summary>
    public bool IsRequest => Stage == (Verb == "watch" ? "RequestReceived" : "ResponseComplete");

    public bool IsWrite => Verb is "create" or "update" or "patch" or "delete" or "deletecollection";

    public static AuditEvent Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        var reference = Child(root, "objectRef");
        return new(
            Text(root, "stage"),
            Text(Child(root, "user"), "username"),
            Text(root, "userAgent"),
            Text(root, "verb"),
            Text(reference, "apiGroup"),
            Text(reference, "resource"),
            Text(reference, "subresource"),
            Text(reference, "namespace"),
            Text(reference, "name"),
            Text(root, "requestURI"),
            Child(Child(root, "responseStatus"), "code") is { ValueKind: JsonValueKind.Number } code ? code.GetInt32() : 0,
            Text(Child(root, "annotations"), "authorization.k8s.io/decision") == "forbid",
            Child(root, "requestObject") is { ValueKind: not JsonValueKind.Undefined } body ? body.GetRawText() : "",
            Time(root, "requestReceivedTimestamp"),
            Time(root, "stageTimestamp"));
    }

    public override string ToString() => $"{User} {Verb} {RequestUri} {Code} ({Stage})";

    private static JsonElement Child(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var child) ? child : default;

    private static DateTimeOffset Time(JsonElement parent, string name) =>
        DateTimeOffset.TryParse(Text(parent, name), CultureInfo.InvariantCulture, out var time) ? time : default;

    private static string Text(JsonElement parent, string name) =>
        Child(parent, name) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : "";
}
