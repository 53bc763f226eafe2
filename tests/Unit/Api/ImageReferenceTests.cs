using McpOperator.Api;

namespace McpOperator.Unit.Api;

public sealed class ImageReferenceTests
{
    private const string Digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("tools", null, "tools:latest")]
    [InlineData("tools", "1.4", "tools:1.4")]
    [InlineData("tools:2", "1.4", "tools:2")]
    [InlineData("acme/tools", "1.4", "acme/tools:1.4")]
    [InlineData("localhost:5000/tools", "1.4", "localhost:5000/tools:1.4")]
    [InlineData("reg.example.com:5000/tools:2", "1.4", "reg.example.com:5000/tools:2")]
    [InlineData("tools@" + Digest, "1.4", "tools@" + Digest)]
    [InlineData("tools:2@" + Digest, "1.4", "tools:2@" + Digest)]
    [InlineData(" tools ", " ", "tools:latest")]
    public void AppendsTheTagWhenThereIsNone(string image, string? tag, string expected) =>
        Assert.Equal(expected, ImageReference.Resolve(new MCPServerSpec { Image = image, ImageTag = tag }, new OperatorSettings()));

    [Theory]
    [InlineData("tools", "reg.example.com", "reg.example.com/tools:latest")]
    [InlineData("tools:2", "reg.example.com", "reg.example.com/tools:2")]
    [InlineData("acme/tools:2", "reg.example.com", "reg.example.com/acme/tools:2")]
    [InlineData("ghcr.io/acme/tools:2", "reg.example.com", "reg.example.com/acme/tools:2")]
    [InlineData("reg:5000/tools:2", "reg.example.com", "reg.example.com/tools:2")]
    [InlineData("localhost/tools:2", "reg.example.com", "reg.example.com/tools:2")]
    [InlineData("localhost:5000/tools", "reg.example.com", "reg.example.com/tools:latest")]
    [InlineData("tools@" + Digest, "reg.example.com:5000", "reg.example.com:5000/tools@" + Digest)]
    [InlineData("ghcr.io/tools:1@" + Digest, "reg.example.com", "reg.example.com/tools:1@" + Digest)]
    [InlineData("ghcr.io/tools:1", "reg.example.com/team/", "reg.example.com/team/tools:1")]
    [InlineData("ghcr.io/tools:1", " https://reg.example.com// ", "reg.example.com/tools:1")]
    [InlineData("ghcr.io/tools:1", " ", "ghcr.io/tools:1")]
    public void MovesTheImageToAnotherRegistry(string image, string registry, string expected) =>
        Assert.Equal(expected, ImageReference.Resolve(new MCPServerSpec { Image = image, RegistryOverride = registry }, new OperatorSettings()));

    [Theory]
    [InlineData(true, "https://prov.example.com/", "over.example.com", "prov.example.com/t:latest")]
    [InlineData(true, null, "over.example.com", "over.example.com/t:latest")]
    [InlineData(true, " ", null, "pull.example.com/t:latest")]
    [InlineData(false, "prov.example.com", "over.example.com", "over.example.com/t:latest")]
    [InlineData(false, "prov.example.com", null, "t:latest")]
    [InlineData(null, "prov.example.com", null, "t:latest")]
    public void ChoosesTheRegistry(bool? provisioned, string? url, string? registryOverride, string expected)
    {
        var settings = new OperatorSettings
        {
            ProvisionedRegistry = new ProvisionedRegistry { Url = url },
            RegistryPullHost = "pull.example.com",
        };
        var spec = new MCPServerSpec { Image = "t", UseProvisionedRegistry = provisioned, RegistryOverride = registryOverride };
        Assert.Equal(expected, ImageReference.Resolve(spec, settings));
    }

    [Theory]
    [InlineData("tools:1", null, "ghcr.io/acme/next:2", null, "ghcr.io/acme/next:2")]
    [InlineData("tools:1", null, "next", null, "next:latest")]
    [InlineData("tools", "1.4", "next", "reg.example.com", "reg.example.com/next:1.4")]
    [InlineData("tools", "1.4", " ", "reg.example.com", "reg.example.com/tools:1.4")]
    [InlineData("tools:1", null, null, null, "tools:1")]
    public void TheCanaryImageIsResolvedAlikeAndIsTheServersWithoutOne(
        string image, string? tag, string? canaryImage, string? registry, string expected)
    {
        var spec = new MCPServerSpec
        {
            Image = image,
            ImageTag = tag,
            RegistryOverride = registry,
            Rollout = new RolloutConfig { CanaryImage = canaryImage },
        };
        Assert.Equal(expected, ImageReference.ResolveCanary(spec, new OperatorSettings()));
    }
}
