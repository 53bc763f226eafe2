using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

/// <summary>What a spec says of its pods in the words of core/v1: what an API server makes of it, and what the operator makes of that.</summary>
public sealed class PodTests(ControlPlaneFixture fixture)
{
    /// <summary>Every field, and each value that an API server rewrites or fills in.</summary>
    private static JsonObject Everything(string name) => Manifest.Parse("""
        image: example.org/web:1
        command: [/bin/web]
        args: [--listen, "0.0.0.0"]
        imagePullPolicy: Always
        serviceAccountName: web-account
        terminationGracePeriodSeconds: 45
        imagePullSecrets: [own]
        network:
          ingressFrom:
          - {podSelector: {}, namespaceSelector: {matchLabels: {}, matchExpressions: [{key: a, operator: In, values: [b]}, {key: c, operator: Exists, values: []}]}}
          - {ipBlock: {cidr: 192.0.2.0/24, except: []}}
          egressTo:
          - {}
          - {to: [], ports: []}
          - {to: [{podSelector: {matchLabels: {a: b}}}], ports: [{}, {port: 53, protocol: UDP}, {port: dns}, {port: 1, protocol: null}]}
        envVars: [{name: A, value: "1"}, {name: EMPTY}]
        secretEnvVars: [{name: TOKEN, secretKeyRef: {name: s, key: k}}]
        envFrom:
        - {configMapRef: {name: one}}
        - {prefix: P_, secretRef: {name: two, optional: false}}
        probes:
          startup: {httpGet: {path: /up, httpHeaders: [{name: X, value: "y"}]}, failureThreshold: 40, periodSeconds: 1, timeoutSeconds: 0}
          liveness: {exec: {command: [/bin/true]}, initialDelaySeconds: 0, successThreshold: 0}
          readiness: {tcpSocket: {port: http}, successThreshold: 2}
        podTemplate:
          metadata:
            labels: {cost-center: "42"}
            annotations: {example.org/note: "true", example.org/other: "1000m"}
          spec:
            priorityClassName: high
            runtimeClassName: gvisor
            hostNetwork: false
            hostPID: false
            shareProcessNamespace: false
            enableServiceLinks: false
            automountServiceAccountToken: true
            nodeSelector: {kubernetes.io/os: linux, limits: "1000m"}
            schedulerName: default-scheduler
            hostname: ""
            overhead: {}
            readinessGates: [{conditionType: example.org/gate}]
            imagePullSecrets: [{name: more}]
            securityContext:
              runAsUser: 1000
              runAsGroup: 0
              fsGroup: 2000
              fsGroupChangePolicy: OnRootMismatch
              supplementalGroups: [3000, 4000]
              seLinuxOptions: {level: "s0:c1,c2", user: ""}
              sysctls: [{name: net.ipv4.tcp_syncookies, value: "1"}]
            tolerations:
            - {key: dedicated, operator: Equal, value: mcp, effect: NoSchedule}
            - {operator: Exists, key: "", tolerationSeconds: 0, effect: NoExecute}
            affinity:
              nodeAffinity:
                requiredDuringSchedulingIgnoredDuringExecution:
                  nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In, values: [b, c]}, {key: d, operator: Exists}]}]
                preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: {matchExpressions: [{key: a, operator: Gt, values: ["1"]}]}}]
              podAntiAffinity:
                requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: SERVER}}}]
                preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, podAffinityTerm: {topologyKey: zone, labelSelector: {}, namespaces: []}}]
            topologySpreadConstraints:
            - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: SERVER}}}
            - {maxSkew: 2, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {}}
            hostAliases: [{ip: 192.0.2.1, hostnames: [a.example.org, b.example.org]}, {ip: 192.0.2.2, hostnames: [c.example.org]}]
            dnsPolicy: ClusterFirst
            dnsConfig: {nameservers: [192.0.2.3], searches: [example.org], options: [{name: ndots, value: "2"}, {name: edns0}]}
            initContainers:
            - name: second
              image: example.org/init:1
              securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
            - name: first
              image: example.org/init:1
              workingDir: ""
              tty: false
              env: [{name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
              resources: {limits: {cpu: 1000m, memory: 1024Mi, ephemeral-storage: "1.5Gi"}, requests: {cpu: 0.1}}
              securityContext: {allowPrivilegeEscalation: false, privileged: false, capabilities: {add: [], drop: [ALL]}}
            containers:
            - name: SERVER
              workingDir: /srv
              stdin: false
              terminationMessagePolicy: FallbackToLogsOnError
              env:
              - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
              - {name: CPUS, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
              - {name: MILLIS, valueFrom: {resourceFieldRef: {containerName: SERVER, resource: limits.cpu, divisor: "0.001"}}}
              - {name: FROM, valueFrom: {configMapKeyRef: {name: one, key: k, optional: false}}}
              ports: [{containerPort: 9000, name: admin, hostPort: 0}, {containerPort: 9001, protocol: UDP}]
              resources: {limits: {ephemeral-storage: 2048Mi, example.org/device: 1}, requests: {ephemeral-storage: "1e9", example.org/device: 1}}
              lifecycle: {preStop: {httpGet: {port: 8088, path: ""}}, postStart: {exec: {command: [/bin/true]}}}
              securityContext: {readOnlyRootFilesystem: true, runAsNonRoot: true, capabilities: {add: [NET_BIND_SERVICE]}}
              volumeMounts:
              - {name: config, mountPath: /etc/web, readOnly: true}
              - {name: scratch, mountPath: /tmp, readOnly: false, subPath: ""}
            - name: side
              image: example.org/side:1
              args: []
              ports: [{containerPort: 9100}]
              livenessProbe: {httpGet: {port: 9100}, initialDelaySeconds: 0, periodSeconds: 10, timeoutSeconds: 1}
              resources: {limits: {memory: 0.5Gi}}
              securityContext: {allowPrivilegeEscalation: false, seccompProfile: {type: RuntimeDefault}, capabilities: {drop: [ALL]}}
            volumes:
            - name: config
              configMap: {name: one, items: [{key: k, path: p}, {key: l, path: q, mode: 256}], optional: false}
            - {name: scratch, emptyDir: {}}
            - {name: sized, emptyDir: {medium: Memory, sizeLimit: 1024Mi}}
            - {name: nothing}
            - {name: hidden, secret: {secretName: s, defaultMode: 256}}
            - {name: driver, csi: {driver: csi.example.org, readOnly: false, volumeAttributes: {}}}
            - {name: claim, persistentVolumeClaim: {claimName: c, readOnly: false}}
            - name: about
              downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}, {path: cpu, resourceFieldRef: {containerName: SERVER, resource: limits.cpu, divisor: 1000m}}]}
            - name: all
              projected:
                sources:
                - serviceAccountToken: {path: token, audience: ""}
                - serviceAccountToken: {path: other, audience: vault, expirationSeconds: 7200}
                - downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}, {path: mem, resourceFieldRef: {containerName: SERVER, resource: limits.memory}}]}
                - configMap: {name: one, items: [{key: k, path: p}]}
                - secret: {name: s, optional: true}
        """.Replace("SERVER", name, StringComparison.Ordinal));

