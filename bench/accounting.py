"""CPU time by the kernel's own accounting: that of each node's container, and that of the machine.

A node is a container, so its control group has everything that ran in it: Pods, kubelet, agents. What the kernel does
for the network in a soft interrupt is charged to whoever was interrupted, mostly the sender, and to nobody where
ksoftirqd does it. The machine's time has that too, and with it what else runs there: the other cluster, idle, and this
program.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bench.answers import NoSampleError

PROC, CGROUP = Path("/proc"), Path("/sys/fs/cgroup")


@dataclass(frozen=True, kw_only=True)
class Usage:
    """A reading, or the difference of two: seconds of CPU used by the nodes and by the machine, stolen by the
    machine's host, and there in all (`total`, idle included); `at` is the clock's, in s."""

    at: float
    nodes: float
    machine: float
    stolen: float
    total: float

    def since(self, before: Usage) -> Usage:
        """What was used from `before` on. Raises NoSampleError where a counter went back: a node was started anew."""
        over = Usage(
            at=self.at - before.at,
            nodes=self.nodes - before.nodes,
            machine=self.machine - before.machine,
            stolen=self.stolen - before.stolen,
            total=self.total - before.total,
        )
        if over.at <= 0 or over.nodes <= 0 or over.total <= 0 or over.machine < 0 or over.stolen < 0:
            raise NoSampleError(f"the kernel's accounting went back or stood still: {over}")
        return over

    @property
    def steal(self) -> float:
        """The part of the machine's time that its host took away, from 0 to 1."""
        return self.stolen / self.total


def usage_file(cgroups: str, container: str) -> PurePosixPath:
    """Where the CPU time of a container stands below /sys/fs/cgroup, from /proc/PID/cgroup of its first process: of
    version 1 the controller's own tree, else the one of version 2. Raises ValueError where it is in none."""
    paths = {controllers: path for _, controllers, path in (line.split(":", 2) for line in cgroups.splitlines())}
    first = next((names for names in paths if "cpuacct" in names.split(",")), "")
    if first not in paths:
        raise ValueError(f"no control group that accounts for CPU: {cgroups!r}")
    # systemd in the container has moved itself into a group of its own, below the container's.
    path, parts = PurePosixPath(paths[first]), PurePosixPath(paths[first]).parts
    own = next((number for number, part in enumerate(parts) if container in part), None)
    if own is None:
        raise ValueError(f"{path} is no control group of the container {container[:12]}")
    above = PurePosixPath(*parts[1 : own + 1])
    return PurePosixPath(first) / above / "cpuacct.usage" if first else above / "cpu.stat"


def seconds(file: str, text: str) -> float:
    """The CPU seconds in a cpuacct.usage (ns) or in a cpu.stat (µs)."""
    if file == "cpuacct.usage":
        return int(text) / 1e9
    return int(dict(line.split() for line in text.splitlines())["usage_usec"]) / 1e6


def machine(stat: str, hertz: int) -> tuple[float, float, float]:
    """Used, stolen and total seconds of all processors, from /proc/stat. Guests' time is part of user's."""
    user, nice, system, idle, iowait, irq, softirq, steal = map(int, stat.splitlines()[0].split()[1:9])
    used = user + nice + system + irq + softirq
    return used / hertz, steal / hertz, (used + steal + idle + iowait) / hertz


class Accounting:
    """The accounting of one cluster. `pids` are its nodes' first processes, by container id; the container engine has
    to be on this machine. Raises NoSampleError where a node's accounting is not to be found."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._files: Sequence[Path] = [_file(container, pid) for container, pid in pids.items()]

    def read(self) -> Usage:
        """The counters now."""
        try:
            nodes = sum(seconds(path.name, path.read_text()) for path in self._files)
            used, stolen, total = machine((PROC / "stat").read_text(), os.sysconf("SC_CLK_TCK"))
        except (OSError, ValueError, KeyError) as error:
            raise NoSampleError(f"the kernel's accounting cannot be read: {error}") from error
        return Usage(at=time.monotonic(), nodes=nodes, machine=used, stolen=stolen, total=total)


def _file(container: str, pid: int) -> Path:
    try:
        path = CGROUP / usage_file((PROC / str(pid) / "cgroup").read_text(), container)
        seconds(path.name, path.read_text())
    except (OSError, ValueError, KeyError) as error:
        raise NoSampleError(
            f"the CPU time of the container {container[:12]} is not to be found; the benchmark has to run on the "
            f"machine of the container engine ({error})"
        ) from error
    return path
