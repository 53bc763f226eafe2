using System.Text.Json.Nodes;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Kubernetes.Types;
using McpOperator.Mirror;

namespace McpOperator.Servers.Kinds;

/// <summary>
/// One of the objects of a server with mTLS beside its IngressRoute (<see cref="MtlsObjects"/>). They come before that, and go after it. Together they have one condition.
/// Optional: the CRDs are not part of Kubernetes.
/// </summary>
/// <param name="spec">Of the object.</param>
/// <param name="wanted">As in <see cref="OwnedKind.Wanted"/>.</param>
/// <param name="isWatched">False when another row watches the store.</param>
/// <param name="isLast">Whether it comes after the IngressRoute: it keeps everybody else out.</param>
internal sealed class MtlsKind<T>(
    ServerKinds kinds, ResourceType type, string suffix, Func<MCPServer, OperatorSettings, JsonObject> spec, Task wanted, Store<T> store, Decoder<T> decode, OwnedFields ours,
    string? name = null, bool isWatched = true, bool isLast = false)
    : OwnedKind<T>(type, ConditionTypes.MtlsReady, store, decode, ours, suffix, name)
    where T : Observed
{
    private readonly string _suffix = suffix;

    public override bool IsOptional => true;

    public override Task? Wanted => wanted;

    public override bool IsDue(Pass pass) => pass.IsDone(kinds.IngressRoute) || (pass.Spec.UsesMtls() && !isLast);

    public override DesiredState DesiredStateOf(Pass pass)
    {
        // It would keep everybody out of what is no gateway with mTLS any more.
        if (!pass.Spec.UsesMtls() && isLast && (!pass.Spec.HasGateway() || kinds.HaveSwitched(pass)))
            return new DesiredState.Absent();
        if (!pass.Spec.UsesMtls())
            // What the IngressRoute refers to stays as long as that.
            return pass.IsPlan || pass.ResultOf(kinds.IngressRoute) is { Live: null, Problem: null } ? new DesiredState.Absent() : new DesiredState.Keep();
        if (isLast && !pass.IsPlan && !kinds.IngressRoute.Serves(pass))
            return new DesiredState.Keep();
        // What comes after the IngressRoute may not have been there at a report of the others.
        return new DesiredState.Apply(() => Build(pass.Server, pass.Settings), IsRepair: isLast && !pass.Server.ExistedAtLastStatus(ConditionTypes.IngressRouteReady) ? false : null);
    }

    public override IEnumerable<ComponentCondition> ConditionsOf(Pass pass)
    {
        var result = pass.ResultOf(this);
        var isWanted = pass.Spec.UsesMtls() && (!isLast || kinds.IngressRoute.Serves(pass));
        return !isWanted && result is { Live: null, Problem: null } ? [] : [ConditionOf(pass, result.Problem, live => live switch
        {
            ObservedCertificate { IsReady: false } certificate when isWanted => CertificateKind.ConditionOf(
                ConditionTypes.MtlsReady, Name, certificate, live.Key.Name, $"{TlsConfig.ClusterIssuer} {pass.Settings.MtlsClusterIssuer}"),
            _ => Ready(Reasons.MtlsConfigured, "the certificates are issued, and Traefik's objects are there"),
        })];
    }

    protected override bool IsWatched => isWatched;

    /// <param name="server">With the defaults filled in, and valid.</param>
    internal byte[] Build(MCPServer server, OperatorSettings settings)
    {
        var name = server.Metadata.Name;
        return ApplyConfiguration.Of(Type, Labels.MetadataOf(server, MtlsObjects.LabelsOf(name), name: name + _suffix), spec(server, settings));
    }
}
