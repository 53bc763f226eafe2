using McpOperator.Api;
using McpOperator.Controller;
using McpOperator.Servers.Kinds;

namespace McpOperator.Servers.Diagnosis;

/// <summary>
/// Finds out why no ingress controller publishes an address, once a server has waited for one for
/// <see cref="OperatorSettings.DiagnoseAfter"/>. That an address is there is told by the watch of Ingresses, at once.
/// </summary>
internal sealed class AddressDiagnostician(IngressClasses classes, ServerKinds kinds, OperatorSettings settings, TimeProvider time)
{
    private const string Permissive = "does it run, and publish addresses? else set MCP_INGRESS_READINESS_MODE=permissive";

    /// <summary>Names in a message.</summary>
    private const int Few = 5;

    /// <param name="pass">After all kinds had their turn.</param>
    public async Task LookAsync(Pass pass, CancellationToken cancellationToken)
    {
        if (!pass.IsValid || !pass.Spec.HasIngress() || settings.PermissiveIngressReadiness || pass.ResultOf(kinds.Ingress).Problem is not null
            || kinds.Ingress.LiveAfter(pass) is not { IsTerminating: false, HasLoadBalancer: false })
        {
            pass.Memory.AddressWait = null;
            return;
        }

        var now = time.GetTimestamp();
        var name = pass.Spec.IngressClass ?? settings.DefaultIngressClass;
        if (pass.Memory.AddressWait is not { } wait || wait.IngressClass != name)
            wait = pass.Memory.AddressWait = new AddressWait(name, now) { DueAt = DueAt(pass.Stored, now) };
        if (wait.DueAt > now)
            return;
        var look = await classes.LookAsync(isFirst: !wait.IsLooked, cancellationToken).ConfigureAwait(false);
        (wait.IsLooked, wait.DueAt) = (true, look.NextAt);
        // A class may have come with the server, after the list.
        if (look.Classes is null || look.ListedAt >= wait.BeganAt || Find(name, look.Classes) is not null)
        {
            var hasAnnotation = IngressKind.Build(pass.Server, settings).Metadata.Annotations?.ContainsKey(Routing.ClassAnnotation) == true;
            wait.Cause = CauseOf(name, look.Classes, hasAnnotation);
        }
    }

    /// <summary>Why, as far as the classes tell.</summary>
    /// <param name="name">Of the class that the Ingress asks for.</param>
    /// <param name="classes">Null when they cannot be listed.</param>
    /// <param name="hasAnnotation">Whether an annotation names the class, too: controllers that go by it need no IngressClass.</param>
    internal static Cause CauseOf(string name, IReadOnlyList<IngressClasses.Item>? classes, bool hasAnnotation)
    {
        if (Find(name, classes) is { } known)
        {
            return new(Reasons.LoadBalancerPending, known.Controller is { } controller
                ? $"the controller of class {name} is {ForeignText.Clean(controller)}: {Permissive}"
                : $"the IngressClass {name} names no controller, so that none serves it");
        }

        if (classes is null || hasAnnotation)
            return new(Reasons.LoadBalancerPending, $"the controller of class {name}: {Permissive}");
        // No LINQ: each of its iterators over another type brings its generic virtual methods along, some 40 kB of them here.
        var others = new List<string>();
        foreach (var item in classes)
            others.Add(item.Key.Name);
        others.Sort(StringComparer.Ordinal);
        var more = Math.Max(0, others.Count - Few);
        others.RemoveRange(others.Count - more, more);
        var there = others.Count == 0 ? "the cluster has no IngressClass at all"
            : $"the cluster has no IngressClass {name}, but {string.Join(", ", others)}{(more > 0 ? $" and {more} more" : "")}";
        return new(Reasons.IngressClassNotFound, others.Count == 0
            ? $"{there}, and {name} is asked for; install an ingress controller with its class"
            : $"{there}; correct spec.ingressClass, or install the controller of class {name}");
    }

    private static IngressClasses.Item? Find(string name, IReadOnlyList<IngressClasses.Item>? classes)
    {
        foreach (var item in classes ?? [])
        {
            if (item.Key.Name == name)
                return item;
        }

        return null;
    }

    /// <summary>After a restart, from the time when it was first reported to wait: what was found is not taken back for want of a look.</summary>
    private long DueAt(MCPServer server, long now)
    {
        var waited = server.Reported?.Find(ConditionTypes.IngressReady) is { Status: "False", Reason: Reasons.LoadBalancerPending or Reasons.IngressClassNotFound } reported
            && KubernetesTime.TryParse(reported.Since, out var since) ? time.GetUtcNow() - since : TimeSpan.Zero;
        return waited >= settings.DiagnoseAfter ? now : time.After(now, settings.DiagnoseAfter - (waited > TimeSpan.Zero ? waited : TimeSpan.Zero));
    }
}

/// <summary>What is known of why a server has no address, while it waits for one.</summary>
/// <param name="ingressClass">That its Ingress asks for: another one begins it anew.</param>
/// <param name="beganAt">Timestamp.</param>
internal sealed class AddressWait(string ingressClass, long beganAt)
{
    public string IngressClass => ingressClass;

    public long BeganAt => beganAt;

    /// <summary>Timestamp of the next look; <see cref="long.MaxValue"/> for never.</summary>
    public long DueAt { get; set; }

    public bool IsLooked { get; set; }

    /// <summary>Null when nothing is known yet.</summary>
    public Cause? Cause { get; set; }
}
