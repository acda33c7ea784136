"""Which open flows a node names when Cilium's programs go: open_flows.sh with a stand-in for conntrack."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from unit.handover_world import path_with, run

TCP = (
    "tcp 6 86399 ESTABLISHED src=10.244.1.2 dst=8.8.8.8 sport=9 dport=443 src=8.8.8.8 dst=10.244.1.2 sport=443 dport=9"
)
UDP = "udp 17 29 src=10.244.1.2 dst=8.8.8.8 sport={0} dport=53 {1} src=8.8.8.8 dst=10.244.1.2 sport=53 dport={0} {2}"
KINDS = ((1, "", ""), (2, "[UNREPLIED]", ""), (3, "", "[ASSURED]"))


def test_of_udp_a_question_that_has_its_answer_is_open_no_more(tmp_path: Path) -> None:
    udp = "\n".join(UDP.format(*kind) for kind in KINDS)
    tools = {"conntrack": f"case \"$*\" in *udp*) echo '{udp}' ;; *) echo '{TCP}' ;; esac"}
    done = run("open_flows", PATH=path_with(tmp_path, **tools))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "tracked tcp 10.244.1.2 8.8.8.8 9 443 8.8.8.8 10.244.1.2 443 9",
        "tracked udp 10.244.1.2 8.8.8.8 2 53 8.8.8.8 10.244.1.2 53 2",
        "tracked udp 10.244.1.2 8.8.8.8 3 53 8.8.8.8 10.244.1.2 53 3",
    ], "who only sends would be heard no more, or every DNS answer of the last minute hold up what waits"


def test_a_table_that_cannot_be_read_is_no_empty_one(tmp_path: Path) -> None:
    done = run("open_flows", PATH=path_with(tmp_path, conntrack="exit 1"))
    assert done.returncode != 0, "every open connection would be left to break"


def test_a_pod_that_has_ended_and_is_still_in_the_list_of_processes_has_no_flows(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # it stays in the list
        done = run("open_flows", stdin=f"abc {ended.pid}\n", PATH=path_with(tmp_path, nsenter="exit 1", conntrack=""))
    assert done.returncode == 0, f"one Pod's end would cut a whole move off: {done.stderr}"
