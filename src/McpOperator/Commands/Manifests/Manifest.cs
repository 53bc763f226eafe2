using System.Text.Json;
using McpOperator.Api;

namespace McpOperator.Commands.Manifests;

/// <summary>Where an object was written.</summary>
/// <param name="File">As it was named; <c>-</c> for standard input.</param>
/// <param name="Document">In that file, from 1.</param>
/// <param name="Line">Of the document's beginning, from 1.</param>
internal sealed record ManifestSource(string File, int Document, int Line);

/// <summary>An object of ours, or of a kind that is none of ours, as it was written but for its namespace, which is always set.</summary>
/// <param name="Source">Where.</param>
/// <param name="ApiVersion">Group and version.</param>
/// <param name="Kind">Of the object.</param>
/// <param name="Key">Namespace and name; the name is empty where there is none.</param>
/// <param name="Json">The object.</param>
internal sealed record Manifest(ManifestSource Source, string ApiVersion, string Kind, ObjectKey Key, JsonElement Json)
{
    /// <summary>Null for a kind that is none of ours.</summary>
    public CustomResourceSchema? Schema { get; init; }

    /// <summary>Of an <see cref="MCPServer"/>. One that does not fit the type has <see cref="MCPServer.Unreadable"/>.</summary>
    public MCPServer ReadServer()
    {
        var server = StoredServer.Decode(Json, Product.Identity.OwnedFields).Read();
        return server with { Metadata = InTurn(server.Metadata) };
    }

    /// <summary>Of a grant or a session, as <see cref="ReadServer"/>.</summary>
    public StoredAccess ReadAccess()
    {
        var member = StoredAccess.Decode(Json, Product.Identity.OwnedFields);
        return member.In(InTurn(member.Metadata), member.Reported);
    }

    /// <summary>The older one has a route, or the name of a grant: what nobody has created yet is younger than all that was.</summary>
    private static ObjectMeta InTurn(ObjectMeta metadata) =>
        metadata.CreationTimestamp == default ? metadata with { CreationTimestamp = DateTimeOffset.MaxValue } : metadata;

    public override string ToString() => Key.Name.Length == 0 ? Kind : $"{Kind}/{Key.Name}";
}

/// <summary>An MCPServer among the manifests.</summary>
/// <param name="written">As it was.</param>
/// <param name="effective">With the defaults filled in (<see cref="Defaults"/>).</param>
internal sealed class ManifestServer(Manifest manifest, MCPServer written, MCPServer effective)
{
    public Manifest Manifest { get; } = manifest;

    public MCPServer Written { get; } = written;

    public MCPServer Effective { get; } = effective;
}

/// <summary>One thing wrong with a document, or doubtful.</summary>
/// <param name="Source">Where.</param>
/// <param name="Kind">Empty where it is not known.</param>
/// <param name="Key">As far as it is known.</param>
/// <param name="Field">Its path, as an API server spells it; <c>line 7</c> where no object could be read.</param>
/// <param name="Message">What is wrong, and the way out.</param>
/// <param name="IsWarning">It is doubtful, and it runs.</param>
internal sealed record ManifestFault(ManifestSource Source, string Kind, ObjectKey Key, string Field, string Message, bool IsWarning = false)
{
    public ManifestFault(Manifest manifest, SpecFault fault, bool isWarning = false)
        : this(manifest.Source, manifest.Kind, manifest.Key, fault.Field, fault.Reason, isWarning)
    {
    }

    /// <summary>True of what the operator reports, and goes on with the rest: a route that another server has, a grant that is not taken.</summary>
    public bool IsReported { get; init; }

    /// <summary><c>FILE: document N (Kind/name): field: reason</c>.</summary>
    public override string ToString() => string.Concat(
        $"{Source.File}: document {Source.Document}",
        Kind.Length == 0 ? "" : Key.Name.Length == 0 ? $" ({Kind})" : $" ({Kind}/{Key.Name})",
        $": {Field}: {Message}");
}

/// <summary>All that was read.</summary>
/// <param name="files">See <see cref="Files"/>.</param>
/// <param name="manifests">See <see cref="Manifests"/>.</param>
/// <param name="others">See <see cref="Others"/>.</param>
/// <param name="faults">See <see cref="Faults"/>.</param>
internal sealed class ManifestSet(
    IReadOnlyList<string> files, IReadOnlyList<Manifest> manifests, IReadOnlyList<Manifest> others, IReadOnlyList<ManifestFault> faults)
{
    /// <summary>Each once, in the order of the input.</summary>
    public IReadOnlyList<string> Files { get; } = files;

    /// <summary>Objects of ours, in the order of the input.</summary>
    public IReadOnlyList<Manifest> Manifests { get; } = manifests;

    /// <summary>Objects of other kinds.</summary>
    public IReadOnlyList<Manifest> Others { get; } = others;

    /// <summary>What could not be read as objects, or must not stand there.</summary>
    public IReadOnlyList<ManifestFault> Faults { get; } = faults;

    public List<MCPServer> Servers() =>
        [.. Manifests.Where(manifest => manifest.Kind == MCPServer.Type.Kind).Select(manifest => manifest.ReadServer())];

    /// <summary>Grants, or sessions.</summary>
    public List<StoredAccess> Access(ResourceType type) =>
        [.. Manifests.Where(manifest => manifest.Kind == type.Kind).Select(manifest => manifest.ReadAccess())];

    /// <summary>One line for each kind that was passed over.</summary>
    public IEnumerable<string> Notes
    {
        get
        {
            List<string> kinds = [.. Others.Select(other => $"{other.Kind} ({other.ApiVersion})")];
            return kinds.Distinct().Order(StringComparer.Ordinal).Select(kind => $"passed over {kinds.Count(kind.Equals)} {kind}");
        }
    }
}
