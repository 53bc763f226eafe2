using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using McpOperator.Commands;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Kubernetes;

public sealed class OwnedFieldsTests
{
    [Theory]
    [InlineData(true, "f:spec", "f:replicas")]
    [InlineData(true, "f:metadata", "f:labels", "f:app")]
    [InlineData(false, "f:spec", "f:paused")]
    [InlineData(false, "f:status", "f:replicas")] // another manager's
    [InlineData(false, "f:spec", "f:replicas", "f:more")]
    public void AFieldIsOursWhileNobodyElseHasWrittenThere(bool expected, params string[] path) =>
        Assert.Equal(expected, Product.Identity.OwnedFields.Owns(JsonElement.Parse(LiveDeployment), path));

    // What a kube-apiserver made of DeploymentIntent: defaults, a status, a sidecar and an annotation of others.
    private const string LiveDeployment = """
        {
          "apiVersion": "apps/v1",
          "kind": "Deployment",
          "metadata": {
            "name": "echo", "namespace": "team-a", "uid": "0a1b", "resourceVersion": "812", "generation": 3,
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "annotations": { "deployment.kubernetes.io/revision": "2" },
            "labels": { "app": "echo", "app.kubernetes.io/managed-by": "mcp-runtime", "team": "payments" },
            "ownerReferences": [
              { "apiVersion": "mcpruntime.org/v1alpha1", "blockOwnerDeletion": true, "controller": true,
                "kind": "MCPServer", "name": "echo", "uid": "77-88" }
            ],
            "managedFields": [
              { "manager": "kube-controller-manager", "operation": "Update", "apiVersion": "apps/v1", "subresource": "status",
                "fieldsType": "FieldsV1", "fieldsV1": { "f:status": { "f:replicas": {} } } },
              { "manager": "mcp-runtime-operator", "operation": "Apply", "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
                "fieldsV1": {
                  "f:metadata": {
                    "f:labels": { "f:app": {}, "f:app.kubernetes.io/managed-by": {} },
                    "f:ownerReferences": { "k:{\"uid\":\"77-88\"}": {} }
                  },
                  "f:spec": {
                    "f:replicas": {},
                    "f:selector": {},
                    "f:template": {
                      "f:metadata": { "f:labels": { "f:app": {} } },
                      "f:spec": {
                        "f:automountServiceAccountToken": {},
                        "f:containers": {
                          "k:{\"name\":\"echo\"}": {
                            ".": {},
                            "f:env": {
                              "k:{\"name\":\"SECRET\"}": { ".": {}, "f:name": {}, "f:valueFrom": { "f:secretKeyRef": {} } },
                              "k:{\"name\":\"Z_FIRST\"}": { ".": {}, "f:name": {}, "f:value": {} }
                            },
                            "f:image": {},
                            "f:name": {},
                            "f:ports": { "k:{\"containerPort\":8088,\"protocol\":\"TCP\"}": {
                              ".": {}, "f:containerPort": {}, "f:name": {}, "f:protocol": {} } },
                            "f:resources": { "f:limits": { "f:cpu": {} } },
                            "f:securityContext": { "f:capabilities": { "f:drop": {} } }
                          }
                        },
                        "f:imagePullSecrets": { "k:{\"name\":\"pull\"}": {} },
                        "f:volumes": { "k:{\"name\":\"tmp\"}": { ".": {}, "f:emptyDir": {}, "f:name": {} } }
                      }
                    }
                  }
                } }
            ]
          },
          "spec": {
            "progressDeadlineSeconds": 600,
            "replicas": 2,
            "selector": { "matchLabels": { "app": "echo" } },
            "template": {
              "metadata": { "labels": { "app": "echo", "injected": "yes" } },
              "spec": {
                "automountServiceAccountToken": false,
                "containers": [
                  { "name": "mesh-proxy", "image": "mesh:1", "env": [ { "name": "SECRET", "value": "other" } ] },
                  { "name": "echo", "image": "registry/echo:1", "imagePullPolicy": "Always",
                    "env": [
                      { "name": "INJECTED", "value": "1" },
                      { "name": "Z_FIRST", "value": "a<b" },
                      { "name": "SECRET", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } }
                    ],
                    "ports": [
                      { "containerPort": 8088, "name": "dns", "protocol": "UDP" },
                      { "containerPort": 8088, "name": "http", "protocol": "TCP" }
                    ],
                    "resources": { "limits": { "cpu": "500m", "memory": "1Gi" } },
                    "securityContext": { "capabilities": { "drop": [ "ALL" ] } },
                    "terminationMessagePath": "/dev/termination-log" }
                ],
                "dnsPolicy": "ClusterFirst",
                "imagePullSecrets": [ { "name": "pull" }, { "name": "someone-elses" } ],
                "volumes": [ { "name": "tmp", "emptyDir": {} } ]
              }
            }
          },
          "status": { "replicas": 2 }
        }
        """;

