using System.Text.Json.Nodes;

namespace McpOperator.Envtest;

internal static partial class ManifestCorpus
{
    /// <summary>Of an MCPServer with an image, unless the spec has another one.</summary>
    private static readonly (string Spec, string? Rule)[] Servers =
    [
        // Right.
        ("{}", null),
        ("{replicas: 0}", null),
        ("{port: 0, servicePort: 0}", null),
        ("{image: 'registry.example.com:5000/a/b@sha256:0123456789012345678901234567890123456789012345678901234567890123'}", null),
        ("{imageTag: '  v1  ', ingressHost: ' example.com '}", null),
        ("{ingressHost: '*.example.com'}", null),
        ("{ingressPath: /a/b, publicPathPrefix: c}", null),
        ("{imagePullSecrets: ['', ' a ']}", null),
        ("{ingressAnnotations: {'example.com/Key': 'any text', plain: ''}}", null),
        ("{resources: {requests: {cpu: 1e3, memory: '1.5Gi'}}}", null),
        ("{resources: {requests: {cpu: 100m}, limits: {cpu: '0.1'}}}", null),
        ("{envVars: [{name: A}, {name: B, value: ''}], secretEnvVars: [{name: C, secretKeyRef: {name: s, key: k}}]}", null),
        ("{tools: [{name: t, sideEffect: read, labels: {a: b}}], prompts: [{name: p}], mcpResources: [{name: r}], tasks: [{name: t}]}", null),
        ("{gateway: {enabled: true, image: 'g:1'}, auth: {mode: oauth, issuerURL: 'https://issuer.example.com'}}", null),
        ("{gateway: {enabled: true, image: 'g:1'}, analytics: {ingestURL: 'https://i.example.com'}}", null),
        ("{gateway: {enabled: false}}", null),
        ("{session: {maxLifetime: 1h30m, idleTimeout: '0'}}", null),
        ("{replicas: 3, rollout: {strategy: Canary, canaryReplicas: 1, canaryImage: 'a:2'}}", null),
        ("{replicas: 0, rollout: {strategy: Canary, canaryReplicas: 1}}", null),
        ("{rollout: {strategy: Canary, canaryReplicas: 1}}", null),
        ("{rollout: {strategy: Recreate, maxSurge: '0', maxUnavailable: '0'}}", null),
        ("{rollout: {maxSurge: '0', maxUnavailable: '1'}}", null),
        ("{teamID: ''}", null),
        ("{description: 'ü\u2028 any text'}", null),
        // Doubtful, as the Go operator runs it.
        ("{envVars: [{name: A}, {name: A}], secretEnvVars: [{name: A, secretKeyRef: {name: s, key: k}}]}", null),
        ("{gateway: {stripPrefix: /a/..}, session: {maxLifetime: 7d}, ingressPath: '/a b'}", null),
        ("{gateway: {enabled: true, image: 'g:1', upstreamURL: up}, auth: {mode: oauth, issuerURL: issuer}, analytics: {ingestURL: i}}", null),
        // CEL, which needs 1.25.
        ("{gateway: {enabled: true, image: 'g:1', port: 8088}}", "spec.gateway.port"),
        ("{gateway: {enabled: true, image: 'g:1', port: 9103}}", "spec.gateway.port"),
        ("{gateway: {enabled: true, image: 'g:1'}, port: 9103}", "spec.port"),
        ("{gateway: {enabled: true, image: 'g:1'}, servicePort: 9103}", "spec.servicePort"),
        ("{gateway: {enabled: true, image: 'g:1'}, auth: {mode: oauth}}", "spec.auth.issuerURL"),
        ("{analytics: {ingestURL: 'https://i.example.com'}}", "spec.analytics"),
        ("{replicas: 2, rollout: {strategy: Canary}}", "spec.rollout.canaryReplicas"),
        ("{rollout: {maxSurge: '0', maxUnavailable: 0%}}", "spec.rollout.maxUnavailable"),
        // The operator's own.
        ("{image: ' '}", "spec.image"),
        ("{image: 'a b'}", "spec.image"),
        ("{image: 'http://example.com/a'}", "spec.image"),
        ("{image: Upper}", "spec.image"),
        ("{image: 'a:'}", "spec.image"),
        ("{image: 'a@sha256:0'}", "spec.image"),
        ("{registryOverride: 'not a registry'}", "spec.registryOverride"),
        ("{ingressHost: 10.0.0.1}", "spec.ingressHost"),
        ("{ingressPath: /a/../b}", "spec.ingressPath"),
        ("{ingressPath: //a}", "spec.ingressPath"),
        ("{ingressPath: /a%2fb}", "spec.ingressPath"),
        ("{publicPathPrefix: /}", "spec.publicPathPrefix"),
        ("{publicPathPrefix: a/../b}", "spec.publicPathPrefix"),
        ("{ingressAnnotations: {'not a key': x}}", "spec.ingressAnnotations[not a key]"),
        ("{resources: {requests: {memory: 1Gi}, limits: {memory: 512Mi}}}", "spec.resources.requests.memory"),
        ("{secretEnvVars: [{name: A, secretKeyRef: {name: S_, key: k}}]}", "spec.secretEnvVars[0].secretKeyRef.name"),
        ("{secretEnvVars: [{name: A, secretKeyRef: {name: s, key: 'a/b'}}]}", "spec.secretEnvVars[0].secretKeyRef.key"),
        ("{gateway: {enabled: true}}", "spec.gateway.image"),
        ("{gateway: {enabled: true, image: 'g:1'}, analytics: {}}", "spec.analytics.ingestURL"),
        ("{gateway: {image: 'not an image'}}", "spec.gateway.image"),
        ("{auth: {mode: mtls}}", "spec.auth.mode"),
        ("{gateway: {enabled: true, image: 'g:1'}, ingressHost: a.example.org, auth: {mode: mtls, trustDomain: Example}}", "spec.auth.trustDomain"),
        ("{rollout: {canaryImage: Hello}}", "spec.rollout.canaryImage"),
        ("{rollout: {maxUnavailable: 101%}}", "spec.rollout.maxUnavailable"),
        ("{tools: [{name: ' ', sideEffect: read}]}", "spec.tools[0].name"),
    ];

