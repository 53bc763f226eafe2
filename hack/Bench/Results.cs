namespace McpOperator.Bench;

/// <summary>Requests by verb and resource.</summary>
/// <param name="Writes">Events aside.</param>
/// <param name="Refused">Answered with an error, the 404 of a look at what does not exist yet aside.</param>
internal sealed record Tally(SortedDictionary<string, int> ByKind, int Total, int Writes, int CachedReads, int Refused)
{
    public static Tally Of(IEnumerable<Request> requests)
    {
        var byKind = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var (total, writes, cached, refused) = (0, 0, 0, 0);
        foreach (var request in requests)
        {
            byKind[request.What] = byKind.GetValueOrDefault(request.What) + 1;
            total++;
            var isRead = request.What.StartsWith("get", StringComparison.Ordinal);
            if (request is { IsWrite: true, IsEvent: false })
                writes++;
            if (request.What.StartsWith("get(cached)", StringComparison.Ordinal))
                cached++;
            if (request.Code >= 400 && !(isRead && request.Code == 404))
                refused++;
        }
        return new(byKind, total, writes, cached, refused);
    }
}

/// <summary>In bytes; see <see cref="ProcessSample"/>.</summary>
internal sealed record Memory(long Rss, long Private, long Peak)
{
    public static Memory Of(ProcessSample sample) => new(sample.Rss, sample.Private, sample.Peak);
}

/// <summary>From the exec of an operator with one server to reconcile; the machine and the API server are warm.</summary>
internal sealed record StartResult(IReadOnlyList<double> FirstWriteSeconds, IReadOnlyList<double> FirstApplySeconds);

/// <summary>With no server at all, five seconds after its lists were in.</summary>
internal sealed record IdleResult(Memory Memory, double CpuSeconds);

/// <summary>One convergence of all servers, and the limit for the same.</summary>
/// <param name="FirstApplySeconds">From exec to the API server's receiving the first apply of a Deployment, Service or Ingress.</param>
/// <param name="ConvergeSeconds">From exec to the answer to the last write.</param>
/// <param name="WritingSeconds">From the first write's arrival to the answer to the last.</param>
/// <param name="LimitSeconds">The load generator, from its first request to the last answer.</param>
/// <param name="CpuSeconds">Of the operator.</param>
/// <param name="ControlPlaneCpuSeconds">Of kube-apiserver and etcd, meanwhile.</param>
/// <param name="LimitControlPlaneCpuSeconds">The same, for the load generator.</param>
internal sealed record ConvergeRound(
    double FirstApplySeconds, double ConvergeSeconds, double WritingSeconds, double LimitSeconds,
    double CpuSeconds, double ControlPlaneCpuSeconds, double LimitControlPlaneCpuSeconds)
{
    public double Ratio => Math.Round(ConvergeSeconds / LimitSeconds, 3);
}

/// <param name="AfterAddress">What the addresses of the Ingresses led to, before any Deployment was ready.</param>
/// <param name="AfterRollOut">What the Deployments' becoming ready led to.</param>
/// <param name="LagSeconds">From the last Deployment's becoming ready to the last server's being reported Ready.</param>
internal sealed record ReadyResult(Tally AfterAddress, Tally AfterRollOut, double LagSeconds, double CpuSeconds, Memory Memory);

internal sealed record SteadyResult(double Seconds, Tally Requests, double CpuPercent, Memory Start, Memory Middle, Memory End);

internal sealed record RestartResult(double SyncedSeconds, Tally Requests, double CpuSeconds, Memory Memory);

/// <param name="Objects">So many of 5 % of the servers: Deployments and Services by turns.</param>
/// <param name="MaxRepairSeconds">From the answer to the edit to the answer to the apply that put it right, the slowest of all.</param>
internal sealed record DriftResult(
    int Objects, double MedianRepairSeconds, double MaxRepairSeconds, double AllSeconds, Tally Requests, double CpuSeconds);

/// <param name="LagSeconds">From the answer to the last edit to the answer to the operator's last write.</param>
internal sealed record StormResult(int Edits, double Seconds, Tally Requests, double LagSeconds, double CpuSeconds, Memory Memory);

internal sealed record OneMoreResult(int Added, Tally Requests, double CpuSeconds)
{
    public double CpuMillisecondsEach => Math.Round(1000 * CpuSeconds / Added, 3);

    public double RequestsEach => Math.Round((double)Requests.Total / Added, 3);
}

/// <param name="EditSeconds">From the arrival of an edit of a server that had converged to the answer to the Deployment's apply.</param>
/// <param name="NewSeconds">The same, of a server that is new.</param>
/// <param name="ConvergedBefore">How many of all servers had a status when the first of them was sent.</param>
/// <param name="ConvergedAfter">And when the last was.</param>
internal sealed record EditResult(
    int Servers, IReadOnlyList<double> EditSeconds, IReadOnlyList<double> NewSeconds, int ConvergedBefore, int ConvergedAfter);

/// <param name="Tools">Of each server.</param>
/// <param name="How">What bounded it: a memory cgroup, or else the peak of its resident memory, looked at afterwards.</param>
/// <param name="PeakUsage">Of the cgroup, page cache included; else VmHWM.</param>
/// <param name="Reclaims">How often the cgroup was at its limit and had to give back pages.</param>
/// <param name="ConvergeSeconds">Null: it was killed before.</param>
internal sealed record MemoryBoundResult(
    int Servers, int Tools, long Limit, string How, long PeakUsage, long Reclaims, long OutOfMemoryKills,
    double? ConvergeSeconds, Memory? Memory)
{
    public string What => $"{Servers:N0} servers{(Tools > 0 ? $" with {Tools} tools" : "")}";

    public bool Held => OutOfMemoryKills == 0 && PeakUsage <= Limit;
}

/// <summary>Writes a second that the API server takes from the load generator, by servers in flight.</summary>
internal sealed record SweepResult(int Servers, SortedDictionary<int, double> WritesPerSecond);

internal sealed record SizeResult(int Servers)
{
    public IdleResult? Idle { get; set; }
    public List<ConvergeRound> Rounds { get; } = [];
    public Tally? Cold { get; set; }
    public Memory? Converged { get; set; }
    public ReadyResult? Ready { get; set; }
    public SteadyResult? Steady { get; set; }
    public RestartResult? Restart { get; set; }
    public DriftResult? Drift { get; set; }
    public OneMoreResult? OneMore { get; set; }
    public StormResult? Storm { get; set; }
}

internal sealed record BenchResult
{
    public required Machine Machine { get; init; }
    public required string Command { get; init; }
    public required Recorded Recorded { get; init; }
    public required StartResult Start { get; init; }
    public List<SizeResult> Sizes { get; } = [];
    public SweepResult? Sweep { get; set; }
    public EditResult? Edit { get; set; }
    public List<MemoryBoundResult> MemoryBounds { get; } = [];
    public double MinutesTaken { get; set; }
}

/// <summary>What bringing up one server takes, as the recording found it.</summary>
internal sealed record Recorded(int Writes, int Requests, IReadOnlyList<string> Steps);
