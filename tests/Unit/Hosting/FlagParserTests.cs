using McpOperator.Controller;
using McpOperator.Hosting;
using Microsoft.Extensions.Logging;

namespace McpOperator.Unit.Hosting;

public sealed class FlagParserTests
{
    private static RunOptions Options(params string[] arguments)
    {
        var parsed = FlagParser.Parse(arguments);
        Assert.Null(parsed.Error);
        return Assert.IsType<RunOptions>(parsed.Options);
    }

    private static string Error(params string[] arguments)
    {
        var parsed = FlagParser.Parse(arguments);
        Assert.Null(parsed.Options);
        var error = Assert.IsType<string>(parsed.Error);
        Assert.DoesNotContain('\n', error);
        return error;
    }

    [Fact]
    public void NoArgumentMeansTheDefaults()
    {
        var options = Options();
        Assert.Equal(new BindAddress(null, 8080), options.Metrics);
        Assert.Equal(new BindAddress(null, 8081), options.Probes);
        Assert.Empty(options.WatchNamespaces);
        Assert.Null(options.Kubeconfig);
        Assert.Equal(4, options.Workers);
        Assert.Equal(LogLevel.Information, options.LogLevel);
        Assert.Equal(LogFormat.Json, options.LogFormat);
        Assert.True(options.PersistDefaults);
    }

    [Theory]
    [InlineData("--workers=7")]
    [InlineData("-workers=7")]
    [InlineData("--workers", "7")]
    [InlineData("-workers", "7")]
    [InlineData("--workers=3", "--workers=7")]
    public void AFlagIsWrittenAsInGo(params string[] arguments) => Assert.Equal(7, Options(arguments).Workers);

    [Theory]
    [InlineData("--persist-defaults", true)]
    [InlineData("--persist-defaults=true", true)]
    [InlineData("--persist-defaults=T", true)]
    [InlineData("--persist-defaults=false", false)]
    [InlineData("-persist-defaults=0", false)]
    public void ABooleanNeedsNoValue(string argument, bool expected) =>
        Assert.Equal(expected, Options(argument).PersistDefaults);

    [Theory]
    [InlineData("0", null)]
    [InlineData(":9090", ":9090")]
    [InlineData("127.0.0.1:0", "127.0.0.1:0")]
    [InlineData("[::1]:8080", "[::1]:8080")]
    [InlineData("localhost:8080", "127.0.0.1:8080")]
    [InlineData("0.0.0.0:8080", "0.0.0.0:8080")]
    public void AnAddressIsReadAsInGo(string value, string? expected)
    {
        Assert.Equal(expected, Options($"--metrics-bind-address={value}").Metrics?.ToString());
        Assert.Equal(expected, Options($"--health-probe-bind-address={value}").Probes?.ToString());
    }

    [Theory]
    [InlineData("a", "a")]
    [InlineData("a,b", "a", "b")]
    [InlineData(" a , b,a,", "a", "b")]
    [InlineData("")]
    public void NamespacesAreTrimmedAndEachOnce(string value, params string[] expected) =>
        Assert.Equal(expected, Options("--watch-namespaces", value).WatchNamespaces);

    [Theory]
    [InlineData(LogLevel.Debug, nameof(LogFormat.Console), "--zap-devel")]
    [InlineData(LogLevel.Information, nameof(LogFormat.Json), "--zap-devel=false")]
    [InlineData(LogLevel.Error, nameof(LogFormat.Console), "--zap-log-level=error", "--zap-devel")]
    [InlineData(LogLevel.Debug, nameof(LogFormat.Json), "--zap-encoder=json", "--zap-devel")]
    [InlineData(LogLevel.Debug, nameof(LogFormat.Json), "--zap-log-level=5")]
    [InlineData(LogLevel.Critical, nameof(LogFormat.Json), "--zap-log-level=panic")]
    [InlineData(LogLevel.Warning, nameof(LogFormat.Json), "--log-level=warning", "--zap-log-level=debug")]
    [InlineData(LogLevel.Warning, nameof(LogFormat.Json), "--log-level=WARN", "--log-format=JSON", "--zap-devel")]
    [InlineData(LogLevel.Debug, nameof(LogFormat.Json), "--log-level=2")]
    [InlineData(LogLevel.Information, nameof(LogFormat.Json), "--zap-time-encoding=epoch", "-zap-stacktrace-level", "panic")]
    public void OurOwnLogFlagsWinOverZapsInAnyOrder(LogLevel level, string format, params string[] arguments)
    {
        var options = Options(arguments);
        Assert.Equal((level, format), (options.LogLevel, options.LogFormat.ToString()));
    }

