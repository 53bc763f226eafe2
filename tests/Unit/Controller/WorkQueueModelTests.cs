using McpOperator.Controller;
using McpOperator.Kubernetes;
using Microsoft.Extensions.Time.Testing;

namespace McpOperator.Unit.Controller;

/// <summary>Random operations on the queue and on the simplest thing that could mean the same.</summary>
public sealed class WorkQueueModelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task TheQueueDoesWhatItsModelDoes(int seed)
    {
        var random = new Random(seed);
        var time = new FakeTimeProvider();
        using var queue = new WorkQueue(time, () => 0);
        var model = new Model();
        var keys = Enumerable.Range(0, 5).Select(i => new ObjectKey("ns", $"k{i}")).ToArray();

        for (var step = 0; step < 5_000; step++)
        {
            var key = keys[random.Next(keys.Length)];
            switch (random.Next(6))
            {
                case 0:
                    var priority = (Priority)random.Next(3);
                    queue.Add(key, priority);
                    model.Add(key, priority);
                    break;
                case 1:
                    var delay = random.Next(1, 100);
                    queue.AddAfter(key, TimeSpan.FromMilliseconds(delay));
                    model.AddAt(key, model.Now + delay);
                    break;
                case 2:
                    if (model.Failures(key) > 6)
                        goto case 3;
                    Assert.Equal(TimeSpan.FromMilliseconds(model.Fail(key)), queue.AddRateLimited(key));
                    break;
                case 3:
                    queue.Forget(key);
                    model.Forget(key);
                    break;
                case 4:
                    if (model.Waiting.Count > 0 && random.Next(2) == 0)
                        Assert.Equal(model.Get(), await queue.GetAsync(CancellationToken.None));
                    else if (model.Processing.Count > 0)
                    {
                        var done = model.Processing[random.Next(model.Processing.Count)];
                        queue.Done(done);
                        model.Done(done);
                    }

                    break;
                default:
                    // Now and then so long that retries have their turns again.
                    var pass = random.Next(50) == 0 ? 5_000 : random.Next(1, 10);
                    for (var i = 0; i < pass; i++)
                    {
                        time.Advance(TimeSpan.FromMilliseconds(1));
                        model.Tick();
                    }

                    break;
            }

            Assert.Equal((model.Waiting.Count, model.Later.Count), (queue.Depth, queue.Delayed));
        }
    }

    private sealed class Model
    {
        private readonly Dictionary<ObjectKey, int> _failures = [];
        private readonly Dictionary<ObjectKey, int> _turns = [];
        private double _tokens = 100;
        private readonly Dictionary<ObjectKey, Priority> _again = [];

        public int Now { get; private set; }

        public List<(ObjectKey Key, Priority Priority)> Waiting { get; } = [];

        public List<ObjectKey> Processing { get; } = [];

        public List<(ObjectKey Key, int At)> Later { get; } = [];

        public void Add(ObjectKey key, Priority priority)
        {
            if (Processing.Contains(key))
            {
                _again[key] = priority > _again.GetValueOrDefault(key) ? priority : _again.GetValueOrDefault(key);
                return;
            }

            var held = Waiting.FindIndex(entry => entry.Key == key);
            if (held >= 0 && Waiting[held].Priority >= priority)
                return;
            if (held >= 0)
                Waiting.RemoveAt(held);
            Waiting.Add((key, priority));
        }

        public void AddAt(ObjectKey key, int at)
        {
            var held = Later.FindIndex(entry => entry.Key == key);
            if (held >= 0 && Later[held].At <= at)
                return;
            if (held >= 0)
                Later.RemoveAt(held);
            Later.Add((key, at));
        }

        public int Failures(ObjectKey key) => _failures.GetValueOrDefault(key);

        public int Fail(ObjectKey key)
        {
            if (_turns.GetValueOrDefault(key) <= Now)
            {
                _tokens--;
                _turns[key] = Now + (int)Math.Round(Math.Max(0, -_tokens) * 100);
            }

            var delay = Math.Max(5 << Failures(key), _turns[key] - Now);
            _failures[key] = Failures(key) + 1;
            AddAt(key, Now + delay);
            return delay;
        }

        public void Forget(ObjectKey key)
        {
            _failures.Remove(key);
            _turns.Remove(key);
        }

        public ObjectKey Get()
        {
            var next = Waiting.MaxBy(entry => entry.Priority); // The first of the most urgent.
            Waiting.Remove(next);
            Processing.Add(next.Key);
            return next.Key;
        }

        public void Done(ObjectKey key)
        {
            Processing.Remove(key);
            if (_again.Remove(key, out var priority))
                Waiting.Add((key, priority));
        }

        public void Tick()
        {
            Now++;
            _tokens = Math.Min(100, _tokens + 0.01);
            foreach (var entry in Later.Where(entry => entry.At <= Now).ToArray())
            {
                Later.Remove(entry);
                Add(entry.Key, Priority.Changed);
            }
        }
    }
}