    private static readonly (string Kind, string Spec, string? Rule)[] Members =
    [
        ("MCPAccessGrant", "{serverRef: {name: web}, subject: {}}", null),
        ("MCPAccessGrant", "{serverRef: {name: web, namespace: other}, subject: {humanID: 'a b', teamID: t}, maxTrust: high, toolRules: [{name: t, decision: deny}]}", null),
        ("MCPAccessGrant", "{serverRef: {name: web, namespace: ' '}, subject: {humanID: ''}}", null),
        ("MCPAccessGrant", "{serverRef: {name: web-}, subject: {}}", null),
        ("MCPAccessGrant", "{serverRef: {name: web}, subject: {humanID: ' a'}}", null),
        ("MCPAccessGrant", "{serverRef: {name: web}, subject: {}, toolRules: [{name: ' '}]}", "spec.toolRules[0].name"),
        ("MCPAgentSession", "{serverRef: {name: web}, subject: {humanID: a}, expiresAt: '2026-03-26T12:00:00.5+01:00'}", null),
        ("MCPAgentSession", "{serverRef: {name: web}, subject: {teamID: t}, upstreamTokenSecretRef: {name: s, key: k}}", null),
        ("MCPAgentSession", "{serverRef: {name: web}, subject: {}}", "spec.subject"),
        ("MCPAgentSession", "{serverRef: {name: web}, subject: {humanID: ''}}", "spec.subject"),
        ("MCPAgentSession", "{serverRef: {name: web}, subject: {humanID: a}, upstreamTokenSecretRef: {name: S_, key: k}}", "spec.upstreamTokenSecretRef.name"),
        ("MCPAgentSession", "{serverRef: {name: web}, subject: {humanID: a}, expiresAt: '2026-02-30T12:00:00Z'}", null),
        ("MCPAgentSession", "{serverRef: {name: web}, subject: {humanID: a}, expiresAt: '2026-03-26'}", null),
        ("MCPAgentSession", "{serverRef: {name: web}, subject: {humanID: a}, expiresAt: '2026-03-26T12:00:00'}", null),
    ];

    /// <summary>With the spec of a good MCPServer. NAME is one that nobody else has.</summary>
    private static readonly string[] Metadata =
    [
        "{}",
        "{generateName: a-}",
        "{name: Upper}",
        "{name: a.b}",
        "{name: '-a'}",
        "{name: ''}",
        "{name: 7}",
        "{name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}",
        "{name: NAME, labels: {a: b, example.com/A_b.c: ''}}",
        "{name: NAME, labels: {'a b': c}}",
        "{name: NAME, labels: {a: 'b c'}}",
        "{name: NAME, labels: {a: b/c}}",
        "{name: NAME, labels: {a: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}}",
        "{name: NAME, labels: {a: 1}}",
        "{name: NAME, labels: {a: true}}",
        "{name: NAME, labels: [a]}",
        "{name: NAME, labels: null}",
        "{name: NAME, labels: {'UPPER.example.com/a': b}}",
        "{name: NAME, annotations: {'a b': c}}",
        "{name: NAME, annotations: {'UPPER.example.com/a': b}}",
        "{name: NAME, annotations: {a: 1}}",
        "{name: NAME, annotations: {a: ' any text '}}",
        "{name: NAME, annotation: {a: b}}",
        "{name: NAME, lables: {a: b}}",
        "{name: NAME, finalizers: [example.com/a]}",
        "{name: NAME, finalizers: ['a b']}",
        "{name: NAME, finalizers: example.com/a}",
        "{name: NAME, creationTimestamp: null}",
        "{name: NAME, creationTimestamp: yesterday}",
        "{name: NAME, generation: one}",
        "{name: NAME, ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: a, uid: u}]}",
        "{name: NAME, ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: a}]}",
        "{name: NAME, ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: a, uid: u, zzz: 1}]}",
    ];

