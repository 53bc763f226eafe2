using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Commands;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using McpOperator.Mirror;
using McpOperator.Unit.Mirror;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Access;

/// <summary>
/// Random histories of two servers, grants and sessions, with watches that lag: no document that is written holds what was taken
/// away before, as far as the operator had been told; and whenever nothing is on its way any more, the document that stands
/// there holds exactly what a plain reading of the rules says.
/// </summary>
public sealed class AccessHistoryTests
{
    private static readonly Gen<(int Action, int Which, int Variant)[]> History =
        Gen.Select(Gen.Int[0, 11], Gen.Int[0, 5], Gen.Int[0, 7]).Array[1, 50];

    [Fact]
    public async Task TheDocumentHoldsWhatTheRulesSayAndNeverWhatWasTakenAway() => await History.SampleAsync(
        async history =>
        {
            using var world = new World();
            foreach (var (action, which, variant) in history)
                await world.DoAsync(action, which, variant);
            await world.ComeToRestAsync();
            world.AssertAtRest();
        },
        iter: 3_000, print: history => string.Join("; ", history.Select(step => $"{step.Action} {step.Which} {step.Variant}")));

    private sealed class World : HttpMessageHandler
    {
        private static readonly string[] Namespaces = ["servers", "a", "b"];

        // What the API server holds by kind and key, and what its watches have yet to deliver.
        private readonly Dictionary<string, JsonObject> _objects = [];
        private readonly Dictionary<string, Queue<(WatchEventType Type, JsonObject Object)>> _watches = [];
        private readonly FakeTimeProvider _time = new();
        private int _version = 100;
        private int _uid;

        private readonly Stores _stores;
        private readonly AccessStores _mirror;
        private readonly Queue _access = new();
        private readonly Queue _grants = new();
        private readonly Queue _sessions = new();
        private readonly AccessController _controller;
        private readonly AccessReporter _ofGrants;
        private readonly AccessReporter _ofSessions;
        private readonly ApiClient _api;

        public World()
        {
            var time = _time;
            var counters = new WriteCounters();
            var settings = new OperatorSettings { GatewayImage = "gateway:1" };
            _api = new ApiClient(Product.Identity, this, new Uri("https://api.example.org"), time);
            _stores = new Stores(new Looks(), _access, settings);
            _mirror = new AccessStores(_access, _stores.ImmutablePolicies);
            _ofGrants = new AccessReporter(MCPAccessGrant.Type, _mirror.Grants, _grants, _stores.Ending, _api, counters, time, NullLogger.Instance);
            _ofSessions = new AccessReporter(MCPAgentSession.Type, _mirror.Sessions, _sessions, _stores.Ending, _api, counters, time, NullLogger.Instance);
            _controller = new AccessController(
                _stores, _mirror, _access, _ofGrants, _ofSessions, refresh: null, _api, settings, counters, static _ => [], time, NullLogger.Instance);
            foreach (var kind in (string[])["mcpservers", "mcpaccessgrants", "mcpagentsessions", "configmaps"])
            {
                _watches[kind] = [];
                Relist(kind);
            }
        }

