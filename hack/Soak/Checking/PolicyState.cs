using System.Text.Json.Nodes;

namespace McpOperator.Soak.Checking;

/// <summary>What a policy has to hold.</summary>
internal enum PolicyKind
{
    /// <summary>No pod has a gateway, and none is to get one: nothing is enforced.</summary>
    Off,

    /// <summary>There is to be one but there is none: somebody else's object is in its place, or the spec was never right.</summary>
    Missing,

    /// <summary>All that the spec and the members say.</summary>
    Current,

    /// <summary>What the last one held, without what was taken away since: the spec does not say who may call.</summary>
    Frozen,
}

/// <summary>What docs/policy.md asks of the policy of one server, with the objects that stand there.</summary>
internal sealed class PolicyState
{
    public const string NeedsNewPods = "mcpruntime.org/policy-needs-new-pods";

    public const string PolicyUid = "mcpruntime.org/policy-uid";

    public PolicyState(Wanted wanted, Snapshot snapshot, bool isForeign)
    {
        var live = snapshot.Find(Resource.ConfigMaps, wanted.Namespace, wanted.PolicyName);
        var isOwn = live?.IsManaged() == true && live.Controller().Raw("uid") == wanted.Server.Uid();
        var pods = new[] { wanted.Name, wanted.CanaryName }
            .Select(name => snapshot.Find(Resource.Deployments, wanted.Namespace, name)).OfType<JsonObject>()
            .Where(track => track.IsManaged() && track.Controller().Raw("uid") == wanted.Server.Uid() && HasGateway(track))
            .ToList();
        var isInvalid = wanted.Faults().Count > 0;
        // Switched off in a spec that is wrong: the Deployment stays as it was, and its gateways need their policy.
        if (!wanted.HasGateway && !(isInvalid && pods.Count > 0))
            return;
        Kind = isForeign || (isInvalid && !isOwn && pods.Count == 0) ? PolicyKind.Missing
            : wanted.AccessFaults().Count > 0 || !wanted.HasGateway ? PolicyKind.Frozen
            : PolicyKind.Current;
        Live = isOwn ? live : null;
        // A kubelet never looks again at the name of an immutable one.
        IsShown = Live.Raw("metadata", "annotations", NeedsNewPods) is not "true"
            || pods.TrueForAll(track => track.Raw("spec", "template", "metadata", "annotations", PolicyUid) == Live!.Uid());
    }

    public PolicyKind Kind { get; }

    /// <summary>The server's own ConfigMap.</summary>
    public JsonObject? Live { get; }

    /// <summary>Whether no pod is left that has another one.</summary>
    public bool IsShown { get; } = true;

    /// <summary>Whether anybody is told of being in it. At rest it says what it should, or that is found anyway.</summary>
    public bool IsInForce => Kind == PolicyKind.Off || (Kind != PolicyKind.Missing && IsShown);

    /// <summary>Null where no document of the server stands.</summary>
    public string? Stored => Live.Raw("data", "policy.json");

    private static bool HasGateway(JsonObject track) =>
        track.Items("spec", "template", "spec", "containers").Any(container => container.Raw("name") == "mcp-gateway");
}
