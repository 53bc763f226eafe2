using System.Globalization;
using System.Text;

namespace McpOperator.Commands.Manifests;

/// <summary>
/// The regular expressions of our schemas, with the meaning that they have to an API server (RE2: <c>\s</c> is ASCII, <c>$</c> the
/// very end, characters are code points). In time that grows with the text and the pattern only. .NET's engine is not in the binary
/// (Framework.substitutions.xml); a pattern that needs more than this knows fails the tests.
/// </summary>
internal sealed class Pattern
{
    private static readonly string Blanks = "\t\n\f\r  ";

    private readonly string _pattern;
    private readonly Node _root;
    private int _at;

    /// <exception cref="NotSupportedException">It has something in it that this does not know.</exception>
    public Pattern(string pattern)
    {
        _pattern = pattern;
        _root = Alternatives();
        if (_at < pattern.Length)
            throw Unsupported();
    }

    /// <summary>Whether a part of the text, which may be all of it, fits.</summary>
    public bool IsMatch(string text)
    {
        var runes = new Rune[text.Length];
        var starts = new List<long> { 0 };
        foreach (var rune in text.EnumerateRunes())
        {
            runes[starts.Count - 1] = rune;
            starts.Add(starts.Count);
        }

        return Ends(_root, runes.AsSpan(0, starts.Count - 1), starts).Count > 0;
    }

    private Node Alternatives()
    {
        var all = new Node(What.OneOf);
        do
        {
            var parts = new Node(What.Sequence);
            while (_at < _pattern.Length && _pattern[_at] is not ('|' or ')'))
                parts.Parts.Add(Repetition(Atom()));
            all.Parts.Add(parts);
        }
        while (Take('|'));
        return all;
    }

    private Node Repetition(Node atom)
    {
        var (least, most) = (0, int.MaxValue);
        if (Take('+'))
            least = 1;
        else if (Take('?'))
            most = 1;
        else if (Take('{'))
        {
            least = Number();
            most = Take(',') ? Number() : least;
            if (!Take('}'))
                throw Unsupported();
        }
        else if (!Take('*'))
            return atom;
        return new Node(What.Repeat) { Parts = { atom }, Least = least, Most = most };
    }

    private int Number()
    {
        var from = _at;
        while (_at < _pattern.Length && char.IsAsciiDigit(_pattern[_at]))
            _at++;
        return _at > from ? int.Parse(_pattern.AsSpan(from, _at - from), CultureInfo.InvariantCulture) : throw Unsupported();
    }

    private Node Atom()
    {
        switch (Next())
        {
            case '^':
                return new Node(What.Start);
            case '$':
                return new Node(What.End);
            case '.':
                return new Node(What.NoneOf) { Ranges = "\n\n" };
            case '(':
                var group = Take('?') ? throw Unsupported() : Alternatives();
                return Take(')') ? group : throw Unsupported();
            case '[':
                var what = Take('^') ? What.NoneOf : What.AnyOf;
                var ranges = "";
                while (!Take(']'))
                {
                    var from = Next();
                    var isRange = from != '\\' && _at + 1 < _pattern.Length && _pattern[_at] == '-' && _pattern[_at + 1] != ']';
                    if (from == '\\')
                        ranges += Escaped() is { Kind: What.AnyOf } escaped ? escaped.Ranges : throw Unsupported();
                    else if (isRange && Take('-'))
                        ranges += $"{from}{Next()}";
                    else
                        ranges += $"{from}{from}";
                }
                return new Node(what) { Ranges = ranges };
            case '\\':
                return Escaped();
            case '*' or '+' or '?' or '{' or '}' or ']' or ')':
                throw Unsupported();
            case var c:
                return new Node(What.AnyOf) { Ranges = $"{c}{c}" };
        }
    }

    private Node Escaped() => Next() switch
    {
        's' => new Node(What.AnyOf) { Ranges = Blanks },
        'S' => new Node(What.NoneOf) { Ranges = Blanks },
        var c when char.IsAsciiLetterOrDigit(c) => throw Unsupported(),
        var c => new Node(What.AnyOf) { Ranges = $"{c}{c}" },
    };

    private char Next() => _at < _pattern.Length ? _pattern[_at++] : throw Unsupported();

    private bool Take(char c)
    {
        var isThere = _at < _pattern.Length && _pattern[_at] == c;
        _at += isThere ? 1 : 0;
        return isThere;
    }

    private NotSupportedException Unsupported() => new($"pattern {_pattern}, at {_at}");

    /// <summary>Where it can end when it begins at one of these places between the characters; each place once.</summary>
    private static List<long> Ends(Node node, ReadOnlySpan<Rune> text, List<long> starts)
    {
        var ends = new List<long>();
        switch (node.Kind)
        {
            case What.Start or What.End:
                var edge = node.Kind == What.Start ? 0 : text.Length;
                if (starts.Contains(edge))
                    ends.Add(edge);
                return ends;
            case What.AnyOf or What.NoneOf:
                foreach (var start in starts)
                {
                    if (start < text.Length && node.Has(text[(int)start].Value) == (node.Kind == What.AnyOf))
                        ends.Add(start + 1);
                }
                return ends;
            case What.Sequence:
                foreach (var part in node.Parts)
                    starts = Ends(part, text, starts);
                return starts;
            case What.OneOf:
                if (node.Parts.Count == 1)
                    return Ends(node.Parts[0], text, starts);
                var seen = new Dictionary<long, object?>();
                foreach (var branch in node.Parts)
                    AddNew(Ends(branch, text, starts), seen, ends);
                return ends;
            default:
                for (var i = 0; i < node.Least; i++)
                    starts = Ends(node.Parts[0], text, starts);
                var been = new Dictionary<long, object?>();
                AddNew(starts, been, ends);
                for (var i = node.Least; i < node.Most && starts.Count > 0; i++)
                {
                    // Only from where it was not before: so it comes to an end.
                    var next = new List<long>();
                    AddNew(Ends(node.Parts[0], text, starts), been, next);
                    ends.AddRange(next);
                    starts = next;
                }
                return ends;
        }
    }

    private static void AddNew(List<long> places, Dictionary<long, object?> seen, List<long> to)
    {
        foreach (var place in places)
        {
            if (seen.TryAdd(place, null))
                to.Add(place);
        }
    }

    private enum What
    {
        Start,
        End,
        AnyOf,
        NoneOf,
        Sequence,
        OneOf,
        Repeat,
    }

    private sealed class Node(What kind)
    {
        public What Kind { get; } = kind;

        public List<Node> Parts { get; } = [];

        /// <summary>Pairs: from and to.</summary>
        public string Ranges { get; init; } = "";

        public int Least { get; init; }

        public int Most { get; init; }

        public bool Has(int character)
        {
            for (var i = 0; i < Ranges.Length; i += 2)
            {
                if (character >= Ranges[i] && character <= Ranges[i + 1])
                    return true;
            }

            return false;
        }
    }
}
