using System.Text;
using McpOperator.Servers.Pods;

namespace McpOperator.Unit.Servers.Pods;

public sealed class PodReferencesTests
{
    [Theory]
    [InlineData("""{"containers":[{"envFrom":[{"configMapRef":{"name":"b"}},{"secretRef":{"name":"s","optional":true},"prefix":"P"}]}]}""", "b", "s")]
    [InlineData("""{"initContainers":[{"env":[{"name":"A","valueFrom":{"configMapKeyRef":{"name":"a","key":"k"}}},{"name":"B","valueFrom":{"secretKeyRef":{"name":"t","key":"k"}}}]}]}""", "a", "t")]
    [InlineData("""{"volumes":[{"name":"v","configMap":{"name":"c"}},{"name":"w","secret":{"secretName":"u"}}]}""", "c", "u")]
    [InlineData("""{"volumes":[{"name":"v","projected":{"sources":[{"configMap":{"name":"d"}},{"secret":{"name":"x"}},{"secret":{"name":"w"}}]}}]}""", "d", "w,x")]
    [InlineData("""{"volumes":[{"name":"gateway-policy","configMap":{"name":"demo-gateway-policy"}}]}""", "", "")]
    [InlineData("""{"imagePullSecrets":[{"name":"p"}],"nodeSelector":{"configMap":"x","secret":"y"},"volumes":[{"name":"e","emptyDir":{}},{"configMap":{}},{"secret":null}]}""", "", "")]
    public void VariablesAndFilesAreFoundWhereverTheyAre(string pod, string configMaps, string secrets)
    {
        var found = new PodReferences(Encoding.UTF8.GetBytes($$"""{"spec":{"template":{"spec":{{pod}} } } }"""), "demo");

        Assert.Equal((configMaps, secrets), (string.Join(',', found.ConfigMaps.Order()), string.Join(',', found.Secrets.Order())));
    }
}