    [Theory]
    [InlineData("--workers=0", "--workers=0: must be a whole number, 1 or more")]
    [InlineData("--workers=-1", "--workers=-1: must be")]
    [InlineData("--workers=many", "--workers=many: must be")]
    [InlineData("--workers=99999999999", "--workers=99999999999: must be")]
    [InlineData("--metrics-bind-address=8080", "--metrics-bind-address=8080: must be an address")]
    [InlineData("--metrics-bind-address=:65536", "must be an address")]
    [InlineData("--metrics-bind-address=::1:80", "must be an address")]
    [InlineData("--metrics-bind-address=[127.0.0.1:80", "must be an address")]
    [InlineData("--health-probe-bind-address=", "must be an address")]
    [InlineData("--watch-namespaces=a,B", "--watch-namespaces=a,B: must be namespaces")]
    [InlineData("--watch-namespaces=a.b", "must be namespaces")]
    [InlineData("--watch-namespaces=-a", "must be namespaces")]
    [InlineData("--watch-namespaces=,", "must be namespaces")]
    [InlineData("--log-level=loud", "--log-level=loud: must be debug, info, warn")]
    [InlineData("--log-level=0", "must be debug")]
    [InlineData("--log-format=xml", "must be json or console")]
    [InlineData("--persist-defaults=maybe", "must be true or false")]
    [InlineData("--leader-elect=maybe", "must be true or false")]
    [InlineData("--leader-elect-lease-duration=15", "--leader-elect-lease-duration=15: must be a duration such as 15s")]
    [InlineData("--leader-elect-renew-deadline=-1s", "must be a duration")]
    [InlineData("--leader-elect-retry-period=0", "must be a duration")]
    [InlineData("--leader-elect-lease-duration=24h1s", "must be a duration")]
    [InlineData("--leader-elect-resource-namespace=a.b", "must be a DNS label")]
    [InlineData("--workers=1\n2", @"--workers=1\n2: must be")]
    public void ABadValueIsNamedWithWhatIsAllowed(string argument, string expected) =>
        Assert.Contains(expected, Error(argument), StringComparison.Ordinal);

    [Theory]
    [InlineData("--worker=1", "unknown flag --worker; did you mean --workers?")]
    [InlineData("--metric-bind-adress=:1", "did you mean --metrics-bind-address?")]
    [InlineData("--frobnicate", "unknown flag --frobnicate; run mcp-operator --help for the list")]
    [InlineData("run", "unexpected argument \"run\"")]
    [InlineData("-", "unexpected argument \"-\"")]
    [InlineData("--", "unknown flag --")]
    public void AnUnknownArgumentIsAnError(string argument, string expected) =>
        Assert.Contains(expected, Error(argument), StringComparison.Ordinal);

    [Fact]
    public void AMissingValueIsAnError() => Assert.Equal("--workers needs a value: --workers=N", Error("--workers"));

    [Fact]
    public void ABooleansValueAfterASpaceIsExplained() =>
        Assert.Contains("write --persist-defaults=false", Error("--persist-defaults", "false"), StringComparison.Ordinal);

    [Fact]
    public void LeaderElectionHasTheTimingOfClientGo()
    {
        Assert.True(Options("--leader-elect").LeaderElect);
        Assert.False(Options("--leader-elect=false").LeaderElect);
        Assert.Equal(
            new LeaseTiming(TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(2)),
            Options("--leader-elect").LeaseTiming);
        Assert.Equal(
            new LeaseTiming(TimeSpan.FromSeconds(90), TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(1.5)),
            Options(
                "--leader-elect-lease-duration=1m30s", "--leader-elect-renew-deadline", "1m", "--leader-elect-retry-period=1500ms",
                "--leader-elect").LeaseTiming);
        Assert.Equal("ops", Options("--leader-elect-resource-namespace=ops").LeaseNamespace);
        Assert.Null(Options("--leader-elect-resource-namespace=").LeaseNamespace);
    }

    [Theory]
    [InlineData("--leader-elect-lease-duration=10s")]
    [InlineData("--leader-elect-renew-deadline=15s")]
    [InlineData("--leader-elect-renew-deadline=2400ms")]
    [InlineData("--leader-elect-retry-period=9s")]
    public void ATimingThatCannotWorkIsRefused(string argument)
    {
        Assert.Matches(
            @"^--leader-elect-lease-duration \(\d+s\) must be longer than --leader-elect-renew-deadline \([0-9.]+s\), "
            + @"and that longer than 1\.2 times --leader-elect-retry-period \(\d+s\)$",
            Error("--leader-elect", argument));
        Assert.False(Options(argument).LeaderElect);
    }

    [Theory]
    [InlineData("-h")]
    [InlineData("--help")]
    [InlineData("--workers=0", "-help")]
    public void HelpIsNoError(params string[] arguments) => Assert.True(FlagParser.Parse(arguments).HelpWanted);
}
