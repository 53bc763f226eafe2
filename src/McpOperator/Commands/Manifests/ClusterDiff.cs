using System.Text;
using System.Text.Json;
using McpOperator.Access;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Hosting;
using McpOperator.Mirror;
using McpOperator.Servers;

namespace McpOperator.Commands.Manifests;

/// <summary>
/// What would become of the objects in a cluster, were the manifests all that is written in the specs of their servers, when the
/// operator is through with it: each apply of the plan is sent as a dry run, and the answer is held against what is there. With no
/// rights beyond those that the operator has; with rights in its namespaces alone it knows of no other servers' routes, grants and sessions.
/// </summary>
/// <param name="error">Told of what cannot be compared, and of what the operator would report.</param>
internal sealed class ClusterDiff(ApiClient api, ManifestInput given, TimeProvider time, TextWriter error)
{
    private readonly StringBuilder _diff = new();
    private readonly HashSet<string> _shared = new(StringComparer.Ordinal);

    /// <summary>Where the cluster is looked at as it is; null where manifests are held against it.</summary>
    private readonly ClusterSummary? _summary = given.Options.AllNamespaces ? new ClusterSummary() : null;

    private int _servers;

    /// <summary>A summary, of a whole cluster, and unified diffs; empty when nothing would change that can be shown.</summary>
    public string Text => _summary is { IsEmpty: false } ? $"{_summary.Text(_servers)}\n{_diff}" : _diff.ToString();

    /// <summary>Whether something would change.</summary>
    public bool HasChanges => _diff.Length > 0 || _summary is { IsEmpty: false };

    /// <summary>False when the API server refused what the operator would send, or did not let it be read.</summary>
    public bool IsComplete { get; private set; } = true;

    /// <exception cref="ApiException">The API server refused a request that is not for one object of a server.</exception>
    /// <exception cref="HttpRequestException">It could not be reached.</exception>
    public async Task RunAsync()
    {
        var cluster = await ClusterState.ReadAsync(api, given, Note).ConfigureAwait(false);
        var plan = new ServerPlan(cluster.Grants, cluster.Sessions, given.Settings, time.GetUtcNow());
        List<MCPServer> wanted = [.. given.Manifests.Servers().Select(server => cluster.After(server, given.Settings))];
        // First as they are: what a server serves, it does not lose to who asks for it now.
        foreach (var server in cluster.Servers)
            plan.Add(server);
        wanted.ForEach(plan.Add);
        // Grants and sessions change the policies of servers whose manifests are not there, too.
        var named = given.Manifests.Manifests.Where(manifest => manifest.Kind != MCPServer.Type.Kind).Select(manifest => manifest.ReadAccess().Server);
        foreach (var key in named.Concat(cluster.Left))
        {
            if (!wanted.Exists(server => server.Key == key) && cluster.Find(key) is { } other)
                wanted.Add(other);
        }

        if (_summary is not null)
            wanted = [.. cluster.Servers.OrderBy(server => $"{server.Key}", StringComparer.Ordinal)];
        _servers = wanted.Count;
        foreach (var server in wanted)
        {
            try
            {
                await CompareAsync(plan, server).ConfigureAwait(false);
            }
            catch (ApiException exception)
            {
                Refuse($"MCPServer {server.Key}", exception);
            }
        }
    }

