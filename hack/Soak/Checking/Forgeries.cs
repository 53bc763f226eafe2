using System.Text.Json.Nodes;

namespace McpOperator.Soak.Checking;

/// <summary>
/// What breaks a rule of docs/policy.md in a snapshot that breaks none. A document among it hashes to its revision, so that it is the rule that has
/// to be noticed.
/// </summary>
internal static class Forgeries
{
    /// <summary>One object in another's place.</summary>
    internal sealed record Forgery(string Kind, JsonObject Live, JsonObject Forged);

    /// <summary>By the rule that they break: all that the snapshot has an object for.</summary>
    /// <param name="snapshot">Without a fault.</param>
    /// <param name="result">Of its check.</param>
    public static IEnumerable<(string Rule, Func<Forgery> Make)> Of(Snapshot snapshot, Checker.Result result)
    {
        foreach (var kind in Snapshot.Children)
            foreach (var live in snapshot.Of(kind).Where(result.Compared.Contains))
                foreach (var one in OfNeighbours(kind, live))
                    yield return one;
        foreach (var server in snapshot.Of(Resource.MCPServers).Where(server => server.Raw("status", "phase") == "Ready"))
            if (snapshot.Changes.GetValueOrDefault(Snapshot.ChangesKey(Resource.Services, server.Namespace(), server.Name())) < Checker.Mistakes)
                yield return ("a quarrel that never was", Changed(Resource.MCPServers, server, forged =>
                {
                    forged["status"]!["phase"] = "Error";
                    foreach (var condition in forged.Items("status", "conditions").Where(condition => condition.Raw("type") is "Ready" or "ServiceReady"))
                        condition["reason"] = "Contested";
                    forged.Items("status", "conditions").First(condition => condition.Raw("type") == "Ready")["status"] = "False";
                }));
        foreach (var (key, policy) in result.Policies)
        {
            if (snapshot.Of(Resource.MCPServers).Single(server => server.Key() == key) is { } server && server.Raw("status", "phase") == "Error")
                foreach (var one in OfInvalid(server))
                    yield return one;
            if (policy.Live is { } live && policy.Stored is { } stored && PolicyDocument.Parse(stored) is { } document
                && policy.Kind is PolicyKind.Current or PolicyKind.Frozen)
                foreach (var one in OfPolicy(snapshot, result, key, policy, live, document))
                    yield return one;
        }
        foreach (var kind in new[] { Resource.MCPAccessGrants, Resource.MCPAgentSessions })
            foreach (var member in snapshot.Of(kind).Where(member => ReasonOf(member) == "Terminating"))
                if (result.Policies.GetValueOrDefault(Access.TargetOf(member)) is { Kind: PolicyKind.Current or PolicyKind.Off, IsInForce: true })
                    yield return ("it is not being deleted", Changed(kind, member, forged => forged["metadata"]!.AsObject().Remove("deletionTimestamp")));
    }