    // Other order of members, other spelling of strings.
    private const string DeploymentIntent = """
        {
          "kind": "Deployment",
          "apiVersion": "apps/v1",
          "metadata": {
            "name": "echo", "namespace": "team-a",
            "ownerReferences": [
              { "uid": "77-88", "name": "echo", "kind": "MCPServer", "controller": true, "blockOwnerDeletion": true,
                "apiVersion": "mcpruntime.org\/v1alpha1" }
            ],
            "labels": { "app.kubernetes.io/managed-by": "mcp-runtime", "app": "echo" }
          },
          "spec": {
            "selector": { "matchLabels": { "app": "\u0065cho" } },
            "replicas": 2,
            "template": {
              "metadata": { "labels": { "app": "echo" } },
              "spec": {
                "automountServiceAccountToken": false,
                "imagePullSecrets": [ { "name": "pull" } ],
                "containers": [
                  { "name": "echo", "image": "registry/echo:1",
                    "env": [
                      { "name": "Z_FIRST", "value": "a\u003cb" },
                      { "name": "SECRET", "valueFrom": { "secretKeyRef": { "key": "k", "name": "s" } } }
                    ],
                    "ports": [ { "name": "http", "containerPort": 8088, "protocol": "TCP" } ],
                    "resources": { "limits": { "cpu": "500m" } },
                    "securityContext": { "capabilities": { "drop": [ "ALL" ] } } }
                ],
                "volumes": [ { "name": "tmp", "emptyDir": {} } ]
              }
            }
          }
        }
        """;

    private const string Template = "/spec/template/spec";
    private const string Ours = "/metadata/managedFields/1/fieldsV1";

    [Fact]
    public void ALiveObjectThatCarriesTheIntentHasItsFingerprint() =>
        Assert.Equal(Intent(DeploymentIntent), Live(LiveDeployment));

    [Theory]
    [InlineData($"{Template}/containers/0/image", "\"mesh:2\"")]
    [InlineData("/metadata/labels/team", "\"search\"")]
    [InlineData("/metadata/annotations/note", "\"hello\"")]
    [InlineData("/spec/progressDeadlineSeconds", "60")]
    [InlineData("/status/replicas", "0")]
    [InlineData($"{Template}/containers/1/env/0/value", "\"2\"")]
    [InlineData($"{Template}/containers/1/ports/0/name", "\"d\"")]
    [InlineData($"{Template}/containers/1/resources/limits/memory", "\"2Gi\"")]
    [InlineData($"{Template}/imagePullSecrets/1/name", "\"x\"")]
    [InlineData("/metadata/resourceVersion", "\"999\"")]
    public void WhatOthersWriteMakesNoDifference(string path, string value) =>
        Assert.Equal(Intent(DeploymentIntent), Live(With(LiveDeployment, path, value)));

