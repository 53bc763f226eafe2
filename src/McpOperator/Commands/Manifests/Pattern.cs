using System.Text;

namespace McpOperator.Commands.Manifests;

/// <summary>
/// The regular expressions of our schemas, with the meaning that they have to an API server (RE2: <c>\s</c> is ASCII, <c>$</c> the
/// very end, characters are code points). In time that grows with the text and the pattern only. .NET's engine is not in the binary
/// (Framework.substitutions.xml); a pattern that needs more than this knows fails the tests.
/// </summary>
internal sealed class Pattern
{
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
        Rune[] runes = [.. text.EnumerateRunes()];
        return _root.Ends(runes, [.. Enumerable.Range(0, runes.Length + 1)]).Count > 0;
    }

    private Node Alternatives()
    {
        List<Node> branches = [Parts()];
        while (Take('|'))
            branches.Add(Parts());
        return branches.Count == 1 ? branches[0] : new OneOf(branches);
    }

    private Sequence Parts()
    {
        var parts = new List<Node>();
        while (_at < _pattern.Length && _pattern[_at] is not ('|' or ')'))
            parts.Add(Repetition(Atom()));
        return new Sequence(parts);
    }

    private Node Repetition(Node atom)
    {
        if (Take('*'))
            return new Repeat(atom, 0, int.MaxValue);
        if (Take('+'))
            return new Repeat(atom, 1, int.MaxValue);
        if (Take('?'))
            return new Repeat(atom, 0, 1);
        if (!Take('{'))
            return atom;
        var least = Number();
        var most = Take(',') ? Number() : least;
        return Take('}') ? new Repeat(atom, least, most) : throw Unsupported();
    }

    private int Number()
    {
        var from = _at;
        while (_at < _pattern.Length && char.IsAsciiDigit(_pattern[_at]))
            _at++;
        return _at > from ? int.Parse(_pattern.AsSpan(from, _at - from), System.Globalization.CultureInfo.InvariantCulture) : throw Unsupported();
    }

    private Node Atom()
    {
        switch (Next())
        {
            case '^':
                return new Edge(IsEnd: false);
            case '$':
                return new Edge(IsEnd: true);
            case '.':
                return new Character([('\n', '\n')], IsNegated: true);
            case '(':
                if (Take('?'))
                    throw Unsupported();
                var group = Alternatives();
                return Take(')') ? group : throw Unsupported();
            case '[':
                var isNegated = Take('^');
                var ranges = new List<(char From, char To)>();
                while (!Take(']'))
                {
                    var from = Next();
                    if (from == '\\')
                        ranges.AddRange(Escaped().Ranges);
                    else if (_at + 1 < _pattern.Length && _pattern[_at] == '-' && _pattern[_at + 1] != ']')
                    {
                        _at++;
                        ranges.Add((from, Next()));
                    }
                    else
                        ranges.Add((from, from));
                }
                return new Character(ranges, isNegated);
            case '\\':
                return Escaped();
            case '*' or '+' or '?' or '{' or '}' or ']' or ')':
                throw Unsupported();
            case var c:
                return new Character([(c, c)], IsNegated: false);
        }
    }

    private Character Escaped() => Next() switch
    {
        's' => new Character(Blanks, IsNegated: false),
        'S' => new Character(Blanks, IsNegated: true),
        var c when char.IsAsciiLetterOrDigit(c) => throw Unsupported(),
        var c => new Character([(c, c)], IsNegated: false),
    };

    private static List<(char From, char To)> Blanks => [('\t', '\n'), ('\f', '\r'), (' ', ' ')];

    private char Next() => _at < _pattern.Length ? _pattern[_at++] : throw Unsupported();

    private bool Take(char c)
    {
        var isThere = _at < _pattern.Length && _pattern[_at] == c;
        _at += isThere ? 1 : 0;
        return isThere;
    }

    private NotSupportedException Unsupported() => new($"pattern {_pattern}, at {_at}");

    private abstract record Node
    {
        /// <summary>Where it can end when it begins at one of these places between the characters; each place once.</summary>
        public abstract List<int> Ends(Rune[] text, List<int> starts);
    }

    private sealed record Edge(bool IsEnd) : Node
    {
        public override List<int> Ends(Rune[] text, List<int> starts) => starts.FindAll(start => start == (IsEnd ? text.Length : 0));
    }

    private sealed record Character(List<(char From, char To)> Ranges, bool IsNegated) : Node
    {
        public override List<int> Ends(Rune[] text, List<int> starts)
        {
            var ends = new List<int>();
            foreach (var start in starts)
            {
                if (start < text.Length && Ranges.Exists(range => text[start].Value >= range.From && text[start].Value <= range.To) != IsNegated)
                    ends.Add(start + 1);
            }

            return ends;
        }
    }

    private sealed record Sequence(List<Node> Parts) : Node
    {
        public override List<int> Ends(Rune[] text, List<int> starts) => Parts.Aggregate(starts, (places, part) => part.Ends(text, places));
    }

    private sealed record OneOf(List<Node> Branches) : Node
    {
        public override List<int> Ends(Rune[] text, List<int> starts)
        {
            var ends = new HashSet<int>();
            foreach (var branch in Branches)
                ends.UnionWith(branch.Ends(text, starts));
            return [.. ends];
        }
    }

    private sealed record Repeat(Node Part, int Least, int Most) : Node
    {
        public override List<int> Ends(Rune[] text, List<int> starts)
        {
            var places = starts;
            for (var i = 0; i < Least; i++)
                places = Part.Ends(text, places);
            var ends = new HashSet<int>(places);
            for (var i = Least; i < Most && places.Count > 0; i++)
                places = Part.Ends(text, places).FindAll(ends.Add); // only from where it was not before: so it comes to an end
            return [.. ends];
        }
    }
}
