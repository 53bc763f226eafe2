using System.Runtime.InteropServices;
using McpOperator.Testing;

// `up`: a control plane until standard input closes, Ctrl-C or SIGTERM.
if (args is not ["up", ..])
{
    Console.Error.WriteLine("usage: ControlPlane up [--crds DIRECTORY]\n"
        + "Starts etcd and kube-apiserver, prints KUBECONFIG=<file> when they are ready, and runs until standard input closes.");
    return 2;
}

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
    if (args is [_, "--crds", var directory])
        await controlPlane.InstallCrdsAsync(directory);
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
