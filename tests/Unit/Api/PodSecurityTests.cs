using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Api;
using McpOperator.Hosting;
using McpOperator.Kubernetes;
using McpOperator.Servers.Pods;

namespace McpOperator.Unit.Api;

/// <summary>Each control of the Pod Security Standards, by what it allows and refuses (Data/podsecurity).</summary>
public sealed class PodSecurityTests
{
    private static readonly JsonElement Fixtures =
        JsonElement.Parse(File.ReadAllText(RepositoryRoot.File("tests/Unit/Data/podsecurity/controls.json")));

    public static TheoryData<int> Controls => new(Enumerable.Range(0, Fixtures.GetArrayLength()));

    [Theory]
    [MemberData(nameof(Controls))]
    public void AControlAllowsAndRefuses(int index)
    {
        var fixture = Fixtures[index];
        var level = Enum.Parse<PodSecurityLevel>(fixture.Text("standard"u8)!, ignoreCase: true);
        foreach (var allowed in fixture.GetProperty("allowed").EnumerateArray())
        {
            Assert.Empty(FaultsOf(allowed, PodSecurityLevel.Restricted));
            Assert.Empty(FaultsOf(allowed, PodSecurityLevel.Baseline));
        }

        if (fixture.TryGetProperty("allowedByBaseline", out var byBaseline))
        {
            Assert.All(byBaseline.EnumerateArray(), allowed => Assert.Empty(FaultsOf(allowed, PodSecurityLevel.Baseline)));
            Assert.All(byBaseline.EnumerateArray(), allowed => Assert.NotEmpty(FaultsOf(allowed, PodSecurityLevel.Restricted)));
        }

        var refusals = fixture.GetProperty("refused").EnumerateArray().ToList();
        Assert.NotEmpty(refusals);
        foreach (var refusal in refusals)
        {
            var faults = FaultsOf(refusal.GetProperty("template"), level);
            Assert.Equal(
                refusal.GetProperty("fields").EnumerateArray().Select(field => field.GetString()!
                    .Replace("demo…", "spec.podTemplate.spec.containers[demo]", StringComparison.Ordinal).Replace("…", "spec.podTemplate.spec", StringComparison.Ordinal)),
                faults.Select(fault => fault.Field));
            Assert.All(faults, fault => Assert.EndsWith($", {fixture.Text("control"u8)})", fault.Reason, StringComparison.Ordinal));
            Assert.NotEmpty(FaultsOf(refusal.GetProperty("template"), PodSecurityLevel.Restricted));
            Assert.Empty(FaultsOf(refusal.GetProperty("template"), PodSecurityLevel.Privileged));
        }
    }

    [Fact]
    public void EveryControlOfTheStandardsHasAFixture() => Assert.Equal(
        [
            "baseline /proc mount type", "baseline AppArmor", "baseline HostProcess", "baseline SELinux", "baseline capabilities", "baseline host namespaces", "baseline host ports",
            "baseline host probes and lifecycle hooks", "baseline hostPath volumes", "baseline privileged containers", "baseline seccomp", "baseline sysctls",
            "restricted capabilities", "restricted privilege escalation", "restricted running as non-root", "restricted running as non-root user", "restricted seccomp", "restricted volume types",
        ],
        Fixtures.EnumerateArray().Select(fixture => $"{fixture.Text("standard"u8)} {fixture.Text("control"u8)}").Order(StringComparer.Ordinal));

    /// <summary>What validation judges is a part of what is applied: nothing else in it may be in breach, or be refused.</summary>
    [Fact]
    public void WhatIsJudgedIsWhatIsApplied()
    {
        var templates = Fixtures.EnumerateArray().SelectMany(fixture => (IEnumerable<JsonElement>)
            [.. fixture.GetProperty("allowed").EnumerateArray(), .. fixture.GetProperty("refused").EnumerateArray().Select(refused => refused.GetProperty("template"))]);
        foreach (var settings in new[] { SampleServers.Settings, new OperatorSettings { RunAsUser = null } })
        {
            foreach (var template in templates)
            {
                var server = SampleServers.WithGateway(new MCPServerSpec { PodTemplate = template });
                var whole = JsonNode.Parse(DeploymentManifest.Body(DeploymentManifest.Build(server, settings), server))!["spec"]!["template"]!.AsObject();
                var (judged, applied) = (new SpecFaults(), new SpecFaults());
                PodSecurity.Check(judged, PodSecurityLevel.Restricted, "demo", PodValidation.SecuredTemplate(server, settings));
                PodSecurity.Check(applied, PodSecurityLevel.Restricted, "demo", whole);
                Assert.Equal(applied.All, judged.All);
            }
        }
    }

    /// <summary>So that an upgrade refuses nothing that ran.</summary>
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void TheOperatorsOwnPodsAreWithinRestricted(bool hasGateway, bool hasUser)
    {
        var settings = hasUser ? SampleServers.Settings : new OperatorSettings { RunAsUser = null };
        var server = hasGateway ? SampleServers.WithGateway() : SampleServers.Effective();
        var faults = new SpecFaults();
        PodSecurity.Check(
            faults, PodSecurityLevel.Restricted, "demo",
            JsonNode.Parse(DeploymentManifest.Body(DeploymentManifest.Build(server, settings), server))!["spec"]!["template"]!.AsObject());
        Assert.Empty(faults.All);
    }

