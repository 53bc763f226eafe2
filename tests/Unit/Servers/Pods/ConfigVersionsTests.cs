using System.Text;
using McpOperator.Controller;
using McpOperator.Kubernetes;
using McpOperator.Mirror;
using McpOperator.Servers.Pods;
using McpOperator.Unit.Mirror;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Servers.Pods;

public sealed class ConfigVersionsTests
{
    private static readonly ObjectKey Server = new("ns", "web");

    private readonly FakeTimeProvider _time = new();
    private readonly Looks _looks = new();
    private readonly Configuration _configuration;
    private readonly ConfigVersions _versions;

    public ConfigVersionsTests()
    {
        _configuration = new Configuration(_looks);
        _versions = new ConfigVersions(_time);
    }

    [Fact]
    public void UntilTheListIsThereAllStaysAsItIs()
    {
        Assert.False(_configuration.ConfigMaps.Wanted.IsCompleted);

        Assert.Equal("configmaps/one=1", Of("configmaps/one=1", "one"));
        Assert.True(_versions.IsListing);
        Assert.NotEqual(long.MaxValue, _versions.DueAt);
        Assert.True(_configuration.ConfigMaps.Wanted.IsCompleted);
        Assert.False(_configuration.Secrets.Wanted.IsCompleted);

        Listed(("one", "5"));
        Assert.Equal((Server, Priority.Changed), (_looks.All.Single().Key, _looks.All.Single().Priority!.Value));
        Assert.Equal("configmaps/one=5", Of("configmaps/one=1", "one"));
        Assert.Equal((false, long.MaxValue), (_versions.IsListing, _versions.DueAt));
    }

    /// <summary>A list that fails again and again, as with a Secret that cannot be decrypted, holds nobody up.</summary>
    [Fact]
    public void AListThatDoesNotComeIsNotAwaitedForEver()
    {
        var references = new PodReferences(Body("""{"envFrom":[{"configMapRef":{"name":"one"}},{"secretRef":{"name":"s"}}]}"""), "web");
        Listed(("one", "5"));
        Assert.Equal("configmaps/one=4,secrets/s=3", _versions.Of(Server, references, "configmaps/one=4,secrets/s=3", _configuration));
        Assert.True(_versions.IsListing);

        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal("configmaps/one=5,secrets/s=3", _versions.Of(Server, references, "configmaps/one=4,secrets/s=3", _configuration));
        Assert.Equal((false, long.MaxValue), (_versions.IsListing, _versions.DueAt));
    }

    [Fact]
    public void WhoIsConcernedIsToldWhenTheRightComesOrGoes()
    {
        _configuration.Secrets.Refer(Server, ["s"]);
        _configuration.Secrets.Store.Deny(null);
        Assert.Equal([Server], _looks.All.Select(look => look.Key));
        var before = _configuration.Secrets.LastChangeFor(Server);
        _configuration.Secrets.Store.Deny(null);
        Assert.Single(_looks.All);

        // It holds none of them.
        _configuration.Secrets.Store.Replace(null, [], "9");
        Assert.Equal(2, _looks.All.Count);
        Assert.NotSame(before, _configuration.Secrets.LastChangeFor(Server));
        Assert.Empty(_configuration.DoubtsOf(Server));
    }

    [Fact]
    public void WhatIsGoneStandsThereAsItDid()
    {
        Listed(("one", "5"), ("two", "6"));
        Assert.Equal("configmaps/one=5,configmaps/two=6", Of(null, "one", "two"));

        Listed(("two", "6"));
        Assert.Equal("configmaps/one=5,configmaps/two=6", Of(null, "one", "two"));
        // Also of a process that has never seen it.
        Assert.Equal("configmaps/one=5,configmaps/two=6", new ConfigVersions(_time).Of(Server, References("one", "two"), "configmaps/one=5,configmaps/two=6", _configuration));
        Assert.Equal("configmaps/two=6", Of(null, "two"));
        Assert.Equal("", Of(null));
    }

