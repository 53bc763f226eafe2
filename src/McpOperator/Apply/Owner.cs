namespace McpOperator.Apply;

/// <summary>The custom resource that owns objects.</summary>
internal readonly record struct Owner(ResourceType Type, ObjectMeta Metadata)
{
    public ObjectKey Key => Metadata.Key;

    public bool Controls(Observed? live) => live is not null && live.ControllerUid == Metadata.Uid;

    /// <summary>
    /// Null when the owner controls the object, or may adopt it: it has no controller, and carries the owner's label or is
    /// provably ours. Else why it is left alone.
    /// </summary>
    public Problem? WhyNotOwned(ResourceType type, Observed live)
    {
        if (Controls(live) || (live.ControllerUid is null && (live.LabelledOwner == Metadata.Name || live.WasAppliedByUs)))
            return null;
        var holder = live switch
        {
            { ControllerUid: null } => "was not made by this operator",
            { ControllerName: var name } when live.IsControlledBy(Type) && name == Metadata.Name =>
                $"still belongs to a deleted {Type.Kind} of this name: it goes when the garbage collector takes it",
            { ControllerKind: var kind } when kind == Type.Kind => $"is controlled by {kind} {live.ControllerName} of {live.ControllerApiVersion}",
            _ => $"is controlled by {live.ControllerKind} {live.ControllerName}",
        };
        return new Problem(
            Problem.NameConflict, $"{type.Kind} {live.Key} {holder}; it is left alone: rename the {Type.Kind}, or delete the {type.Kind}");
    }
}
