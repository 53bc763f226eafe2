using System.Text.Json.Nodes;
using McpOperator.Api;
using McpOperator.Hosting;
using McpOperator.Testing;

namespace McpOperator.Unit.Deploy;

/// <summary>config/manager and what points at it: flags, ports, names and selectors fit the program and each other.</summary>
public sealed class ManifestTests
{
    private const string Name = "mcp-runtime-operator-controller-manager";

    private static readonly JsonObject Deployment = Load("config/manager/manager.yaml");
    private static readonly JsonNode Pod = Deployment["spec"]!["template"]!;
    private static readonly JsonNode Container = Pod["spec"]!["containers"]!.AsArray().Single()!;

    [Fact]
    public void TheNamesAreThoseOfTheGoOperatorSoThatItsDeploymentIsUpdated()
    {
        Assert.Equal(("mcp-runtime", Name), (NamespaceOf(Deployment), NameOf(Deployment)));
        // Immutable in a Deployment that is there.
        Assert.Equal("""{"control-plane":"controller-manager"}""", Deployment["spec"]!["selector"]!["matchLabels"]!.ToJsonString());
        Assert.Equal("manager", (string?)Container["name"]);
        Assert.Equal("""["/manager"]""", Container["command"]!.ToJsonString());
        Assert.Equal(Name, (string?)Pod["spec"]!["serviceAccountName"]);
        Assert.Equal("mcp-runtime-operator-role", NameOf(Load("config/rbac/cluster/role.yaml")));
    }

    [Theory]
    [InlineData("config/manager/manager.yaml", 0)]
    [InlineData("config/namespaced/manager_patch.yaml", 1)]
    public void TheProgramKnowsEachArgument(string file, int namespaces)
    {
        var arguments = Load(file)["spec"]!["template"]!["spec"]!["containers"]![0]!["args"]!.AsArray().Select(argument => (string)argument!).ToList();

        var (options, error) = FlagParser.Parse(arguments);

        Assert.Null(error);
        Assert.True(options!.LeaderElect, "two that both write");
        Assert.Equal(namespaces, options.WatchNamespaces.Count);
    }

    [Fact]
    public void ThePortsAreWhereTheProgramListens()
    {
        var ports = Container["ports"]!.AsArray().ToDictionary(port => (string)port!["name"]!, port => (int)(long)port!["containerPort"]!);
        var options = new RunOptions();

        Assert.Equal(new Dictionary<string, int> { ["metrics"] = options.Metrics!.Port, ["probes"] = options.Probes!.Port }, ports);
        Assert.Equal(("/healthz", "probes"), ProbeOf("livenessProbe"));
        Assert.Equal(("/readyz", "probes"), ProbeOf("readinessProbe"));
        Assert.Contains((string)Load("config/prometheus/monitor.yaml")["spec"]!["podMetricsEndpoints"]![0]!["port"]!, ports.Keys);
        Assert.Equal(
            ports.Values.Order(),
            Load("config/manager/network_policy.yaml")["spec"]!["ingress"]![0]!["ports"]!.AsArray().Select(port => (int)(long)port!["port"]!).Order());

        static (string?, string?) ProbeOf(string probe) =>
            ((string?)Container[probe]!["httpGet"]!["path"], (string?)Container[probe]!["httpGet"]!["port"]);
    }

    /// <summary>The servers with readiness mcp are asked at whatever port they have.</summary>
    [Fact]
    public void TheServersPodsCanBeReached()
    {
        var rule = Load("config/manager/network_policy.yaml")["spec"]!["egress"]!.AsArray().Single(rule => rule!["to"] is not null)!;

        Assert.Null(rule["ports"]);
        var peer = Assert.Single(rule["to"]!.AsArray())!;
        Assert.Empty(peer["namespaceSelector"]!.AsObject());
        Assert.Equal(Labels.Managed, peer["podSelector"]!["matchLabels"]!.AsObject().ToDictionary(label => label.Key, label => (string)label.Value!));
        Assert.Contains(Container["env"]!.AsArray(), variable => (string?)variable!["name"] == "MCP_OPERATOR_NAMESPACE"
            && (string?)variable["valueFrom"]!["fieldRef"]!["fieldPath"] == "metadata.namespace");
    }