    /// <summary>Whole documents, in YAML's own ways.</summary>
    private static readonly string[] Raw =
    [
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata:\n  name: NAME\nspec:\n  image: a:1\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata:\n  name: NAME\nspec:\n  image: a:1\n  replicas: 0x2\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata:\n  name: NAME\nspec:\n  image: a:1\n  replicas: 1e0\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata:\n  name: NAME\nspec:\n  image: a:1\n  replicas: 2.0\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata:\n  name: NAME\nspec:\n  image: a:1\n  useProvisionedRegistry: yes\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata:\n  name: NAME\nspec:\n  image: a:1\n  description: yes\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata:\n  name: NAME\nspec:\n  image: a:1\n  description: 2001-12-14\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata:\n  name: NAME\nspec:\n  image: a:1\n  imageTag: 1.10\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata:\n  name: NAME\nspec:\n  image: a:1\n  envVars:\n  - name: A\n    value: 1\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata:\n  name: NAME\nspec:\n  image: a:1\n  envVars:\n  - name: on\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata:\n  name: NAME\nspec: &s\n  image: a:1\n  resources: &r\n    limits: {cpu: 1}\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata: {name: NAME}\nspec:\n  image: a:1\n  resources: {limits: &l {cpu: '1'}, requests: {<<: *l}}\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata: {name: NAME}\nspec: *nothing\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata: {name: NAME}\nspec:\n\timage: a\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata: {name: NAME}\nspec: {image: a:1\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata: {name: NAME}\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata: {name: NAME}\nspec:\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata: {name: NAME}\nspec: {image: 'a:1'}\nsepc: {}\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata: {name: NAME}\nspec: {image: 'a:1'}\nstatus: {phase: Ready}\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata: {name: NAME}\nspec: {image: 'a:1'}\nstatus: {zzz: Ready}\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata: {name: NAME}\nspec: {image: 'a:1'}\nstatus: {phase: 1}\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nspec: {image: 'a:1'}\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata: text\nspec: {image: 'a:1'}\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServr\nmetadata: {name: NAME}\nspec: {image: 'a:1'}\n",
        "apiVersion: mcpruntime.org/v1\nkind: MCPServer\nmetadata: {name: NAME}\nspec: {image: 'a:1'}\n",
        "apiVersion: mcpruntime.org/v1alpha1\nmetadata: {name: NAME}\nspec: {image: 'a:1'}\n",
        "kind: MCPServer\nmetadata: {name: NAME}\nspec: {image: 'a:1'}\n",
        "- apiVersion: mcpruntime.org/v1alpha1\n",
        "just text\n",
        "\ufeffapiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata: {name: NAME}\nspec: {image: 'a:1'}\n",
        "apiVersion: mcpruntime.org/v1alpha1\r\nkind: MCPServer\r\nmetadata: {name: NAME}\r\nspec: {image: 'a:1'}\r\n",
        "# a comment\n---\n---\n# another\n---\napiVersion: mcpruntime.org/v1alpha1\nkind: MCPServer\nmetadata: {name: NAME}\nspec: {image: 'a:1'}\n",
        "{\"apiVersion\": \"mcpruntime.org/v1alpha1\",\n\t\"kind\": \"MCPServer\", \"metadata\": {\"name\": \"NAME\"}, \"spec\": {\"image\": \"a:1\", \"description\": \"\\ud83d\\ude00 \\/\"}}\n",
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: mcpruntime.org/v1alpha1\n  kind: MCPServer\n  metadata: {name: NAME}\n  spec: {image: 'a:1'}\n",
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: mcpruntime.org/v1alpha1\n  kind: MCPServer\n  metadata: {name: NAME}\n  spec: {image: 'a:1', port: -1}\n",
        "apiVersion: mcpruntime.org/v1alpha1\nkind: MCPServerList\nitems:\n- metadata: {name: NAME}\n  spec: {image: 'a:1', port: 99999}\n",
    ];

    private static IEnumerable<ManifestCase> ByHand()
    {
        var number = 0;
        foreach (var (text, rule) in Servers)
        {
            var spec = Manifest.Parse(text);
            spec.TryAdd("image", "example.com/a:1");
            yield return Case("MCPServer", $"s{number++}", spec, text, rule);
        }

        foreach (var (kind, text, rule) in Members)
            yield return Case(kind, $"m{number++}", Manifest.Parse(text), text, rule);
        foreach (var text in Metadata)
        {
            var name = $"d{number++}";
            var spec = new JsonObject { ["image"] = "example.com/a:1" };
            yield return Case("MCPServer", name, spec, text, rule: null, Manifest.Parse(text.Replace("NAME", name, StringComparison.Ordinal)));
        }

        foreach (var text in Raw)
        {
            var name = $"r{number++}";
            yield return new ManifestCase(name, text.Replace("NAME", name, StringComparison.Ordinal), text.ReplaceLineEndings("⏎"));
        }
    }
}
