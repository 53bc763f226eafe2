using McpOperator.Testing;

namespace McpOperator.Unit.Bench;

public sealed class MemoryGroupTests
{
    [Fact]
    public void Version1IsTriedFromTheOwnGroupUpwards() => Assert.Equal(
        ["/sys/fs/cgroup/memory/a/b", "/sys/fs/cgroup/memory/a", "/sys/fs/cgroup/memory"],
        MemoryGroup.Candidates(
            ["4:memory:/a/b", "1:cpu:/c", "0::/"],
            [
                "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755",
                "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu",
                "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory",
            ]).Select(candidate => candidate.Directory));

    [Fact]
    public void Version2IsOneHierarchyForAllControllers() => Assert.Equal(
        [("/sys/fs/cgroup/user.slice/session-1.scope", true), ("/sys/fs/cgroup/user.slice", true), ("/sys/fs/cgroup", true)],
        MemoryGroup.Candidates(
            ["0::/user.slice/session-1.scope"],
            ["35 24 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot"]));

    [Fact]
    public void InAContainerTheMountIsTheOwnGroup() => Assert.Equal(
        [("/sys/fs/cgroup/memory", false)],
        MemoryGroup.Candidates(
            ["4:memory:/docker/0f3c"],
            ["35 31 0:32 /docker/0f3c /sys/fs/cgroup/memory ro,relatime master:1 - cgroup cgroup rw,memory"]));

    [Fact]
    public void WithoutCgroupsThereIsNone() => Assert.Empty(MemoryGroup.Candidates([], ["23 1 254:0 / / rw,relatime - ext4 /dev/root rw"]));
}