    [Fact]
    public void EverySelectorFindsThePods()
    {
        var labels = Pod["metadata"]!["labels"]!.AsObject();
        JsonNode[] selectors =
        [
            Deployment["spec"]!["selector"]!,
            Pod["spec"]!["topologySpreadConstraints"]![0]!["labelSelector"]!,
            Load("config/manager/pdb.yaml")["spec"]!["selector"]!,
            Load("config/manager/network_policy.yaml")["spec"]!["podSelector"]!,
            Load("config/prometheus/monitor.yaml")["spec"]!["selector"]!,
        ];

        Assert.All(selectors, selector => Assert.All(
            selector["matchLabels"]!.AsObject(), wanted => Assert.Equal((string?)wanted.Value, (string?)labels[wanted.Key])));
    }

    [Fact]
    public void EveryBindingBindsARoleThatIsThereToTheAccountOfThePods()
    {
        var objects = new[] { "rbac", "rbac/cluster", "namespaced" }.SelectMany(directory => Manifest.LoadDirectory(RepositoryRoot.File($"config/{directory}"))).ToList();
        var bindings = objects.Where(manifest => manifest["roleRef"] is not null).ToList();
        var account = objects.Single(manifest => (string?)manifest["kind"] == "ServiceAccount");

        Assert.Equal(3, bindings.Count);
        Assert.Equal(Name, NameOf(account));
        Assert.All(bindings, binding =>
        {
            var subject = binding["subjects"]!.AsArray().Single()!;
            Assert.Equal(("ServiceAccount", Name, NamespaceOf(Deployment)), ((string?)subject["kind"], (string?)subject["name"], (string?)subject["namespace"]));
            Assert.Single(objects, role => role["rules"] is not null
                && (string?)role["kind"] == (string?)binding["roleRef"]!["kind"] && NameOf(role) == (string?)binding["roleRef"]!["name"]);
        });
    }

    /// <summary>A Role cannot grant what is in no namespace, and an operator of some namespaces does not ask for it.</summary>
    [Fact]
    public void WhatMayBeDoneEverywhereIsWhatMayBeDoneInANamespace() => Assert.Equal(
        Rules("config/rbac/cluster/role.yaml").Where(rule => !rule.Contains("\"ingressclasses\"", StringComparison.Ordinal)), Rules("config/namespaced/role.yaml"));

    private static IEnumerable<string> Rules(string file) => Load(file)["rules"]!.AsArray().Select(rule => rule!.ToJsonString());

    /// <summary>A cluster with a range of users for each namespace says itself who they are.</summary>
    [Fact]
    public void TheComponentForOpenShiftAsksForNoUserAndHasTheServersAskForNone()
    {
        const string Directory = "config/components/openshift";
        var component = Load($"{Directory}/kustomization.yaml");
        Assert.Equal(("Component", "manager_patch.yaml"), ((string?)component["kind"], (string?)component["patches"]!.AsArray().Single()!["path"]));

        var patch = Load($"{Directory}/manager_patch.yaml");
        Assert.Equal((NamespaceOf(Deployment), NameOf(Deployment)), (NamespaceOf(patch), NameOf(patch)));
        var pod = patch["spec"]!["template"]!["spec"]!;
        // null takes a field away.
        var asked = Pod["spec"]!["securityContext"]!.AsObject().Select(field => field.Key).Where(field => field is "runAsUser" or "runAsGroup" or "fsGroup");
        Assert.Equal(asked.Order(), pod["securityContext"]!.AsObject().Where(field => field.Value is null).Select(field => field.Key).Order());
        var container = pod["containers"]!.AsArray().Single()!;
        Assert.Equal((string?)Container["name"], (string?)container["name"]);
        var variable = container["env"]!.AsArray().Single()!;
        Assert.Equal("", (string?)variable["value"]);
        Assert.Null(SettingsReader.Read(name => name == (string?)variable["name"] ? "" : null).Settings.RunAsUser);
    }