    private static IEnumerable<(string, Func<Forgery>)> OfNeighbours(Resource kind, JsonObject live)
    {
        if (!Comparison.OwnedBy(live).Any())
            yield break;
        yield return ("the label is somebody else's", Changed(kind, live, forged => forged["metadata"]!["labels"]!["app.kubernetes.io/managed-by"] = "platform"));
        yield return ("a backup tool holds all that is ours", Changed(kind, live, forged => forged["metadata"]!["managedFields"]!.AsArray().Add(new JsonObject
        {
            ["manager"] = Neighbours.BackupTool + "0",
            ["operation"] = "Update",
            ["fieldsV1"] = Comparison.OwnedBy(live).First().DeepClone(),
        })));
        if (kind != Resource.Deployments)
            yield break;
        var containers = live.At("spec", "template", "spec", "containers")!.AsArray();
        yield return ("a variable that an undo brought back", Changed(kind, live, forged => forged["metadata"]!["managedFields"]!.AsArray().Add(new JsonObject
        {
            ["manager"] = Neighbours.UndoManager,
            ["operation"] = "Update",
            ["fieldsV1"] = JsonNode.Parse($$$"""
                {"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"{{{OwnContainer(live)}}}\"}":{"f:env":{"k:{\"name\":\"UNDONE\"}":{} } } } } } } }
                """),
        })));
        if (containers.All(container => container.Raw("name") != "mcp-gateway"))
        {
            yield return ("a gateway that an undo brought back", Changed(kind, live, forged =>
                forged["spec"]!["template"]!["spec"]!["containers"]!.AsArray().Add(new JsonObject { ["name"] = "mcp-gateway", ["image"] = "x" })));
            yield return ("a gateway's volume that an undo brought back", Changed(kind, live, forged =>
            {
                var pod = forged["spec"]!["template"]!["spec"]!;
                pod["volumes"] = new JsonArray(new JsonObject { ["name"] = "gateway-policy" });
            }));
        }
        else
        {
            yield return ("the gateway of another operator", Changed(kind, live, forged => forged.Items("spec", "template", "spec", "containers")
                .First(container => container.Raw("name") == "mcp-gateway")["image"] = "ghcr.io/example/mcp-gateway:other"));
        }
    }

    private static string OwnContainer(JsonObject live) => live.Raw("metadata", "labels", "app")!;

    private static IEnumerable<(string, Func<Forgery>)> OfInvalid(JsonObject server)
    {
        var ready = server.Items("status", "conditions").FirstOrDefault(condition => condition.Raw("type") == "PolicyReady");
        if (server.Flag("spec", "gateway", "enabled") && ready.Raw("reason") is "PolicyCurrent" or "PolicyOutdated")
            yield return ("PolicyReady of an invalid spec", Changed(Resource.MCPServers, server, forged =>
                forged.Items("status", "conditions").First(condition => condition.Raw("type") == "PolicyReady")["reason"] =
                    ready.Raw("reason") == "PolicyCurrent" ? "PolicyOutdated" : "PolicyCurrent"));
    }

