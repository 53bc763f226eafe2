using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using McpOperator.Soak.Checking;

namespace McpOperator.Soak;

/// <summary>Other people's tools that handle whole objects of the operator: docs/reliability.md, "Neighbours".</summary>
internal sealed class Neighbours(KubeClient client, Dice dice)
{
    /// <summary>Begins the names of backup tools: each restore has one of its own, since a copy is taken over once of each.</summary>
    public const string BackupTool = "soak-backup-";

    /// <summary>Of <c>kubectl rollout undo</c>, which names no manager.</summary>
    public const string UndoManager = "kubectl";

    private const string Restored = "restored";
    private const string WithoutOwner = "restored without its owner";
    private const string Reset = "managedFields reset";

    private const string ManagedBy = "app.kubernetes.io/managed-by";

    private static readonly string[] Ways = [Restored, WithoutOwner, Restored, Reset];

    private readonly Dictionary<string, List<JsonNode>> _revisions = [];
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, int> _acts = new(StringComparer.Ordinal)
    {
        ["undone"] = 0,
        [Restored] = 0,
        [WithoutOwner] = 0,
        [Reset] = 0,
        ["Deployment copied"] = 0,
        ["ConfigMap copied"] = 0,
        ["Ingress copied"] = 0,
        ["relabelled"] = 0,
        ["selector"] = 0,
    };

    private int _restores;
    private int _copies;

    /// <summary>What each of them did, not counting what was refused.</summary>
    public IReadOnlyDictionary<string, int> Acts
    {
        get
        {
            lock (_lock)
                return new SortedDictionary<string, int>(_acts, StringComparer.Ordinal);
        }
    }

    /// <summary>Remembers the pod templates, as ReplicaSets would: the last few of each Deployment.</summary>
    public void Remember(Snapshot snapshot)
    {
        foreach (var live in snapshot.Of(Resource.Deployments).Where(live => live.IsManaged()))
            Remember(live);
    }

    /// <summary>A Deployment gets a former pod template, as <c>kubectl rollout undo</c> sends it.</summary>
    public Func<Task> Undo(string @namespace)
    {
        var (manager, which) = (dice.Pick(UndoManager, UndoManager, "kubectl-rollout"), dice.Between(0, 99));
        return async () =>
        {
            var candidates = (await client.ListAsync(Resource.Deployments, @namespace)).Where(live => live.IsManaged() && Remember(live) is not null).ToList();
            if (candidates.Count == 0)
                return;
            var live = candidates[which % candidates.Count];
            var patch = new JsonArray(new JsonObject { ["op"] = "replace", ["path"] = "/spec/template", ["value"] = Remember(live)!.DeepClone() });
            await client.PatchAsync(Resource.Deployments, @namespace, live.Name(), patch, PatchKind.Json, fieldManager: manager);
            Count("undone");
        };
    }

    /// <summary>Deletes an object and makes it anew, as it was, but for what an API server fills in; or empties its managedFields.</summary>
    /// <summary>
    /// Whether an operator with other settings is at work: what it wrote, and a tool restores as its own, stays, and nothing is restored.
    /// </summary>
    public bool IsVisited { get; set; }

    public Func<Task> Restore(Resource kind, string @namespace)
    {
        var (which, way) = (dice.Between(0, 99), Ways[_restores % Ways.Length]);
        if (IsVisited)
            return () => Task.CompletedTask;
        var manager = string.Create(CultureInfo.InvariantCulture, $"{BackupTool}{++_restores}");
        return async () =>
        {
            // An immutable one that nobody is known to have made can neither be changed nor deleted.
            var candidates = (await client.ListAsync(kind, @namespace)).Where(live => live.IsManaged() && !live.Flag("immutable")).ToList();
            if (candidates.Count == 0)
                return;
            var live = candidates[which % candidates.Count];
            if (way == Reset)
            {
                await client.PatchAsync(kind, @namespace, live.Name(), """{"metadata":{"managedFields":[{}]}}""");
                Count(way);
                return;
            }

            var backup = live.DeepClone().AsObject();
            foreach (var field in new[] { "managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink" })
                backup["metadata"]!.AsObject().Remove(field);
            if (way == WithoutOwner)
                backup["metadata"]!.AsObject().Remove("ownerReferences");
            backup.Remove("status");
            foreach (var address in new[] { "clusterIP", "clusterIPs" })
                (backup["spec"] as JsonObject)?.Remove(address);
            (backup["apiVersion"], backup["kind"]) = (kind.ApiVersion, kind.Kind);
            // Against an operator that makes it anew as soon as it is gone.
            for (var tries = 1; ; tries++)
            {
                try
                {
                    await client.DeleteAsync(kind, @namespace, live.Name());
                    await client.SendAsync(
                        HttpMethod.Post, $"{kind.PathTo(@namespace)}?fieldManager={manager}",
                        new StringContent(backup.ToJsonString(), Encoding.UTF8, "application/json"));
                    Count(way);
                    return;
                }
                catch (KubeException e) when (e.Code == HttpStatusCode.Conflict && tries < 3)
                {
                }
            }
        };
    }