    private async Task CompareAsync(ServerPlan plan, MCPServer server)
    {
        if (server.Metadata.DeletionTimestamp is not null)
        {
            if (_summary is null)
                Note($"MCPServer {server.Key} is being deleted: its objects go with it");
            return;
        }

        var before = new JsonElement?[plan.Kinds.All.Count];
        foreach (var kind in plan.Kinds.All)
        {
            // Of what nobody wants nothing is asked: it may not be installed, nor readable.
            if (kind.Wanted is { IsCompleted: false } || kind.KeyOf(server.Key) is not { } key || await FindAsync(kind.Type, key).ConfigureAwait(false) is not { } found)
                continue;
            kind.Load(found);
            before[kind.Index] = found;
        }

        var stored = await FindAsync(ResourceTypes.ConfigMap, server.Key with { Name = ObjectNames.Policy(server.Metadata.Name) }).ConfigureAwait(false);
        var policy = stored is { } json ? new ObservedConfigMap(json, Product.Identity.OwnedFields) : null;
        var effective = plan.InEffect(server);
        var faults = Validation.Validate(effective, given.Settings);
        if (faults.Count > 0)
        {
            // What this operator has said of it is no news.
            if (!IsSaid(server, Reasons.InvalidSpec))
                _summary?.Refused(server.Key, faults);
            if (_summary is null)
                Note($"MCPServer {server.Key} is not compared: {string.Join("; ", faults)}");
            return;
        }

        if (_summary is not null && !server.IsObservedGeneration() && SpecDoubts.Of(server, effective.Spec) is { Count: > 0 } doubts)
            _summary.Doubtful(server.Key, doubts);

        // What the pods hold goes on, when nothing comes of a new one.
        var mayRunGateway = policy is { Policy: not null, HoldsOurs: true } && server.AsOwner().Controls(policy);
        if (plan.PolicyOf(effective, policy, Tell) is { } manifest)
            mayRunGateway |= await ApplyAsync(server, ResourceTypes.ConfigMap, policy, stored, manifest, recover: null).ConfigureAwait(false);
        else if (effective.Spec.HasGateway())
            Problem(server, PolicyProblems.TooLarge);
        else if (policy is not null && Owns(server, ResourceTypes.ConfigMap, policy) && (server.AsOwner().Controls(policy) || policy.WasAppliedByUs))
            Tell(ResourceTypes.ConfigMap, policy.Key, stored, null);

        if (PauseRequests.Note(server) is { } paused)
            Note(paused);
        await plan.PassOver(server, policy, mayRunGateway).RunAsync(plan.Kinds, async (kind, wanted) =>
        {
            var found = kind.Get(server.Key);
            if (wanted is DesiredState.Withhold { Problem: var problem })
                Problem(server, problem);
            if (wanted is DesiredState.Apply shared && kind.IsShared)
                await ShareAsync(kind.Type, server.Metadata.Namespace, shared.Body()).ConfigureAwait(false);
            else if (wanted is DesiredState.Apply own)
                await ApplyAsync(server, kind.Type, found, before[kind.Index], own.Body(), own.RemedyFor).ConfigureAwait(false);
            else if (wanted is DesiredState.Absent or DesiredState.Withhold && found is not null && Owns(server, kind.Type, found))
                Tell(kind.Type, found.Key, before[kind.Index], null);
            // What follows others is told as it is in the end, and not as long as they are on their way.
            return default;
        }).ConfigureAwait(false);
    }

    private static bool Owns(MCPServer server, ResourceType type, Observed found) => server.AsOwner().WhyNotOwned(type, found) is null;

    /// <returns>Whether the operator would get it there.</returns>
    private async Task<bool> ApplyAsync(MCPServer server, ResourceType type, Observed? found, JsonElement? present, byte[] manifest, Func<RefusedApply, Remedy?>? recover)
    {
        if (found is not null && server.AsOwner().WhyNotOwned(type, found) is { } problem)
        {
            Problem(server, problem);
            return false;
        }

        var planned = JsonElement.Parse(manifest);
        var key = new ObjectKey(server.Metadata.Namespace, planned.GetProperty("metadata"u8).Text("name"u8)!);
        try
        {
            var after = await api.DryRunAsync(type, key, manifest, static json => new Live(json.Clone())).ConfigureAwait(false);
            if (found is not null && (found.Fingerprint == OwnedFields.None || server.IsTakenOver()) && TakeOverPreview.PatchOf(present!.Value, after.Json, Product.Identity) is { } takeOver)
                after = await api.DryRunPatchAsync(type, key, takeOver, isStrategic: false, static json => new Live(json.Clone())).ConfigureAwait(false);
            // Of a new one without what an API server makes up, such as an address that will be another one.
            Tell(type, key, present, found is null ? planned : after.Json);
        }
        catch (ApiException exception) when (exception.IsNotFound)
        {
            // There is no such namespace yet.
            Tell(type, key, present, planned);
        }
        catch (ApiException exception) when (
            found is null && exception.IsInvalid && recover?.Invoke(new RefusedApply(IsNew: true, [], exception)) is not null)
        {
            // The operator gets there in two steps.
            Tell(type, key, present, planned);
        }
        catch (ApiException exception) when (
            present is not null && exception.IsOfStoredDuplicates && recover?.Invoke(new RefusedApply(IsNew: false, [], exception)) is Remedy.Patch { BodyFor: var bodyFor })
        {
            var after = await api.DryRunPatchAsync(type, key, bodyFor(present.Value), isStrategic: true, static json => new Live(json.Clone())).ConfigureAwait(false);
            Tell(type, key, present, after.Json);
        }
        catch (ApiException exception)
        {
            Refuse($"{type.Kind} {key}", exception);
            return false;
        }

        return true;
    }

