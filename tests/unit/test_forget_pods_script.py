"""What a node forgets of its Pods' connections once none of them has a network: on_node/forget_pods.sh."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from steps.doors.node import whole

LINE = "tcp 6 86399 ESTABLISHED src={0} dst={1} sport={2} dport=80 src={3} dst={0} sport=8090 dport={2} [ASSURED] use=1"
LISTED = "\n".join(
    [
        LINE.format("172.18.0.2", "10.96.0.9", 1, "10.244.1.2"),
        LINE.format("172.18.0.2", "10.96.0.1", 2, "172.18.0.2"),
        LINE.format("192.168.1.5", "172.18.0.2", 3, "10.244.255.255"),
        LINE.format("172.18.0.2", "10.96.0.8", 4, "10.245.0.1"),
    ]
)


def forget(folder: Path, *, status: int = 0, listed: str = LISTED, lists: int = 0) -> tuple[int, list[str], str]:
    """Its exit code, what it deletes, and stderr; `conntrack` ends a deletion with `status`, a list with `lists`."""
    tool, log = folder / "conntrack", folder / "log"
    (folder / "listed").write_text(listed + "\n" if listed else "")
    tool.write_text(
        f'#!/bin/sh\ncase "$1" in -L) cat {folder}/listed; exit {lists};; *) echo "$*" >>{log}; echo no >&2;; esac\n'
        f"exit {status}\n"
    )
    tool.chmod(0o755)
    env = {"PATH": f"{folder}:{os.environ['PATH']}", "POD_SUBNET": "10.244.0.0/16"}
    done = subprocess.run(["bash", "-c", whole("forget_pods")], env=env, check=False, capture_output=True, text=True)
    return done.returncode, log.read_text().splitlines() if log.exists() else [], done.stderr


def test_what_is_a_pods_is_forgotten_and_nothing_else(tmp_path: Path) -> None:
    code, done, said = forget(tmp_path)
    assert (code, said) == (0, "")
    assert done[:2] == ["-D -f ipv4 --orig-src 10.244.0.0/16", "-D -f ipv4 --orig-dst 10.244.0.0/16"]
    ended = [line.partition("--orig-src ")[2] for line in done[2:]]
    assert ended == [
        "172.18.0.2 --orig-dst 10.96.0.9 --sport 1 --dport 80",
        "192.168.1.5 --orig-dst 172.18.0.2 --sport 3 --dport 80",
    ], "the node's own connections to the API would break, or one to a Pod that has gone would stay"


def test_none_to_forget_is_no_failure(tmp_path: Path) -> None:
    assert forget(tmp_path, status=1, listed="")[0] == 0, "a node on which no Pod had talked could not be cleaned"


@pytest.mark.parametrize(("status", "lists"), [(2, 0), (0, 1)])
def test_what_could_not_be_done_is_no_success(tmp_path: Path, status: int, lists: int) -> None:
    code, _, said = forget(tmp_path, status=status, lists=lists)
    assert code != 0, "connections that stay would pass for forgotten"
    assert not status or "no" in said, "nobody would know why"