    /// <summary>It lets the operator see all Secrets, and do nothing with them.</summary>
    [Fact]
    public void TheComponentForSecretsBindsTheRightToListAndWatchThemToTheOperator()
    {
        const string Directory = "config/components/restart-on-secrets";
        Assert.Equal(["role.yaml", "role_binding.yaml"], Load($"{Directory}/kustomization.yaml")["resources"]!.AsArray().Select(file => (string)file!));
        var (role, binding) = (Load($"{Directory}/role.yaml"), Load($"{Directory}/role_binding.yaml"));
        Assert.Equal("""[{"apiGroups":[""],"resources":["secrets"],"verbs":["list","watch"]}]""", role["rules"]!.ToJsonString());
        Assert.Equal((NameOf(role), (string?)role["kind"]), ((string?)binding["roleRef"]!["name"], (string?)binding["roleRef"]!["kind"]));
        var subject = binding["subjects"]!.AsArray().Single()!;
        Assert.Equal((NamespaceOf(Deployment), (string?)Pod["spec"]!["serviceAccountName"]), ((string?)subject["namespace"], (string?)subject["name"]));
    }

    [Fact]
    public void TheGraceIsLongerThanStoppingTakes() =>
        Assert.True((long)Pod["spec"]!["terminationGracePeriodSeconds"]! > OperatorHost.StopTimeout.TotalSeconds);

    /// <summary>Each rule of the Pod Security Standard "restricted", which the namespace enforces.</summary>
    [Fact]
    public void ThePodsAreRestricted()
    {
        Assert.Equal("restricted", (string?)Load("config/manager/namespace.yaml")["metadata"]!["labels"]!["pod-security.kubernetes.io/enforce"]);
        var spec = Pod["spec"]!.AsObject();
        var inPod = spec["securityContext"]!;
        var inContainer = Container["securityContext"]!;
        Assert.All(new[] { "hostNetwork", "hostPID", "hostIPC", "hostUsers", "volumes", "initContainers" }, field => Assert.False(spec.ContainsKey(field), field));
        Assert.All(Container["ports"]!.AsArray(), port => Assert.Null(port!["hostPort"]));
        Assert.All(new[] { "privileged", "procMount", "seLinuxOptions", "windowsOptions", "runAsUser", "seccompProfile" }, field => Assert.Null(inContainer[field]));
        Assert.Null(inPod["sysctls"]);
        Assert.False((bool)inContainer["allowPrivilegeEscalation"]!);
        Assert.True((bool)inPod["runAsNonRoot"]! && (bool)inContainer["runAsNonRoot"]!);
        Assert.NotEqual(0, (long)inPod["runAsUser"]!);
        Assert.Equal("RuntimeDefault", (string?)inPod["seccompProfile"]!["type"]);
        Assert.Equal("""{"drop":["ALL"]}""", inContainer["capabilities"]!.ToJsonString());
        // No rule, but what the program can do with.
        Assert.True((bool)inContainer["readOnlyRootFilesystem"]!);
    }

    [Theory]
    [InlineData("docs/install.md")]
    [InlineData("docs/migration.md")]
    public void TheDocumentsNameWhatIsInstalled(string document)
    {
        var text = File.ReadAllText(RepositoryRoot.File(document));

        Assert.All(new[] { Name, "mcp-runtime", "mcp-runtime-operator-role" }, name => Assert.Contains(name, text, StringComparison.Ordinal));
    }

    private static JsonObject Load(string file) => Manifest.Parse(File.ReadAllText(RepositoryRoot.File(file)));

    private static string? NameOf(JsonNode manifest) => (string?)manifest["metadata"]!["name"];

    private static string? NamespaceOf(JsonNode manifest) => (string?)manifest["metadata"]!["namespace"];
}
