namespace McpOperator.Controller;

/// <summary>Asks for an object to be reconciled: the half of a <see cref="WorkQueue"/> that notices of changes need.</summary>
internal interface IEnqueuer
{
    void Add(ObjectKey key, Priority priority = Priority.Changed);

    void AddAfter(ObjectKey key, TimeSpan delay);
}