        public async Task DoAsync(int action, int which, int variant)
        {
            var server = which % 2 == 0 ? "demo" : "other";
            var ns = Namespaces[variant % 3];
            switch (action)
            {
                case 0: // a server, or another spec of it
                    Put("mcpservers", "servers", server, spec: JsonNode.Parse(variant switch
                    {
                        0 or 1 or 2 => """{"image":"i","gateway":{"enabled":true}}""",
                        3 => """{"image":"i","gateway":{"enabled":true},"replicas":-1}""",
                        4 => """{"image":"i","gateway":{"enabled":true},"auth":{"mode":"mtls"}}""",
                        5 => """{"image":"i","gateway":{"enabled":true},"teamID":"team"}""",
                        6 => """{"image":5}""",
                        _ => """{"image":"i"}""",
                    })!.AsObject());
                    break;
                case 1 when Find("mcpservers", "servers", server) is { } live: // consent
                    live["metadata"]!["annotations"] = new JsonObject { ["mcpruntime.org/allow-access-from"] = variant switch { 0 or 1 => "*", 2 => "a", _ => "" } };
                    Changed("mcpservers", live);
                    break;
                case 2 when variant < 2:
                    Delete(which < 2 ? "mcpservers" : "configmaps", "servers", which < 2 ? server : server + "-gateway-policy");
                    break;
                case 2 or 3: // a grant, or another one of its name
                    Put("mcpaccessgrants", ns, $"g{which % 3}", new JsonObject
                    {
                        ["serverRef"] = new JsonObject { ["name"] = variant > 5 ? "other" : "demo", ["namespace"] = "servers" },
                        ["subject"] = new JsonObject { ["humanID"] = $"h{variant}" },
                        ["disabled"] = variant == 4,
                    });
                    break;
                case 4: // a session
                    Put("mcpagentsessions", ns, $"s{which % 3}", new JsonObject
                    {
                        ["serverRef"] = new JsonObject { ["name"] = variant > 5 ? "other" : "demo", ["namespace"] = "servers" },
                        ["subject"] = new JsonObject { ["agentID"] = $"a{variant}" },
                        ["revoked"] = variant == 4,
                    });
                    break;
                case 5: // the end of one, at once or with a finalizer that holds it
                    var kind = which < 3 ? "mcpaccessgrants" : "mcpagentsessions";
                    var name = (which < 3 ? "g" : "s") + (which % 3);
                    if (variant > 4 && Find(kind, ns, name) is { } held && held["metadata"]!["deletionTimestamp"] is null)
                    {
                        held["metadata"]!["deletionTimestamp"] = "2026-01-01T00:00:00Z";
                        held["metadata"]!["generation"] = (int)held["metadata"]!["generation"]! + 1;
                        Changed(kind, held);
                    }
                    else
                    {
                        Delete(kind, ns, name);
                    }

                    break;
                case 6 when Find("configmaps", "servers", server + "-gateway-policy") is { } policy: // somebody writes into it
                    policy["data"]!["policy.json"] = "{}";
                    // What they wrote is not ours any more, the rest is.
                    policy["metadata"]!["managedFields"]![0]!["fieldsV1"]!.AsObject().Remove("f:data");
                    Changed("configmaps", policy);
                    break;
                case 7 or 8: // news arrives, of one kind
                    Deliver(_watches.Keys.ElementAt(which % 4), count: variant + 1);
                    break;
                case 9:
                    await RunAsync(_access, _controller.ReconcileAsync, most: 1 + variant);
                    break;
                case 10:
                    await RunAsync(_grants, _ofGrants.ReconcileAsync, most: 1 + variant);
                    await RunAsync(_sessions, _ofSessions.ReconcileAsync, most: 1 + variant);
                    break;
                case 11 when variant == 0:
                    Relist(_watches.Keys.ElementAt(which % 4));
                    break;
            }
        }

        public async Task ComeToRestAsync()
        {
            for (var round = 0; ; round++)
            {
                Assert.True(round < 60, "it goes on for ever");
                // What somebody kept writing into is put right later and later.
                _time.Advance(TimeSpan.FromMinutes(1));
                CollectGarbage();
                foreach (var kind in _watches.Keys)
                    Deliver(kind, int.MaxValue);
                if (_access.IsEmpty && _grants.IsEmpty && _sessions.IsEmpty)
                    return;
                await RunAsync(_access, _controller.ReconcileAsync, int.MaxValue);
                await RunAsync(_grants, _ofGrants.ReconcileAsync, int.MaxValue);
                await RunAsync(_sessions, _ofSessions.ReconcileAsync, int.MaxValue);
            }
        }

        public void AssertAtRest()
        {
            foreach (var name in (string[])["demo", "other"])
            {
                var server = Find("mcpservers", "servers", name);
                var stored = Find("configmaps", "servers", name + "-gateway-policy");
                var spec = server?["spec"]?.ToJsonString() ?? "";
                if (server is null)
                    continue; // the garbage collector's
                if (!spec.Contains("enabled", StringComparison.Ordinal) && !spec.Contains(":5", StringComparison.Ordinal))
                {
                    Assert.True(stored is null, $"{name} has no gateway, and a policy");
                    continue;
                }

                if (stored is null)
                {
                    Assert.True(spec.Contains("-1", StringComparison.Ordinal) || spec.Contains("mtls", StringComparison.Ordinal)
                        || spec.Contains(":5", StringComparison.Ordinal), $"{name} is valid, and has no policy");
                    continue;
                }

                var document = JsonNode.Parse((string)stored["data"]!["policy.json"]!)!;
                Assert.True(StoredPolicy.Read(Encoding.UTF8.GetBytes((string)stored["data"]!["policy.json"]!)) is not null, "it does not hash to its revision");
                var isFrozen = spec.Contains("mtls", StringComparison.Ordinal) || spec.Contains(":5", StringComparison.Ordinal);
                foreach (var (kind, list, off) in ((string, string, string)[])[("mcpaccessgrants", "grants", "disabled"), ("mcpagentsessions", "sessions", "revoked")])
                {
                    var counting = Counting(kind, name, server, _objects);
                    var wanted = (isFrozen ? counting : OnePerName(counting)).Select(member => Text(member, off)).Order(StringComparer.Ordinal).ToList();
                    var held = Held(document, list, off).Order(StringComparer.Ordinal).ToList();
                    if (isFrozen)
                        Assert.All(held, member => Assert.Contains(member, wanted));
                    else
                        Assert.Equal(wanted, held);
                }
            }
        }

