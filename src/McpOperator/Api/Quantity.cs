using System.Globalization;

namespace McpOperator.Api;

/// <summary>
/// An amount of a resource: <c>500m</c>, <c>1.5Gi</c>, <c>1e3</c>. Prints the canonical form, which is what the API server
/// stores and what comparing with the live object needs.
/// </summary>
/// <remarks>
/// Kept in thousandths, rounded up, because the API server rounds a container's resources up to them (SetDefaults_ResourceList
/// in pkg/apis/core/v1/defaults.go). Refused, where Go's parser is lax: amounts above 2^63-1 (it caps some and keeps
/// others), more digits than fit (some 20), a suffix without digits (it reads <c>Mi</c> as 0), and negative amounts,
/// which no resource has. An exponent is printed as a suffix, 1k for 1e3; the API server keeps either as it is.
/// </remarks>
internal readonly struct Quantity : IComparable<Quantity>, IEquatable<Quantity>
{
    private const string DecimalSuffixes = "kMGTPE";
    private static readonly UInt128 Max = (UInt128)long.MaxValue * 1000;

    private readonly UInt128 _milli;
    private readonly bool _binary;

    private Quantity(UInt128 milli, bool binary) => (_milli, _binary) = (milli, binary);

    /// <exception cref="FormatException">It is no quantity.</exception>
    public static Quantity Parse(string text) =>
        TryParse(text, out var quantity, out var reason) ? quantity : throw new FormatException($"{text}: {reason}");

    /// <summary>Ignores white space around the text, as the API server does. The reason says what is wrong, for a person.</summary>
    public static bool TryParse(string? text, out Quantity quantity, out string? reason)
    {
        quantity = default;
        var rest = text.AsSpan().Trim();
        if (rest.StartsWith("-"))
            return Refuse("must not be negative", out reason);
        if (rest.StartsWith("+"))
            rest = rest[1..];

        UInt128 digits = 0;
        int fraction = 0, length = 0, zeros = 0;
        var point = false;
        for (; length < rest.Length && (char.IsAsciiDigit(rest[length]) || (rest[length] == '.' && !point)); length++)
        {
            if (rest[length] == '.')
            {
                point = true;
                continue;
            }

            // Zeros at the end of a fraction mean nothing, so they count only when another digit follows.
            if (point && rest[length] == '0')
            {
                zeros++;
                continue;
            }

            for (; point && zeros > 0; zeros--, fraction++)
            {
                if (!TryMultiply(ref digits, 10))
                    return Refuse("has more digits than fit", out reason);
            }

            if (!TryMultiply(ref digits, 10) || digits > UInt128.MaxValue - 9)
                return Refuse("has more digits than fit", out reason);
            digits += (UInt128)(rest[length] - '0');
            fraction += point ? 1 : 0;
        }

        if (length == (point ? 1 : 0))
            return Refuse("must start with a number, as in 500m or 256Mi", out reason);
        if (!TryReadSuffix(rest[length..], out var binaryPower, out var decimalPower))
            return Refuse("must be a number with one of the suffixes m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei", out reason);

        // In thousandths: digits * 2^binary * 10^(3 - fraction + decimal), a negative power dividing.
        if (digits != 0)
        {
            var power = 3 - fraction + decimalPower;
            if (!TryMultiply(ref digits, UInt128.One << binaryPower) || !TryScale(ref digits, power) || digits > Max)
                return Refuse("is too large: at most 9223372036854775807 (about 8Ei)", out reason);
        }

        quantity = new Quantity(digits, binaryPower > 0);
        reason = null;
        return true;
    }

    public static bool operator <(Quantity left, Quantity right) => left._milli < right._milli;

    public static bool operator >(Quantity left, Quantity right) => left._milli > right._milli;

    public static bool operator <=(Quantity left, Quantity right) => left._milli <= right._milli;

    public static bool operator >=(Quantity left, Quantity right) => left._milli >= right._milli;

    public static bool operator ==(Quantity left, Quantity right) => left.Equals(right);

    public static bool operator !=(Quantity left, Quantity right) => !left.Equals(right);

    public int CompareTo(Quantity other) => _milli.CompareTo(other._milli);

    /// <summary>The same amount, however it was written.</summary>
    public bool Equals(Quantity other) => _milli == other._milli;

    public override bool Equals(object? obj) => obj is Quantity other && Equals(other);

    public override int GetHashCode() => _milli.GetHashCode();

    /// <summary>
    /// The canonical form: the largest suffix that needs no fraction. Binary suffixes stay binary, but for amounts below
    /// 1024 and for fractions, as in Quantity.CanonicalizeBytes of apimachinery.
    /// </summary>
    public override string ToString()
    {
        var value = _milli;
        if (value == 0)
            return "0";
        var whole = value % 1000 == 0;
        var binary = _binary && whole && value >= 1024 * 1000;
        if (!whole)
            return value.ToString(CultureInfo.InvariantCulture) + "m";
        value /= 1000;
        UInt128 step = binary ? 1024u : 1000u;
        var steps = 0;
        for (; value % step == 0; value /= step)
            steps++;
        var suffix = steps == 0 ? "" : binary ? char.ToUpperInvariant(DecimalSuffixes[steps - 1]) + "i" : DecimalSuffixes[steps - 1].ToString();
        return value.ToString(CultureInfo.InvariantCulture) + suffix;
    }

    private static bool TryReadSuffix(ReadOnlySpan<char> suffix, out int binaryPower, out int decimalPower)
    {
        (binaryPower, decimalPower) = (0, 0);
        if (suffix.Length == 0)
            return true;
        var index = DecimalSuffixes.IndexOf(suffix[0], StringComparison.Ordinal);
        if (suffix.Length == 1)
        {
            decimalPower = suffix[0] switch { 'n' => -9, 'u' => -6, 'm' => -3, _ => (index + 1) * 3 };
            return decimalPower != 0;
        }

        if (suffix.Length == 2 && suffix[1] == 'i')
        {
            binaryPower = suffix[0] == 'K' ? 10 : index > 0 ? (index + 1) * 10 : 0;
            return binaryPower != 0;
        }

        // A longer exponent is beyond 2^63-1, or below a thousandth.
        return suffix[0] is 'e' or 'E' && suffix.Length <= 4
            && int.TryParse(suffix[1..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out decimalPower);
    }

    private static bool TryScale(ref UInt128 value, int power)
    {
        for (; power > 0; power--)
        {
            if (!TryMultiply(ref value, 10))
                return false;
        }

        var rest = false;
        for (; power < 0 && value != 0; power++)
        {
            rest |= value % 10 != 0;
            value /= 10;
        }

        value += rest ? 1u : 0u;
        return true;
    }

    private static bool TryMultiply(ref UInt128 value, UInt128 by)
    {
        if (value > UInt128.MaxValue / by)
            return false;
        value *= by;
        return true;
    }

    private static bool Refuse(string why, out string? reason)
    {
        reason = why;
        return false;
    }
}