    // Values of ours that were changed while the list of our fields still names them; and fields struck off that list.
    [Theory]
    [InlineData("/spec/replicas", "3")]
    [InlineData("/spec/replicas", "\"2\"")]
    [InlineData("/spec/selector/matchLabels/extra", "\"x\"")]
    [InlineData("/metadata/labels/app.kubernetes.io~1managed-by", "\"helm\"")]
    [InlineData("/metadata/labels/app", null)]
    [InlineData("/metadata/ownerReferences/0/controller", "false")]
    [InlineData($"{Template}/automountServiceAccountToken", "true")]
    [InlineData($"{Template}/containers/1/image", "\"registry/echo:2\"")]
    [InlineData($"{Template}/containers/1/env/1/value", "\"b\"")]
    [InlineData($"{Template}/containers/1/env/2/valueFrom/secretKeyRef/key", "\"other\"")]
    [InlineData($"{Template}/containers/1/ports/1/name", "\"web\"")]
    [InlineData($"{Template}/containers/1/ports/1/protocol", "\"SCTP\"")]
    [InlineData($"{Template}/containers/1/securityContext/capabilities/drop", """["NET_RAW"]""")]
    [InlineData($"{Template}/containers/1/securityContext/capabilities/drop", """["ALL","NET_RAW"]""")]
    [InlineData($"{Template}/containers/1", null)]
    [InlineData($"{Template}/imagePullSecrets/0", null)]
    [InlineData($"{Template}/volumes/0/emptyDir", """{"medium":"Memory"}""")]
    [InlineData($"{Ours}/f:spec/f:replicas", null)]
    [InlineData($"{Ours}/f:metadata/f:labels/f:app", null)]
    [InlineData($"{Ours}/f:spec/f:template/f:spec/f:volumes", null)]
    // A field that we own and want no longer.
    [InlineData($"{Ours}/f:spec/f:progressDeadlineSeconds", "{}")]
    [InlineData($"{Ours}/f:metadata/f:labels/f:team", "{}")]
    [InlineData($"{Ours}/f:spec/f:template/f:spec/f:containers/k:{{\"name\":\"mesh-proxy\"}}", """{".":{},"f:name":{}}""")]
    [InlineData($"{Ours}/f:spec/f:template/f:spec/f:imagePullSecrets/k:{{\"name\":\"someone-elses\"}}", "{}")]
    public void DriftMakesADifference(string path, string? value) =>
        Assert.NotEqual(Intent(DeploymentIntent), Live(With(LiveDeployment, path, value)));

    [Fact]
    public void OwnedItemsInAnotherOrderAreDrift()
    {
        var live = JsonNode.Parse(LiveDeployment)!;
        var env = live["spec"]!["template"]!["spec"]!["containers"]![1]!["env"]!.AsArray();
        var first = env[1]!.DeepClone();
        env.RemoveAt(1);
        env.Add(first);

        Assert.NotEqual(Intent(DeploymentIntent), Live(live.ToJsonString()));
    }

    [Theory]
    [InlineData("conditions", true)]
    [InlineData("ports", true)]
    [InlineData("env", false)]
    public void OnlyTheOrderOfVariablesIsPartOfAnIntent(string list, bool same)
    {
        static string Item(string name) => $$"""
            "k:{\"name\":\"{{name}}\"}": {".":{},"f:name":{} }
            """;
        var live = $$"""
            {"metadata":{"managedFields":[{"manager":"mcp-runtime-operator","operation":"Apply",
               "fieldsV1":{"f:{{list}}":{ {{Item("a")}}, {{Item("b")}} } } }]},
             "{{list}}":[{"name":"b"},{"name":"theirs"},{"name":"a"}]}
            """;

        Assert.Equal(same, Live(live) == Intent($$"""{"{{list}}":[{"name":"a"},{"name":"b"}]}"""));
        Assert.Equal(Intent($$"""{"{{list}}":[{"name":"b"},{"name":"a"}]}"""), Live(live));
        Assert.NotEqual(Intent($$"""{"{{list}}":[{"name":"b"},{"name":"b"}]}"""), Live(live));
    }

    // The API server does not store an empty string (but records whose it is), and strikes it off our list when somebody gives it a value.
    [Theory]
    [InlineData("""{".":{},"f:name":{},"f:value":{}}""", """{"name":"BLANK"}""", true)]
    [InlineData("""{".":{},"f:name":{}}""", """{"name":"BLANK","value":"drift"}""", false)]
    [InlineData("""{".":{},"f:name":{}}""", """{"name":"BLANK"}""", false)]
    public void AnEmptyStringIsOursAlthoughItIsNotStored(string fields, string variable, bool same)
    {
        var live = $$"""
            {"metadata":{"managedFields":[{"manager":"mcp-runtime-operator","operation":"Apply",
               "fieldsV1":{"f:env":{"k:{\"name\":\"BLANK\"}":{{fields}} } } }]},
             "env":[{{variable}}]}
            """;

        Assert.Equal(same, Live(live) == Intent("""{"env":[{"name":"BLANK","value":""}]}"""));
    }