        /// <summary>A plain reading of which members of a server count, each on its own: of what the API server holds, or of what the operator was told.</summary>
        private static IEnumerable<JsonObject> Counting(string kind, string name, JsonObject? server, Dictionary<string, JsonObject> objects)
        {
            var consent = ((string?)server?["metadata"]!["annotations"]?["mcpruntime.org/allow-access-from"] ?? "").Split(',');
            return objects.Where(entry => entry.Key.StartsWith(kind + "/", StringComparison.Ordinal)).Select(entry => entry.Value)
                .Where(member => (string?)member["spec"]!["serverRef"]!["name"] == name && member["metadata"]!["deletionTimestamp"] is null)
                .Where(member => NamespaceOf(member) == "servers" || consent.Contains("*") || consent.Contains(NamespaceOf(member)));
        }

        /// <summary>The server's own namespace keeps a name, then the first one of the alphabet: all of them are of one age.</summary>
        private static IEnumerable<JsonObject> OnePerName(IEnumerable<JsonObject> members) => members
            .GroupBy(NameOf)
            .Select(same => same.OrderBy(member => NamespaceOf(member) == "servers" ? "" : NamespaceOf(member), StringComparer.Ordinal).First());

        private static string NameOf(JsonObject member) => (string)member["metadata"]!["name"]!;

        private static string NamespaceOf(JsonObject member) => (string)member["metadata"]!["namespace"]!;

        private static string Text(JsonObject member, string off)
        {
            var subject = member["spec"]!["subject"]!;
            return $"{NamespaceOf(member)}/{NameOf(member)} {(string?)subject["humanID"] ?? (string?)subject["agentID"]}"
                + ((bool)member["spec"]![off]! ? " off" : "");
        }

        private static IEnumerable<string> Held(JsonNode document, string list, string off) => (document[list]?.AsArray() ?? []).Select(member =>
            $"{(string)member!["namespace"]!}/{(string)member["name"]!} {(string?)member["human_id"] ?? (string?)member["agent_id"]}"
            + ((bool?)member[off] == true ? " off" : ""));

        /// <summary>A document is sent: of what the operator had been told, nothing in it may be gone, off, moved or without consent.</summary>
        private void AssertNothingTakenAwayIsIn(JsonObject configMap)
        {
            var name = NameOf(configMap)[..^"-gateway-policy".Length];
            var document = JsonNode.Parse((string)configMap["data"]!["policy.json"]!)!;
            _told.TryGetValue($"mcpservers/servers/{name}", out var server);
            foreach (var (kind, list, off) in ((string, string, string)[])[("mcpaccessgrants", "grants", "disabled"), ("mcpagentsessions", "sessions", "revoked")])
            {
                // That another one has the name now takes nothing away: in a frozen document it may not come in.
                var counting = Counting(kind, name, server, _told).Select(member => Text(member, off)).ToList();
                var held = Held(document, list, off).ToList();
                Assert.All(held, member => Assert.Contains(member, counting));
                Assert.Distinct(held.Select(member => member.Split('/', ' ')[1]));
            }
        }

        // === The operator is told ===

        private readonly Dictionary<string, JsonObject> _told = [];

