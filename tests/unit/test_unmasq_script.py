"""What masquerades become SNATs in one stroke: unmasq.sh with a stand-in for the kernel's table."""

from __future__ import annotations

import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from steps.residue import SNATED_MARK
from unit.handover_world import path_with, run

ME = "10.244.1.0/24 172.18.0.2 flannel n\n"
# As conntrack prints them: from the node to a Service, masqueraded to the tunnel's address.
TCP = [
    f"tcp 6 86399 ESTABLISHED src=172.18.0.2 dst=10.96.0.10 sport={port} dport=80 "
    f"src=10.244.2.7 dst=10.244.1.0 sport=8080 dport={port} [ASSURED] mark=0 use=1"
    for port in (40001, 40002, 40003)
]
UDP = (
    "udp 17 179 src=172.18.0.2 dst=10.96.0.11 sport=5000 dport=53 "
    "src=10.244.2.8 dst=10.244.1.0 sport=53 dport=5000 [ASSURED] mark=0 use=1"
)
CONNTRACK = """
echo "$*" >>{log}
case "$*" in
  *--src-nat\\ 10.244.1.1*) ;;
  -[LD]*tcp*) {list_by} {tcp} ;;
  -[LD]*udp*) cat {udp} ;;
  --load-file*) {loads} ;;
esac
case "$*" in
  -D*{fails}*) echo "conntrack: Operation failed" >&2; exit 1 ;;
  -D*) echo "conntrack: some flow entries have been deleted." >&2 ;;
esac
"""
# As the C library writes to a pipe.
BLOCKS = """
import os, sys
text = open(sys.argv[1], "rb").read()
block = text.find(b"dport=", 4096)
os.write(1, text[:block])
os.write(2, b"conntrack: 200 flow entries have been deleted.\\n")
os.write(1, text[block:])
"""


def moved(
    folder: Path,
    tcp: list[str],
    udp: str,
    fails: str = "never",
    *,
    list_by: str = "cat",
    loads: str = "",
    sockets: str = "true",
    broken: str = "",
    answers: int = 0,
) -> tuple[CompletedProcess[str], list[str]]:
    """The script's end, and what conntrack was told. The deletion of a protocol `fails` when it has deleted all; a tool
    that is `broken` has so many answers before."""
    devices = folder / "net"
    (devices / "flannel.1").mkdir(parents=True)
    (folder / "tcp").write_text("".join(f"{line}\n" for line in tcp))
    (folder / "udp").write_text(udp and f"{udp}\n")
    log, order = folder / "log", folder / "order"
    text = CONNTRACK.format(
        log=log, tcp=folder / "tcp", udp=folder / "udp", fails=fails, list_by=list_by, loads=loads or f"cat >>{log}"
    )
    # Without a socket of their own both ends are elsewhere, and nobody's are asked.
    ip = f"echo 2: eth0 inet {'127.0.0.1' if sockets == 'true' else '172.18.0.2'}/16"
    tools = {
        "conntrack": text,
        "ip": ip,
        "ss": sockets,
        # It exits with 1 for «there is no such chain», and adds what it is told to add.
        "iptables": '[[ "$*" != *" -S "* && "$*" != *" -C "* ]]',
        "iptables-restore": f"cat >>{folder / 'rules'}",
    }
    if broken:
        count = folder / "count"
        tools[broken] = f"echo >>{count}; [ $(wc -l <{count}) -le {answers} ] || exit 1\n{tools[broken]}"
    tools = {name: f"echo {name} >>{order}\n{tool}" for name, tool in tools.items()}
    path = path_with(folder / "bin", **tools)
    done = run("unmasq", stdin=ME, folders={"/sys/class/net": devices}, PATH=path, STEP="on")
    return done, log.read_text().splitlines() if log.exists() else []


def test_all_flows_are_deleted_by_one_look_at_the_table(tmp_path: Path) -> None:
    done, told = moved(tmp_path, TCP, UDP)
    assert done.returncode == 0, done.stderr
    deleted = [line for line in told if line.startswith("-D")]
    assert len(deleted) == 2, f"each flow would wait until the whole table was read for every other one: {deleted}"
    assert all(f"--mark 0/{SNATED_MARK}" in line for line in deleted), "what is an SNAT already would wait once more"
    put = [line for line in told if line.startswith("-I")]
    assert len(put) == 4, f"a connection would break: {put}"
    assert all(f"--mark {SNATED_MARK}" in line for line in put), "the next move would do them all again"
    assert "--src-nat 10.244.1.0:40002 --dst-nat 10.244.2.7:8080" in "\n".join(put), "it would lead somewhere else"


def test_what_is_made_by_the_rules_is_known_and_left_alone(tmp_path: Path) -> None:
    moved(tmp_path, [], "")
    rules = [line for line in (tmp_path / "rules").read_text().splitlines() if line.startswith("-A")]
    for device in ("flannel.1", "cni0"):
        jumps = [rule.split(" -j ")[1].split()[0] for rule in rules if f"-o {device} " in rule]
        assert jumps == ["CONNMARK", "SNAT"], (
            f"a connection that is being made would lose its entry, and time out: {rules}"
        )


def test_a_single_question_by_udp_keeps_its_entry(tmp_path: Path) -> None:
    _, told = moved(tmp_path, TCP, UDP)
    of_udp = [line for line in told if "-p udp" in line and not line.startswith("-I")]
    assert of_udp and all("--status ASSURED" in line for line in of_udp), "its answer would find nobody"