    [Theory]
    [InlineData("/spec/replicas", "5")]
    [InlineData("/spec/paused", "true")]
    [InlineData("/metadata/labels/new", "\"x\"")]
    [InlineData("/metadata/annotations/new", "\"x\"")]
    [InlineData("/spec/replicas", null)]
    public void AnotherIntentMakesADifference(string path, string? value) =>
        Assert.NotEqual(Intent(With(DeploymentIntent, path, value)), Live(LiveDeployment));

    [Theory]
    [InlineData("/metadata/labels", "null")]
    [InlineData("/spec/nothing", "null")]
    [InlineData("/spec/none", "[]")]
    [InlineData("/spec/none", "{}")]
    [InlineData("/spec/none", """{"a":{"b":[]}}""")]
    public void NullAndWhatIsEmptyAreTheSameAsNothing(string path, string value) =>
        Assert.Equal(Intent(With(DeploymentIntent, path, null)), Intent(With(DeploymentIntent, path, value)));

    [Theory]
    [InlineData($"{Ours}", null)]
    [InlineData("/metadata/managedFields/1/manager", "\"kubectl\"")]
    [InlineData("/metadata/managedFields/1/operation", "\"Update\"")]
    [InlineData("/metadata/managedFields/1/subresource", "\"scale\"")]
    [InlineData("/metadata/managedFields", null)]
    [InlineData("/metadata", null)]
    public void WithoutAnEntryOfOursThereIsNoFingerprint(string path, string? value) =>
        Assert.Equal(OwnedFields.None, Live(With(LiveDeployment, path, value)));

    [Fact]
    public void NamespaceAndNameOfTheIntentAreNotPartOfIt() => Assert.Equal(
        Intent("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"b"},"data":{"k":"v"}}"""),
        Intent("""{"data":{"k":"v"}}"""));

    [Theory]
    // Atomic arrays and maps are leaves: the whole of them counts.
    [InlineData(
        """{"f:spec":{"f:ingressClassName":{},"f:rules":{}}}""",
        """{"ingressClassName":"traefik","rules":[{"host":"a","http":{"paths":[{"path":"/x","pathType":"Prefix"}]}}],"defaulted":1}""",
        """{"rules":[{"http":{"paths":[{"pathType":"Prefix","path":"/x"}]},"host":"a"}],"ingressClassName":"traefik"}""")]
    // Service ports.
    [InlineData(
        """{"f:spec":{"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:name":{},"f:port":{},"f:protocol":{},"f:targetPort":{}}},"f:selector":{},"f:type":{}}}""",
        """{"clusterIP":"10.0.0.7","ports":[{"name":"metrics","port":9103,"protocol":"TCP","targetPort":9103},{"name":"http","nodePort":30000,"port":80,"protocol":"TCP","targetPort":"http"}],"selector":{"app":"x"},"type":"ClusterIP"}""",
        """{"type":"ClusterIP","selector":{"app":"x"},"ports":[{"name":"http","port":80,"protocol":"TCP","targetPort":"http"}]}""")]
    // A key field whose default the server keeps in the key only.
    [InlineData(
        """{"f:spec":{"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{}}}}}""",
        """{"ports":[{"port":81},{"port":80,"protocol":"UDP"},{"port":80}]}""",
        """{"ports":[{"port":80}]}""")]
    // Sets, by value; strings, numbers and booleans.
    [InlineData(
        """{"f:spec":{"f:set":{".":{},"v:\"a/\\\"b\\\"\"":{},"v:2":{},"v:true":{}}}}""",
        """{"set":["x","a/\"b\"",1,2,false,true]}""",
        """{"set":["a/\u0022b\u0022",2,true]}""")]
    [InlineData("""{"f:spec":{"f:list":{"i:1":{}}}}""", """{"list":["a","b","c"]}""", """{"list":["b"]}""")]
    // A map of which nothing but the map is owned.
    [InlineData("""{"f:spec":{"f:a":{},"f:map":{".":{}}}}""", """{"a":1,"map":{"theirs":1}}""", """{"a":1,"map":{}}""")]
    [InlineData("""{"f:spec":{"f:map":{".":{},"f:a":{}}}}""", """{"map":{"a":1,"theirs":1}}""", """{"map":{"a":1}}""")]
    // Up to 1.20 the server did not record who owns an empty object.
    [InlineData("""{"f:spec":{"f:a":{}}}""", """{"a":1,"emptyDir":{}}""", """{"a":1,"emptyDir":{}}""")]
    // Names that look like paths, prefixes and escapes.
    [InlineData(
        """{"f:spec":{"f:f:a":{},"f:x.y/z":{},"f:\"q\"":{},"f:é":{}}}""",
        """{"f:a":1,"x.y/z":2,"\"q\"":3,"é":4,"a":5,"x":6}""",
        """{"\u0065\u0301":null,"f:a":1,"x.y\/z":2,"\u0022q\u0022":3,"\u00e9":4}""")]
    public void EveryKindOfPathIsFollowed(string fields, string liveSpec, string intentSpec)
    {
        var live = $$"""
            {"metadata":{"managedFields":[{"manager":"mcp-runtime-operator","operation":"Apply","fieldsV1":{{fields}}}]},
             "spec":{{liveSpec}}}
            """;

        Assert.Equal(Intent($$"""{"spec":{{intentSpec}}}"""), Live(live));
    }

