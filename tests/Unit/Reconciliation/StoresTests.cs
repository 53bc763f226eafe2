using McpOperator.Api;
using McpOperator.Kubernetes;
using McpOperator.Reconciliation;
using McpOperator.Unit.Resources;

namespace McpOperator.Unit.Reconciliation;

public sealed class StoresTests
{
    private static readonly MCPServerStatus Before = new() { Phase = "Pending", Message = "before" };
    private static readonly MCPServerStatus Reported = new() { Phase = "Error", Message = "reported" };

    private readonly List<ObjectKey> _queued = [];
    private readonly Stores _stores;
    private readonly MCPServer _server = Servers.Of() with { Status = Before };

    public StoresTests()
    {
        _stores = new Stores(_queued.Add, Servers.Settings);
        _stores.Servers.Replace(null, [_server], "7");
        _stores.Reporting(_server.Key, StatusReport.Fingerprint(Reported));
        _queued.Clear();
    }

    [Fact]
    public void OurOwnReportComingBackIsNoReasonToLookAgain()
    {
        Change(_server with { Status = Reported });

        Assert.Empty(_queued);
    }

    [Fact]
    public void AStatusThatSomebodyElseWroteIs()
    {
        Change(_server with { Status = Reported with { Message = "tampered" } });

        Assert.Equal([_server.Key], _queued);
    }

    [Fact]
    public void AnEditIsWhicheverStatusComesWithIt()
    {
        Change(_server with { Status = Reported, Metadata = _server.Metadata with { Generation = 4 } });

        Assert.Equal([_server.Key], _queued);
    }

    [Fact]
    public void AChangeOutsideSpecAndStatusIs()
    {
        Change(_server with { Status = Before });

        Assert.Equal([_server.Key], _queued);
    }

    [Fact]
    public void AListIsEvenWhenNothingChanged()
    {
        Change(_server with { Status = Reported });
        _stores.Servers.Replace(null, [_stores.Servers.Get(_server.Key)!], "9");

        Assert.Equal([_server.Key], _queued);
    }

    [Fact]
    public void TheEndOfTheServerIs()
    {
        _stores.Servers.Apply(null, new WatchEvent<MCPServer>(WatchEventType.Deleted, _server, "8", null));

        Assert.Equal([_server.Key], _queued);
    }

    private void Change(MCPServer server) => _stores.Servers.Apply(null, new WatchEvent<MCPServer>(
        WatchEventType.Modified, server with { Metadata = server.Metadata with { ResourceVersion = "8" } }, "8", null));
}
