using McpOperator.Controller;

namespace McpOperator.Unit.Controller;

public sealed class AdmissionTests
{
    private const int Share = 100 * 1024;

    [Fact]
    public void ANamespaceHasItsShareOfWorkersAndLeavesTheRest()
    {
        var admission = new Admission(workers: 2, Share, namespaces: 4);
        using var first = admission.TryEnter("a", 0);
        var second = admission.TryEnter("a", 0);
        Assert.NotNull(second);
        Assert.Null(admission.TryEnter("a", 0));
        Assert.NotNull(admission.TryEnter("b", 0));
        second.Dispose();
        Assert.NotNull(admission.TryEnter("a", 0));
    }

    [Fact]
    public void LargeOnesTakeTurnsAndSmallOnesPassThem()
    {
        var admission = new Admission(workers: 100, Share, namespaces: 2);
        var large = admission.TryEnter("a", Share / 4 * 3);
        Assert.NotNull(large);
        Assert.Null(admission.TryEnter("a", Share / 2));
        Assert.NotNull(admission.TryEnter("a", 1000));
        Assert.NotNull(admission.TryEnter("a", Share / 4));
        // Of all namespaces.
        using var other = admission.TryEnter("b", Share);
        Assert.NotNull(other);
        Assert.Null(admission.TryEnter("c", Share / 2));
        Assert.NotNull(admission.TryEnter("c", 1000));
        large.Dispose();
        Assert.NotNull(admission.TryEnter("c", Share / 2));
    }

    [Fact]
    public void WhateverIsLargerThanTheShareIsLetInAlone()
    {
        var admission = new Admission(workers: 100, Share, namespaces: 2);
        using (var huge = admission.TryEnter("a", int.MaxValue))
        {
            Assert.NotNull(huge);
            Assert.Null(admission.TryEnter("a", Share / 2));
        }

        using var again = admission.TryEnter("a", int.MaxValue);
        Assert.NotNull(again);
    }
}
