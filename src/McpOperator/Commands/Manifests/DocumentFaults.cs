using System.Text.Json;
using McpOperator.Api;

namespace McpOperator.Commands.Manifests;

/// <summary>
/// What is wrong with one document. Of a field that several would refuse only the first one's words are kept: the schema's, then
/// those of our own rules; but these come before a pattern, which says in signs what they say in words.
/// </summary>
internal sealed class DocumentFaults
{
    private readonly List<SpecFault> _faults = [];
    private readonly HashSet<string> _fields = new(StringComparer.Ordinal);
    private readonly List<SpecFault> _patterns = [];

    public IReadOnlyList<SpecFault> All => [.. _faults, .. _patterns.Where(fault => !IsSaid(fault.Field))];

    /// <summary>What an API server says without looking at the rules of this kind.</summary>
    public void AddSchema(Manifest manifest)
    {
        var check = new SchemaCheck();
        check.Check(manifest.Json, manifest.Schema!.Schema, "");
        var isShaped = manifest.Json.Child("metadata"u8) is { ValueKind: JsonValueKind.Object };
        var metadata = manifest.Json.Child("metadata"u8) ?? default;
        if (isShaped)
            ObjectMetaCheck.Check(check, metadata);
        var isSound = check.Faults.All(fault => !fault.Field.StartsWith("metadata.", StringComparison.Ordinal) || check.Mismatched.Contains(fault.Field));
        _patterns.AddRange(check.Faults.Where(fault => check.Mismatched.Contains(fault.Field)));
        Add([.. check.Faults.Where(fault => !check.Mismatched.Contains(fault.Field))]);
        if (isShaped && isSound)
            Add(ObjectMetaCheck.Faults(metadata));
        else if (!manifest.Json.TryGetProperty("metadata"u8, out _))
            Add([new SpecFault("metadata.name", "Required value: name is required")]);
    }

    /// <summary>What the operator says.</summary>
    public void AddRules(IReadOnlyList<SpecFault> faults) => Add(faults);

    private void Add(IReadOnlyList<SpecFault> faults)
    {
        List<SpecFault> added = [.. faults.Where(fault => !IsSaid(fault.Field))];
        _faults.AddRange(added);
        _fields.UnionWith(added.Select(fault => fault.Field));
    }

    /// <summary>Something is wrong there already, or with what it is in.</summary>
    private bool IsSaid(string field)
    {
        for (var end = field.Length; end > 0; end = field.AsSpan(0, end).LastIndexOfAny('.', '['))
        {
            if (_fields.Contains(field[..end]))
                return true;
        }

        return false;
    }
}
