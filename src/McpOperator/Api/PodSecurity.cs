using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpOperator.Api;

internal enum PodSecurityLevel
{
    Privileged,
    Baseline,
    Restricted,
}

/// <summary>A standard as of a version of Kubernetes: a cluster may enforce that of another.</summary>
/// <param name="Minor">Of Kubernetes 1.</param>
internal sealed record PodSecurityStandard(PodSecurityLevel Level, int Minor = int.MaxValue)
{
    public static implicit operator PodSecurityStandard(PodSecurityLevel level) => new(level);
}

/// <summary>
/// The Pod Security Standards (https://kubernetes.io/docs/concepts/security/pod-security-standards, as of Kubernetes 1.35), all controls of
/// baseline and restricted. What is an object in core/v1 and none here counts as absent: no API server takes it.
/// </summary>
/// <remarks>
/// Versioned is what later versions allow in addition. Stricter than a cluster in three things, so that each accepts what we accept: Windows pods have no exceptions, nor have those with
/// a user namespace, and the seccomp annotations that API servers before 1.27 followed are held against the same rules as the fields.
/// </remarks>
/// <param name="server">The name of its container, whose probes have a field of their own in the spec.</param>
internal sealed class PodSecurity(SpecFaults faults, PodSecurityStandard standard, string server)
{
    private const string Top = "spec.podTemplate";

    private static readonly string[] BaselineCapabilities =
    [
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID",
        "SYS_CHROOT",
    ];

    private static readonly string[] RestrictedCapabilities = ["NET_BIND_SERVICE"];
    private static readonly string[] SELinuxTypes = ["container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
    private static readonly string[] Profiles = ["RuntimeDefault", "Localhost"];
    private static readonly string[] VolumeTypes =
        ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];

    private bool IsRestricted => standard.Level == PodSecurityLevel.Restricted;

    /// <summary>One fault for each violation.</summary>
    /// <param name="template">A PodTemplateSpec.</param>
    public static void Check(SpecFaults faults, PodSecurityStandard standard, string server, JsonObject template)
    {
        if (standard.Level != PodSecurityLevel.Privileged)
            new PodSecurity(faults, standard, server).Template(template);
    }

    private void Template(JsonObject template)
    {
        foreach (var (key, value) in At(template["metadata"], "annotations") as JsonObject ?? [])
            Annotation(key, value?.ToString() ?? "");
        if (template["spec"] is not JsonObject spec)
            return;
        const string path = $"{Top}.spec";
        foreach (var name in (ReadOnlySpan<string>)["hostNetwork", "hostPID", "hostIPC"])
            NotTrue(spec, name, path, "host namespaces");
        var context = spec["securityContext"] as JsonObject;
        Context(context, $"{path}.securityContext");
        foreach (var sysctl in Items(context, "sysctls"))
        {
            if (SafeSince(Text(sysctl["name"])) is var since && since > standard.Minor)
                Refuse($"{path}.securityContext.sysctls", $"{Quote(sysctl["name"])} is allowed from Kubernetes 1.{since} on", "sysctls");
            else if (since is null)
                Refuse($"{path}.securityContext.sysctls", $"{Quote(sysctl["name"])} is no sysctl that is safe for the node", "sysctls");
        }

        foreach (var volume in Items(spec, "volumes"))
            Volume(volume, $"{path}.volumes[{Name(volume)}]");
        foreach (var list in (ReadOnlySpan<string>)["initContainers", "containers", "ephemeralContainers"])
        {
            foreach (var container in Items(spec, list))
                Container(container, context, $"{path}.{list}[{Name(container)}]");
        }
    }

    /// <summary>The version of Kubernetes that allows it, as 1.N; null for none.</summary>
    private static int? SafeSince(string? sysctl) => sysctl switch
    {
        "kernel.shm_rmid_forced" or "net.ipv4.ip_local_port_range" or "net.ipv4.ip_unprivileged_port_start" or "net.ipv4.tcp_syncookies"
            or "net.ipv4.ping_group_range" => 0,
        "net.ipv4.ip_local_reserved_ports" => 27,
        "net.ipv4.tcp_keepalive_time" or "net.ipv4.tcp_fin_timeout" or "net.ipv4.tcp_keepalive_intvl" or "net.ipv4.tcp_keepalive_probes" => 29,
        "net.ipv4.tcp_rmem" or "net.ipv4.tcp_wmem" => 32,
        _ => null,
    };

