using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace McpOperator.Unit.Architecture;

/// <summary>The sources of the operator, compiled: a room is a folder, and what its code means is known, not only what it spells.</summary>
internal sealed class House
{
    /// <summary>What the SDK makes of ImplicitUsings.</summary>
    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        global using McpOperator.Kubernetes;
        """;

    private static readonly string Root = RepositoryRoot.File("src/McpOperator");

    // References in comments are resolved as well: to explain a thing by one above it is to know that one.
    private static readonly CSharpParseOptions Options = new(LanguageVersion.Latest, DocumentationMode.Diagnose);

    private readonly CSharpCompilation _compilation;

    private House()
    {
        var own = Path.GetFileName(typeof(Program).Assembly.Location);
        var libraries = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path) != own)
            .Select(path => MetadataReference.CreateFromFile(path));
        Files = [.. Paths().Select(path => Parse(Path.GetRelativePath(Root, path), File.ReadAllText(path)))];
        _compilation = CSharpCompilation.Create(
            "house", [.. Files, Parse("obj/usings.cs", ImplicitUsings)], libraries,
            new(OutputKind.ConsoleApplication, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable));
    }

    public static House Built { get; } = new();

    public IReadOnlyList<SyntaxTree> Files { get; }

    /// <summary>The first folder of a path; empty for what stands before the door.</summary>
    public static string RoomOf(string path) => path.Contains('/') ? path[..path.IndexOf('/')] : "";

    /// <summary>Names that mean nothing here: what they depend on would go unseen. Sources that are generated are not here, and leave members without a meaning, not types.</summary>
    public IEnumerable<string> Unresolved() => _compilation.GetDiagnostics()
        .Where(diagnostic => diagnostic.Id is "CS0103" or "CS0234" or "CS0246" or "CS1574")
        .Select(diagnostic => diagnostic.ToString());

    /// <summary>Whatever the sources use of another room.</summary>
    public IReadOnlyList<Dependency> Dependencies => field ??= [.. Files.SelectMany(file => Of(_compilation, file))];

    /// <summary>The same, of one more file.</summary>
    public IEnumerable<Dependency> DependenciesOf(string path, string text)
    {
        var file = Parse(path, text);
        return Of(_compilation.AddSyntaxTrees(file), file);
    }

    private static IEnumerable<string> Paths() => Directory.EnumerateFiles(Root, "*.cs", SearchOption.AllDirectories)
        .Where(path => RoomOf(Path.GetRelativePath(Root, path)) is not ("bin" or "obj"));

    private static SyntaxTree Parse(string path, string text) => CSharpSyntaxTree.ParseText(text, Options, path);

    private static IEnumerable<Dependency> Of(CSharpCompilation compilation, SyntaxTree file)
    {
        var model = compilation.GetSemanticModel(file);
        var room = RoomOf(file.FilePath);
        return file.GetRoot().DescendantNodes(descendIntoTrivia: true)
            .Where(node => node is SimpleNameSyntax or ImplicitObjectCreationExpressionSyntax)
            .SelectMany(node => Uses(model, node).Select(symbol => (Node: node, Symbol: symbol)))
            .SelectMany(
                use => use.Symbol.DeclaringSyntaxReferences.Take(1),
                (use, declared) => new Dependency(room, RoomOf(declared.SyntaxTree.FilePath), use.Node, use.Symbol))
            .Where(found => found.To != room && found.To != "obj");
    }

    /// <summary>What a name means, a constant too, of which the compiled program shows nothing; and the type of what it names.</summary>
    private static IEnumerable<ISymbol> Uses(SemanticModel model, SyntaxNode node)
    {
        var found = model.GetSymbolInfo(node);
        IReadOnlyList<ISymbol> symbols = found.Symbol is { } symbol ? [symbol] : found.CandidateSymbols;
        return symbols.SelectMany(meant => meant switch
        {
            INamespaceSymbol => [],
            ITypeSymbol type => Parts(type),
            ILocalSymbol local => Parts(local.Type),
            IParameterSymbol parameter => Parts(parameter.Type),
            IFieldSymbol field => Parts(field.Type).Append(field),
            IPropertySymbol property => Parts(property.Type).Append(property),
            IMethodSymbol method => Parts(method.ReturnType).Append(method),
            _ => Enumerable.Repeat(meant, 1),
        });
    }

    private static IEnumerable<ISymbol> Parts(ITypeSymbol? type) => type switch
    {
        IArrayTypeSymbol array => Parts(array.ElementType),
        INamedTypeSymbol named => named.TypeArguments.SelectMany(Parts).Prepend(named),
        _ => [],
    };
}

/// <summary>A place in one room that knows something of another.</summary>
internal sealed record Dependency(string From, string To, SyntaxNode Place, ISymbol Used)
{
    public override string ToString() =>
        $"{Place.SyntaxTree.FilePath}:{Place.GetLocation().GetLineSpan().StartLinePosition.Line + 1} uses {Used}: {From} may not see {To}";
}
