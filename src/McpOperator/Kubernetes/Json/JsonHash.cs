using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace McpOperator.Kubernetes;

/// <summary>
/// 64-bit hashes of JSON in which the order of an object's members and the spelling of a string do not matter. The same
/// in every process, so that a fingerprint could be stored. Not for adversaries: who can choose values can make two
/// that collide.
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

    public static ulong OfName(ReadOnlySpan<byte> name) => OfBytes(NameKind, name);

    public static ulong OfEmptyString => OfBytes(StringKind, []);

    /// <summary>The same as of this text in a document.</summary>
    public static ulong OfString(string text) => OfBytes(StringKind, Encoding.UTF8.GetBytes(text));

    /// <summary>A string, a number or a boolean; never equal across kinds.</summary>
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

    /// <summary>One member of an object. Members are added up: addition forgets their order.</summary>
    public static ulong OfMember(ulong name, ulong value) => Mix(name + Mix(value));

    public static ulong OfObject(ulong sumOfMembers) => Mix(sumOfMembers ^ ObjectKind);

    /// <summary>One more item of an array whose items so far come to <paramref name="items"/>, beginning with 0.</summary>
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

    /// <summary>The finalizer of MurmurHash3: a bijection in which every bit of the input moves half of the output's.</summary>
    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 33)) * 0xFF51AFD7ED558CCD;
        x = (x ^ (x >> 33)) * 0xC4CEB9FE1A85EC53;
        return x ^ (x >> 33);
    }
}