        private void Deliver(string kind, int count)
        {
            for (var queue = _watches[kind]; count > 0 && queue.Count > 0; count--)
            {
                var (type, live) = queue.Dequeue();
                var key = $"{kind}/{NamespaceOf(live)}/{NameOf(live)}";
                if (type == WatchEventType.Deleted)
                    _told.Remove(key);
                else if (!_told.TryGetValue(key, out var told) || VersionOf(told) < VersionOf(live))
                    _told[key] = live;
                switch (kind)
                {
                    case "mcpservers": _stores.Servers.Apply(null, Event(type, live, json => StoredServer.Decode(json, Product.Identity.OwnedFields))); break;
                    case "mcpaccessgrants": _mirror.Grants.Store.Apply(null, Event(type, live, json => StoredAccess.Decode(json, Product.Identity.OwnedFields))); break;
                    case "mcpagentsessions": _mirror.Sessions.Store.Apply(null, Event(type, live, json => StoredAccess.Decode(json, Product.Identity.OwnedFields))); break;
                    default: _mirror.ConfigMaps.Apply(null, Event(type, live, json => new ObservedConfigMap(json, Product.Identity.OwnedFields))); break;
                }
            }
        }

        private void Relist(string kind)
        {
            _watches[kind].Clear();
            var all = _objects.Where(entry => entry.Key.StartsWith(kind + "/", StringComparison.Ordinal)).Select(entry => entry.Value).ToList();
            foreach (var key in _told.Keys.Where(key => key.StartsWith(kind + "/", StringComparison.Ordinal)).ToArray())
                _told.Remove(key);
            foreach (var live in all)
                _told[$"{kind}/{NamespaceOf(live)}/{NameOf(live)}"] = live.DeepClone().AsObject();
            var version = _version.ToString(CultureInfo.InvariantCulture);
            switch (kind)
            {
                case "mcpservers": _stores.Servers.Replace(null, [.. all.Select(live => Read(live, json => StoredServer.Decode(json, Product.Identity.OwnedFields)))], version); break;
                case "mcpaccessgrants": _mirror.Grants.Store.Replace(null, [.. all.Select(live => Read(live, json => StoredAccess.Decode(json, Product.Identity.OwnedFields)))], version); break;
                case "mcpagentsessions": _mirror.Sessions.Store.Replace(null, [.. all.Select(live => Read(live, json => StoredAccess.Decode(json, Product.Identity.OwnedFields)))], version); break;
                default: _mirror.ConfigMaps.Replace(null, [.. all.Select(live => Read(live, json => new ObservedConfigMap(json, Product.Identity.OwnedFields)))], version); break;
            }
        }

        private static int VersionOf(JsonObject live) => int.Parse((string)live["metadata"]!["resourceVersion"]!, CultureInfo.InvariantCulture);

        private static T Read<T>(JsonObject live, Decoder<T> decode) => decode(JsonElement.Parse(live.ToJsonString()));

        private static WatchEvent Event(WatchEventType type, JsonObject live, Decoder<IKubernetesObject> decode) =>
            new(type, Read(live, decode), (string)live["metadata"]!["resourceVersion"]!, null);

        private static async Task RunAsync(Queue queue, Func<ObjectKey, CancellationToken, Task<Outcome>> reconcile, int most)
        {
            foreach (var key in queue.Take(most))
            {
                try
                {
                    if (await reconcile(key, CancellationToken.None) == Outcome.Retry)
                        queue.Add(key);
                }
                catch (ApiException exception) when (exception.IsConflict)
                {
                    queue.Add(key);
                }
            }
        }

        // === The API server ===

        /// <summary>What a server that is gone has left.</summary>
        private void CollectGarbage()
        {
            foreach (var key in _objects.Keys.Where(key => key.StartsWith("configmaps/", StringComparison.Ordinal)).ToArray())
            {
                var (name, owner) = (NameOf(_objects[key]), (string)_objects[key]["metadata"]!["ownerReferences"]![0]!["uid"]!);
                if ((string?)Find("mcpservers", "servers", name[..^"-gateway-policy".Length])?["metadata"]!["uid"] != owner)
                    Delete("configmaps", "servers", name);
            }
        }

        private JsonObject? Find(string kind, string ns, string name) => _objects.GetValueOrDefault($"{kind}/{ns}/{name}");

        private void Put(string kind, string ns, string name, JsonObject spec)
        {
            var live = Find(kind, ns, name) ?? New(ns, name);
            live["spec"] = spec;
            live["metadata"]!["generation"] = (int)live["metadata"]!["generation"]! + 1;
            Changed(kind, live);
        }

        private JsonObject New(string ns, string name) => new()
        {
            ["metadata"] = new JsonObject { ["namespace"] = ns, ["name"] = name, ["uid"] = $"uid-{++_uid}", ["generation"] = 0 },
        };

