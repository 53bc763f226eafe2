using System.Collections.Immutable;
using System.Reflection.Metadata;

namespace McpOperator.Size;

/// <summary>Names the types that the metadata of an mstat file refers to.</summary>
internal sealed class TypeNames : ISignatureTypeProvider<ManagedType, object?>
{
    private const string CoreLibrary = "System.Private.CoreLib";

    public ManagedType GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind)
    {
        var type = reader.GetTypeReference(handle);
        var name = reader.GetString(type.Name);
        if (type.ResolutionScope.Kind == HandleKind.TypeReference)
        {
            var outer = GetTypeFromReference(reader, (TypeReferenceHandle)type.ResolutionScope, rawTypeKind);
            return outer with { Definition = $"{outer.Definition}.{name}" };
        }
        var assembly = reader.GetString(reader.GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope).Name);
        var ns = reader.GetString(type.Namespace);
        return ns.Length == 0 ? new ManagedType(assembly, name, name) : new ManagedType(assembly, ns, $"{ns}.{name}");
    }

    public ManagedType GetTypeFromSpecification(
        MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
        reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

    public ManagedType GetGenericInstantiation(ManagedType genericType, ImmutableArray<ManagedType> typeArguments) =>
        genericType with { Suffix = Arguments(typeArguments) };

    /// <summary>Without namespaces: they would be most of the line.</summary>
    public static string Arguments(IEnumerable<ManagedType> arguments) =>
        $"<{string.Join(", ", arguments.Select(argument => argument.Definition[(argument.Definition.LastIndexOf('.') + 1)..] + argument.Suffix))}>";

    public ManagedType GetPrimitiveType(PrimitiveTypeCode typeCode) => new(CoreLibrary, "System", $"System.{typeCode}");

    public ManagedType GetSZArrayType(ManagedType elementType) => elementType with { Suffix = elementType.Suffix + "[]" };

    public ManagedType GetArrayType(ManagedType elementType, ArrayShape shape) =>
        elementType with { Suffix = $"{elementType.Suffix}[{new string(',', shape.Rank - 1)}]" };

    public ManagedType GetPointerType(ManagedType elementType) => elementType with { Suffix = elementType.Suffix + "*" };

    public ManagedType GetByReferenceType(ManagedType elementType) => elementType with { Suffix = elementType.Suffix + "&" };

    public ManagedType GetModifiedType(ManagedType modifier, ManagedType unmodifiedType, bool isRequired) => unmodifiedType;

    public ManagedType GetPinnedType(ManagedType elementType) => elementType;

    public ManagedType GetFunctionPointerType(MethodSignature<ManagedType> signature) => new(CoreLibrary, "System", "delegate*");

    public ManagedType GetGenericTypeParameter(object? genericContext, int index) => new(CoreLibrary, "System", $"!{index}");

    public ManagedType GetGenericMethodParameter(object? genericContext, int index) => new(CoreLibrary, "System", $"!!{index}");

    public ManagedType GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) =>
        throw new InvalidDataException("an mstat file defines no types");
}