    private static IEnumerable<(string, Func<Forgery>)> OfPolicy(
        Snapshot snapshot, Checker.Result result, string key, PolicyState policy, JsonObject live, JsonObject document)
    {
        var about = policy.Kind == PolicyKind.Frozen ? "a frozen document" : "a document";
        foreach (var (kind, list) in new[] { (Resource.MCPAccessGrants, "grants"), (Resource.MCPAgentSessions, "sessions") })
        {
            foreach (var entry in document.Items(list))
                if (snapshot.Find(kind, entry.Raw("namespace")!, entry.Raw("name")!) is { } member)
                    yield return ($"{about} holds one that is being deleted", Changed(kind, member, forged =>
                        forged["metadata"]!["deletionTimestamp"] = "2020-01-02T03:04:05Z"));
            yield return ($"{about} holds one that is not there", Rewritten(live, document, list, items =>
                items.Add(new JsonObject { ["name"] = "zzz", ["namespace"] = "zzz" })));
            if (document.Items(list).Any())
                yield return ($"{about} has another form of one", Rewritten(live, document, list, items => items[0]!["human_id"] = "another"));
        }
        yield return ("immutable", Changed(Resource.ConfigMaps, live, forged => forged["immutable"] = true));
        // Of a frozen one nobody knows any more what has stood there, and it is called outdated anyway.
        if (policy.Kind == PolicyKind.Frozen)
            yield break;

        foreach (var one in OfPods(snapshot, live))
            yield return one;
        foreach (var list in new[] { "grants", "sessions" })
            for (var i = 0; i < document.Items(list).Count(); i++)
            {
                var (at, hasEnded) = (i, document.Items(list).ElementAt(i).Raw("expires_at") is { } time
                    && DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture) < snapshot.Taken);
                yield return (hasEnded ? "an expired session is left out" : "one is left out", Rewritten(live, document, list, items => items.RemoveAt(at)));
            }
        var isFull = result.Judgements[key].Verdicts.Any(verdict => verdict.Reason == "PolicyFull");
        yield return (isFull ? "default_decision of a full document" : "default_decision", Rewritten(live, document, "policy", "default_decision",
            document.Raw("policy", "default_decision") == "deny" ? "allow" : "deny"));
        foreach (var verdict in result.Judgements[key].Verdicts)
        {
            if (verdict.Reason is not ("PolicyFull" or "TooLarge") || verdict.Subject.Raw("kind") != "MCPAccessGrant")
                continue;
            // In the place of another, as if it had come before that one.
            yield return ($"a document holds one that is {verdict.Reason}", Rewritten(live, document, "grants", items =>
            {
                if (items.Count > 0)
                    items.RemoveAt(items.Count - 1);
                items.Add(PolicyDocument.Grant(verdict.Subject, PolicyDocument.TeamOf(document)));
            }));
        }
    }

    private static IEnumerable<(string, Func<Forgery>)> OfPods(Snapshot snapshot, JsonObject live)
    {
        var isNew = live.Raw("metadata", "annotations", PolicyState.NeedsNewPods) == "true";
        if (!snapshot.Of(Resource.Deployments).Any(track => track.IsManaged() && track.Controller().Raw("uid") == live.Controller().Raw("uid")
            && track.Items("spec", "template", "spec", "containers").Any(container => container.Raw("name") == "mcp-gateway")
            && track.Raw("spec", "template", "metadata", "annotations", PolicyState.PolicyUid) == (isNew ? live.Uid() : null)))
            yield break;
        yield return isNew
            ? ("pods from before an immutable one was replaced", Changed(Resource.ConfigMaps, live, forged => forged["metadata"]!["uid"] = Guid.Empty.ToString()))
            : ("pods that should be new", Changed(Resource.ConfigMaps, live, forged =>
            {
                var annotations = forged.At("metadata", "annotations") as JsonObject ?? [];
                annotations[PolicyState.NeedsNewPods] = "true";
                if (annotations.Parent is null)
                    forged["metadata"]!["annotations"] = annotations;
            }));
    }

    private static string? ReasonOf(JsonObject member) => member.Items("status", "conditions").FirstOrDefault().Raw("reason");

    private static Func<Forgery> Changed(Resource kind, JsonObject live, Action<JsonObject> change) => () =>
    {
        var forged = live.DeepClone().AsObject();
        change(forged);
        return new(kind.Kind, live, forged);
    };

    private static Func<Forgery> Rewritten(JsonObject live, JsonObject document, string list, Action<JsonArray> change) => () =>
    {
        var rewritten = document.DeepClone().AsObject();
        var items = rewritten[list] as JsonArray ?? [];
        change(items);
        rewritten.Remove(list);
        // Sessions come after grants, and both after everything else.
        var sessions = list == "grants" ? rewritten["sessions"]?.DeepClone() : null;
        if (sessions is not null)
            rewritten.Remove("sessions");
        if (items.Count > 0)
            rewritten[list] = items.DeepClone();
        if (sessions is not null)
            rewritten["sessions"] = sessions;
        return Rewritten(live, rewritten)();
    };

    private static Func<Forgery> Rewritten(JsonObject live, JsonObject document, string part, string field, string value) => () =>
    {
        var rewritten = document.DeepClone().AsObject();
        rewritten[part]![field] = value;
        return Rewritten(live, rewritten)();
    };

    private static Func<Forgery> Rewritten(JsonObject live, JsonObject document) => Changed(Resource.ConfigMaps, live, forged =>
        forged["data"]!["policy.json"] = PolicyDocument.WithTime(PolicyDocument.Sealed(document), PolicyDocument.TimeOf(live.Raw("data", "policy.json"))));
}
