using System.Globalization;
using McpOperator.Access;
using McpOperator.Api;

namespace McpOperator.Commands.Manifests;

/// <summary>
/// What an API server and the operator would refuse of the manifests, each alone and all together: the CRD's schema, the operator's
/// own rules, and what two of them cannot both have.
/// </summary>
internal sealed class ManifestValidator
{
    private readonly OperatorSettings _settings;
    private readonly List<ManifestFault> _faults = [];

    /// <summary>Of each kind, name and namespace the first one.</summary>
    private readonly Dictionary<string, Manifest> _known = new(StringComparer.Ordinal);

    private readonly List<ManifestServer> _servers = [];

    private ManifestValidator(OperatorSettings settings) => _settings = settings;

    /// <summary>Faults and warnings, in the order of the documents. Those of the reading are among them.</summary>
    public static IReadOnlyList<ManifestFault> Validate(ManifestSet manifests, OperatorSettings settings)
    {
        var validator = new ManifestValidator(settings);
        validator._faults.AddRange(manifests.Faults);
        foreach (var manifest in manifests.Manifests)
            validator.Alone(manifest);
        validator._faults.AddRange(NameCollisions.Of(validator._servers, manifests.Others));
        validator.Routes();
        validator.GrantsAndSessions();
        List<string> files = [.. manifests.Files];
        return [.. validator._faults.OrderBy(fault => string.Create(
            CultureInfo.InvariantCulture, $"{files.IndexOf(fault.Source.File):d9}{fault.Source.Document:d9}{fault.Source.Line:d9}"), StringComparer.Ordinal)];
    }

    private void Alone(Manifest manifest)
    {
        var faults = new DocumentFaults();
        faults.AddSchema(manifest);
        if (manifest.Kind == MCPServer.Type.Kind)
        {
            var server = manifest.ReadServer();
            var effective = server with { Spec = Defaults.Apply(server.Metadata.Name, server.Spec, _settings) };
            faults.AddRules(Validation.Validate(effective, _settings));
            if (faults.All.Count == 0)
                _faults.AddRange(SpecWarnings.Of(server, effective.Spec, _settings).Select(doubt => new ManifestFault(manifest, doubt, isWarning: true)));
            if (IsFirst(manifest))
                _servers.Add(new ManifestServer(manifest, server, effective));
        }
        else if (manifest.Kind == MCPAccessGrant.Type.Kind)
        {
            faults.AddRules(Validation.Validate(manifest.ReadAccess().ReadGrant()));
            IsFirst(manifest);
        }
        else if (manifest.Kind == MCPAgentSession.Type.Kind)
        {
            faults.AddRules(Validation.Validate(manifest.ReadAccess().ReadSession()));
            IsFirst(manifest);
        }

        _faults.AddRange(faults.All.Select(fault => new ManifestFault(manifest, fault)));
    }

    private bool IsFirst(Manifest manifest)
    {
        if (manifest.Key.Name.Length == 0)
            return false;
        if (_known.TryAdd($"{manifest.Kind} {manifest.Key}", manifest))
            return true;
        var first = _known[$"{manifest.Kind} {manifest.Key}"].Source;
        Add(manifest, "metadata.name", $"{manifest.Kind} {manifest.Key} stands in document {first.Document} of {first.File} already: remove one of them");
        return false;
    }

    /// <summary>The operator would give a route to one of those that ask for it, and tell the others.</summary>
    private void Routes()
    {
        var table = new RouteTable(_settings);
        foreach (var server in _servers)
            table.Update(server.Manifest.Key, server.Written);
        foreach (var server in _servers)
        {
            if (table.ConflictOf(server.Manifest.Key) is { } conflict)
                Add(server.Manifest, RouteField(server.Written.Spec), $"RouteConflict: {conflict.Message}", isReported: true);
        }

        // The one that the user wrote, for there is the way out.
        static string RouteField(MCPServerSpec spec) =>
            spec.PublicPathPrefix is not null ? "spec.publicPathPrefix"
            : spec.IngressPath is not null ? "spec.ingressPath"
            : spec.IngressHost is not null ? "spec.ingressHost"
            : "metadata.name";
    }

    /// <summary>What the operator would say of policies, and of grants and sessions whose server is among the manifests. Of others nothing is known.</summary>
    private void GrantsAndSessions()
    {
        List<Manifest> members = [.. _known.Values.Where(manifest => manifest.Kind != MCPServer.Type.Kind)];
        foreach (var server in _servers)
        {
            var (manifest, effective) = (server.Manifest, server.Effective);
            var head = effective.Spec.HasGateway() && Validation.AccessFaults(effective).Count == 0 ? PolicyHead.Of(effective, _settings) : null;
            if (head is { IsTooLarge: true })
            {
                Add(manifest, "spec.tools", $"{PolicyProblems.TooLarge.Reason}: {PolicyProblems.TooLarge.Message}", isReported: true);
                head = null;
            }

            List<Manifest> ofServer = [.. members.Where(member => member.ReadAccess().Server == manifest.Key)];
            if (ofServer.Count == 0)
                continue;
            var policy = AccessJudgement.Of(
                manifest.Key, effective, head,
                ofServer.Where(member => member.Kind == MCPAccessGrant.Type.Kind).Select(member => member.ReadAccess().ReadGrant()),
                ofServer.Where(member => member.Kind == MCPAgentSession.Type.Kind).Select(member => member.ReadAccess().ReadSession()),
                DateTimeOffset.MinValue);
            foreach (var (member, verdict) in policy.Verdicts)
            {
                // What is invalid was said of the document alone, field by field.
                if (verdict is not { Phase: AccessPhase.Rejected, Reason: not (AccessReasons.Invalid or AccessReasons.Terminating) })
                    continue;
                var kind = member is MCPAccessGrant ? MCPAccessGrant.Type.Kind : MCPAgentSession.Type.Kind;
                var field = verdict.Reason switch
                {
                    AccessReasons.DuplicateName => "metadata.name",
                    AccessReasons.NamespaceNotAllowed => "spec.serverRef.namespace",
                    _ => "spec",
                };
                Add(_known[$"{kind} {member.Key}"], field, $"{verdict.Reason}: {verdict.Message}", isReported: true);
            }
        }
    }

    private void Add(Manifest manifest, string field, string message, bool isReported = false) =>
        _faults.Add(new ManifestFault(manifest, new SpecFault(field, message)) { IsReported = isReported });
}