    [Fact]
    public void WhatChangesAgainAndAgainIsFollowedTwiceAMinute()
    {
        Listed(("one", "5"));
        Assert.Equal("configmaps/one=5", Of(null, "one"));
        Listed(("one", "6"));
        Assert.Equal("configmaps/one=6", Of(null, "one"));

        _time.Advance(TimeSpan.FromSeconds(1));
        Listed(("one", "7"));
        Assert.Equal("configmaps/one=6", Of(null, "one"));
        Assert.Equal(ConfigVersions.Between - TimeSpan.FromSeconds(1), _time.Until(_versions.DueAt));

        _time.Advance(ConfigVersions.Between);
        Assert.Equal("configmaps/one=7", Of(null, "one"));
        Assert.Equal(long.MaxValue, _versions.DueAt);
    }

    [Fact]
    public void OnlyTheServersThatReferToItAreToldOfAChange()
    {
        Listed(("one", "5"), ("two", "5"));
        _configuration.ConfigMaps.Refer(Server, ["one"]);
        _configuration.ConfigMaps.Refer(new("elsewhere", "web"), ["one"]);
        _configuration.ConfigMaps.Refer(new("ns", "other"), ["two"]);

        Change(WatchEventType.Modified, "one", "7");
        Assert.Equal([Server], _looks.All.Select(look => look.Key));
        Assert.NotNull(_configuration.ConfigMaps.LastChangeFor(Server));
        Change(WatchEventType.Deleted, "one", "8");
        _configuration.Forget(Server);
        Change(WatchEventType.Added, "one", "9");

        Assert.Single(_looks.All);
        Assert.Null(_configuration.ConfigMaps.LastChangeFor(Server));
    }

    /// <summary>Nobody waits for what the operator may not see; that is said.</summary>
    [Fact]
    public void WhatMayNotBeListedIsLeftOut()
    {
        Listed(("one", "5"));
        _configuration.Secrets.Store.Deny(null);
        var references = new PodReferences(Body("""{"envFrom":[{"configMapRef":{"name":"one"}},{"secretRef":{"name":"s"}}]}"""), "web");

        Assert.Equal("configmaps/one=5", _versions.Of(Server, references, null, _configuration));
        Assert.False(_versions.IsListing);
        Assert.Contains("changes of secrets are not seen", Assert.Single(_configuration.DoubtsOf(Server)), StringComparison.Ordinal);

        _configuration.Secrets.Store.Replace(null, [new ObjectVersion(new("ns", "s"), "3")], "9");
        Assert.Equal("configmaps/one=5,secrets/s=3", _versions.Of(Server, references, null, _configuration));
        Assert.Empty(_configuration.DoubtsOf(Server));
    }

    [Fact]
    public void ARightInOneNamespaceIsNoneInAnother()
    {
        _configuration.Secrets.Store.Deny("a");
        _configuration.Secrets.Store.Replace("b", [], "9");

        Assert.True(_configuration.Secrets.IsSettled("a"));
        Assert.True(_configuration.Secrets.IsSettled("b"));
        Assert.False(_configuration.Secrets.IsSettled("c"));
        _configuration.Secrets.Refer(new("a", "web"), ["s"]);
        _configuration.Secrets.Refer(new("b", "web"), ["s"]);
        Assert.Equal((true, false), (_configuration.Secrets.IsDeniedTo(new("a", "web")), _configuration.Secrets.IsDeniedTo(new("b", "web"))));
    }

    private string Of(string? live, params string[] configMaps) => _versions.Of(Server, References(configMaps), live, _configuration);

    private static PodReferences References(params string[] configMaps) => new(
        Body($$"""{"envFrom":[{{string.Join(',', configMaps.Select(name => $$$"""{"configMapRef":{"name":"{{{name}}}"}}"""))}}]}"""), "web");

    private static byte[] Body(string container) => Encoding.UTF8.GetBytes($$"""{"spec":{"template":{"spec":{"containers":[{{container}}]} } } }""");

    private void Listed(params (string Name, string Version)[] configMaps) =>
        _configuration.ConfigMaps.Store.Replace(null, [.. configMaps.Select(one => new ObjectVersion(new("ns", one.Name), one.Version))], "6");

    private void Change(WatchEventType type, string name, string version) =>
        _configuration.ConfigMaps.Store.Apply(null, new(type, new ObjectVersion(new("ns", name), version), version, null));
}
