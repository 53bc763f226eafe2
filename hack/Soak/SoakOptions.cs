using System.Globalization;

namespace McpOperator.Soak;

/// <param name="Time">Rounds begin until it is over.</param>
/// <param name="Seed">Of everything that is random.</param>
/// <param name="Logs">Where the operators' logs go.</param>
internal sealed record SoakOptions(TimeSpan Time, int Seed, string Logs)
{
    public const string Usage = """
        usage: Soak [--time 2m] [--seed N] [--logs DIRECTORY]
          --time  rounds begin until it is over; s, m or h
          --seed  the same actions again; default a new one, which is printed
          --logs  where the operators' logs are left; default bin/soak
        """;

    /// <summary>Null when an argument cannot be read.</summary>
    public static SoakOptions? Parse(IReadOnlyList<string> arguments, int seed)
    {
        var options = new SoakOptions(TimeSpan.FromMinutes(2), seed, "bin/soak");
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var value = i + 1 < arguments.Count ? arguments[i + 1] : "";
            SoakOptions? next = arguments[i] switch
            {
                "--time" when TimeOf(value) is { } time => options with { Time = time },
                "--seed" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) =>
                    options with { Seed = number },
                "--logs" when value.Length > 0 => options with { Logs = value },
                _ => null,
            };
            if (next is null)
                return null;
            options = next;
        }
        return options;
    }

    private static TimeSpan? TimeOf(string text)
    {
        if (text.Length < 2
            || !double.TryParse(text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            || number == 0)
            return null;
        return text[^1] switch
        {
            's' => TimeSpan.FromSeconds(number),
            'm' => TimeSpan.FromMinutes(number),
            'h' => TimeSpan.FromHours(number),
            _ => null,
        };
    }
}
