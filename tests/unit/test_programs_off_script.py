"""How open flows go over when Cilium's programs go: programs_off.sh with a stand-in for the kernel's table."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess

import pytest

from unit.handover_world import path_with, run

FLOWS = "10.244.1.2 40001 192.0.2.1 443 172.18.0.2 40001 tcp\n10.244.1.2 40002 192.0.2.1 53 172.18.0.2 61000 udp\n"
# The table knows the flows whose port it has been told, until it is told to delete them.
CONNTRACK = """
echo "$*" >>{log}
case "$1 $*" in
  -D*) rm -f {known} ;;
  -I*40001*) [ ! -e {known} ] && [ -z "{broken}" ] ;;
esac
"""


def gone(folder: Path, known: bool, broken: str = "") -> tuple[CompletedProcess[str], list[str]]:
    """The script's end, and what conntrack was told."""
    pins, log, table = folder / "pins", folder / "log", folder / "known"
    pins.mkdir()
    if known:
        table.touch()
    tools = {
        "conntrack": CONNTRACK.format(log=log, known=table, broken=broken),
        "iptables": "[[ $* != *-S* && $* != *-C* ]]",
        "iptables-restore": "cat >/dev/null",
        "tc": ":",
    }
    folders = {"/sys/fs/bpf/cilium": pins, "/sys/class/net": folder / "none"}
    done = run("programs_off", stdin=FLOWS, folders=folders, PATH=path_with(folder / "bin", **tools))
    assert not pins.exists(), "Cilium's programs stay, and all packets with them"
    return done, log.read_text().splitlines()


def test_what_netfilter_does_not_know_goes_over_without_a_look_at_its_whole_table(tmp_path: Path) -> None:
    done, told = gone(tmp_path, known=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert [line.split()[0] for line in told] == ["-I", "-I"], "all that go over would wait for each one's look"
    assert "--src-nat 172.18.0.2:40001" in told[0] and "--src-nat 172.18.0.2:61000" in told[1]


def test_what_netfilter_knows_otherwise_is_deleted_first(tmp_path: Path) -> None:
    done, told = gone(tmp_path, known=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert [line.split()[0] for line in told] == ["-I", "-D", "-I", "-I"], "its peer would know it no more"
    assert "--orig-port-src 40001" in told[1]


@pytest.mark.parametrize("known", [True, False])
def test_a_flow_that_cannot_be_put_over_is_named(tmp_path: Path, known: bool) -> None:
    done, _ = gone(tmp_path, known, broken="yes")
    assert "10.244.1.2:40001 to 192.0.2.1:443 is lost" in done.stderr, "a lost connection would pass unseen"
    assert "40002" not in done.stderr
