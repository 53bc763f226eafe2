using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace McpOperator.Api;

/// <summary>The rules of single fields that several objects share.</summary>
internal static class FieldValidation
{
    public const string Required = "is required";
    public const string DnsName =
        "must be a DNS name in lower case (letters, digits, '-' and '.'), such as tools.example.com";

    private const int LargestJson = 64 * 1024;

    public static readonly string[] SideEffects = ["read", "write", "destructive"];
    public static readonly string[] TrustLevels = ["low", "medium", "high"];
    public static readonly string[] Decisions = ["allow", "deny"];

    public static void TeamID(SpecFaults faults, string field, string? team)
    {
        if (team is null)
            return;
        if (Names.HasSpaceOrControl(team))
            faults.Add(field, $"{SpecFaults.Quote(team)} must not contain white space");
        if (Encoding.UTF8.GetByteCount(team) > 128)
            faults.Add(field, "must not be longer than 128 bytes");
    }

    public static void Port(SpecFaults faults, string field, int? port)
    {
        if (port is < 1 or > 65535)
            faults.Add(field, $"{port} must be between 1 and 65535");
    }

    // From ".." on, these are what the API server refuses in the path of an Ingress.
    public static void Path(SpecFaults faults, string field, string path)
    {
        // Blanks are taken, by API servers and some ingress controllers.
        if (Names.HasSpaceOrControl(path.Replace(" ", "", StringComparison.Ordinal)))
            faults.Add(field, $"{SpecFaults.Quote(path)} must not contain white space other than blanks, nor control characters");
        if (path.Contains('`', StringComparison.Ordinal))
            faults.Add(field, $"{SpecFaults.Quote(path)} must not contain backquotes: ingress controllers quote paths with them");
        if (path.Contains("..", StringComparison.Ordinal))
            faults.Add(field, $"{SpecFaults.Quote(path)} must not contain \"..\"");
        if (path.Contains("//", StringComparison.Ordinal) || path.Contains("/./", StringComparison.Ordinal)
            || path.EndsWith("/.", StringComparison.Ordinal) || path.Contains("%2f", StringComparison.OrdinalIgnoreCase))
            faults.Add(field, $"{SpecFaults.Quote(path)} must not contain \"//\", \"/./\" or \"%2f\", or end with \"/.\"");
    }

    public static void Amounts(SpecFaults faults, string field, ResourceRequirements? resources)
    {
        Amount(faults, field, "cpu", resources?.Requests?.Cpu, resources?.Limits?.Cpu);
        Amount(faults, field, "memory", resources?.Requests?.Memory, resources?.Limits?.Memory);
    }

    private static void Amount(SpecFaults faults, string field, string resource, string? request, string? limit)
    {
        var low = Amount(faults, $"{field}.requests.{resource}", request);
        var high = Amount(faults, $"{field}.limits.{resource}", limit);
        if (low > high)
        {
            faults.Add($"{field}.requests.{resource}", $"{SpecFaults.Quote(request)} must not be more than the limit, {SpecFaults.Quote(limit)}: " +
                "lower the request or raise the limit");
        }
    }

    private static Quantity? Amount(SpecFaults faults, string field, string? amount)
    {
        if (string.IsNullOrWhiteSpace(amount))
            return null;
        if (Quantity.TryParse(amount, out var quantity, out var reason))
            return quantity;
        faults.Add(field, $"{SpecFaults.Quote(amount)} {reason}");
        return null;
    }

    public static void SecretKey(SpecFaults faults, string field, SecretKeyRef reference)
    {
        if (string.IsNullOrWhiteSpace(reference.Name))
            faults.Add($"{field}.name", $"{Required}: the name of a Secret in the server's namespace");
        else if (!Names.IsDns1123Subdomain(reference.Name))
            faults.Add($"{field}.name", $"{SpecFaults.Quote(reference.Name)} cannot be the name of a Secret: {DnsName}");
        if (string.IsNullOrWhiteSpace(reference.Key))
            faults.Add($"{field}.key", $"{Required}: the key in that Secret");
        else if (!Names.IsDataKey(reference.Key))
            faults.Add($"{field}.key", $"{SpecFaults.Quote(reference.Key)} cannot be the key of a Secret: use letters, digits, '-', '_' and '.'");
    }

    public static bool IsHttpUrl(string text) =>
        !Names.HasSpaceOrControl(text) && Uri.TryCreate(text, UriKind.Absolute, out var url)
        && url is { Scheme: "http" or "https", Host.Length: > 0 };

    public static void OneOf(SpecFaults faults, string field, string? value, string[] choices)
    {
        if (!string.IsNullOrWhiteSpace(value) && !choices.Contains(value))
            faults.Add(field, $"{SpecFaults.Quote(value)} is not one of {Choices(choices)}");
    }

    /// <summary>
    /// Whether JSON that is handed on as it is has more bytes, as it is stored, than it may. The rest of it is not looked at then: it costs many
    /// times its size while it is taken apart, and one server's must not stop all others.
    /// </summary>
    /// <param name="has">Begins the fault.</param>
    public static bool IsTooLarge(SpecFaults faults, string field, JsonElement json, string has = "has")
    {
        if (JsonMarshal.GetRawUtf8Value(json).Length is var size && size <= LargestJson)
            return false;
        faults.Add(field, string.Create(CultureInfo.InvariantCulture, $"{has} {size} bytes, and may have {LargestJson} at most"));
        return true;
    }

    public static string Choices(string[] choices) => string.Join(", ", choices);
}
