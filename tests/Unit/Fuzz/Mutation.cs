using System.Text;
using CsCheck;

namespace McpOperator.Unit.Fuzz;

/// <summary>Makes bad bytes of good ones: flipped, cut out, doubled, and tokens that parsers trip over put in.</summary>
internal static class Mutation
{
    private static readonly byte[][] Tokens =
    [
        .. new[]
        {
            "null", "{}", "[]", "\"\"", "true", "-1", "1e999", "9223372036854775808", "\"\\ud800\"", "{\"metadata\":", "]", "}", "\n", ":", "- ", "&a *a", "!!binary ",
            "\"1970-01-01T00:00:00Z\"", "\0", "\"items\":", "\"object\":5,",
        }.Select(Encoding.UTF8.GetBytes),
        [0xc3, 0x28], [0xff, 0xfe],
        Encoding.UTF8.GetBytes(new string('[', 300)),
        Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"a\":", 300))),
    ];

    private static readonly Gen<(int Kind, int At, int Length, int Value)> Step =
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 1 << 20], Gen.Int[1, 40], Gen.Int[0, 1 << 16]);

    /// <summary>One of the seeds with one to four changes.</summary>
    public static Gen<byte[]> Of(params byte[][] seeds) => Gen.Select(Gen.Int[0, seeds.Length - 1], Step.Array[1, 4], (seed, steps) =>
    {
        List<byte> bytes = [.. seeds[seed]];
        foreach (var (kind, anywhere, wanted, value) in steps)
        {
            if (bytes.Count == 0)
                break;
            var at = anywhere % bytes.Count;
            var length = Math.Min(wanted, bytes.Count - at);
            switch (kind)
            {
                case 0:
                    bytes[at] = (byte)value;
                    break;
                case 1:
                    bytes.RemoveRange(at, length);
                    break;
                case 2:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                default:
                    bytes.InsertRange(at, Tokens[value % Tokens.Length]);
                    break;
            }
        }

        return bytes.ToArray();
    });
}
