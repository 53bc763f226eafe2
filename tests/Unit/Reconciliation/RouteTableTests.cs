using McpOperator.Api;
using McpOperator.Kubernetes;
using McpOperator.Reconciliation;
using McpOperator.Unit.Resources;

namespace McpOperator.Unit.Reconciliation;

public sealed class RouteTableTests
{
    private readonly RouteTable _routes = new(Servers.Settings);

    [Fact]
    public void TheOlderServerKeepsTheRoute()
    {
        var older = Add("older", "/same", age: 2);
        var younger = Add("younger", "/same", age: 1);

        Assert.Null(_routes.HolderBefore(older));
        Assert.Equal(older, _routes.HolderBefore(younger));
    }

    [Fact]
    public void AnOlderServerThatComesLaterTakesTheRouteAndTheYoungerIsLookedAtAgain()
    {
        var younger = Add("younger", "/same", age: 1);

        var rivals = _routes.Update(Key("older"), Server("older", "/same", age: 2));

        Assert.Equal([younger], rivals);
        Assert.Equal(Key("older"), _routes.HolderBefore(younger));
    }

    [Fact]
    public void BetweenServersOfTheSameSecondTheNamesDecide()
    {
        var b = Add("b", "/same", age: 1);
        var a = Add("a", "/same", age: 1);

        Assert.Null(_routes.HolderBefore(a));
        Assert.Equal(a, _routes.HolderBefore(b));
    }

    [Fact]
    public void TheRouteIsFreeOnceTheFirstIsGone()
    {
        var older = Add("older", "/same", age: 2);
        var younger = Add("younger", "/same", age: 1);

        Assert.Equal([younger], _routes.Update(older, null));
        Assert.Null(_routes.HolderBefore(younger));
    }

    [Fact]
    public void TheRouteIsFreeOnceTheFirstHasAnother()
    {
        var older = Add("older", "/same", age: 2);
        var younger = Add("younger", "/same", age: 1);

        Assert.Equal([younger], _routes.Update(older, Server("older", "/other", age: 2)));
        Assert.Null(_routes.HolderBefore(younger));
        Assert.Null(_routes.HolderBefore(older));
    }

    [Fact]
    public void AChangeThatLeavesTheRouteAloneDisturbsNobody()
    {
        var older = Add("older", "/same", age: 2);
        Add("younger", "/same", age: 1);

        Assert.Empty(_routes.Update(older, Server("older", "/same", age: 2)));
    }

    [Theory]
    [InlineData("/same", "/same/", true)]
    [InlineData("/same", "/Same", false)]
    [InlineData("/same", "/same/more", false)]
    public void PathsAreComparedAsIngressControllersDo(string path, string other, bool collide)
    {
        Add("older", path, age: 2);
        var younger = Add("younger", other, age: 1);

        Assert.Equal(collide, _routes.HolderBefore(younger) is not null);
    }

    [Fact]
    public void DifferentHostsDoNotCollide()
    {
        Add("older", "/same", age: 3, host: "a.example");

        Assert.NotNull(_routes.HolderBefore(Add("younger", "/same", age: 2, host: "a.example")));
        Assert.Null(_routes.HolderBefore(Add("elsewhere", "/same", age: 1, host: "b.example")));
        Assert.Null(_routes.HolderBefore(Add("hostless", "/same", age: 1)));
    }

    [Fact]
    public void AnUnreadableServerClaimsNothing()
    {
        _routes.Update(Key("broken"), Server("broken", "/same", age: 2) with { Unreadable = [new SpecFault("spec", "?")] });

        Assert.Null(_routes.HolderBefore(Add("younger", "/same", age: 1)));
    }

    [Fact]
    public void AServerThatWasNeverValidKeepsNobodyFromARoute()
    {
        _routes.Update(Key("invalid"), Invalid("/same", age: 2, url: null));

        Assert.Null(_routes.HolderBefore(Add("younger", "/same", age: 1)));
    }

    [Fact]
    public void AServerThatBecameInvalidKeepsTheRouteThatItsIngressServes()
    {
        var older = Add("invalid", "/same", age: 2);
        var younger = Add("younger", "/same", age: 1);

        Assert.Empty(_routes.Update(older, Invalid("/other", age: 2, url: "/same")));

        Assert.Equal(older, _routes.HolderBefore(younger));
    }

    private static MCPServer Invalid(string path, int age, string? url)
    {
        var server = Server("invalid", path, age);
        return server with { Spec = server.Spec with { Image = null }, Reported = new LastReport { Url = url } };
    }

    private static ObjectKey Key(string name) => new("team", name);

    private static MCPServer Server(string name, string path, int age, string? host = null) => Servers.Of(
        new MCPServerSpec { Image = "i", IngressPath = path, IngressHost = host }, name, created: Servers.Epoch.AddMinutes(-age));

    private ObjectKey Add(string name, string path, int age, string? host = null)
    {
        _routes.Update(Key(name), Server(name, path, age, host));
        return Key(name);
    }
}
