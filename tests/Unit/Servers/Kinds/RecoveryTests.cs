using McpOperator.Api;
using McpOperator.Apply;
using McpOperator.Kubernetes;
using McpOperator.Servers;
using McpOperator.Servers.Kinds;

namespace McpOperator.Unit.Servers.Kinds;

public sealed class RecoveryTests
{
    private readonly ServerKinds _kinds = Passes.Kinds();

    [Fact]
    public void OnlyThePlacesThatTheRefusalNamesAreTakenOver() => Assert.Equal(
        ["f:ports"], PlacesTakenOver(OfDeployment(SampleServers.Effective(), Refused(422, "spec.template.spec.containers[0].ports[1].name"))));

    [Fact]
    public void OfVolumesOnlyOursIsTakenOverOnceWhatIsNobodysHasGone()
    {
        var refused = Refused(422, "spec.template.spec.volumes[0].emptyDir");
        var first = Assert.IsType<Remedy.Patch>(OfDeployment(SampleServers.WithGateway(), refused));
        Assert.Equal(
            ["""k:{"name":"gateway-policy"}"""],
            PlacesTakenOver(OfDeployment(SampleServers.WithGateway(), refused with { Tried = [first] })));
    }

    [Theory]
    [InlineData(422, null)]
    [InlineData(422, "metadata.annotations")]
    [InlineData(400, "spec.ports[1].name")]
    public void ARefusalThatNamesNoPlaceOfOursTakesNothingOver(int code, string? field) =>
        Assert.Null(OfService(Refused(code, field)));

    [Fact]
    public void ANewObjectHasNothingInItsWay() =>
        Assert.Null(OfService(Refused(422, "spec.ports[1].name") with { IsNew = true }));

    [Fact]
    public void NothingIsTakenOverTwice() =>
        Assert.Null(OfService(Refused(422, "spec.ports[1].name") with { Tried = [new Remedy.TakeOver([])] }));

    [Fact]
    public void VariablesAreTakenAwayFirstByAnApplyThenByAPatch()
    {
        var refused = Refused(422, "spec.template.spec.containers[0].env[0].valueFrom");
        var first = OfDeployment(SampleServers.Effective(), refused);
        var second = OfDeployment(SampleServers.Effective(), refused with { Tried = [new Remedy.TakeOver([]), first!] });

        Assert.IsType<Remedy.Apply>(first);
        Assert.IsType<Remedy.Patch>(second);
        Assert.Null(OfDeployment(SampleServers.Effective(), refused with { Tried = [first, second] }));
    }

    private Remedy? OfDeployment(MCPServer server, RefusedApply refused) => Of(_kinds.Stable, server, refused);

    private Remedy? OfService(RefusedApply refused) => Of(_kinds.All.OfType<ServiceKind>().Single(), SampleServers.Effective(), refused);

    private static Remedy? Of(OwnedKind kind, MCPServer server, RefusedApply refused)
    {
        var policy = new McpOperator.Mirror.PolicyState("u", 1, Condition: null, MayRunGateway: true);
        return Assert.IsType<DesiredState.Apply>(kind.DesiredStateOf(Passes.Over(server, policy))).RemedyFor!(refused);
    }

    private static IEnumerable<string> PlacesTakenOver(Remedy? remedy) => Assert.IsType<Remedy.TakeOver>(remedy).Paths.Select(path => path[^1]);

    private static RefusedApply Refused(int code, string? field) => new(IsNew: false, Tried: [], new ApiException(
        new Status
        {
            Code = code,
            Details = field is null ? null : new StatusDetails { Causes = [new StatusCause { Field = field }] },
        },
        "PATCH"));
}
