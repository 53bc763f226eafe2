using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace McpOperator.Size;

/// <summary>
/// Reads what ILC says about the methods it compiled (IlcGenerateMstatFile). The file is an assembly with a global method
/// "Methods" whose body is the list: of each a handle (ldtoken) and numbers (ldc.i4). Written by dotnet/runtime,
/// src/coreclr/tools/aot/ILCompiler.Compiler/Compiler/MstatObjectDumper.cs.
/// </summary>
internal static class Mstat
{
    private const int Version = 2;

    /// <exception cref="InvalidDataException">It is no mstat file of version 2.x.</exception>
    public static IReadOnlyList<ManagedMethod> Read(Stream file)
    {
        try
        {
            using var image = new PEReader(file);
            var metadata = image.GetMetadataReader();
            var version = metadata.GetAssemblyDefinition().Version;
            return version.Major == Version
                ? Methods(image, metadata)
                : throw new InvalidDataException($"mstat version {version.ToString(2)}, and this reads {Version}.x");
        }
        catch (BadImageFormatException e)
        {
            throw new InvalidDataException($"no mstat file: {e.Message}", e);
        }
    }

    private static List<ManagedMethod> Methods(PEReader image, MetadataReader metadata)
    {
        var names = new TypeNames();
        var methods = new List<ManagedMethod>();
        var list = List(image, metadata, "Methods");
        while (list.RemainingBytes > 0)
        {
            var (owner, name) = Method(metadata, names, Handle(ref list));
            var (code, gcInfo, ehInfo) = (Number(ref list), Number(ref list), Number(ref list));
            Number(ref list); // Where its mangled name is.
            methods.Add(new ManagedMethod(owner, name, code, gcInfo + ehInfo));
        }
        return methods;
    }

    private static BlobReader List(PEReader image, MetadataReader metadata, string name)
    {
        var module = metadata.GetTypeDefinition(MetadataTokens.TypeDefinitionHandle(1));
        var list = module.GetMethods().Select(metadata.GetMethodDefinition).First(method => metadata.StringComparer.Equals(method.Name, name));
        return image.GetMethodBody(list.RelativeVirtualAddress).GetILReader();
    }

    private static (ManagedType Owner, string Name) Method(MetadataReader metadata, TypeNames names, EntityHandle handle)
    {
        var arguments = "";
        if (handle.Kind == HandleKind.MethodSpecification)
        {
            var instantiation = metadata.GetMethodSpecification((MethodSpecificationHandle)handle);
            arguments = TypeNames.Arguments(instantiation.DecodeSignature(names, null));
            handle = instantiation.Method;
        }
        var member = metadata.GetMemberReference((MemberReferenceHandle)handle);
        var owner = member.Parent.Kind == HandleKind.TypeSpecification
            ? names.GetTypeFromSpecification(metadata, null, (TypeSpecificationHandle)member.Parent, 0)
            : names.GetTypeFromReference(metadata, (TypeReferenceHandle)member.Parent, 0);
        return (owner, metadata.GetString(member.Name) + arguments);
    }

    private static EntityHandle Handle(ref BlobReader list) => Code(ref list) == ILOpCode.Ldtoken
        ? (EntityHandle)MetadataTokens.Handle(list.ReadInt32())
        : throw new InvalidDataException("the mstat file has a list of another form");

    private static int Number(ref BlobReader list) => Code(ref list) switch
    {
        ILOpCode.Ldc_i4 => list.ReadInt32(),
        ILOpCode.Ldc_i4_s => list.ReadSByte(),
        var code and >= ILOpCode.Ldc_i4_m1 and <= ILOpCode.Ldc_i4_8 => code - ILOpCode.Ldc_i4_0,
        _ => throw new InvalidDataException("the mstat file has a list of another form"),
    };

    private static ILOpCode Code(ref BlobReader list) => (ILOpCode)list.ReadByte();
}
