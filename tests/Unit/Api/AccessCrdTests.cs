using McpOperator.Api;
using McpOperator.Kubernetes;
using YamlDotNet.RepresentationModel;

namespace McpOperator.Unit.Api;

/// <summary>What is particular to the definitions of grants and sessions; the rest is in <see cref="CrdTests"/>.</summary>
public sealed class AccessCrdTests
{
    private static readonly Crd Grants = Crd.Load("mcpaccessgrants");
    private static readonly Crd Sessions = Crd.Load("mcpagentsessions");

    [Fact]
    public void TheSchemasHaveTheDefaultsThatThePolicyHas()
    {
        Assert.Equal(
            new Dictionary<string, string>
            {
                ["spec.maxTrust"] = Defaults.MaxTrust,
                ["spec.toolRules[].decision"] = Defaults.RuleDecision,
                ["spec.toolRules[].requiredTrust"] = Defaults.RuleRequiredTrust,
            },
            Grants.Defaults());
        Assert.Equal(new Dictionary<string, string> { ["spec.consentedTrust"] = Defaults.ConsentedTrust }, Sessions.Defaults());
    }

    [Fact]
    public void ColumnsNamesAndSubresourcesAreTheContract()
    {
        Assert.Equal(
            [
                "Phase string .status.phase 0",
                "Server string .spec.serverRef.name 0",
                "Human string .spec.subject.humanID 0",
                "Agent string .spec.subject.agentID 0",
                "Team string .spec.subject.teamID 0",
                "Trust string .spec.maxTrust 0",
                "Age date .metadata.creationTimestamp 0",
                "Message string .status.message 1",
            ],
            Grants.Columns);
        // A date in the future is printed as <invalid>, so Expires is none.
        Assert.Equal(
            [
                "Phase string .status.phase 0",
                "Server string .spec.serverRef.name 0",
                "Human string .spec.subject.humanID 0",
                "Agent string .spec.subject.agentID 0",
                "Trust string .spec.consentedTrust 0",
                "Expires string .spec.expiresAt 0",
                "Age date .metadata.creationTimestamp 0",
                "Message string .status.message 1",
            ],
            Sessions.Columns);
        Assert.Equal(["mcpgrant", "mcpgrants"], Grants.ShortNames);
        Assert.Equal(["mcpsession", "mcpsessions"], Sessions.ShortNames);
        Assert.Equal(MCPAccessGrant.Type, Grants.Type);
        Assert.Equal(MCPAgentSession.Type, Sessions.Type);
        foreach (var crd in new[] { Grants, Sessions })
        {
            Assert.Equal("status", ((YamlMappingNode)crd.Version["subresources"]).Children.Single().Key.ToString());
            Assert.Equal($"{crd.Type.Plural}.{crd.Type.Group}", crd.Root["metadata"]["name"].ToString());
        }
    }

    [Fact]
    public void TheSchemasHaveTheBoundsThatTheOperatorHas()
    {
        Assert.Equal(
            [
                ("spec.allowedSideEffects", "maxItems", AccessValidation.MaxSideEffects),
                ("spec.policyVersion", "maxLength", AccessValidation.MaxPolicyVersion),
                ("spec.serverRef.name", "maxLength", 63),
                ("spec.serverRef.namespace", "maxLength", 63),
                ("spec.subject.agentID", "maxLength", AccessValidation.MaxId),
                ("spec.subject.humanID", "maxLength", AccessValidation.MaxId),
                ("spec.subject.teamID", "maxLength", 128),
                ("spec.toolRules", "maxItems", AccessValidation.MaxToolRules),
                ("spec.toolRules[].name", "maxLength", AccessValidation.MaxToolName),
            ],
            Bounds(Grants));
        Assert.Equal(
            [
                ("spec.policyVersion", "maxLength", AccessValidation.MaxPolicyVersion),
                ("spec.serverRef.name", "maxLength", 63),
                ("spec.serverRef.namespace", "maxLength", 63),
                ("spec.subject.agentID", "maxLength", AccessValidation.MaxId),
                ("spec.subject.humanID", "maxLength", AccessValidation.MaxId),
                ("spec.subject.teamID", "maxLength", 128),
                ("spec.upstreamTokenSecretRef.key", "maxLength", 253),
                ("spec.upstreamTokenSecretRef.name", "maxLength", 253),
            ],
            Bounds(Sessions));

        static IEnumerable<(string Path, string Bound, int Value)> Bounds(Crd crd) =>
            from entry in crd.Objects("spec")
            from field in ((YamlMappingNode)entry.Value["properties"]).Children
            from bound in new[] { "maxItems", "maxLength" }
            let value = Crd.Text((YamlMappingNode)field.Value, bound)
            where value is not null
            let path = $"{entry.Key}.{field.Key}"
            orderby path
            select (path, bound, int.Parse(value, null));
    }

    /// <summary>What the API server lets through of these is what the operator takes.</summary>
    [Theory]
    [InlineData("spec.serverRef.name", "demo", true)]
    [InlineData("spec.serverRef.name", "1demo", false)]
    [InlineData("spec.serverRef.name", "a.b", false)]
    [InlineData("spec.serverRef.namespace", "", true)]
    [InlineData("spec.serverRef.namespace", " team ", true)]
    [InlineData("spec.serverRef.namespace", "Team", false)]
    [InlineData("spec.subject.humanID", "", true)]
    [InlineData("spec.subject.humanID", "x", true)]
    [InlineData("spec.subject.humanID", "Ann Lee <ann@example.com>", true)]
    [InlineData("spec.subject.humanID", " ", false)]
    [InlineData("spec.subject.humanID", "x ", false)]
    [InlineData("spec.subject.agentID", "\tx", false)]
    [InlineData("spec.subject.agentID", "a\nb", false)]
    [InlineData("spec.subject.teamID", "a b", false)]
    public void PatternsAreTheOperatorsRules(string path, string value, bool accepted)
    {
        Assert.Equal(accepted, Grants.Accepts(path, value));
        Assert.Equal(accepted, Sessions.Accepts(path, value));
        var spec = new MCPAccessGrantSpec
        {
            ServerRef = new ServerReference
            {
                Name = path.EndsWith("serverRef.name", StringComparison.Ordinal) ? value : "demo",
                Namespace = path.EndsWith("namespace", StringComparison.Ordinal) ? value : null,
            },
            Subject = new Subject
            {
                HumanID = path.EndsWith("humanID", StringComparison.Ordinal) ? value : null,
                AgentID = path.EndsWith("agentID", StringComparison.Ordinal) ? value : null,
                TeamID = path.EndsWith("teamID", StringComparison.Ordinal) ? value : null,
            },
        };
        var faults = Validation.Validate(new MCPAccessGrant { Metadata = new ObjectMeta { Name = "g" }, Spec = spec });
        Assert.Equal(accepted ? [] : [path], faults.Select(fault => fault.Field));
    }
}
