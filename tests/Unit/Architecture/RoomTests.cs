using System.Text.RegularExpressions;
using System.Xml.Linq;
using McpOperator.Commands;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace McpOperator.Unit.Architecture;

/// <summary>Who may know of whom, and where the product may be named.</summary>
public sealed partial class RoomTests
{
    /// <summary>From each room what it may see. Each arrow is used, none leads up, and there are no others.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        [""] = ["Commands", "Hosting"],
        ["Commands"] = ["Hosting", "Servers", "Access", "Mirror", "Apply", "Controller", "Api", "Kubernetes"],
        ["Hosting"] = ["Mirror", "Apply", "Controller", "Api", "Kubernetes"],
        ["Servers"] = ["Mirror", "Apply", "Controller", "Api", "Kubernetes"],
        ["Access"] = ["Mirror", "Apply", "Controller", "Api", "Kubernetes"],
        ["Mirror"] = ["Apply", "Controller", "Api", "Kubernetes"],
        ["Apply"] = ["Controller", "Kubernetes"],
        ["Controller"] = ["Kubernetes"],
        ["Api"] = ["Kubernetes"],
        ["Kubernetes"] = [],
    };

    /// <summary>The rooms that would serve another custom resource without a change.</summary>
    private static readonly string[] Reusable = ["Apply", "Controller", "Kubernetes"];

    [Fact]
    public void EveryNameInTheSourcesIsUnderstood() => Assert.Empty(House.Built.Unresolved());

    [Fact]
    public void NoRoomSeesWhatItMayNotSee() => Assert.DoesNotContain(House.Built.Dependencies, IsForbidden);

    [Fact]
    public void EveryArrowIsUsedAndEveryRoomHasItsOwn()
    {
        Assert.Equal(Arrows.Keys.Order(), House.Built.Files.Select(file => House.RoomOf(file.FilePath)).Distinct().Order());
        var used = House.Built.Dependencies.Select(found => (found.From, found.To)).ToHashSet();
        Assert.Empty(Arrows.SelectMany(arrow => arrow.Value, (arrow, to) => (arrow.Key, to)).Except(used));
    }

    [Theory]
    [InlineData("Servers", "const int Size = Access.AccessObjectSize.Limit; /* a constant */")]
    [InlineData("Servers", "Mirror.Stores? A; Access.AccessStores? B;")]
    [InlineData("Access", "void Do(Servers.Kinds.ServerKinds kinds) => kinds.GetHashCode();")]
    [InlineData("Access", "string Name => nameof(Hosting.BindAddress);")]
    [InlineData("Mirror", "object New() => new Servers.ServerMemory();")]
    [InlineData("Hosting", "bool Is(object o) => o is Access.AccessByServer;")]
    [InlineData("Hosting", "const string Lease = Commands.Product.Lease;")]
    [InlineData("Apply", "const string Label = Api.Labels.ManagedBy;")]
    [InlineData("Apply", "System.Func<Api.MCPServer>? Of;")]
    [InlineData("Apply", "/// <see cref=\"Mirror.Stores\"/>\nvoid Do() { }")]
    [InlineData("Controller", "void Do() => Apply.Problem.ApplyFailed.ToString();")]
    [InlineData("Controller", "Api.Phase? A;")]
    [InlineData("Api", "Controller.Outcome A => default;")]
    [InlineData("Kubernetes", "Controller.Priority A => default;")]
    [InlineData("Kubernetes", "[System.Obsolete(Api.Labels.App)] void Do() { }")]
    [InlineData("Commands", "int A = Program.Main([]).Result;")]
    public void AnArrowUpOrAcrossIsFound(string room, string member)
    {
        var text = $$"""
            namespace McpOperator.{{room}};
            internal sealed class Violation
            {
                {{member}}
            }
            """;

        Assert.Contains(House.Built.DependenciesOf($"{room}/Violation.cs", text), IsForbidden);
    }

    [Fact]
    public void TheReusableRoomsNameNoProduct() => Assert.Empty(Reusable.SelectMany(room =>
        House.Built.Files.Where(file => House.RoomOf(file.FilePath) == room).SelectMany(file => ProductsIn(file.FilePath, file.GetText().ToString()))));

    [Theory]
    [InlineData("// An MCPServer is one.")]
    [InlineData("internal sealed class McpQueue;")]
    [InlineData("""const string Annotation = "mcpruntime.org/restarted-at";""")]
    [InlineData("using McpOperator.Api.MCPServer;")]
    [InlineData("""const string Manager = "McpOperator.Kubernetes";""")]
    public void AProductIsFound(string line) => Assert.Single(ProductsIn("Violation.cs", $"using McpOperator.Kubernetes;\nnamespace McpOperator.Apply;\n{line}\n"));

    [Fact]
    public void TheNamesOfTheProductAreSpelledInOnePlace() => Assert.Empty(House.Built.Files
        .Where(file => file.FilePath != "Commands/Product.cs")
        .SelectMany(file => NamesIn(file.GetRoot()).Select(name => $"{file.FilePath} spells {name}")));

    [Theory]
    [InlineData("""var lease = "mcp-runtime-operator.mcpruntime.org";""")]
    [InlineData("""var query = $"?fieldManager=mcp-runtime-operator&force={true}";""")]
    [InlineData("""var reporter = "mcpruntime.org/mcp-operator"u8;""")]
    [InlineData("""var agent = "mcp-operator";""")]
    [InlineData("""var taken = From("manager");""")]
    public void ANameThatIsSpelledElsewhereIsFound(string statement) =>
        Assert.NotEmpty(NamesIn(CSharpSyntaxTree.ParseText(statement, cancellationToken: TestContext.Current.CancellationToken).GetRoot(TestContext.Current.CancellationToken)));

    /// <summary>tests/Widgets is one, and WidgetTests see it work.</summary>
    [Fact]
    public void AnotherOperatorOfTheReusableRoomsTakesLessThanAHundredLines()
    {
        var project = XDocument.Load(RepositoryRoot.File("tests/Widgets/Widgets.csproj"));
        var compiled = Assert.Single(project.Descendants("Compile")).Attribute("Include")!.Value.Split(';');

        Assert.Equal(Reusable.Select(room => $"../../src/McpOperator/{room}/**/*.cs"), compiled);
        Assert.InRange(File.ReadAllLines(RepositoryRoot.File("tests/Widgets/Program.cs")).Length, 1, 99);
    }

    private static bool IsForbidden(Dependency found) => !Arrows[found.From].Contains(found.To);

    private static IEnumerable<string> ProductsIn(string path, string text) => text.Split('\n')
        .Select(line => RootNamespace().Replace(line, ""))
        .Where(line => line.Contains("mcp", StringComparison.OrdinalIgnoreCase))
        .Select(line => $"{path}: {line.Trim()}");

    /// <summary>The program's own name, and that of an entry's member, <c>manager</c>, are other things; so these two count as whole texts only, and not as keys.</summary>
    private static IEnumerable<string> NamesIn(SyntaxNode root) => root.DescendantTokens()
        .Where(token => token.Kind() is SyntaxKind.StringLiteralToken or SyntaxKind.Utf8StringLiteralToken or SyntaxKind.InterpolatedStringTextToken)
        .Where(token => ((string[])[Product.Identity.FieldManager, Product.EventReporter, Product.Lease])
            .Any(name => token.ValueText.Contains(name, StringComparison.Ordinal))
            || (token.IsKind(SyntaxKind.StringLiteralToken) && token.Parent?.Parent?.Parent is not BracketedArgumentListSyntax
                && (token.ValueText == Product.Identity.UserAgent || token.ValueText == Product.Identity.Predecessor)))
        .Select(token => token.ToString());

    [GeneratedRegex(@"^(using|namespace) McpOperator(?=(\.[A-Z][a-z]+)+;)")]
    private static partial Regex RootNamespace();
}