    /// <summary>Whether the last status of this generation gives this reason.</summary>
    private static bool IsSaid(MCPServer server, string reason) =>
        server.IsObservedGeneration() && server.Reported!.Conditions.Any(condition => condition.Reason == reason);

    private void Problem(MCPServer server, Problem problem)
    {
        if (_summary is null)
            Note($"MCPServer {server.Key}: {problem.Reason}: {problem.Message}");
        else if (!IsSaid(server, problem.Reason))
            _summary.Conflict(server.Key, problem);
    }

    private void Refuse(string what, ApiException refusal)
    {
        IsComplete = false;
        error.WriteLine($"mcp-operator: {what} cannot be compared: {Printable.Escape(refusal.Message)}");
    }

    /// <summary>What nobody may read is compared as far as a dry run says whether it is there.</summary>
    private async Task ShareAsync(ResourceType type, string ns, byte[] manifest)
    {
        if (!_shared.Add($"{type} {ns}"))
            return;
        var planned = JsonElement.Parse(manifest);
        var key = new ObjectKey(ns, planned.GetProperty("metadata"u8).Text("name"u8)!);
        if (type == ResourceTypes.Secret)
        {
            if (_summary is null)
                Note($"Secret {key} is not compared: neither the operator nor this command may read it");
        }
        else if (!await IsThereAsync(type, key, manifest).ConfigureAwait(false))
            Tell(type, key, null, planned);
    }

    /// <summary>Of what cannot be compared, true.</summary>
    private async Task<bool> IsThereAsync(ResourceType type, ObjectKey key, byte[] manifest)
    {
        try
        {
            await api.CreateAsync(type, key.Namespace, manifest, isDryRun: true).ConfigureAwait(false);
            return false;
        }
        catch (ApiException exception) when (exception.IsAlreadyExists || exception.IsNotFound)
        {
            return exception.IsAlreadyExists;
        }
        catch (ApiException exception)
        {
            Refuse($"{type.Kind} {key}", exception);
            return true;
        }
    }

    /// <param name="before">As it is; null when there is none.</param>
    /// <param name="after">As it would be; null when there would be none.</param>
    private void Tell(ResourceType type, ObjectKey key, JsonElement? before, JsonElement? after)
    {
        var name = $"{type}/{key}";
        (before, after) = (Printed(before), Printed(after));
        _summary?.Changed(type, key, before, after);
        _diff.Append(UnifiedDiff.Of(
            Yaml(before), Yaml(after), before is null ? "/dev/null" : $"live/{name}", after is null ? "/dev/null" : $"wanted/{name}"));
    }

    /// <summary>Of those among the manifests: what is said of others is no news.</summary>
    private void Tell(AccessObject member, Verdict verdict)
    {
        var kind = (member is MCPAccessGrant ? MCPAccessGrant.Type : MCPAgentSession.Type).Kind;
        if (verdict.Phase != AccessPhase.Rejected)
            return;
        if (_summary is not null && member.Reported?.Find(AccessStatus.Accepted)?.Reason != verdict.Reason)
            _summary.Rejected($"{kind} {member.Key}", $"{verdict.Reason}: {verdict.Message}");
        if (given.Manifests.Manifests.Any(manifest => manifest.Kind == kind && manifest.Key == member.Key))
            Note($"{kind} {member.Key}: {verdict.Reason}: {verdict.Message}");
    }

    private void Note(string text) => error.WriteLine($"note: {Printable.Escape(text)}");

    private static JsonElement? Printed(JsonElement? json) => json is { } some ? PrintedObject.Of(some) : null;

    private static string Yaml(JsonElement? json) => json is { } some ? YamlWriter.Document(some) : "";

    private async Task<JsonElement?> FindAsync(ResourceType type, ObjectKey key) =>
        (await api.FindAsync(type, key, static json => new Live(json.Clone())).ConfigureAwait(false))?.Json;

    private sealed class Live(JsonElement json)
    {
        public JsonElement Json => json;
    }
}