    private void Annotation(string key, string value)
    {
        var field = $"{Top}.metadata.annotations[{SpecFaults.Plain(key)}]";
        if (key.StartsWith("container.apparmor.security.beta.kubernetes.io/", StringComparison.Ordinal)
            && value is not ("" or "runtime/default") && !value.StartsWith("localhost/", StringComparison.Ordinal))
            Refuse(field, $"{SpecFaults.Quote(value)} must be runtime/default or begin with localhost/", "AppArmor");
        if ((key is "seccomp.security.alpha.kubernetes.io/pod" || key.StartsWith("container.seccomp.security.alpha.kubernetes.io/", StringComparison.Ordinal))
            && value is not ("runtime/default" or "docker/default") && !value.StartsWith("localhost/", StringComparison.Ordinal))
            Refuse(field, $"{SpecFaults.Quote(value)} must be runtime/default or begin with localhost/", "seccomp");
    }

    private void Volume(JsonObject volume, string path)
    {
        foreach (var (type, _) in volume)
        {
            if (type == "hostPath")
                Refuse($"{path}.hostPath", "must not be set: it is a directory of the node", "hostPath volumes");
            else if (IsRestricted && type != "name" && !VolumeTypes.Contains(type))
                Refuse($"{path}.{SpecFaults.Plain(type)}", $"must be one of {FieldValidation.Choices(VolumeTypes)}", "volume types", PodSecurityLevel.Restricted);
        }
    }

    private void Container(JsonObject container, JsonObject? pod, string path)
    {
        var context = container["securityContext"] as JsonObject;
        var at = $"{path}.securityContext";
        Context(context, at);
        NotTrue(context, "privileged", at, "privileged containers");
        if (context?["procMount"] is { } mount && Text(mount) != "Default")
            Refuse($"{at}.procMount", $"{Quote(mount)} must be Default", "/proc mount type");
        Capabilities(context?["capabilities"] as JsonObject, $"{at}.capabilities");
        foreach (var port in Items(container, "ports"))
        {
            if (port["hostPort"] is { } host && host.ToString() != "0")
                Refuse($"{path}.ports[{SpecFaults.Plain(port["containerPort"]?.ToString())}].hostPort", $"{Quote(host)} is a port of the node, and must not be set", "host ports");
        }

        foreach (var (field, member) in PodFragment.ProbesOf)
            Handler(container[member] as JsonObject, Text(container["name"]) == server ? $"spec.probes.{field}" : $"{path}.{member}");
        foreach (var hook in (ReadOnlySpan<string>)["postStart", "preStop"])
            Handler(At(container["lifecycle"], hook) as JsonObject, $"{path}.lifecycle.{hook}");

        if (!IsRestricted)
            return;
        if (!Is(context?["allowPrivilegeEscalation"], JsonValueKind.False))
            Refuse($"{at}.allowPrivilegeEscalation", "must be false", "privilege escalation", PodSecurityLevel.Restricted);
        if (context?["runAsNonRoot"] is null && !Is(pod?["runAsNonRoot"], JsonValueKind.True))
            Refuse($"{at}.runAsNonRoot", "must be true, here or of the pod", "running as non-root", PodSecurityLevel.Restricted);
        if (At(context?["seccompProfile"], "type") is null && At(pod?["seccompProfile"], "type") is null)
            Refuse($"{at}.seccompProfile.type", $"must be one of {FieldValidation.Choices(Profiles)}, here or of the pod", "seccomp", PodSecurityLevel.Restricted);
    }

