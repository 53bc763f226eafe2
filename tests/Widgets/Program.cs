using System.Text.Json;
using System.Text.Json.Serialization;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Kubernetes.Types;
using Microsoft.Extensions.Logging;

// An operator: each Widget owns a ConfigMap and a Service of its name. Arguments: a kubeconfig, and the namespace that is watched.
var time = TimeProvider.System;
using var loggers = LoggerFactory.Create(logging => logging.AddSimpleConsole(console => console.SingleLine = true));
var logger = loggers.CreateLogger("Widgets");
using var connection = new Connection(new ConnectionSource().Find(args[0]), time);
using var api = new ApiClient(new ApiIdentity("widgets", "widget-operator"), connection, time);
using var queue = new WorkQueue(time, Random.Shared.NextDouble);
var (ours, counters, memories) = (api.Identity.OwnedFields, new WriteCounters(), new KeyMap<Memory>());
var widgets = new Store<Widget>(Look, IReportedObject.DifferOnlyInStatus);
Decoder<Widget> decode = json => new(ObjectMeta.Decode(json.GetProperty("metadata")), json.GetProperty("spec").Clone(), LastReport.Decode(json, ours));
var status = new StatusWriter<Widget>(Widget.Type, decode, widgets, api, counters, time, logger);
var applier = new Applier(api, counters, time, logger);
Kind[] kinds =
[
    KindOf(ResourceTypes.ConfigMap, spec => new(Data: new { text = spec.Text("text"u8) })),
    KindOf(ResourceTypes.Service, spec => spec.Child("port"u8) is { } port ? new(Spec: new { ports = new[] { new { port, protocol = "TCP" } } }) : null),
    KindOf(new("example.org", "v1", "gadgets", "Gadget"), spec => spec.Child("gadget"u8) is { } size ? new(Spec: new { size }) : null, isOptional: true),
];

var factory = new ReflectorFactory(api, TimeSpan.FromMinutes(5), time, logger);
IReflector[] reflectors =
[
    factory.Create(Widget.Type, args[1], null, decode, widgets),
    .. kinds.Select(kind => factory.Create(kind.Objects.Type, args[1], Widget.Label, kind.Objects.Decode, kind.Objects.Store, isOptional: kind.IsOptional)),
];
var lane = new Lane("widget", queue, ReconcileAsync, workers: 1, time);
await new ControllerLoop([lane], reflectors, logger, time).RunAsync(CancellationToken.None);

Kind KindOf(ResourceType type, Func<JsonElement, Content?> content, bool isOptional = false) =>
    new(new(type, json => new Owned(json, ours), new(Look, onInstalled: LookAtAll)), content, isOptional);

void LookAtAll() => widgets.Snapshot().ToList().ForEach(widget => queue.Add(widget.Key));

void Look(IKubernetesObject? before, IKubernetesObject? after, Origin origin)
{
    if (origin != Origin.OwnWrite) // whoever wrote goes on by the answer
        queue.Add((after ?? before)!.Key);
}

async Task<Outcome> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
{
    if (widgets.Get(key) is not { Metadata.DeletionTimestamp: null } widget)
    {
        memories.Remove(key);
        return Outcome.Done;
    }

    var memory = memories.Get(key) ?? new([.. kinds.Select(_ => new ApplyMemory())], new());
    memories.Set(key, memory);
    var owner = new Owner(Widget.Type, widget.Metadata);
    var isReported = widget.Reported?.ObservedGeneration == widget.Metadata.Generation;
    var results = new List<ApplyResult>();
    foreach (var ((objects, content, _), applied) in kinds.Zip(memory.Objects))
    {
        results.Add(content(widget.Spec) is { } wanted
            ? await applier.ApplyAsync(
                objects, owner, key, new(_ => widget.Manifest(objects.Type, wanted), isReported, isReported), applied, cancellationToken)
            : await applier.DeleteAsync(objects, owner, key, applied, cancellationToken));
    }

    var problem = results.Find(result => result.Problem is not null).Problem;
    var report = new { observedGeneration = widget.Metadata.Generation, phase = problem?.Reason ?? "Ready", message = problem?.Message ?? "" };
    var written = await status.WriteAsync(
        widget.Metadata, widget.Reported, json => JsonSerializer.Serialize(json, report), memory.Status, takesOver: false, cancellationToken);
    var isFailed = problem is { Reason: not (Problem.NotInstalled or Problem.Contested) } || results.Exists(result => result.IsConflict);
    return (isFailed ? Outcome.Retry : Outcome.Done).Within(results.Min(result => result.PutOff)).Within(written.PutOff)
        .Within(memory.Objects.Min(applied => applied.QuietIn(time)));
}

internal sealed record Kind(OwnedObjects<Owned> Objects, Func<JsonElement, Content?> Content, bool IsOptional);
internal sealed record Content(object? Data = null, object? Spec = null);
internal sealed record Memory(IReadOnlyList<ApplyMemory> Objects, ApplyMemory Status);

internal sealed record Widget(ObjectMeta Metadata, JsonElement Spec, LastReport? Reported) : IReportedObject
{
    public const string Label = "example.org/widget";
    public static readonly ResourceType Type = new("example.org", "v1", "widgets", "Widget");
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public ObjectKey Key => Metadata.Key;
    public string ResourceVersion => Metadata.ResourceVersion;

    public byte[] Manifest(ResourceType type, Content content)
    {
        var labels = new Dictionary<string, string> { [Label] = Key.Name };
        var metadata = new Metadata { Name = Key.Name, Namespace = Key.Namespace, Labels = labels, OwnerReferences = [OwnerReference.Of(Type, Metadata)] };
        return JsonSerializer.SerializeToUtf8Bytes(new { type.ApiVersion, type.Kind, metadata, content.Data, content.Spec }, Json);
    }
}

internal sealed class Owned(JsonElement json, OwnedFields ours)
    : Observed(json, ours, json.GetProperty("metadata").Child("labels"u8)?.Text("example.org/widget"u8));
