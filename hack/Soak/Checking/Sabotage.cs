using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace McpOperator.Soak.Checking;

/// <summary>
/// Whether the checker can fail: in a snapshot that it found nothing wrong with, one value is falsified or removed, and it has to
/// see that. The values are those of the operator, by managedFields, in the objects that were compared.
/// </summary>
internal static class Sabotage
{
    /// <returns>How many were tried, and those that went unnoticed.</returns>
    public static (int Tried, IReadOnlyList<string> Missed) Run(Snapshot snapshot, Settings settings, Dice dice, int tries)
    {
        var compared = Checker.Check(snapshot, settings).Compared;
        var all = snapshot.ByKind
            .SelectMany(kind => kind.Value.Where(compared.Contains).Select(live => (Kind: kind.Key, Live: live)))
            .SelectMany(one => Leaves(one.Kind, one.Live).Select(path => (one.Kind, one.Live, Path: path)))
            .ToList();
        var missed = new List<string>();
        tries = Math.Min(tries, all.Count);
        for (var i = 0; i < tries; i++)
        {
            var (kind, live, path) = dice.Pick(all);
            var forged = live.DeepClone().AsObject();
            Forge(forged, path, remove: dice.Chance(0.3));
            if (Checker.Check(snapshot.With(kind, live, forged), settings).Findings.Count == 0)
                missed.Add($"{kind} {live.Key()} {string.Join('/', path)}");
        }
        return (tries, missed);
    }

    /// <summary>Each rule of access that can be broken is, once, in one of the objects that it is about.</summary>
    /// <returns>The rules that were broken, and the objects in which that went unnoticed.</returns>
    public static (IReadOnlyList<string> Broken, IReadOnlyList<string> Missed) BreakRules(Snapshot snapshot, Settings settings, Dice dice)
    {
        var broken = new List<string>();
        var missed = new List<string>();
        foreach (var rule in Forgeries.Of(snapshot, Checker.Check(snapshot, settings)).GroupBy(one => one.Rule))
        {
            var forgery = dice.Pick(rule.ToList()).Make();
            broken.Add(rule.Key);
            if (Checker.Check(snapshot.With(forgery.Kind, forgery.Live, forgery.Forged), settings).Findings.Count == 0)
                missed.Add($"{rule.Key}: {forgery.Kind} {forgery.Live.Key()}");
        }
        return (broken, missed);
    }

    private static IEnumerable<IReadOnlyList<object>> Leaves(string kind, JsonObject live)
    {
        var isChild = Snapshot.Children.Any(child => child.Kind == kind);
        foreach (var path in Comparison.OwnedBy(live).SelectMany(fields => Leaves(fields, live, [])))
        {
            // Of a report, what no document says word for word; of a server, what is written back once and then the user's.
            if (!isChild && (path[0] is not "status" || path[^1] is "message" || (path[^1] is "url" && live.Raw("status", "phase") is not "Ready")))
                continue;
            yield return path;
        }
    }

    private static IEnumerable<IReadOnlyList<object>> Leaves(JsonObject fields, JsonNode live, IReadOnlyList<object> path)
    {
        foreach (var (name, inner) in fields)
        {
            var (child, step) = Step(live, name);
            if (child is null || name == ".")
                continue;
            var deeper = inner is JsonObject { Count: > 0 } more ? Leaves(more, child, [.. path, step]) : Scalars(child, [.. path, step]);
            foreach (var leaf in deeper)
                yield return leaf;
        }
    }

    private static (JsonNode? Child, object Step) Step(JsonNode live, string name)
    {
        if (name.StartsWith("f:", StringComparison.Ordinal))
            return (live.At(name[2..]), name[2..]);
        if (name == "." || live is not JsonArray list || Comparison.Element(list, name) is not { } element)
            return (null, "");
        return (element, list.IndexOf(element));
    }

    private static IEnumerable<IReadOnlyList<object>> Scalars(JsonNode node, IReadOnlyList<object> path) => node switch
    {
        JsonObject members => members.Where(member => member.Value is not null).SelectMany(member => Scalars(member.Value!, [.. path, member.Key])),
        JsonArray items => items.Where(item => item is not null).SelectMany((item, i) => Scalars(item!, [.. path, i])),
        _ => [path],
    };

    private static void Forge(JsonObject live, IReadOnlyList<object> path, bool remove)
    {
        JsonNode parent = live;
        foreach (var step in path.SkipLast(1))
            parent = step is int index ? parent[index]! : parent[(string)step]!;
        if (path[^1] is int last)
        {
            if (remove)
                parent.AsArray().RemoveAt(last);
            else
                parent[last] = Other(parent[last]!);
        }
        else
        {
            var name = (string)path[^1];
            // An empty value and none are the same to an API server, false and nothing to a reader of a status.
            if (remove && parent[name].Show() is not ("\"\"" or "false"))
                parent.AsObject().Remove(name);
            else
                parent[name] = Other(parent[name]!);
        }
    }

    private static JsonNode Other(JsonNode value) => value.GetValueKind() switch
    {
        JsonValueKind.Number => value.Number()!.Value + 1,
        JsonValueKind.True => false,
        JsonValueKind.False => true,
        _ => string.Create(CultureInfo.InvariantCulture, $"{value.Raw()}1x"),
    };
}
