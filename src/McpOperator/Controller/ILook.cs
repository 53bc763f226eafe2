using McpOperator.Kubernetes;

namespace McpOperator.Controller;

/// <summary>Where whoever notices a change asks for a look at an object: a <see cref="WorkQueue"/>.</summary>
public interface ILook
{
    void Add(ObjectKey key, Priority priority = Priority.Changed);

    void AddAfter(ObjectKey key, TimeSpan delay);
}
