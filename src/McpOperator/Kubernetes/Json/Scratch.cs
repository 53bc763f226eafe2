using System.Buffers;

namespace McpOperator.Kubernetes;

/// <summary>
/// Arrays for a moment. Small ones are pooled. A large one is the collector's, since the pool keeps one of each size for each
/// thread, which no allocation that finds no room can take back.
/// </summary>
internal static class Scratch
{
    /// <summary>Up to this length, in bytes.</summary>
    public const int Pooled = 64 * 1024;

    /// <summary>At least so long, with anything in it.</summary>
    public static byte[] Rent(int length) => length <= Pooled ? ArrayPool<byte>.Shared.Rent(length) : GC.AllocateUninitializedArray<byte>(length);

    public static void Return(byte[] array)
    {
        if (array.Length is > 0 and <= Pooled)
            ArrayPool<byte>.Shared.Return(array);
    }
}
