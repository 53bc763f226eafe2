using System.Collections;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpOperator.Testing;

/// <summary>
/// Waits for a state of the world, and says what it saw last when the state does not come. The limit is generous on
/// purpose: a slow machine must not fail a test, and only a failing test waits for it.
/// </summary>
public static class Eventually
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    /// <summary>Observes until the condition holds, and returns that observation. An exception counts as "not yet".</summary>
    /// <param name="what">Completes the sentence "it never happened that …".</param>
    /// <exception cref="TimeoutException">With the last observation, or the last exception as inner exception.</exception>
    public static async Task<T> TrueAsync<T>(string what, Func<Task<T>> observe, Func<T, bool> condition, TimeSpan? limit = null)
    {
        var clock = Stopwatch.StartNew();
        var attempts = 0;
        while (true)
        {
            string last;
            Exception? fault = null;
            try
            {
                attempts++;
                var observation = await observe();
                if (condition(observation))
                    return observation;
                last = Describe(observation);
            }
            catch (Exception e)
            {
                fault = e;
                last = $"{e.GetType().Name}: {e.Message}";
            }
            if (clock.Elapsed > (limit ?? Limit))
                throw new TimeoutException(
                    $"In {clock.Elapsed.TotalSeconds:0} s and {attempts} looks it never happened that {what}. Last seen:\n{last}", fault);
            await Task.Delay(Interval);
        }
    }

    /// <inheritdoc cref="TrueAsync{T}(string, Func{Task{T}}, Func{T, bool}, TimeSpan?)"/>
    public static Task TrueAsync(string what, Func<bool> condition, TimeSpan? limit = null) =>
        TrueAsync(what, () => Task.FromResult(condition()), seen => seen, limit);

    /// <summary>Repeats a block of assertions until it stops throwing.</summary>
    /// <inheritdoc cref="TrueAsync{T}(string, Func{Task{T}}, Func{T, bool}, TimeSpan?)"/>
    public static Task PassesAsync(string what, Func<Task> assertions, TimeSpan? limit = null) =>
        TrueAsync(what, async () => { await assertions(); return true; }, seen => seen, limit);

    /// <summary>
    /// Observes for the given time and fails at the first observation that breaks the condition. It can only ever prove
    /// that something happened; keep the time short and let a stronger observation (the audit log) decide where one exists.
    /// </summary>
    public static async Task StaysTrueAsync<T>(string what, TimeSpan time, Func<Task<T>> observe, Func<T, bool> condition)
    {
        var clock = Stopwatch.StartNew();
        do
        {
            var observation = await observe();
            if (!condition(observation))
                throw new InvalidOperationException($"After {clock.Elapsed.TotalSeconds:0.0} s it was no longer true that {what}. Seen:\n{Describe(observation)}");
            await Task.Delay(Interval);
        }
        while (clock.Elapsed < time);
    }

    private static string Describe(object? observation) => observation switch
    {
        null => "null",
        JsonNode json => json.ToJsonString(Indented),
        string text => text,
        IEnumerable items => string.Join('\n', items.Cast<object?>().Select(Describe)) is { Length: > 0 } list ? list : "(nothing)",
        _ => observation.ToString() ?? "",
    };
}