        private JsonObject Changed(string kind, JsonObject live)
        {
            var key = $"{kind}/{NamespaceOf(live)}/{NameOf(live)}";
            var type = _objects.ContainsKey(key) ? WatchEventType.Modified : WatchEventType.Added;
            live["metadata"]!["resourceVersion"] = $"{++_version}";
            _objects[key] = live;
            _watches[kind].Enqueue((type, live.DeepClone().AsObject()));
            return live;
        }

        private void Delete(string kind, string ns, string name)
        {
            if (!_objects.Remove($"{kind}/{ns}/{name}", out var live))
                return;
            live = live.DeepClone().AsObject();
            live["metadata"]!["resourceVersion"] = $"{++_version}";
            _watches[kind].Enqueue((WatchEventType.Deleted, live));
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var path = request.RequestUri!.AbsolutePath.Split('/');
            var isStatus = path[^1] == "status";
            var (kind, name) = isStatus ? (path[^3], path[^2]) : (path[^2], path[^1]);
            var live = Find(kind, path[Array.IndexOf(path, "namespaces") + 1], name);
            if (request.Method == HttpMethod.Get)
                return live is null ? Refuse(404, "NotFound") : Answer(live);
            var body = JsonNode.Parse(await request.Content!.ReadAsStringAsync(cancellationToken))!.AsObject();
            if (request.Method == HttpMethod.Delete)
            {
                if (live is null || (string?)live["metadata"]!["uid"] != (string?)body["preconditions"]!["uid"])
                    return Refuse(live is null ? 404 : 409, live is null ? "NotFound" : "Conflict");
                Delete(kind, NamespaceOf(live), name);
                return Answer(live);
            }

            // As a real one (measured): a uid keeps from creating, a version from overwriting.
            var (uid, version) = ((string?)body["metadata"]!["uid"], (string?)body["metadata"]!["resourceVersion"]);
            if (live is null && (isStatus || uid is not null))
                return isStatus ? Refuse(404, "NotFound") : Refuse(409, "Conflict");
            if (live is not null && version is not null && version != (string?)live["metadata"]!["resourceVersion"])
                return Refuse(409, "Conflict");
            if (isStatus)
            {
                live!["status"] = body["status"]!.DeepClone();
                live["metadata"]!["managedFields"] = Owned("f:status");
                return Answer(Changed(kind, live));
            }

            AssertNothingTakenAwayIsIn(body);
            live ??= New("servers", name);
            live["metadata"]!["labels"] = body["metadata"]!["labels"]!.DeepClone();
            live["metadata"]!["ownerReferences"] = body["metadata"]!["ownerReferences"]!.DeepClone();
            live["metadata"]!["managedFields"] = Owned("f:data");
            live["data"] = body["data"]!.DeepClone();
            return Answer(Changed(kind, live));
        }

        private static JsonArray Owned(string field) => new(new JsonObject
        {
            ["manager"] = Product.Identity.FieldManager,
            ["operation"] = "Apply",
            ["fieldsV1"] = new JsonObject
            {
                [field] = field == "f:data" ? new JsonObject { ["f:policy.json"] = new JsonObject() } : new JsonObject(),
                ["f:metadata"] = new JsonObject { ["f:labels"] = new JsonObject(), ["f:ownerReferences"] = new JsonObject() },
            },
        });

        private static HttpResponseMessage Answer(JsonObject live) =>
            new(HttpStatusCode.OK) { Content = new StringContent(live.ToJsonString(), Encoding.UTF8, "application/json") };

        private static HttpResponseMessage Refuse(int code, string reason) => Kubernetes.ScenarioHandler.Status(code, reason, reason);
    }

    /// <summary>Each key once, in the order in which it was asked for; delays are over at once.</summary>
    private sealed class Queue : IEnqueuer
    {
        private readonly List<ObjectKey> _keys = [];

        public bool IsEmpty => _keys.Count == 0;

        public void Add(ObjectKey key, Priority priority = Priority.Changed)
        {
            if (!_keys.Contains(key))
                _keys.Add(key);
        }

        public void AddAfter(ObjectKey key, TimeSpan delay) => Add(key);

        public ObjectKey[] Take(int most)
        {
            var taken = _keys.Take(most).ToArray();
            _keys.RemoveRange(0, taken.Length);
            return taken;
        }
    }
}
