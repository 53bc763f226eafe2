using McpOperator.Kubernetes;

namespace McpOperator.Unit.Kubernetes;

public sealed class LargestObjectTests
{
    [Fact]
    public void IsToldOfWhenItChangesAndOfNothingElse()
    {
        var (largest, told) = (new LargestObject(), new List<string>());
        largest.Changed += (name, bytes) => told.Add($"{name} {bytes}");
        var (a, b) = (new ObjectKey("ns", "a"), new ObjectKey("ns", "b"));

        largest.Note(ResourceTypes.Service, a, 10);
        largest.Note(ResourceTypes.Service, b, 9);
        largest.Note(ResourceTypes.Service, a, 10);
        largest.Note(ResourceTypes.ConfigMap, a, 11); // another kind, the same name
        largest.Note(ResourceTypes.ConfigMap, a, 5); // it has shrunk
        largest.Note(ResourceTypes.Service, a, 10);
        largest.Note(ResourceTypes.Service, a, 0); // it is gone
        largest.Note(ResourceTypes.Service, b, 9);

        Assert.Equal(["Service ns/a 10", "ConfigMap ns/a 11", "ConfigMap ns/a 5", "Service ns/a 10", "Service ns/a 0", "Service ns/b 9"], told);
    }
}
