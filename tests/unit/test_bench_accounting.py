"""CPU time by the kernel's accounting, whichever version of control groups the machine has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from bench import accounting
from bench.accounting import Accounting, Usage, machine, seconds, usage_file
from bench.answers import NoSampleError

ID = "c03780e00ddd4373b5266fa80c4c6388b0735e3ebb271a70a6fac576285240c8"
VERSION_1 = (
    f"9:name=systemd:/docker/{ID}/init.scope\n2:cpuacct:/docker/{ID}\n1:cpu:/docker/{ID}/init.scope\n0::/docker/{ID}\n"
)
JOINED = f"4:cpu,cpuacct:/docker/{ID}/init.scope\n0::/\n"
VERSION_2 = f"0::/system.slice/docker-{ID}.scope/init.scope\n"
USAGE = Usage(at=1, nodes=1, machine=1, stolen=0, total=4)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (VERSION_1, f"cpuacct/docker/{ID}/cpuacct.usage"),
        (JOINED, f"cpu,cpuacct/docker/{ID}/cpuacct.usage"),
        (VERSION_2, f"system.slice/docker-{ID}.scope/cpu.stat"),
    ],
)
def test_the_container_s_own_group_is_read_and_not_the_one_its_systemd_went_into(text: str, path: str) -> None:
    assert usage_file(text, ID) == PurePosixPath(path), "what the Pods used would not be in it"


@pytest.mark.parametrize("text", ["", "1:memory:/docker/x\n", "0::/\n", "0::/user.slice\n"])
def test_a_process_that_is_in_no_container_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        usage_file(text, ID)


def test_both_versions_count_in_seconds() -> None:
    assert seconds("cpuacct.usage", "2500000000\n") == 2.5
    assert seconds("cpu.stat", "usage_usec 2500000\nuser_usec 1\nsystem_usec 2\n") == 2.5


def test_the_machine_s_time_has_soft_interrupts_and_no_guest_twice() -> None:
    used, stolen, total = machine("cpu  100 20 30 400 50 6 7 8 99 99\ncpu0 1 1 1 1 1 1 1 1 1 1\n", 100)
    assert (used, stolen) == (1.63, 0.08)
    assert total == 6.21


def test_what_was_used_is_the_difference() -> None:
    after = Usage(at=3, nodes=1.5, machine=2.5, stolen=0.4, total=8)
    used = after.since(USAGE)
    assert (used.at, used.nodes, used.machine, used.steal) == (2, 0.5, 1.5, 0.1)


@pytest.mark.parametrize("spoiled", [{"nodes": 0.5}, {"nodes": 1}, {"total": 4}, {"machine": 0.5}, {"at": 1}])
def test_a_counter_that_goes_back_or_stands_still_is_no_sample(spoiled: dict[str, float]) -> None:
    after = Usage(at=3, nodes=1.5, machine=2.5, stolen=0, total=8)
    with pytest.raises(NoSampleError):
        replace(after, **spoiled).since(USAGE)


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(accounting, "PROC", tmp_path / "proc")
    monkeypatch.setattr(accounting, "CGROUP", tmp_path / "cgroup")
    (tmp_path / "proc" / "7").mkdir(parents=True)
    (tmp_path / "proc" / "7" / "cgroup").write_text(VERSION_2)
    (tmp_path / "proc" / "stat").write_text("cpu 100 0 0 100 0 0 0 0 0 0\n")
    group = tmp_path / "cgroup" / "system.slice" / f"docker-{ID}.scope"
    group.mkdir(parents=True)
    (group / "cpu.stat").write_text("usage_usec 4000000\n")
    return tmp_path


def test_a_cluster_s_time_is_that_of_its_nodes(kernel: Path) -> None:
    assert Accounting({ID: 7}).read().nodes == 4.0


def test_nodes_on_another_machine_are_said_so_before_anything_is_measured(kernel: Path) -> None:
    with pytest.raises(NoSampleError, match="machine of the container engine"):
        Accounting({ID: 8})


def test_a_node_that_is_gone_is_no_node_that_used_nothing(kernel: Path) -> None:
    counted = Accounting({ID: 7})
    (kernel / "cgroup" / "system.slice" / f"docker-{ID}.scope" / "cpu.stat").unlink()
    with pytest.raises(NoSampleError, match="cannot be read"):
        counted.read()