    [Fact]
    public async Task ARestartWithAHundredReadyServersThatSayEverythingOfTheirPodsWritesNothing()
    {
        fixture.RequireOwn("the audit log");
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive, "--workers", "8");
        string[] names = [.. Enumerable.Range(0, 100).Select(i => $"web-{i:000}")];
        await scenario.Client.CreateAsync("{apiVersion: v1, kind: ConfigMap, metadata: {name: one}}", scenario.Namespace.Name);
        // Secrets take a right that the operator does not have.
        scenario.Namespace.ExpectsDenials = true;
        await Crowd.CreateAsync(scenario, names, name =>
        {
            var server = scenario.ServerManifest("{}", name);
            server["spec"] = Everything(name);
            if (name[^1] % 2 == 0)
            {
                server["spec"]!["gateway"] = Manifest.Parse("{enabled: true, image: 'example.org/gateway:1', resources: {limits: {memory: 1024Mi}}}");
                server["spec"]!["restartOnChange"] = true;
            }

            return server;
        });
        await Crowd.RollOutAsync(scenario, names);
        Assert.All(scenario.Operator!.Complaints, complaint => Assert.Contains("secrets is forbidden", complaint.ToJsonString(), StringComparison.Ordinal));
        var (before, since) = await Crowd.RestartAsync(scenario, names);