    [Theory]
    [InlineData("""{"a":1,"b":2}""", """{"a":2,"b":1}""")]
    [InlineData("""{"a":"1"}""", """{"a":1}""")]
    [InlineData("""{"a":true}""", """{"a":"true"}""")]
    [InlineData("""{"a":true}""", """{"a":false}""")]
    [InlineData("""{"a":[1,2]}""", """{"a":[2,1]}""")]
    [InlineData("""{"a":[1,[2]]}""", """{"a":[1,2]}""")]
    [InlineData("""{"a":["b"]}""", """{"a":"b"}""")]
    [InlineData("""{"a":{"b":1}}""", """{"a":1,"b":1}""")]
    [InlineData("""{"a":{"b":1},"c":{"d":2}}""", """{"a":{"d":2},"c":{"b":1}}""")]
    [InlineData("""{"a":"12345678"}""", """{"a":"12345678\u0000"}""")]
    [InlineData("""{"a":""}""", """{"a":"\u0000"}""")]
    [InlineData("""{"a":"x","b":"x"}""", "{}")]
    public void DifferentValuesHaveDifferentFingerprints(string one, string other) =>
        Assert.NotEqual(Intent($$"""{"data":{{one}}}"""), Intent($$"""{"data":{{other}}}"""));

    [Fact]
    public void AFingerprintIsTheSameInEveryProcess() =>
        Assert.Equal(7979052790411629399UL, Intent("""{"data":{"a":"1","b":[2,true]}}"""));

    [Theory]
    [InlineData("""{"metadata":{"managedFields":[1,null,{"manager":1,"operation":"Apply"},{"manager":"mcp-runtime-operator","operation":"Apply","fieldsV1":7}]}}""")]
    [InlineData("""{"metadata":{"managedFields":"x"}}""")]
    [InlineData("""{"metadata":[]}""")]
    [InlineData("""{"metadata":{"managedFields":[{"manager":"mcp-runtime-operator","operation":"Apply","fieldsV1":{"k:{":{},"v:":{},"f:a":{"k:7":{},"v:{}":{},"i:x":{}},"?":{}}}]},"a":[{},1,null]}""")]
    [InlineData("7")]
    public void NothingThatCanStandInAnObjectMakesItThrow(string live) => Live(live);

    private static ulong Live(string json) => Product.Identity.OwnedFields.Fingerprint(JsonDocument.Parse(json).RootElement);

    private static ulong Intent(string json) => OwnedFields.FingerprintOf(Encoding.UTF8.GetBytes(json));

    /// <summary>The JSON with the value at a JSON pointer set, or removed when it is null.</summary>
    private static string With(string json, string pointer, string? value)
    {
        var root = JsonNode.Parse(json)!;
        var steps = pointer[1..].Split('/').Select(step => step.Replace("~1", "/", StringComparison.Ordinal)).ToArray();
        var parent = root;
        foreach (var step in steps[..^1])
        {
            parent = parent is JsonArray array
                ? array[int.Parse(step, System.Globalization.CultureInfo.InvariantCulture)]!
                : parent[step] ?? (parent[step] = new JsonObject());
        }

        var last = steps[^1];
        if (parent is JsonArray list)
            list.RemoveAt(int.Parse(last, System.Globalization.CultureInfo.InvariantCulture));
        else if (value is null)
            parent.AsObject().Remove(last);
        else
            parent[last] = JsonNode.Parse(value);
        return root.ToJsonString();
    }
}