    [Fact]
    public void AFaultSaysWhatTheStandardWants() => Assert.Equal(
        [
            "spec.podTemplate.spec.volumes[disk].hostPath: must not be set: it is a directory of the node (Pod Security Standard baseline, hostPath volumes)",
            "spec.podTemplate.spec.containers[side].securityContext.allowPrivilegeEscalation: must be false (Pod Security Standard restricted, privilege escalation)",
            "spec.podTemplate.spec.containers[side].securityContext.capabilities.drop: must hold ALL (Pod Security Standard restricted, capabilities)",
        ],
        FaultsOf(
            JsonElement.Parse("""{"spec": {"volumes": [{"name": "disk", "hostPath": {"path": "/"}}], "containers": [{"name": "side", "image": "a"}]}}"""),
            PodSecurityLevel.Restricted).Select(fault => fault.ToString()).Order(StringComparer.Ordinal).OrderBy(text => text.Contains("volumes", StringComparison.Ordinal) ? 0 : 1));

    /// <summary>What is no object, list or text where the standard looks for one is for the API server to refuse, and ends nothing.</summary>
    [Theory]
    [InlineData("""{"spec": {"securityContext": "x", "volumes": [{"name": "a", "hostPath": 1}]}}""")]
    [InlineData("""{"spec": {"securityContext": {"seccompProfile": "x", "seLinuxOptions": 1, "windowsOptions": [], "sysctls": {"a": 1}, "runAsUser": {"a": 1}}}}""")]
    [InlineData("""{"spec": {"containers": [{"name": "demo", "securityContext": [], "lifecycle": "x"}, {"name": "b", "lifecycle": {"preStop": 1, "postStart": {"httpGet": "x"}}}]}}""")]
    [InlineData("""{"spec": {"containers": [{"name": "b", "securityContext": {"capabilities": "x", "procMount": {}}, "livenessProbe": "x", "ports": [{"containerPort": "x\u0007", "hostPort": "x"}]}]}}""")]
    [InlineData("""{"spec": {"containers": [{"name": "b", "securityContext": {"capabilities": {"add": {"a": 1}, "drop": "ALL"}}}]}}""")]
    public void WhatHasTheWrongShapeIsNoExit(string template) => Assert.NotEmpty(FaultsOf(JsonElement.Parse(template), PodSecurityLevel.Restricted));

    /// <summary>A cluster may enforce the standard of another version, and knows no more than its own.</summary>
    [Theory]
    [InlineData(20, "net.ipv4.tcp_syncookies", true)]
    [InlineData(26, "net.ipv4.ip_local_reserved_ports", false)]
    [InlineData(27, "net.ipv4.ip_local_reserved_ports", true)]
    [InlineData(28, "net.ipv4.tcp_keepalive_time", false)]
    [InlineData(29, "net.ipv4.tcp_keepalive_time", true)]
    [InlineData(31, "net.ipv4.tcp_rmem", false)]
    [InlineData(int.MaxValue, "net.ipv4.tcp_rmem", true)]
    [InlineData(int.MaxValue, "kernel.msgmax", false)]
    public void WhatALaterVersionAllowsIsRefusedByTheStandardOfAnEarlierOne(int minor, string sysctl, bool isAllowed) => Assert.Equal(
        isAllowed, FaultsOf(JsonElement.Parse($$$"""{"spec":{"securityContext":{"sysctls":[{"name":"{{{sysctl}}}","value":"1"}]} } }"""), new PodSecurityStandard(PodSecurityLevel.Baseline, minor)).Count == 0);

    [Theory]
    [InlineData(30, false)]
    [InlineData(31, true)]
    public void ContainerEngineTIsASELinuxTypeFrom131On(int minor, bool isAllowed) => Assert.Equal(
        isAllowed, FaultsOf(JsonElement.Parse("""{"spec":{"securityContext":{"seLinuxOptions":{"type":"container_engine_t"}}}}"""), new PodSecurityStandard(PodSecurityLevel.Baseline, minor)).Count == 0);

    [Theory]
    [InlineData("restricted", "Restricted", int.MaxValue)]
    [InlineData("Baseline:latest", "Baseline", int.MaxValue)]
    [InlineData("restricted:v1.28", "Restricted", 28)]
    [InlineData("restricted:1.28", null, 0)]
    [InlineData("restricted:v1.x", null, 0)]
    [InlineData("restricted:", null, 0)]
    [InlineData("none", null, 0)]
    public void AStandardIsNamedWithItsVersion(string text, string? level, int minor)
    {
        var standard = Values.PodSecurity(text);
        Assert.Equal((level, minor), (standard?.Level.ToString(), standard?.Minor ?? 0));
    }

    private static IReadOnlyList<SpecFault> FaultsOf(JsonElement template, PodSecurityStandard level)
    {
        var settings = new OperatorSettings { PodSecurity = level };
        return Validation.Validate(SampleServers.Effective(new MCPServerSpec { Image = "a:1", PodTemplate = template }, settings), settings);
    }
}
