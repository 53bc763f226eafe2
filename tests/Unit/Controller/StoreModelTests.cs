using System.Globalization;
using CsCheck;
using McpOperator.Controller;
using McpOperator.Kubernetes;

namespace McpOperator.Unit.Controller;

/// <summary>
/// The one door into the store, in any order in which edits, deletions, reports, their answers, watch events and lists can
/// meet: the index that the handler keeps equals the store after every step; at rest everything equals the API server, each
/// object was looked at in the state that it is in, and nothing goes on for ever, though no report is ever the same twice.
/// </summary>
public sealed class StoreModelTests
{
    private static readonly Gen<(int Action, int Key, int Number)> Step = Gen.Select(Gen.Int[0, 9], Gen.Int[0, 2], Gen.Int[0, 9]);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void IndexIsStoreNoLookIsLostAndNothingLoops(bool isWhollyOurs) => Step.Array[0, 60].Sample(
        steps =>
        {
            var world = new World(isWhollyOurs);
            foreach (var (action, key, number) in steps)
            {
                world.Do(action, new ObjectKey("ns", $"{(char)('a' + key)}"), number);
                world.AssertIndexIsStore();
            }

            world.ComeToRest();
            world.AssertAtRest();
        },
        iter: 20_000, print: steps => string.Join("; ", steps.Select(step => $"{step.Action} {step.Key} {step.Number}")));

    // Owner: what the index is of, as the server of a grant is. Status: a report's own number; negative is somebody else's.
    private sealed record Item(ObjectKey Key, string ResourceVersion, string Uid, int Spec, int Owner, int Status) : IKubernetesObject
    {
        public static bool DifferOnlyInStatus(Item before, Item after) =>
            (before.Uid, before.Spec, before.Owner) == (after.Uid, after.Spec, after.Owner);
    }

    private sealed class World
    {
        // The API server: what it holds, and what its watch has yet to deliver.
        private readonly Dictionary<ObjectKey, Item> _truth = [];
        private readonly Queue<WatchEvent> _watch = [];
        private int _version = 10;
        private int _number;

        // The operator: its store, its index, the keys that wait, what a pass saw last, and reports that are not answered yet.
        private readonly Store<Item> _store;
        private readonly Dictionary<ObjectKey, int> _index = [];
        private readonly HashSet<ObjectKey> _queue = [];
        private readonly Dictionary<ObjectKey, Item> _seen = [];
        private readonly Dictionary<ObjectKey, Item?> _answers = [];

        // Of a kind that is written as a whole: it is wanted with owner 0, and the writer goes on by the answer.
        private readonly bool _isWhollyOurs;

        public World(bool isWhollyOurs)
        {
            _isWhollyOurs = isWhollyOurs;
            _store = new Store<Item>(OnChanged, isWhollyOurs ? null : Item.DifferOnlyInStatus);
            _store.Replace(null, [], "10");
        }

        public void Do(int action, ObjectKey key, int number)
        {
            switch (action)
            {
                case 0 or 1 when _truth.TryGetValue(key, out var live): // an edit, which may move it
                    Write(live with { Spec = live.Spec + 1, Owner = number % 3 });
                    break;
                case 0 or 1:
                    Write(new Item(key, "", $"uid-{++_number}", 1, number % 3, 0));
                    break;
                case 2 when _truth.Remove(key, out var gone):
                    Send(WatchEventType.Deleted, gone with { ResourceVersion = Next() });
                    break;
                case 3 when _truth.TryGetValue(key, out var live): // somebody else's status
                    Write(live with { Status = -++_number });
                    break;
                case 4 or 5:
                    for (var i = 0; i <= number && _watch.Count > 0; i++)
                        _store.Apply(null, _watch.Dequeue());
                    break;
                case 6 or 7:
                    Pass(key);
                    break;
                case 8:
                    Answer(key, isLost: number == 0);
                    break;
                case 9: // a list, and the watch goes on after it
                    var listed = _version.ToString(CultureInfo.InvariantCulture);
                    _watch.Clear();
                    _store.Replace(null, [.. _truth.Values], listed);
                    break;
            }
        }

        public void ComeToRest()
        {
            for (var round = 0; _watch.Count > 0 || _queue.Count > 0 || _answers.Count > 0; round++)
            {
                Assert.True(round < 50, "it goes on for ever");
                while (_watch.Count > 0)
                    _store.Apply(null, _watch.Dequeue());
                foreach (var key in _answers.Keys.ToArray())
                    Answer(key, isLost: false);
                foreach (var key in _queue.ToArray())
                    Pass(key);
            }
        }

        public void AssertIndexIsStore() => Assert.Equal(
            _store.Snapshot().Select(item => (item.Key.Name, item.Owner)).Order(), _index.Select(entry => (entry.Key.Name, entry.Value)).Order());

        public void AssertAtRest()
        {
            AssertIndexIsStore();
            Assert.Equal(_truth.Values.OrderBy(item => item.Key.Name), _store.Snapshot().OrderBy(item => item.Key.Name));
            foreach (var item in _truth.Values)
            {
                Assert.True(_seen.TryGetValue(item.Key, out var seen), $"{item} was never looked at");
                if (_isWhollyOurs)
                {
                    Assert.Equal(item, seen);
                    Assert.True(item.Owner == 0, $"{item} was not put right");
                    continue;
                }

                Assert.True(Item.DifferOnlyInStatus(seen!, item), $"{item} was looked at as {seen}");
                Assert.True(item.Status > 0, $"{item} was not put right");
            }
        }

        private void OnChanged(Item? before, Item? after, Origin origin)
        {
            if (after is null)
                _index.Remove(before!.Key);
            else
                _index[after.Key] = after.Owner;
            if (origin != Origin.OwnWrite && before != after)
                _queue.Add((after ?? before)!.Key);
        }

        /// <summary>Reads the store, and reports what it saw, each time something new.</summary>
        private void Pass(ObjectKey key)
        {
            // One worker a key: the pass before has to end first.
            if (_answers.ContainsKey(key) || !_queue.Remove(key))
                return;
            if (_store.Get(key) is not { } seen)
            {
                _seen.Remove(key);
                return;
            }

            _seen[key] = seen;
            if (_isWhollyOurs && seen.Owner == 0)
                return;
            _store.BeginWrite(key);
            if (_isWhollyOurs)
            {
                _answers[key] = _truth.TryGetValue(key, out var there) ? Write(there with { Owner = 0 }) : null;
                return;
            }

            // The report is for what was read, and for nothing else.
            _answers[key] = _truth.TryGetValue(key, out var live) && live.ResourceVersion == seen.ResourceVersion
                ? Write(live with { Status = ++_number })
                : null;
        }

        private void Answer(ObjectKey key, bool isLost)
        {
            if (!_answers.Remove(key, out var answer))
                return;
            _store.EndWrite(key, isLost ? null : answer);
            if (_isWhollyOurs && !isLost && answer is not null)
                _seen[key] = answer;
            // A conflict, or no answer: the pass has failed and is tried again.
            if (isLost || answer is null)
                _queue.Add(key);
        }

        private Item Write(Item item)
        {
            var isNew = !_truth.ContainsKey(item.Key);
            item = item with { ResourceVersion = Next() };
            _truth[item.Key] = item;
            Send(isNew ? WatchEventType.Added : WatchEventType.Modified, item);
            return item;
        }

        private void Send(WatchEventType type, Item item) => _watch.Enqueue(new WatchEvent(type, item, item.ResourceVersion, null));

        private string Next() => (++_version).ToString(CultureInfo.InvariantCulture);
    }
}
