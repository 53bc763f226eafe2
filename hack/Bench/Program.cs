using McpOperator.Bench;

if (BenchOptions.Parse(args) is not { } options)
{
    Console.Error.WriteLine(BenchOptions.Usage);
    return 2;
}

if (options.OnlyReadiness)
{
    Console.WriteLine(await Readiness.RunAsync(options.Main, options.Steady));
    return 0;
}

var result = await Suite.RunAsync(options, $"hack/bench {string.Join(' ', args)}".Trim());
Console.WriteLine($"\n{Figures.BySize(result)}\n{Figures.Once(result)}\n{Figures.Requests(result)}\n{Figures.OfTargets(result)}");

if ((options.Output ?? (options.IsFull ? Repository.PathTo("docs", "bench") : null)) is { } directory)
{
    Report.Write(result, directory);
    Console.WriteLine($"The results are in {directory}.");
}
else
{
    Console.WriteLine("This was not the full set: nothing was written. --output DIRECTORY writes it all the same.");
}
return 0;
