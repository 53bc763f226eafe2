using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace HelloMcp;

/// <summary>What makes this server a broken one, on request: HELLO_FAULT is one of these, with an amount or without.</summary>
internal static class Fault
{
    /// <summary>
    /// <c>slow=30</c> listens after so many seconds only; <c>crash</c> exits with 1 at once, <c>crash=30</c> after so many seconds;
    /// <c>memory</c> eats memory until it is killed, <c>memory=100</c> so many MiB, and serves on; <c>auth</c> and <c>protocol</c> serve, and
    /// <see cref="AnswerAsync">answer</see> so.
    /// </summary>
    public static async Task HappenAsync(string fault)
    {
        var parts = fault.Split('=');
        int? amount = parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : null;
        switch (parts[0])
        {
            case "slow":
                Console.WriteLine($"HELLO_FAULT={fault}: slow to start");
                await Task.Delay(TimeSpan.FromSeconds(amount ?? 30));
                break;
            case "crash" when amount is null:
                Crash();
                break;
            case "crash":
                _ = Task.Delay(TimeSpan.FromSeconds(amount.Value)).ContinueWith(_ => Crash(), TaskScheduler.Default);
                break;
            case "memory":
                Console.WriteLine($"HELLO_FAULT={fault}: eating memory");
                await EatAsync(amount ?? int.MaxValue);
                break;
            case "auth" or "protocol":
                break;
            default:
                throw new ArgumentException($"HELLO_FAULT={fault}: neither slow, crash, memory, auth nor protocol", nameof(fault));
        }

        void Crash()
        {
            Console.Error.WriteLine($"error: HELLO_FAULT={fault}: this server cannot run");
            Environment.Exit(1);
        }
    }

    /// <summary><c>auth</c> lets nobody in (401); <c>protocol</c> agrees to a version of the protocol that there is not.</summary>
    /// <returns>Whether that was the answer.</returns>
    public static async Task<bool> AnswerAsync(string? fault, HttpContext context)
    {
        switch (fault)
        {
            case "auth":
                context.Response.StatusCode = StatusCodes.Status401Unauthorized;
                context.Response.Headers.WWWAuthenticate = "Bearer";
                return true;
            case "protocol" when context.Request.Method == "POST":
                using (var request = await JsonDocument.ParseAsync(context.Request.Body))
                {
                    var id = request.RootElement.TryGetProperty("id", out var given) ? given.GetRawText() : "null";
                    context.Response.ContentType = "application/json";
                    await context.Response.WriteAsync(
                        $$"""{"jsonrpc":"2.0","id":{{id}},"result":{"protocolVersion":"tomorrow","capabilities":{},"serverInfo":{"name":"hello-mcp","version":"1.0.0"} } }""");
                }

                return true;
            default:
                return false;
        }
    }

    // Not of the collector, which keeps within the container's limit: it would end by an exception, where the kernel has to kill.
    private static async Task EatAsync(int mebibytes)
    {
        for (var i = 0; i < mebibytes; i++)
        {
            EatOne();
            await Task.Delay(5);
        }

        static unsafe void EatOne()
        {
            const int Bytes = 1 << 20;
            NativeMemory.Fill(NativeMemory.Alloc(Bytes), Bytes, 1); // untouched pages cost nothing
        }
    }
}
