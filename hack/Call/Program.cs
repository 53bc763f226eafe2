using System.Net;
using System.Text.Json;
using McpOperator.Testing;

const string Usage = """
    usage: hack/call [--header 'NAME: VALUE']... [--connect-to ADDRESS[:PORT]] [--timeout SECONDS] URL [TOOL [ARGUMENTS]]
             calls the tool with the arguments, a JSON object, and prints its answer; without a tool, lists them;
             --connect-to: the IP address where the URL's host is to be found
    """;

var headers = new Dictionary<string, string>();
IPEndPoint? connectTo = null;
var timeout = TimeSpan.FromSeconds(30);
var rest = new Queue<string>(args);
try
{
    while (rest.TryPeek(out var option) && option.StartsWith("--", StringComparison.Ordinal))
    {
        rest.Dequeue();
        if (!rest.TryDequeue(out var value))
            throw new FormatException($"{option} needs a value");
        switch (option)
        {
            case "--header" when value.Split(':', 2) is [var name, var text]:
                headers[name.Trim()] = text.Trim();
                break;
            case "--connect-to" when IPEndPoint.TryParse(value, out connectTo):
                break;
            case "--timeout" when double.TryParse(value, out var seconds) && seconds > 0:
                timeout = TimeSpan.FromSeconds(seconds);
                break;
            default:
                throw new FormatException($"{option} {value}: no such option, or a bad value");
        }
    }
    if (rest.Count is 0 or > 3)
        throw new FormatException("which URL?");
    if (!Uri.TryCreate(rest.Dequeue(), UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        throw new FormatException("the URL has to begin with http:// or https://");
    rest.TryDequeue(out var tool);
    var arguments = rest.TryDequeue(out var json) ? JsonSerializer.Deserialize<Dictionary<string, object?>>(json) : null;

    using var ended = new CancellationTokenSource(timeout);
    await using var caller = await ToolCaller.ConnectAsync(url, headers, connectTo, ended.Token);
    if (tool is not null)
        Console.WriteLine(await caller.CallAsync(tool, arguments, ended.Token));
    else
        foreach (var (name, description) in await caller.ListAsync(ended.Token))
            Console.WriteLine($"{name}\t{description}");
    return 0;
}
catch (Exception e) when (e is FormatException or JsonException)
{
    Console.Error.WriteLine(e is JsonException ? "error: the arguments are not a JSON object" : $"error: {e.Message}");
    Console.Error.WriteLine(Usage);
    return 2;
}
catch (CallException e)
{
    Console.Error.WriteLine($"error: {e.Message}");
    return 1;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine($"error: no answer in {timeout.TotalSeconds:0.#} s");
    return 1;
}