    /// <summary>A user's copy, with our labels and without owner, under a name that an object of a server would have, and has not.</summary>
    public Func<Task> Copy(string @namespace, IReadOnlyList<string> servers)
    {
        Resource[] kinds = [Resource.Deployments, Resource.ConfigMaps, Resource.Ingresses];
        var (kind, which) = (kinds[_copies++ % kinds.Length], dice.Between(0, 99));
        return async () =>
        {
            var all = await client.ListAsync(kind, @namespace);
            var free = servers.Where(server => all.All(live => live.Name() != NameOf(kind, server))).ToList();
            // A canary is copied from its server's own Deployment.
            var ours = all.Where(live => live.IsManaged() && live.Controller() is not null
                && (kind == Resource.Deployments ? free.Contains(live.Name()) : free.Count > 0)).ToList();
            if (ours.Count == 0)
                return;
            var from = ours[which % ours.Count];
            var server = kind == Resource.Deployments ? from.Name() : free[which % free.Count];
            var copy = from.DeepClone().AsObject();
            var labels = from["metadata"]!["labels"]!.DeepClone();
            labels["app"] = server;
            (copy["apiVersion"], copy["kind"]) = (kind.ApiVersion, kind.Kind);
            copy["metadata"] = new JsonObject
            {
                ["name"] = NameOf(kind, server),
                ["labels"] = labels,
                ["annotations"] = new JsonObject { [Checker.CopyMark] = "true" },
            };
            copy.Remove("status");
            copy.Remove("immutable");
            await client.CreateAsync(copy, @namespace);
            Count($"{kind.Kind} copied");
        };

        static string NameOf(Resource kind, string server) =>
            kind == Resource.Deployments ? $"{server}-canary" : kind == Resource.ConfigMaps ? $"{server}-gateway-policy" : server;
    }

    public Func<Task> DeleteCopy(string @namespace, string server)
    {
        var (kind, name) = dice.Pick(
            (Resource.Deployments, $"{server}-canary"), (Resource.ConfigMaps, $"{server}-gateway-policy"), (Resource.Ingresses, server));
        return async () =>
        {
            var live = await client.GetAsync(kind, @namespace, name);
            if (live.Raw("metadata", "annotations", Checker.CopyMark) is not null)
                await client.DeleteAsync(kind, @namespace, name);
        };
    }

    /// <summary>A tool that sets the label by which the operator watches to something else, again and again, and then lets go.</summary>
    public Func<Task> Relabel(Resource kind, string @namespace)
    {
        var (end, which) = (dice.Seconds(0.3, 2), dice.Between(0, 99));
        return async () =>
        {
            var candidates = (await client.ListAsync(kind, @namespace)).Where(live => live.IsManaged()).ToList();
            if (candidates.Count == 0)
                return;
            var name = candidates[which % candidates.Count].Name();
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { [ManagedBy] = "platform" } } };
            for (var clock = System.Diagnostics.Stopwatch.StartNew(); clock.Elapsed < end; await Task.Delay(50))
            {
                var live = await client.GetAsync(kind, @namespace, name);
                if (!live.IsManaged())
                    continue;
                await client.PatchAsync(kind, @namespace, name, patch, fieldManager: "kyverno");
                Count("relabelled");
            }
        };
    }

    /// <summary>Somebody asks in a Service's selector for a label that no pod has, or takes it out again.</summary>
    public Func<Task> Select(string @namespace)
    {
        var which = dice.Between(0, 99);
        return async () =>
        {
            var candidates = (await client.ListAsync(Resource.Services, @namespace)).Where(live => live.IsManaged()).ToList();
            if (candidates.Count == 0)
                return;
            var live = candidates[which % candidates.Count];
            await client.PatchAsync(Resource.Services, @namespace, live.Name(), new JsonObject
            {
                ["spec"] = new JsonObject
                {
                    ["selector"] = new JsonObject { ["theirs"] = live.Raw("spec", "selector", "theirs") is null ? "stays" : null },
                },
            });
            Count("selector");
        };
    }

    /// <returns>A former template; null while there has been no other.</returns>
    private JsonNode? Remember(JsonObject live)
    {
        lock (_lock)
        {
            if (!_revisions.TryGetValue(live.Uid(), out var revisions))
                _revisions[live.Uid()] = revisions = [];
            var template = live["spec"]!["template"]!.DeepClone();
            revisions.RemoveAll(one => JsonNode.DeepEquals(one, template));
            revisions.Add(template);
            if (revisions.Count > 5)
                revisions.RemoveAt(0);
            return revisions.Count > 1 ? revisions[0] : null;
        }
    }

    private void Count(string act)
    {
        lock (_lock)
            _acts[act]++;
    }
}
