namespace McpOperator.Apply;

/// <summary>Why an object is not as desired.</summary>
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

    /// <summary>A webhook or policy changes the label that the watch selects.</summary>
    public const string LabelOverwritten = "LabelOverwritten";

    /// <summary>The kind is optional, and the API server does not serve it.</summary>
    public const string NotInstalled = "NotInstalled";
}
