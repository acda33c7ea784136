"""What the scripts inside a node take for a CNI's residue, with stand-ins for the tools that they call."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from steps.doors.node import whole

# podSubnet 172.16.0.0/12 holds Docker's own network: what a node has in its main table then.
ROUTES = """\
172.18.0.0/16 dev eth0 proto kernel scope link src 172.18.0.2
172.20.1.0/24 via 172.18.0.3 dev eth0 proto kernel
172.20.2.0/24 via 172.18.0.4 dev eth0
172.20.3.0/24 via 172.18.0.9 dev eth0 proto kernel
172.20.4.0/24 via 172.18.0.3 dev eth0 proto static
"""


def run(
    script: str, folder: Path, tools: dict[str, str], stdin: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    """Runs a script with `tools` before all others, and `folder` in place of /var/lib and /etc/cni."""
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    for name, body in tools.items():
        (bin_folder / name).write_text(f"#!/bin/bash\n{body}\n")
        (bin_folder / name).chmod(0o755)
    text = whole(script)
    text = text.replace("/var/lib/cni-migration", str(folder)).replace("/etc/cni/net.d", str(folder / "net.d"))
    return subprocess.run(
        ["bash", "-c", text],
        input=stdin,
        env={"PATH": f"{bin_folder}:{os.environ['PATH']}", "NODE": "n", **env},
        text=True,
        capture_output=True,
        check=False,
    )


def test_only_routes_by_way_of_another_node_are_ciliums(tmp_path: Path) -> None:
    ip = f"cat <<'ROUTES'\n{ROUTES}ROUTES"
    done = run("clean", tmp_path, {"ip": ip}, "routes 172.16.0.0/12\n", MODE="list", PEERS="172.18.0.3 172.18.0.4")
    assert done.returncode == 0, done.stderr
    found = [line.split()[1] for line in done.stdout.splitlines()]
    assert "172.18.0.0/16" not in found, "the node would be cut off: its own network lies in the podSubnet"
    assert found == ["172.20.1.0/24", "172.20.2.0/24"], "a user's own route would be lost, or Cilium's would stay"


@pytest.mark.parametrize("mode", ["list", "remove"])
def test_rules_that_cannot_be_listed_are_no_clean_node(tmp_path: Path, mode: str) -> None:
    answers = {"iptables-nft": "exit 4", "ip6tables-nft": ":", "iptables-legacy": ":", "ip6tables-legacy": ":"}
    tools = {f"{tool}-save": answer for tool, answer in answers.items()}
    done = run("clean", tmp_path, tools, "chains FLANNEL-\n", MODE=mode)
    assert done.returncode != 0, "Flannel's masquerading would stay, and the node be said to be clean"


def test_a_program_is_found_before_a_list_that_is_longer_than_a_pipe(tmp_path: Path) -> None:
    tools = {"tc": "echo 'filter bpf cil_from_container' && seq 100000"}
    done = run("clean", tmp_path, tools, "tc cil_\n", MODE="list")
    assert done.returncode == 0, done.stderr
    assert "tc lo ingress" in done.stdout.splitlines(), "programs would stay on a node that is said to be clean"


NOBODY = 2**22 + 1  # no process has a number beyond 2**22


@pytest.mark.parametrize(
    ("row", "lister", "item"), [("process cilium-cni", "pgrep", str(NOBODY)), ("mount /run/x", "findmnt", "/run/x")]
)
@pytest.mark.parametrize("stays", [False, True])
def test_what_ends_by_itself_while_it_is_removed_is_gone_and_what_stays_is_a_failure(
    tmp_path: Path, row: str, lister: str, item: str, stays: bool
) -> None:
    once = "" if stays else f"[ ! -e {tmp_path}/listed ] || exit 1; touch {tmp_path}/listed;"
    # A process is waited for, in vain.
    done = run("clean", tmp_path, {"sysctl": "", "timeout": "exit 124", lister: f"{once} echo {item}"}, f"{row}\n")
    assert (done.returncode != 0) is stays, (
        f"an up would fail by what went by itself, or leave what stays: {done.stderr}"
    )


def test_without_the_addresses_of_nodes_no_route_is_anybodys_residue(tmp_path: Path) -> None:
    done = run("clean", tmp_path, {"ip": f"cat <<'ROUTES'\n{ROUTES}ROUTES"}, "routes 172.16.0.0/12\n", MODE="list")
    assert (done.returncode, done.stdout) == (0, ""), "a route would be deleted that nobody has shown to be Cilium's"


def test_a_configuration_of_somebody_else_that_cilium_renamed_is_left_and_named(tmp_path: Path) -> None:
    folder = tmp_path / "net.d"
    folder.mkdir()
    ours, others = folder / "10-flannel.conflist.cilium_bak", folder / "87-podman.conflist.cilium_bak"
    ours.touch()
    others.touch()
    done = run("clean", tmp_path, {"ip": "", "sysctl": ""}, f"path {ours}\n")
    assert done.returncode == 0, done.stderr
    assert not ours.exists() and others.exists(), "another tool's configuration would be lost"
    assert f"left as it is: {others}" in done.stderr, "its user would never know why it does nothing"


def test_a_node_without_a_baseline_stays_loose_and_says_so(tmp_path: Path) -> None:
    env = {"STEP": "strict", "POD_SUBNET": "10.244.0.0/16", "TABLE": "244", "SNATED_MARK": "0x1"}
    done = run("direct_routes", tmp_path, {"sysctl": f"echo $* >>{tmp_path}/written", "conntrack": "exit 0"}, **env)
    assert done.returncode == 0, "rolling to Flannel would fail for ever on a cluster that came with Cilium"
    assert "n: rp_filter stays loose" in done.stderr and not (tmp_path / "written").exists(), done.stderr


def test_a_node_whose_connections_cannot_be_listed_stays_loose_and_fails(tmp_path: Path) -> None:
    (tmp_path / "rp_filter").write_text("net.ipv4.conf.all.rp_filter = 1\n")
    env = {"STEP": "strict", "POD_SUBNET": "10.244.0.0/16", "TABLE": "244", "SNATED_MARK": "0x1"}
    tools = {"sysctl": f"echo $* >>{tmp_path}/written", "conntrack": "exit 2"}
    done = run("direct_routes", tmp_path, tools, **env)
    assert done.returncode != 0 and "does not list" in done.stderr, "no answer would pass for no open connection"
    assert not (tmp_path / "written").exists(), "open connections would be cut off"


def test_a_node_with_a_baseline_is_as_strict_as_before(tmp_path: Path) -> None:
    (tmp_path / "rp_filter").write_text("net.ipv4.conf.all.rp_filter = 1\nnet.ipv4.conf.eth0.rp_filter = 0\n")
    env = {"STEP": "strict", "POD_SUBNET": "10.244.0.0/16", "TABLE": "244", "SNATED_MARK": "0x1"}
    done = run("direct_routes", tmp_path, {"sysctl": f"echo $* >>{tmp_path}/written", "conntrack": "exit 0"}, **env)
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "written").read_text()
    assert written.split()[-1] == "net.ipv4.conf.all.rp_filter=1", "the baseline would never be put back"
