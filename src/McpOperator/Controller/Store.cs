using System.Runtime.ExceptionServices;

namespace McpOperator.Controller;

/// <summary>What a reflector fills, whatever the kind of its objects. No generic type: its code would be in the binary once for each kind.</summary>
internal interface IStore
{
    /// <inheritdoc cref="Store{T}.Version"/>
    string? Version(string? ns);

    /// <inheritdoc cref="Store{T}.Replace(string?, IReadOnlyCollection{IKubernetesObject}, string, bool)"/>
    bool Replace(string? ns, IReadOnlyCollection<IKubernetesObject> items, string resourceVersion, bool isRewound = false);

    /// <inheritdoc cref="Store{T}.Clear"/>
    void Clear(string? ns);

    /// <inheritdoc cref="Store{T}.Deny"/>
    void Deny(string? ns);

    /// <inheritdoc cref="Store{T}.Apply"/>
    void Apply(string? ns, in WatchEvent line);
}

/// <summary>
/// What the API server holds of one kind, as far as lists, watches and the answers to our own writes have told. Filled
/// by one reflector a scope: the whole cluster, or a namespace each. An object here is never changed, only replaced.
/// Safe for any number of threads.
/// </summary>
/// <param name="onChange">
/// Told of every change, wherever it comes from, under the lock that the change was made under: an index that it keeps is
/// equal to the store at any time.
/// </param>
/// <param name="differOnlyInStatus">
/// Whether spec and metadata of two states of an object are the same. Given for a kind of which we write the status alone
/// (<see cref="BeginWrite"/>); null for one that is ours as a whole.
/// </param>
/// <param name="onInstalled">
/// Told when an optional kind was installed or removed, after the store was filled or emptied, and when the right to list it came or went.
/// </param>
internal sealed class Store<T>(ChangeHandler<T> onChange, Func<T, T, bool>? differOnlyInStatus = null, Action? onInstalled = null) : IStore
    where T : class, IKubernetesObject
{
    // Writers take both, in this order; readers the second alone. So handlers run in the order of the changes, and a
    // handler, or another thread meanwhile, can read what it was told of. One dictionary and no wrapper per entry:
    // there are 20,000 of them.
    private readonly Lock _writing = new();
    private readonly Lock _reading = new();
    private readonly Dictionary<ObjectKey, T> _objects = [];
    private readonly Dictionary<string, string> _versions = new(StringComparer.Ordinal);

    // The scopes whose last list was refused.
    private readonly HashSet<string> _denied = new(StringComparer.Ordinal);

    // What is being written.
    private readonly Dictionary<ObjectKey, Writing> _inWriting = [];

    private volatile bool _isInstalled = true;

    /// <summary>Raised when the answer to a write is older than what was written to: nothing that is held can be believed.</summary>
    public event Action? Rewound;

    /// <summary>False of an optional kind that the API server was last seen not to serve.</summary>
    public bool IsInstalled => _isInstalled;

    /// <summary>Whether the API server has refused to list a namespace, or all, and no list was had since. What was held before is still there.</summary>
    public bool IsDenied(string ns)
    {
        lock (_reading)
            return _denied.Contains("") || _denied.Contains(ns);
    }

    /// <summary>The API server refuses to list a namespace, or all (null).</summary>
    public void Deny(string? ns)
    {
        lock (_writing)
        {
            bool isNews;
            lock (_reading)
                isNews = _denied.Add(ns ?? "");
            if (isNews)
                onInstalled?.Invoke();
        }
    }

    public int Count
    {
        get
        {
            lock (_reading)
                return _objects.Count;
        }
    }

    public T? Get(ObjectKey key)
    {
        lock (_reading)
            return _objects.GetValueOrDefault(key);
    }

    /// <summary>The objects of this moment, in no order; of one namespace when it is given.</summary>
    public IReadOnlyList<T> Snapshot(string? ns = null)
    {
        lock (_reading)
        {
            if (ns is null)
                return [.. _objects.Values];

            var found = new List<T>();
            foreach (var (key, value) in _objects)
            {
                if (key.Namespace == ns)
                    found.Add(value);
            }

            return found;
        }
    }

    /// <summary>How far list and watch of the scope have come; null before its first list.</summary>
    public string? Version(string? ns)
    {
        lock (_reading)
            return _versions.GetValueOrDefault(ns ?? "");
    }

    /// <summary>How far the scope that a namespace is in has come: all, or that namespace.</summary>
    public string? Reached(string ns) => Version(null) ?? Version(ns);

    /// <summary>
    /// Makes the scope equal to a list: what the list lacks was deleted while nobody watched. Kept is what is newer
    /// than the whole list: it came from the answer to a write, and the watch that follows the list will confirm or delete it.
    /// </summary>
    /// <param name="ns">The namespace that was listed; null for all.</param>
    /// <param name="resourceVersion">The version of the list.</param>
    /// <param name="isRewound">Whether the list is known to be of another history than what is held (etcd was put back to a snapshot).</param>
    /// <returns>Whether it is: nothing held is worth keeping then.</returns>
    /// <exception cref="Exception">The handler's first one, after every object was stored and reported.</exception>
    public bool Replace(string? ns, IReadOnlyCollection<IKubernetesObject> items, string resourceVersion, bool isRewound = false) =>
        Replace(ns, items, resourceVersion, isRewound, isInstalled: true);

    /// <summary>The API server does not serve the kind: nothing of it is there.</summary>
    /// <exception cref="Exception">The handler's first one, after every object was taken out and reported.</exception>
    public void Clear(string? ns) => Replace(ns, [], resourceVersion: "", isRewound: false, isInstalled: false);

    private bool Replace(string? ns, IReadOnlyCollection<IKubernetesObject> items, string resourceVersion, bool isRewound, bool isInstalled)
    {
        lock (_writing)
        {
            var isNews = _isInstalled != isInstalled;
            _isInstalled = isInstalled;
            lock (_reading)
                isNews |= _denied.Remove(ns ?? "");
            Exception? fault = null;

            isRewound = isRewound || IsRewound(ns, items, resourceVersion);
            var gone = KeysNotIn(ns, items);
            lock (_reading)
                _objects.EnsureCapacity(items.Count);

            foreach (var item in items)
            {
                var before = Get(item.Key);
                // The same version is the same object; the one we hold has survived the young generations already.
                var keep = before is not null && !isRewound
                    && (before.ResourceVersion == item.ResourceVersion
                        || ResourceVersion.IsNewer(before.ResourceVersion, item.ResourceVersion));
                var after = keep ? before! : (T)item;
                Put(item.Key, after);
                fault = Report(before, after, fault);
            }

            foreach (var key in gone)
            {
                var before = Get(key);
                if (before is null || (!isRewound && ResourceVersion.IsNewer(before.ResourceVersion, resourceVersion)))
                    continue;

                Remove(key);
                fault = Report(before, null, fault);
            }

            lock (_reading)
                _versions[ns ?? ""] = resourceVersion;
            if (isNews)
                onInstalled?.Invoke();
            if (fault is not null)
                ExceptionDispatchInfo.Throw(fault);
            return isRewound;
        }
    }

    /// <summary>
    /// Whether a list cannot be of the history that is held: it is of an earlier version than a list or watch before it, or has an
    /// object as it was before one that is no newer than the list.
    /// </summary>
    private bool IsRewound(string? ns, IReadOnlyCollection<IKubernetesObject> items, string resourceVersion)
    {
        if (Version(ns) is { } reached && ResourceVersion.IsNewer(reached, resourceVersion))
            return true;
        foreach (var item in items)
        {
            if (Get(item.Key)?.ResourceVersion is { } held
                && ResourceVersion.IsNewer(held, item.ResourceVersion) && !ResourceVersion.IsNewer(held, resourceVersion))
                return true;
        }

        return false;
    }

    /// <summary>
    /// Takes in one line of the scope's watch. Nothing happens when the store already holds that version, or a later
    /// one, from the answer to a write.
    /// </summary>
    /// <exception cref="Exception">Whatever the handler throws; the object is stored all the same.</exception>
    public void Apply(string? ns, in WatchEvent line)
    {
        lock (_writing)
        {
            var version = line.ResourceVersion ?? line.Object?.ResourceVersion;
            if (version is not null)
                Advance(ns, version);
            if (line.Object is not T item)
                return;

            version ??= "";
            var before = Get(item.Key);
            if (before is not null && ResourceVersion.IsNewer(before.ResourceVersion, version))
                return;

            switch (line.Type)
            {
                case WatchEventType.Deleted when before is not null:
                    Remove(item.Key);
                    Tell(before, null, Origin.Watch);
                    break;
                case WatchEventType.Added or WatchEventType.Modified when before?.ResourceVersion != version:
                    Put(item.Key, item);
                    Tell(before, item, Origin.Watch);
                    break;
            }
        }
    }

    /// <summary>
    /// Reads our own write: takes in the API server's answer before the watch delivers it, so that the next look does
    /// not see the object of before, and write again. Refused is an answer that the watch has caught up with: if the
    /// store does not hold it then, it was deleted in the meantime, and nobody would ever take the ghost out again.
    /// </summary>
    /// <param name="answer">What the writer goes on by, with whatever others changed in between.</param>
    /// <returns>True when the store holds the answer now because of this call.</returns>
    public bool Observe(T answer)
    {
        lock (_writing)
            return Observe(answer, static (_, _) => Origin.OwnWrite);
    }

    /// <summary>
    /// Before we write: the watch may deliver the change before the answer comes. Until <see cref="EndWrite"/> a change of what
    /// we write there may be that very one, and asks nobody to look.
    /// </summary>
    public void BeginWrite(ObjectKey key)
    {
        lock (_writing)
            _inWriting[key] = _inWriting.GetValueOrDefault(key) is { Writers: > 0 } other ? other with { Writers = other.Writers + 1, IsShared = true } : new(1, Get(key)?.ResourceVersion);
    }

    /// <summary>
    /// After we wrote, or could not. When the object is the answer now, the change is our own and no news; when a status came
    /// with an edit, or somebody else has written since, that is told.
    /// </summary>
    /// <param name="key">The one that was given to <see cref="BeginWrite"/>.</param>
    /// <param name="answer">The object as the API server then stored it; null when it gave no such answer.</param>
    public void EndWrite(ObjectKey key, T? answer)
    {
        lock (_writing)
        {
            var writing = _inWriting[key];
            writing = writing with { Writers = writing.Writers - 1 };
            _inWriting[key] = writing;
            if (answer is not null)
                Observe(answer, OriginOfAnswer);
            if (answer is not null && writing.Version is { } version && ResourceVersion.IsNewer(version, answer.ResourceVersion))
                Rewound?.Invoke();
            if (writing.Writers > 0)
                return;
            _inWriting.Remove(key);
            // Of two that wrote at the same time, each knows its own answer alone.
            if (writing.HeldBack is { } before && Get(key) is { } current
                && (writing.IsShared || current.ResourceVersion != answer?.ResourceVersion))
                onChange(before, current, Origin.Watch);
        }
    }

    private Origin OriginOfAnswer(T? before, T answer) =>
        differOnlyInStatus is null || (before is not null && differOnlyInStatus(before, answer)) ? Origin.OwnWrite : Origin.Watch;

    private bool Observe(T answer, Func<T?, T, Origin> originOf)
    {
        // Versions that cannot be ordered (IsNewer is false) are refused: the watch will bring the object.
        var reached = Reached(answer.Key.Namespace);
        if (reached is null || !ResourceVersion.IsNewer(answer.ResourceVersion, reached))
            return false;

        var before = Get(answer.Key);
        if (before is not null && !ResourceVersion.IsNewer(answer.ResourceVersion, before.ResourceVersion))
            return false;

        Put(answer.Key, answer);
        onChange(before, answer, originOf(before, answer));
        return true;
    }

    /// <summary>Of a change that a watch or a list brings.</summary>
    private void Tell(T? before, T? after, Origin origin)
    {
        if (before is not null && after is not null && before != after
            && _inWriting.TryGetValue(after.Key, out var writing) && differOnlyInStatus?.Invoke(before, after) != false)
        {
            _inWriting[after.Key] = writing with { HeldBack = writing.HeldBack ?? before };
            origin = Origin.OwnWrite;
        }

        onChange(before, after, origin);
    }

    /// <param name="Writers">How many are at it: as a rule one.</param>
    /// <param name="Version">Of the object that was there; null for none.</param>
    /// <param name="HeldBack">The object from before the first change that came meanwhile and may be that write; null for none.</param>
    /// <param name="IsShared">Whether there was more than one.</param>
    private readonly record struct Writing(int Writers, string? Version, T? HeldBack = null, bool IsShared = false);

    private List<ObjectKey> KeysNotIn(string? ns, IReadOnlyCollection<IKubernetesObject> items)
    {
        var gone = new List<ObjectKey>();
        if (Count == 0)
            return gone;

        var listed = new HashSet<ObjectKey>(items.Count);
        foreach (var item in items)
            listed.Add(item.Key);
        lock (_reading)
        {
            foreach (var key in _objects.Keys)
            {
                if ((ns is null || key.Namespace == ns) && !listed.Contains(key))
                    gone.Add(key);
            }
        }

        return gone;
    }

    private void Put(ObjectKey key, T value)
    {
        lock (_reading)
            _objects[key] = value;
    }

    private void Remove(ObjectKey key)
    {
        lock (_reading)
            _objects.Remove(key);
    }

    private void Advance(string? ns, string version)
    {
        lock (_reading)
        {
            var scope = ns ?? "";
            if (_versions.TryGetValue(scope, out var reached) && !ResourceVersion.IsNewer(reached, version))
                _versions[scope] = version;
        }
    }

    // One object that the handler cannot bear must not hide the others.
    private Exception? Report(T? before, T? after, Exception? fault)
    {
        try
        {
            Tell(before, after, Origin.List);
            return fault;
        }
#pragma warning disable CA1031 // It is thrown at the end of the list.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return fault ?? exception;
        }
    }
}

/// <summary>
/// Told of a change in a <see cref="Store{T}"/>. Called one at a time, in the order in which the store changed, while readers
/// go on; it must be quick and must not wait for another thread that writes to this store. It may be told of a change twice.
/// </summary>
/// <param name="before">Null when the object is new.</param>
/// <param name="after">Null when it was deleted; the same as before when a list found it unchanged.</param>
/// <param name="origin">Who tells of it.</param>
internal delegate void ChangeHandler<in T>(T? before, T? after, Origin origin)
    where T : class;

/// <summary>Where a store has a change from.</summary>
internal enum Origin
{
    /// <summary>
    /// A list. It reports every object of its scope, changed or not, which makes up for whatever a failing handler missed.
    /// </summary>
    List,

    /// <summary>A watch; or the answer to a report, which holds an edit that the watch has not delivered yet.</summary>
    Watch,

    /// <summary>Our own write, and nothing that its writer does not know: a reason to keep an index, and none to look.</summary>
    OwnWrite,
}
