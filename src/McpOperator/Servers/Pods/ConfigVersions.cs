using McpOperator.Controller;
using McpOperator.Mirror;

namespace McpOperator.Servers.Pods;

/// <summary>
/// The versions of the ConfigMaps and Secrets that a server's pods refer to, as <c>configmaps/name=version,secrets/name=version</c> in
/// the order of the names: an annotation of the pods, which are replaced when it changes.
/// </summary>
internal sealed class ConfigVersions(TimeProvider time)
{
    /// <summary>What changes again and again must not replace the pods again and again.</summary>
    public static readonly TimeSpan Between = TimeSpan.FromSeconds(30);

    /// <summary>Between looks whether a list that was asked for is there, or refused.</summary>
    private static readonly TimeSpan Listing = TimeSpan.FromSeconds(1);

    /// <summary>One that does not come holds nobody up for longer.</summary>
    private static readonly TimeSpan LongestListing = TimeSpan.FromSeconds(10);

    private string? _value;
    private string? _names;
    private long _heldUntil;
    private long _listedUntil;

    /// <summary>
    /// Timestamp at which it is looked at again; <see cref="long.MaxValue"/> for when something changes. Of the last pass that came so
    /// far: a pass begins without.
    /// </summary>
    public long DueAt { get; set; } = long.MaxValue;

    /// <summary>Whether it is not known yet what there is, which is waited for: pods would be replaced again as soon as it is.</summary>
    public bool IsListing { get; private set; }

    /// <summary>The same, without the versions; empty where nothing is referred to.</summary>
    public string Unknown => (_names ?? "").Replace("=", "=?,", StringComparison.Ordinal).TrimEnd(',');

    /// <param name="live">The annotation of the pods as they are; null for none.</param>
    /// <param name="references">Of the pods as they are to be.</param>
    /// <returns>Empty for none. What is gone, or not known, stands there as it did.</returns>
    public string Of(ObjectKey server, PodReferences references, string? live, Configuration configuration)
    {
        var now = time.GetTimestamp();
        var before = _value ?? live ?? "";
        var (parts, names) = (new List<string>(), "");
        IsListing = false;
        Add(configuration.ConfigMaps, references.ConfigMaps);
        Add(configuration.Secrets, references.Secrets);
        if (!IsListing)
            _listedUntil = 0;
        else if (_listedUntil == 0)
            _listedUntil = time.After(now, LongestListing);
        IsListing &= now < _listedUntil;
        var value = string.Join(',', parts);
        var isNews = value != before;
        // With other references the pods are others anyway.
        var isHeld = isNews && _heldUntil > now && names == _names;
        _names = names;
        DueAt = IsListing ? time.After(now, Listing) : isHeld ? _heldUntil : long.MaxValue;
        if (DueAt != long.MaxValue)
            return before;
        if (isNews && (_value ?? live) is not null)
            _heldUntil = time.After(now, Between);
        return _value = value;

        void Add(ConfigurationKind kind, IReadOnlyCollection<string> referred)
        {
            kind.Refer(server, referred);
            IsListing |= referred.Count > 0 && !kind.IsSettled(server.Namespace);
            foreach (var name in referred.Order(StringComparer.Ordinal))
            {
                var prefix = $"{kind.Type.Plural}/{name}=";
                names += prefix;
                if (kind.VersionOf(server with { Name = name }) is { } version)
                    parts.Add(prefix + version);
                else if (Array.Find(before.Split(','), part => part.StartsWith(prefix, StringComparison.Ordinal)) is { } last)
                    parts.Add(last);
            }
        }
    }
}
