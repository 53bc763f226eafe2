using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;

namespace McpOperator.Access;

/// <summary>
/// What is kept of the policy that a ConfigMap holds: enough to tell that it is the current one, and to write the very
/// same text again.
/// </summary>
/// <param name="Revision">Of the document, which hashes to it.</param>
/// <param name="GeneratedAt">As stored; it is not part of the hash.</param>
internal sealed record StoredPolicy(string Revision, DateTimeOffset? GeneratedAt)
{
    /// <summary>
    /// Null when the text is no policy document, or does not hash to its own revision: somebody else wrote it, and it is to
    /// be replaced, whatever revision it claims to have.
    /// </summary>
    public static StoredPolicy? Read(ReadOnlySpan<byte> text)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var compact = new GoJsonWriter(indented: false, hash.AppendData);
        var unescaped = Array.Empty<char>();
        try
        {
            if (!TryCompact(text, ref unescaped, compact, out var stored))
                return null;
            compact.Flush();
            return stored.Revision == PolicyDocument.RevisionOf(hash) ? stored : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // No JSON, or text in it that is no Unicode. The reader has no way to ask first.
            return null;
        }
        finally
        {
            if (unescaped.Length > 0)
                ArrayPool<char>.Shared.Return(unescaped);
        }
    }

    /// <summary>Writes what a revision is the hash of: no <c>generated_at</c>, and a blank <c>revision</c>.</summary>
    private static bool TryCompact(ReadOnlySpan<byte> text, ref char[] unescaped, GoJsonWriter compact, out StoredPolicy stored)
    {
        stored = new StoredPolicy("", null);
        var reader = new Utf8JsonReader(text);
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    compact.StartObject();
                    break;
                case JsonTokenType.EndObject:
                    compact.EndObject();
                    break;
                case JsonTokenType.StartArray:
                    compact.StartArray();
                    break;
                case JsonTokenType.EndArray:
                    compact.EndArray();
                    break;
                case JsonTokenType.True:
                    compact.True();
                    break;
                case JsonTokenType.String:
                    compact.String(Text(reader, ref unescaped));
                    break;
                case JsonTokenType.PropertyName when reader.CurrentDepth == 1 && reader.ValueTextEquals("revision"u8):
                    if (!reader.Read() || reader.TokenType != JsonTokenType.String)
                        return false;
                    stored = stored with { Revision = reader.GetString()! };
                    compact.Name("revision");
                    compact.String("");
                    break;
                case JsonTokenType.PropertyName when reader.CurrentDepth == 1 && reader.ValueTextEquals("generated_at"u8):
                    // The hash says nothing of it, so that it must be just what we write: one time.
                    if (stored.GeneratedAt is not null || !reader.Read() || reader.TokenType != JsonTokenType.String
                        || !KubernetesTime.TryParse(reader.GetString(), out var time)
                        || !reader.ValueTextEquals(KubernetesTime.Format(time)))
                        return false;
                    stored = stored with { GeneratedAt = time };
                    break;
                case JsonTokenType.PropertyName:
                    compact.Name(Text(reader, ref unescaped));
                    break;
                default:
                    // Numbers, false and null: no policy has them.
                    return false;
            }
        }

        return true;
    }

    /// <param name="unescaped">Pooled, and as long as the longest text so far.</param>
    private static ReadOnlySpan<char> Text(in Utf8JsonReader reader, ref char[] unescaped)
    {
        if (reader.ValueSpan.Length > unescaped.Length)
        {
            if (unescaped.Length > 0)
                ArrayPool<char>.Shared.Return(unescaped);
            unescaped = ArrayPool<char>.Shared.Rent(reader.ValueSpan.Length);
        }

        return unescaped.AsSpan(0, reader.CopyString(unescaped));
    }
}