        var writes = since.Where(request => request.IsWrite && request.Name?.StartsWith("web-", StringComparison.Ordinal) == true);
        Assert.Empty(writes.Select(request => $"{request.Verb} {request.Resource} {request.Name}"));
        var after = await Crowd.VersionsAsync(scenario);
        Assert.All(before.Where(entry => !entry.Key.EndsWith(names[0], StringComparison.Ordinal)), entry => Assert.Equal(entry.Value, after[entry.Key]));

        // And the API server keeps all of it.
        var pod = (await scenario.DeploymentAsync(names[1]))["spec"]!["template"]!["spec"]!;
        Assert.Equal("web-account 45 true", $"{pod["serviceAccountName"]} {pod["terminationGracePeriodSeconds"]} {pod["automountServiceAccountToken"]}");
        Assert.Equal(["second", "first"], pod["initContainers"]!.AsArray().Select(container => (string)container!["name"]!));
        Assert.Equal([names[1], "side"], pod["containers"]!.AsArray().Select(container => (string)container!["name"]!));
        var server = pod["containers"]![0]!;
        Assert.Equal(["A", "EMPTY", "TOKEN", "IP", "CPUS", "MILLIS", "FROM"], server["env"]!.AsArray().Select(variable => (string)variable!["name"]!));
        Assert.Equal("40 null 2", $"{server["startupProbe"]!["failureThreshold"]} {server["livenessProbe"]!["initialDelaySeconds"]?.ToString() ?? "null"} {server["readinessProbe"]!["successThreshold"]}");
    }

    [Fact]
    public async Task WhatTheSpecTakesOutGoesAndWhatOthersAddedStays()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync("image: example.org/web:1");
        await scenario.SettledAsync();
        var plain = (await scenario.DeploymentAsync())["spec"]!["template"]!;
        await scenario.Client.PatchAsync(
            Resource.MCPServers, scenario.Namespace.Name, ServerScenario.Name, new JsonObject { ["spec"] = Everything(ServerScenario.Name) });
        await scenario.SettledAsync();
        await scenario.Client.PatchAsync(Resource.Deployments, scenario.Namespace.Name, ServerScenario.Name, Manifest.Parse(
            "spec: {template: {metadata: {annotations: {theirs: 'yes'}}}}").AsObject());
        Assert.NotNull((await scenario.ContainerAsync())["startupProbe"]);

        // As somebody does who takes it all out of the manifest.
        await scenario.EditAndSettleAsync(
            """
            {command: null, args: null, imagePullPolicy: null, serviceAccountName: null, terminationGracePeriodSeconds: null, imagePullSecrets: null,
             envVars: null, secretEnvVars: null, envFrom: null, probes: null, network: null, podTemplate: null}
            """);

        var left = (await scenario.DeploymentAsync())["spec"]!["template"]!;
        Assert.True(left["metadata"]!["annotations"]!.AsObject().Remove("theirs"));
        if (left["metadata"]!["annotations"]!.AsObject().Count == 0)
            left["metadata"]!.AsObject().Remove("annotations");
        Emptied(left);
        ServerScenario.AssertJson(plain, left);
        Assert.Empty(scenario.Operator!.Complaints);

        // What the API server leaves of an object whose fields are gone.
        static void Emptied(JsonNode node)
        {
            foreach (var (name, value) in node.AsObject().ToList())
            {
                if (value is JsonObject child)
                {
                    Emptied(child);
                    if (child.Count == 0)
                        node.AsObject().Remove(name);
                }
            }
        }
    }

    [Fact]
    public async Task WhatTheStandardForbidsIsToldAndNothingIsWritten()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync(
            """
            image: example.org/web:1
            podTemplate:
              spec:
                volumes: [{name: disk, hostPath: {path: /}}]
                containers:
                - {name: web, volumeMounts: [{name: disk, mountPath: /host}], securityContext: {privileged: true}}
                - {name: mcp-gateway, image: example.org/other:1}
            """);
        var status = await scenario.EventuallyPhaseAsync("Error");
        Assert.Equal("False InvalidSpec", ServerScenario.StatusAndReason(status, "Ready"));
        Assert.Contains("spec.podTemplate.spec.containers[mcp-gateway]: is the gateway's container", (string)status["message"]!, StringComparison.Ordinal);

        await scenario.EditServerAsync(
            """
            podTemplate: {spec: {containers: [{name: web, volumeMounts: [{name: disk, mountPath: /host}], securityContext: {privileged: true, allowPrivilegeEscalation: true}}]}}
            """);
        status = await scenario.EventuallyStatusAsync("the standard was named", now => ((string?)now["message"])?.Contains("Pod Security", StringComparison.Ordinal) == true);
        Assert.Contains("spec.podTemplate.spec.volumes[disk].hostPath: must not be set", (string)status["message"]!, StringComparison.Ordinal);
        Assert.Contains("spec.podTemplate.spec.containers[web].securityContext.privileged: must not be true", (string)status["message"]!, StringComparison.Ordinal);
        Assert.Empty(await scenario.Client.ListAsync(Resource.Deployments, scenario.Namespace.Name));

        await scenario.StartOperatorAsync(ServerScenario.Permissive, "--pod-security", "privileged");
        await scenario.EventuallyPhaseAsync("PartiallyReady");
        Assert.Equal("/", (string?)(await scenario.DeploymentAsync())["spec"]!["template"]!["spec"]!["volumes"]![0]!["hostPath"]!["path"]);
    }

    [Fact]
    public async Task WhatTheApiServerRefusesIsInTheStatusAndThePodsStay()
    {
        await using var scenario = await ServerScenario.StartAsync(fixture, ServerScenario.Permissive);
        await scenario.CreateServerAsync("image: example.org/web:1");
        await scenario.SettledAsync();
        var before = (await scenario.DeploymentAsync())["spec"]!["template"]!;

        await RefusedAsync("podTemplate: {spec: {toleration: [{key: a}]}}", "toleration");
        await RefusedAsync("podTemplate: {spec: {toleration: null, hostAliases: [{ip: here, hostnames: [a]}]}}", "hostAliases");
        await RefusedAsync("podTemplate: {spec: {hostAliases: null, restartPolicy: Never}}", "restartPolicy");

        ServerScenario.AssertJson(before, (await scenario.DeploymentAsync())["spec"]!["template"]!);
        await scenario.EditServerAsync("podTemplate: null");
        await scenario.EventuallyPhaseAsync("PartiallyReady");

        async Task RefusedAsync(string edit, string word)
        {
            await scenario.EditServerAsync(edit);
            var status = await scenario.EventuallyStatusAsync(
                $"{word} was refused", now => ServerScenario.Condition(now, "DeploymentReady") is { } condition
                    && (string?)condition["reason"] == "ApplyFailed" && ((string?)condition["message"])!.Contains(word, StringComparison.Ordinal));
            Assert.Equal("Error", (string?)status["phase"]);
        }
    }
}
