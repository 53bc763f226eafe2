using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>
/// 64-bit hashes of JSON in which the order of an object's members and the escapes of a string do not matter. They are the same
/// in every process. They give no protection against somebody who chooses values so that two hashes collide.
/// </summary>
internal static class JsonHash
{
    private const ulong StringKind = 0x9E3779B97F4A7C15;
    private const ulong NumberKind = 0xC2B2AE3D27D4EB4F;
    private const ulong NameKind = 0x165667B19E3779F9;
    private const ulong ObjectKind = 0x27D4EB2F165667C5;
    private const ulong ArrayKind = 0x85EBCA77C2B2AE63;
    private const ulong TrueKind = 0xD6E8FEB86659FD93;
    private const ulong FalseKind = 0xA0761D6478BD642F;

    public static ulong OfName(JsonProperty property)
    {
        using var text = JsonText.Of(property);
        return OfName(text.Bytes);
    }

    /// <summary>Of JSON as it is written: another order of its members is another hash.</summary>
    public static ulong OfRaw(JsonElement json) => OfBytes(StringKind, JsonMarshal.GetRawUtf8Value(json));

    public static ulong OfName(ReadOnlySpan<byte> name) => OfBytes(NameKind, name);

    public static ulong OfEmptyString => OfBytes(StringKind, []);

    /// <summary>The hash that this text has in a document.</summary>
    public static ulong OfString(string text) => OfBytes(StringKind, Encoding.UTF8.GetBytes(text));

    /// <summary>The hash of a string, a number or a boolean. Values of different kinds have different hashes.</summary>
    public static ulong OfScalar(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                using (var text = JsonText.Of(value))
                    return OfBytes(StringKind, text.Bytes);
            case JsonValueKind.True:
                return TrueKind;
            case JsonValueKind.False:
                return FalseKind;
            default:
                return OfBytes(NumberKind, JsonMarshal.GetRawUtf8Value(value));
        }
    }

    /// <summary>One member of an object. The hashes of members are added up, so that their order does not matter.</summary>
    public static ulong OfMember(ulong name, ulong value) => Mix(name + Mix(value));

    public static ulong OfObject(ulong sumOfMembers) => Mix(sumOfMembers ^ ObjectKind);

    /// <summary>Adds an item to the hash of the items before it, which is 0 in the beginning.</summary>
    public static ulong Append(ulong items, ulong item) => Mix(items + ArrayKind) ^ Mix(item + items);

    public static ulong OfArray(ulong items) => Mix(items ^ ArrayKind);

    private static ulong OfBytes(ulong kind, ReadOnlySpan<byte> bytes)
    {
        var hash = Mix(kind + (ulong)bytes.Length);
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            hash = Mix(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes)) + kind;

        var rest = 0UL;
        foreach (var b in bytes)
            rest = (rest << 8) | b;
        return Mix(hash ^ rest);
    }

    /// <summary>
    /// The finalizer of MurmurHash3: a bijection in which each bit of the input changes half of the bits of the output.
    /// </summary>
    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 33)) * 0xFF51AFD7ED558CCD;
        x = (x ^ (x >> 33)) * 0xC4CEB9FE1A85EC53;
        return x ^ (x >> 33);
    }
}
