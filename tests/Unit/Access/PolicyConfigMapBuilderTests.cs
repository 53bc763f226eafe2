using System.Text;
using System.Text.Json;
using McpOperator.Access;
using McpOperator.Kubernetes.Types;

namespace McpOperator.Unit.Access;

public sealed class PolicyConfigMapBuilderTests
{
    [Fact]
    public void IsNamedAndLabelledAfterItsServer() => Json.AssertEqual(
        """
        {"apiVersion":"v1","kind":"ConfigMap",
         "metadata":{"name":"demo-gateway-policy","namespace":"team",
          "labels":{"app":"demo","app.kubernetes.io/managed-by":"mcp-runtime"},
          "ownerReferences":[{"apiVersion":"mcpruntime.org/v1alpha1","kind":"MCPServer","name":"demo","uid":"uid-of-demo","controller":true,"blockOwnerDeletion":true}]},
         "data":{"policy.json":"{\n  \"a\": \"<é\u2028😀\"\n}"}}
        """,
        ApplyConfiguration.Of(PolicyConfigMapBuilder.Build(SampleServers.Of(), "{\n  \"a\": \"<é\u2028😀\"\n}", found: null, replacesPods: false)));

    [Fact]
    public void TheLargestPolicyFitsIntoTheBodyOfARequest()
    {
        // Quotes and backslashes get longest on the way. The API server takes 3 MiB.
        var policy = string.Concat(Enumerable.Repeat("\"\\", PolicyConfigMapBuilder.MaxBytes / 2));
        Assert.Null(PolicyConfigMapBuilder.TooLarge(policy));
        var body = ApplyConfiguration.Of(PolicyConfigMapBuilder.Build(SampleServers.Of(), policy, found: null, replacesPods: false));
        Assert.InRange(body.Length, PolicyConfigMapBuilder.MaxBytes, 3 * 1024 * 1024);
        using var json = JsonDocument.Parse(body);
        Assert.Equal(policy, json.RootElement.GetProperty("data").GetProperty("policy.json").GetString());
    }

    [Fact]
    public void OneByteMoreThanAConfigMapHoldsIsTooMuch()
    {
        var policy = new string('x', PolicyConfigMapBuilder.MaxBytes - 2) + "é";
        Assert.Equal(PolicyConfigMapBuilder.MaxBytes, Encoding.UTF8.GetByteCount(policy));
        Assert.Null(PolicyConfigMapBuilder.TooLarge(policy));
        Assert.StartsWith("the policy would take 1,048,577 bytes, and a ConfigMap holds 1,048,576: ", PolicyConfigMapBuilder.TooLarge(policy + "x"), StringComparison.Ordinal);
    }
}
