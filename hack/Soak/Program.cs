using System.Security.Cryptography;
using McpOperator.Soak;

if (SoakOptions.Parse(args, RandomNumberGenerator.GetInt32(1, 1_000_000)) is not { } options)
{
    Console.Error.WriteLine(SoakOptions.Usage);
    return 2;
}

Console.WriteLine($"seed {options.Seed}: `make soak SOAK_SEED={options.Seed}` makes the same changes again");
await using var run = await LongRun.StartAsync(options);
try
{
    await run.RunAsync();
    Console.WriteLine($"\n{run.Summary()}");
    return 0;
}
catch (Exception e) when (e is SoakFailedException or TimeoutException)
{
    Console.WriteLine($"{run.LastLines()}\n\n{run.Summary()}\n\nFAILED with seed {options.Seed}: {e.Message}");
    return 1;
}