def test_where_nothing_is_open_nothing_is_touched(tmp_path: Path) -> None:
    done, told = moved(tmp_path, [], "")
    assert done.returncode == 0, done.stderr
    assert not [line for line in told if line[:2] in ("-D", "-I")], "packets would wait for nothing"


@pytest.mark.parametrize("fails", ["tcp", "udp"])
def test_a_deletion_that_fails_stops_the_move_and_loses_no_flow_of_another(tmp_path: Path, fails: str) -> None:
    done, told = moved(tmp_path, TCP, UDP, fails)
    assert done.returncode != 0 and "conntrack" in done.stderr, "connections would break without a word"
    put = [line for line in told if line.startswith("-I")]
    assert len(put) == 4, "what was deleted before it, or by it until it failed, would be lost"


def test_many_flows_are_all_put_back(tmp_path: Path) -> None:
    # More than a pipe's block: conntrack's last line comes on another stream, in the middle of one of these.
    many = [TCP[0].replace("40001", str(port)) for port in range(41000, 41200)]
    script = tmp_path / "blocks.py"
    script.write_text(BLOCKS)
    buffered = f"{sys.executable} {script}"
    done, told = moved(tmp_path, many, "", list_by=buffered)
    assert done.returncode == 0, done.stderr
    assert len([line for line in told if line.startswith("-I")]) == 200, "a connection would break without a word"


@pytest.mark.parametrize("tool", ["ss", "ip"])
def test_a_question_for_what_is_open_that_fails_ends_nothing(tmp_path: Path, tool: str) -> None:
    done, told = moved(tmp_path, TCP, UDP, broken=tool)
    assert done.returncode != 0, "nobody would know"
    assert not [line for line in told if line[:2] in ("-D", "-I")], "connections would be deleted and not put back"


def test_where_nobody_says_any_more_what_is_open_all_that_was_deleted_is_put_back(tmp_path: Path) -> None:
    # The first question is answered, those behind the deletion are not.
    done, told = moved(tmp_path, TCP, UDP, broken="ss", answers=1)
    assert done.returncode != 0 and len([line for line in told if line.startswith("-I")]) == 4, (
        f"connections that are open would be taken for ended: {told}"
    )
    assert len([line for line in told if line.startswith("-D")]) == 2, "what was put back would be deleted"


def test_what_cannot_be_put_back_at_once_is_put_back_one_by_one(tmp_path: Path) -> None:
    # The third is there already, which ends the command: so says a conntrack before 1.4.7 of the whole of it.
    done, told = moved(tmp_path, TCP, UDP, loads=f"head -2 >{tmp_path / 'loaded'}; exit 1")
    assert done.returncode == 0, done.stderr
    assert len([line for line in told if line.startswith("-I")]) == 4, f"connections would break: {told}"


@pytest.mark.parametrize(
    ("mark", "backend", "lost"),
    [(SNATED_MARK, "10.244.2.7", False), ("0x0", "10.244.2.7", True), (SNATED_MARK, "10.244.2.9", True)],
)
def test_an_entry_that_is_there_is_lost_unless_it_is_the_snat(
    tmp_path: Path, mark: str, backend: str, lost: bool
) -> None:
    found = TCP[0].replace("10.244.2.7", backend).replace("mark=0", f"mark={int(mark, 16)}")
    there = f"  -I*) exit 1 ;;\n  -G*) echo '{found}'"
    done, _ = moved(tmp_path, TCP[:1], "", loads=f"exit 1 ;;\n{there}")
    assert ("is lost" in done.stderr) is lost, f"a connection would break without a word, or is said to: {done.stderr}"


SOCKETS = """
echo >>{count}
for port in 40001 40002 40003; do
  state=ESTAB
  if [ $port = 40003 ] && [ $(wc -l <{count}) = 3 ]; then state={state}; fi
  case "$*" in *"state ${{state/ESTAB/established}}"*) echo "$state 0 0 172.18.0.2:$port 10.96.0.10:80" ;; esac
done
"""


@pytest.mark.parametrize(("state", "deleted"), [("gone", 1), ("fin-wait-1", 0), ("last-ack", 0), ("ESTAB", 0)])
def test_what_was_reset_while_it_waited_leaves_no_entry(tmp_path: Path, state: str, deleted: int) -> None:
    sockets = SOCKETS.format(count=tmp_path / "asked", state=state)
    done, told = moved(tmp_path, TCP, "", sockets=sockets)
    assert done.returncode == 0, done.stderr
    assert len([line for line in told if line.startswith("-I")]) == 3, f"a connection would break: {told}"
    ended = [line for line in told if line.startswith("-D") and "--orig-port-src" in line]
    assert len(ended) == deleted, "its entry would lead another astray for a day, or its FIN nowhere"
    assert all("--orig-port-src 40003" in line and "--state ESTABLISHED" in line for line in ended), ended


def test_flows_wait_for_nothing_but_to_be_put_back(tmp_path: Path) -> None:
    moved(tmp_path, TCP, UDP)
    assert "-F HANDOVER-DROP" in (tmp_path / "rules").read_text(), "they would wait until the chain is gone"
    did = (tmp_path / "order").read_text().splitlines()
    began = did.index("iptables-restore", did.index("iptables-restore") + 1)
    waited = did[began + 1 : did.index("iptables-restore", began + 1)]
    assert sorted(set(waited)) == ["conntrack", "ss"] and len(waited) == 2 + 1 + 1, (
        f"each command more is a part of everybody's gap: {waited}"
    )
