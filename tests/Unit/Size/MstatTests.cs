using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using McpOperator.Size;

namespace McpOperator.Unit.Size;

public sealed class MstatTests
{
    [Fact]
    public void AMethodHasItsOwnerAndItsBytes()
    {
        var mstat = new Writer();
        var store = mstat.Type(mstat.Assembly("mcp-operator"), "McpOperator.Controller", "Store`1");
        var nested = mstat.Type(store, "", "Entry");
        mstat.Add(mstat.Method(mstat.Instance(store), "Find"), code: 300, gcInfo: 20, ehInfo: 0);
        mstat.Add(mstat.Method(nested, ".ctor"), code: 7, gcInfo: 8, ehInfo: 100);

        var methods = Mstat.Read(mstat.File(new Version(2, 1, 0, 0)));

        Assert.Equal(
            [
                new(new ManagedType("mcp-operator", "McpOperator.Controller", "McpOperator.Controller.Store`1", "<String>"), "Find", 300, 20),
                new(new ManagedType("mcp-operator", "McpOperator.Controller", "McpOperator.Controller.Store`1.Entry"), ".ctor", 7, 108),
            ],
            methods);
        Assert.Equal("McpOperator.Controller.Store`1<String>", methods[0].Owner.ToString());
    }

    [Fact]
    public void ATypeWithoutNamespaceIsItsOwn()
    {
        var mstat = new Writer();
        mstat.Add(mstat.Method(mstat.Type(mstat.Assembly("System.Net.Security"), "", "Interop"), "Open"), code: 1, gcInfo: 1, ehInfo: 1);

        Assert.Equal(new ManagedType("System.Net.Security", "Interop", "Interop"), Mstat.Read(mstat.File(new Version(2, 0, 0, 0)))[0].Owner);
    }

    [Fact]
    public void AnotherVersionIsRefused() =>
        Assert.Throws<InvalidDataException>(() => Mstat.Read(new Writer().File(new Version(3, 0, 0, 0))));

    [Fact]
    public void AnotherFileIsRefused() => Assert.Throws<InvalidDataException>(() => Mstat.Read(new MemoryStream([1, 2, 3])));

    /// <summary>Writes one as MstatObjectDumper does.</summary>
    private sealed class Writer
    {
        private readonly MetadataBuilder _metadata = new();
        private readonly InstructionEncoder _methods = new(new BlobBuilder());

        public EntityHandle Assembly(string name) => _metadata.AddAssemblyReference(
            _metadata.GetOrAddString(name), new Version(1, 0, 0, 0), default, default, default, default);

        public EntityHandle Type(EntityHandle scope, string ns, string name) => _metadata.AddTypeReference(
            scope, ns.Length == 0 ? default : _metadata.GetOrAddString(ns), _metadata.GetOrAddString(name));

        public EntityHandle Instance(EntityHandle generic)
        {
            var signature = new BlobBuilder();
            var arguments = new BlobEncoder(signature).TypeSpecificationSignature().GenericInstantiation(generic, 1, isValueType: false);
            arguments.AddArgument().String();
            return _metadata.AddTypeSpecification(_metadata.GetOrAddBlob(signature));
        }

        public EntityHandle Method(EntityHandle owner, string name) =>
            _metadata.AddMemberReference(owner, _metadata.GetOrAddString(name), Signature());

        public void Add(EntityHandle method, int code, int gcInfo, int ehInfo)
        {
            _methods.OpCode(ILOpCode.Ldtoken);
            _methods.Token(method);
            foreach (var number in (ReadOnlySpan<int>)[code, gcInfo, ehInfo, 0])
                _methods.LoadConstantI4(number);
        }

        public MemoryStream File(Version version)
        {
            _metadata.AddModule(0, _metadata.GetOrAddString("test"), _metadata.GetOrAddGuid(Guid.Empty), default, default);
            _metadata.AddAssembly(_metadata.GetOrAddString("test"), version, default, default, default, default);
            var bodies = new BlobBuilder();
            var offset = new MethodBodyStreamEncoder(bodies).AddMethodBody(_methods);
            var list = _metadata.AddMethodDefinition(
                MethodAttributes.Static, default, _metadata.GetOrAddString("Methods"), Signature(), offset, default);
            _metadata.AddTypeDefinition(default, default, _metadata.GetOrAddString("<Module>"), default, default, list);

            var file = new BlobBuilder();
            new ManagedPEBuilder(PEHeaderBuilder.CreateLibraryHeader(), new MetadataRootBuilder(_metadata), bodies).Serialize(file);
            return new MemoryStream(file.ToArray());
        }

        private BlobHandle Signature()
        {
            var signature = new BlobBuilder();
            new BlobEncoder(signature).MethodSignature().Parameters(0, result => result.Void(), _ => { });
            return _metadata.GetOrAddBlob(signature);
        }
    }
}
