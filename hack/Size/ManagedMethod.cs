namespace McpOperator.Size;

/// <summary>One method that ILC compiled.</summary>
/// <param name="Owner">The type that it belongs to.</param>
/// <param name="Name">With its type arguments.</param>
/// <param name="Code">Bytes of machine code.</param>
/// <param name="Tables">Bytes of what the garbage collector and exception handling read about it.</param>
internal sealed record ManagedMethod(ManagedType Owner, string Name, int Code, int Tables)
{
    public int Bytes => Code + Tables;
}

/// <summary>A type as the report names it. An instantiation belongs where its generic type does.</summary>
/// <param name="Namespace">Of a type that has none, the outermost type's name.</param>
/// <param name="Definition">With namespace and enclosing types, without type arguments.</param>
/// <param name="Suffix">Type arguments, <c>[]</c> of an array, <c>*</c> of a pointer.</param>
internal sealed record ManagedType(string Assembly, string Namespace, string Definition, string Suffix = "")
{
    public override string ToString() => Definition + Suffix;
}
