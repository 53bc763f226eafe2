using System.Text.Json;

namespace McpOperator.Bench;

/// <summary>The directory that a run leaves: results.json, the plots, and a page that shows all of it.</summary>
internal static class Report
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static void Write(BenchResult result, string directory)
    {
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, "results.json"), JsonSerializer.Serialize(result, Json) + "\n");
        foreach (var (file, svg) in Plots.Of(result))
            File.WriteAllText(Path.Combine(directory, file), svg);
        File.WriteAllText(Path.Combine(directory, "README.md"), Page(result));
    }

    private static string Page(BenchResult result)
    {
        var machine = result.Machine;
        return $"""
            # What it costs

            Written by `{result.Command}` in {result.MinutesTaken:0} minutes; do not edit. `make bench` does it again on any Linux machine.
            The numbers in full are in [results.json](results.json).

            | | |
            |---|---|
            | date | {machine.Date} |
            | machine | {machine.Cores} cores, {machine.Cpu}, {machine.MemoryGigabytes} GB |
            | system | {machine.System}, kernel {machine.Kernel} |
            | load before the run | {machine.LoadAverage} |
            | operator | {machine.Operator} |
            | API server | kube-apiserver {machine.KubeApiServer}, etcd {machine.Etcd}, on the same cores as all the rest |

            ## What was promised

            {Figures.OfTargets(result)}
            Megabytes are millions of bytes; MiB are what a container's limit is written in. RSS holds the pages of the binary
            too, which the kernel can drop; private memory is what is the process's alone. Of two looks, after convergence and
            after the steady time, the larger counts.

            ## Over the number of servers

            {Figures.BySize(result)}
            ![Memory](memory.svg)
            ![Time to converge](converge.svg)
            ![CPU](cpu.svg)
            ![Requests](requests.svg)

            ## At one size

            {Figures.Once(result)}
            ## Requests

            Counted in the API server's audit log. `get(cached)` is answered from the API server's memory.

            {Figures.Requests(result)}
            Refused are those answered with an error, the 404 of a look at what does not exist yet aside. After a restart the
            operator creates the ServiceAccount of a namespace once more when a new server needs it, since it may not read it:
            one 409 a namespace.

            ## How it is measured

            - The published binary runs as a process of its own with default flags, as a user of its own with the role of
              `config/rbac`, against etcd and kube-apiserver on loopback. Every convergence has a fresh control plane, warmed up
              with fifty servers, which are deleted again. The servers are spread over ten namespaces.
            - Every time is taken from the API server's audit log, except for the moment of the operator's exec, which its shell
              writes down, and `/readyz`, which is asked every five milliseconds.
            - The limit: the operator's own requests for one server are recorded, with their bodies, and a bare HTTP/2 client
              sends the same for N servers, in the same order, {Converging.Workers} servers at a time (the operator's `--workers`), to an API
              server in the same state. That it is the same is proven in every run: an operator that starts where the load
              generator has been has nothing to write. The operator's time starts with its exec, the limit's with the first
              request.
            - Nothing rolls out a Deployment or serves an Ingress here: the benchmark writes those statuses, eight at a time,
              first all the Ingresses' and then all the Deployments'. Readiness is strict, as is the default.
            - CPU and memory are those of `/proc`, to 10 ms of CPU.
            - Drift: of every twentieth server somebody else changes the image of its Deployment or the port of its Service, all
              as fast as they can. One more: a hundred servers are created, ten a second.

            One server takes these requests, and those on one line at the same time:

            ```
            {string.Join('\n', result.Recorded.Steps)}
            ```

            """.ReplaceLineEndings("\n");
    }
}
