namespace McpOperator.Soak;

/// <summary>All chance of a run, from one seed.</summary>
internal sealed class Dice(int seed)
{
#pragma warning disable CA5394 // No secret: it has to come out the same again.
    private readonly Random _random = new(seed);

    /// <summary>From the first up to, and with, the last.</summary>
    public int Between(int first, int last) => _random.Next(first, last + 1);

    public bool Chance(double probability) => _random.NextDouble() < probability;
#pragma warning restore CA5394

    public T Pick<T>(params IReadOnlyList<T> choices) => choices[Between(0, choices.Count - 1)];

    public T? Maybe<T>(Func<T> value, double probability = 0.5) where T : class => Chance(probability) ? value() : null;

    /// <summary>Each of them or not, in their order.</summary>
    public IReadOnlyList<T> Some<T>(params IReadOnlyList<T> choices) => [.. choices.Where(_ => Chance(0.4))];

    public TimeSpan Seconds(double least, double most) => TimeSpan.FromMilliseconds(Between((int)(least * 1000), (int)(most * 1000)));

    /// <summary>By weight.</summary>
    public T Draw<T>(IReadOnlyList<(int Weight, T Item)> choices)
    {
        var left = Between(0, choices.Sum(choice => choice.Weight) - 1);
        foreach (var (weight, item) in choices)
            if ((left -= weight) < 0)
                return item;
        throw new ArgumentException("no weights", nameof(choices));
    }
}
