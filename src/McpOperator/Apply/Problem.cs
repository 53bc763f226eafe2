namespace McpOperator.Apply;

/// <summary>Why an object could not be brought to what is wanted.</summary>
/// <param name="Reason">For programs: a condition's reason.</param>
/// <param name="Message">For a person.</param>
internal sealed record Problem(string Reason, string Message)
{
    /// <summary>An object of this name belongs to somebody else, and is left alone.</summary>
    public const string NameConflict = "NameConflict";

    /// <summary>The API server refused to have the object written; the message says why.</summary>
    public const string ApplyFailed = "ApplyFailed";

    /// <summary>Somebody else keeps changing the object back; it is put right now and then.</summary>
    public const string Contested = "Contested";

    /// <summary>Something in the cluster gives the label another value by which the operator watches its objects.</summary>
    public const string LabelOverwritten = "LabelOverwritten";

    /// <summary>The kind is optional, and the API server does not serve it.</summary>
    public const string NotInstalled = "NotInstalled";
}
