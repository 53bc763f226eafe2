using System.Text.Json;
using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Controller;
using McpOperator.Mirror;
using McpOperator.Servers.Diagnosis;

namespace McpOperator.Servers.Kinds;

/// <summary>
/// The certificate of a server's Ingress. cert-manager makes it, by the Ingress' annotation, with the Ingress' labels and its name for the Secret; this row
/// only reports what it says. Where cert-manager is not installed, or may not be seen, nothing is said.
/// </summary>
internal sealed class CertificateKind(Stores stores, Store<ObservedCertificate> store, OwnedFields ours) : OwnedKind(ResourceTypes.Certificate, "certificate")
{
    private static readonly object Listed = new();
    private static readonly object Denied = new();

    public override bool IsOptional => true;

    public override bool IsInstalled => store.IsInstalled;

    public override object? InputOf(ObjectKey server) => store.IsDenied(server.Namespace) ? Denied
        : stores.Certificates.LastChangeFor(server) ?? (store.Reached(server.Namespace) is null ? null : Listed);

    public override DesiredState DesiredStateOf(Pass pass) => new DesiredState.Keep();

    public override Task<ApplyResult> CarryOutAsync(Applier applier, Pass pass, DesiredState desired, CancellationToken cancellationToken)
    {
        Refer(pass);
        return Task.FromResult<ApplyResult>(default);
    }

    public override IEnumerable<ComponentCondition> ConditionsOf(Pass pass)
    {
        if (SecretOf(pass) is not { } secret || !IsSeen(pass.Server.Metadata.Namespace))
            return [];
        var tls = TlsConfig.Of(pass.Spec)!;
        return [store.Get(new ObjectKey(pass.Server.Metadata.Namespace, secret)) is { } live
            ? ConditionOf(ConditionTypes.CertificateReady, Name, live, secret, $"{tls.IssuerKind} {tls.IssuerName}")
            : new(ConditionTypes.CertificateReady, Name, false, Reasons.CertificatePending,
                $"cert-manager has not made the Certificate {secret} for the Ingress yet: does it run, and watch Ingresses, and is there no Certificate of that name that is another's?")];
    }

    /// <summary>What cert-manager says of a certificate.</summary>
    public static ComponentCondition ConditionOf(string condition, string component, ObservedCertificate live, string name, string issuer) => live switch
    {
        { IsReady: true } => new(condition, component, true, Reasons.CertificateIssued, "the certificate is issued"),
        { Message: { Length: > 0 } words } => new(condition, component, false, Reasons.CertificateNotReady, $"{words} (Certificate {name}, {issuer})"),
        _ => new(condition, component, false, Reasons.CertificatePending, $"cert-manager has said nothing of the Certificate {name} yet: does it run?"),
    };

    public override IReflector? Watch(ReflectorFactory reflectors, string? ns) =>
        reflectors.Create(Type, ns, Labels.ManagedSelector, json => new ObservedCertificate(json, ours), store, isOptional: true, wanted: stores.Optional.Certificates);

    /// <summary>The Secret that cert-manager is to fill, perhaps for other servers as well; null without one.</summary>
    private static string? SecretOf(Pass pass) =>
        pass.Spec.HasIngress() && TlsConfig.Of(pass.Spec) is { HasIssuer: true } tls ? tls.SecretNameOf(pass.Server.Metadata.Name) : null;

    /// <summary>Whether clients would get another certificate than the server's.</summary>
    public bool IsAwaited(Pass pass)
    {
        Refer(pass);
        return ConditionsOf(pass).Any(static condition => !condition.IsReady);
    }

    /// <summary>Before it is looked at: else what changes in between would be no news.</summary>
    private void Refer(Pass pass) => stores.Certificates.Refer(pass.Server.Key, SecretOf(pass) is { } secret ? [secret] : []);

    /// <summary>Also before the first list: what is not known yet is waited for.</summary>
    private bool IsSeen(string ns) => store.IsInstalled && !store.IsDenied(ns);
}

/// <summary>A Certificate of cert-manager, and whether it is issued.</summary>
internal sealed class ObservedCertificate : Observed
{
    public ObservedCertificate(JsonElement json, OwnedFields ours)
        : base(json, ours, Labels.OwnerOf(json))
    {
        if (json.Child("status"u8)?.Child("conditions"u8) is not { ValueKind: JsonValueKind.Array } conditions)
            return;
        foreach (var condition in conditions.EnumerateArray())
        {
            if (!condition.Is("type"u8, "Ready"))
                continue;
            var isCurrent = condition.Child("observedGeneration"u8) is null || condition.Number("observedGeneration"u8) >= Generation;
            IsReady = isCurrent && condition.Is("status"u8, "True");
            Message = IsReady || !isCurrent ? null : ForeignText.Clean(condition.Text("message"u8));
        }
    }

    public bool IsReady { get; }

    /// <summary>cert-manager's words; null when it is issued, or of what was before the last change, empty when it has none.</summary>
    public string? Message { get; }
}
