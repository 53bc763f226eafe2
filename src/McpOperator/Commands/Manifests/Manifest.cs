using System.Text.Json;
using McpOperator.Api;
using McpOperator.Kubernetes;

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
    public MCPServer ReadServer() => StoredServer.Decode(Json, Product.Identity.OwnedFields).Read();

    /// <summary>Of a grant or a session, as <see cref="ReadServer"/>.</summary>
    public StoredMember ReadMember() => StoredMember.Decode(Json, Product.Identity.OwnedFields);

    public override string ToString() => Key.Name.Length == 0 ? Kind : $"{Kind}/{Key.Name}";
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

    /// <summary><c>FILE: document N (Kind/name): field: reason</c>.</summary>
    public override string ToString() => string.Concat(
        $"{Source.File}: document {Source.Document}",
        Kind.Length == 0 ? "" : Key.Name.Length == 0 ? $" ({Kind})" : $" ({Kind}/{Key.Name})",
        $": {Field}: {Message}");
}

/// <summary>All that was read.</summary>
/// <param name="Files">Each once, in the order of the input.</param>
/// <param name="Manifests">Objects of ours, in the order of the input.</param>
/// <param name="Others">Objects of other kinds.</param>
/// <param name="Faults">What could not be read as objects, or must not stand there.</param>
internal sealed record ManifestSet(
    IReadOnlyList<string> Files, IReadOnlyList<Manifest> Manifests, IReadOnlyList<Manifest> Others, IReadOnlyList<ManifestFault> Faults)
{
    /// <summary>One line for each kind that was passed over.</summary>
    public IEnumerable<string> Notes => Others
        .GroupBy(other => $"{other.Kind} ({other.ApiVersion})", StringComparer.Ordinal)
        .OrderBy(group => group.Key, StringComparer.Ordinal)
        .Select(group => $"passed over {group.Count()} {group.Key}");
}