    /// <summary>What pods and containers have in common.</summary>
    private void Context(JsonObject? context, string path)
    {
        if (context is null)
            return;
        NotTrue(context["windowsOptions"] as JsonObject, "hostProcess", $"{path}.windowsOptions", "HostProcess");
        var linux = context["seLinuxOptions"] as JsonObject;
        // The last of them from 1.31 on.
        var types = standard.Minor >= 31 ? SELinuxTypes : SELinuxTypes[..^1];
        if (linux?["type"] is { } type && Text(type) != "" && !types.Contains(Text(type)))
            Refuse($"{path}.seLinuxOptions.type", $"{Quote(type)} must be one of {FieldValidation.Choices(types)}", "SELinux");
        foreach (var name in (ReadOnlySpan<string>)["user", "role"])
        {
            if (linux?[name] is { } value && Text(value) != "")
                Refuse($"{path}.seLinuxOptions.{name}", $"{Quote(value)} must not be set", "SELinux");
        }

        Profile(context, "seccompProfile", path, "seccomp");
        Profile(context, "appArmorProfile", path, "AppArmor");
        if (!IsRestricted)
            return;
        if (context["runAsNonRoot"] is { } nonRoot && !Is(nonRoot, JsonValueKind.True))
            Refuse($"{path}.runAsNonRoot", "must be true", "running as non-root", PodSecurityLevel.Restricted);
        if (context["runAsUser"] is { } user && (!Is(user, JsonValueKind.Number) || user.ToString() is "0" or "-0" || !long.TryParse(user.ToString(), out _)))
            Refuse($"{path}.runAsUser", $"{Quote(user)} must be a number other than 0, which is root", "running as non-root user", PodSecurityLevel.Restricted);
    }

    private void Profile(JsonObject context, string name, string path, string control)
    {
        if (At(context[name], "type") is { } type && !Profiles.Contains(Text(type)))
            Refuse($"{path}.{name}.type", $"{Quote(type)} must be one of {FieldValidation.Choices(Profiles)}", control);
    }

    private void Capabilities(JsonObject? capabilities, string path)
    {
        var allowed = IsRestricted ? RestrictedCapabilities : BaselineCapabilities;
        foreach (var added in capabilities?["add"] as JsonArray ?? [])
        {
            if (!allowed.Contains(Text(added)))
                Refuse($"{path}.add", $"{Quote(added)} must be one of {FieldValidation.Choices(allowed)}", "capabilities", standard.Level);
        }

        if (IsRestricted && !(capabilities?["drop"] as JsonArray ?? []).Any(dropped => Text(dropped) == "ALL"))
            Refuse($"{path}.drop", "must hold ALL", "capabilities", PodSecurityLevel.Restricted);
    }

    /// <summary>Of a probe or a hook: kubelets send what it says to any host, from the node.</summary>
    private void Handler(JsonObject? handler, string path)
    {
        foreach (var name in (ReadOnlySpan<string>)["httpGet", "tcpSocket"])
        {
            if (At(handler?[name], "host") is { } host && Text(host) != "")
                Refuse($"{path}.{name}.host", $"{Quote(host)} must not be set: the pod itself is asked", "host probes and lifecycle hooks");
        }
    }

    private void NotTrue(JsonObject? context, string name, string path, string control)
    {
        if (context?[name] is { } value && !Is(value, JsonValueKind.False))
            Refuse($"{path}.{name}", "must not be true", control);
    }

    private void Refuse(string field, string rule, string control, PodSecurityLevel standard = PodSecurityLevel.Baseline) =>
        faults.Add(field, $"{rule} (Pod Security Standard {(standard == PodSecurityLevel.Baseline ? "baseline" : "restricted")}, {control})");

    /// <summary>A list's items that are objects. An item of another type is no item of such a list, which the API server says.</summary>
    private static IEnumerable<JsonObject> Items(JsonObject? parent, string list) => (parent?[list] as JsonArray ?? []).OfType<JsonObject>();

    private static string Name(JsonObject item) => SpecFaults.Plain(Text(item["name"]));

    private static JsonNode? At(JsonNode? node, string name) => (node as JsonObject)?[name];

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static bool Is(JsonNode? node, JsonValueKind kind) => node?.GetValueKind() == kind;

    private static string Quote(JsonNode? value) => SpecFaults.Quote(value?.ToString());
}
