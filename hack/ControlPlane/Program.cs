using System.Runtime.InteropServices;
using McpOperator.Testing;

// `up`: a control plane until standard input closes, Ctrl-C or SIGTERM.
// `serve`: plays kubelet and ingress controller once, for every Deployment and Ingress of a namespace.
switch (args)
{
    case ["up"] or ["up", "--crds", _]:
        return await UpAsync(args is [_, _, var directory] ? directory : null);
    case ["serve", "--kubeconfig", var kubeconfig, "--namespace", var @namespace]:
        using (var client = KubeClient.FromKubeconfig(kubeconfig))
            await Kubelet.ServeAllAsync(client, @namespace);
        return 0;
    default:
        Console.Error.WriteLine("""
            usage: ControlPlane up [--crds DIRECTORY]
                     starts etcd and kube-apiserver, prints KUBECONFIG=<file> when they are ready, and runs until
                     standard input closes
                   ControlPlane serve --kubeconfig FILE --namespace NAME
                     marks every Deployment rolled out and every Ingress served, once
            """);
        return 2;
}

static async Task<int> UpAsync(string? crds)
{
    var stop = new TaskCompletionSource();
    void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        stop.TrySetResult();
    }
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    using var cancellation = new CancellationTokenSource();
    _ = stop.Task.ContinueWith(_ => cancellation.Cancel(), TaskScheduler.Default);
    _ = Task.Run(async () =>
    {
        var input = Console.OpenStandardInput();
        var buffer = new byte[256];
        while (await input.ReadAsync(buffer) > 0)
        {
        }
        stop.TrySetResult();
    });

    try
    {
        await using var controlPlane = await ControlPlane.StartAsync(new() { UseExistingCluster = false }, cancellation.Token);
        if (crds is not null)
            await controlPlane.InstallCrdsAsync(crds, withRules: true);
        Console.WriteLine($"KUBECONFIG={controlPlane.AdminKubeconfig}");
        await stop.Task;
        return 0;
    }
    catch (OperationCanceledException)
    {
        return 130;
    }
    catch (Exception e) when (e is InvalidOperationException or IOException or TimeoutException)
    {
        Console.Error.WriteLine($"error: {e.Message}");
        return 1;
    }
}
