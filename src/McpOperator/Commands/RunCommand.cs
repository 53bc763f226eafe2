using System.Runtime;
using McpOperator.Hosting;

namespace McpOperator.Commands;

/// <summary><c>run</c>: flags and environment, then the operator until a signal.</summary>
internal static class RunCommand
{
    public static async Task<int> ExecuteAsync(IReadOnlyList<string> arguments, TextWriter output, TextWriter error)
    {
        var flags = FlagParser.Parse(arguments);
        if (flags.HelpWanted)
            return HelpCommand.Execute([], output, error);
        if (flags.Options is not { } options)
            return Usage.Fail(error, flags.Error!);

        // Each collection in one go: what a second thread collects at the same time takes more memory.
        GCSettings.LatencyMode = GCLatencyMode.Batch;
        using var loggers = Logging.CreateFactory(options.LogLevel, options.LogFormat, TimeProvider.System);
        var logger = loggers.CreateLogger(nameof(RunCommand));
        using var signals = Signals.Register(logger);
        logger.Starting(BuildInfo.Version, BuildInfo.Commit, BuildInfo.Runtime);

        var (settings, warnings) = SettingsReader.Read(Environment.GetEnvironmentVariable);
        foreach (var warning in warnings)
            logger.SettingUnreadable(warning.Variable, warning.Value, warning.Rule, warning.Default);

        return await new OperatorHost(loggers, TimeProvider.System).RunAsync(
            OperatorService.RunAsync, options, settings with { PersistDefaults = options.PersistDefaults, PodSecurity = options.PodSecurity ?? settings.PodSecurity },
            signals.Stopping);
    }
}
