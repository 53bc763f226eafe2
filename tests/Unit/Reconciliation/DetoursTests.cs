using McpOperator.Kubernetes;
using McpOperator.Reconciliation;
using McpOperator.Resources;
using McpOperator.Unit.Resources;

namespace McpOperator.Unit.Reconciliation;

public sealed class DetoursTests
{
    [Fact]
    public void OnlyThePlacesThatTheRefusalNamesAreTakenOver()
    {
        var detour = Detours.Of(DeploymentBuilder.Build(Servers.Effective(), Servers.Settings));

        var step = detour(false, 0, Refusal(422, "spec.template.spec.containers[0].ports[1].name"));

        Assert.Equal(["f:ports"], Assert.IsType<Step.TakeOver>(step).Places.Select(place => place[^1]));
    }

    [Fact]
    public void OfVolumesOnlyOursIsTakenOver()
    {
        var detour = Detours.Of(DeploymentBuilder.Build(Servers.WithGateway(), Servers.Settings));

        var step = detour(false, 0, Refusal(422, "spec.template.spec.volumes[0].emptyDir"));

        Assert.Equal(["""k:{"name":"gateway-policy"}"""], Assert.IsType<Step.TakeOver>(step).Places.Select(place => place[^1]));
    }

    [Theory]
    [InlineData(422, null)]
    [InlineData(422, "metadata.annotations")]
    [InlineData(400, "spec.ports[1].name")]
    public void ARefusalThatNamesNoPlaceOfOursTakesNothingOver(int code, string? field) =>
        Assert.Null(Detours.OfService(false, 0, Refusal(code, field)));

    [Fact]
    public void ANewObjectHasNothingInItsWay() =>
        Assert.Null(Detours.OfService(true, 0, Refusal(422, "spec.ports[1].name")));

    [Fact]
    public void NothingIsTakenOverTwice() =>
        Assert.Null(Detours.OfService(false, 1, Refusal(422, "spec.ports[1].name")));

    private static ApiException Refusal(int code, string? field) => new(
        new Status
        {
            Code = code,
            Details = field is null ? null : new StatusDetails { Causes = [new StatusCause { Field = field }] },
        },
        "PATCH");
}
