"""Whether the other nodes have room for a drained node's Pods, as rolling-preflight.sh asks."""

from __future__ import annotations

import subprocess
from pathlib import Path

AWK = Path(__file__).parents[2] / "components" / "scripts" / "capacity.awk"
NODES = "cp flannel True no 2 8Gi\nw1 flannel True yes 2 8Gi\nw2 flannel True yes 2 8Gi\n"


def judge(pods: str, nodes: str = NODES) -> str:
    done = subprocess.run(
        ["awk", "-f", str(AWK)], input=f"{nodes}-\n{pods}", capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_cluster_with_room_has_nothing_said_of_it() -> None:
    assert judge("w1 ReplicaSet a/b 500m,1Gi\nw2 ReplicaSet a/c 1,1Gi\ncp Node kube-system/etcd 100m,100Mi\n") == ""


def test_too_little_cpu_is_named_with_the_node_and_both_figures() -> None:
    said = judge("w1 ReplicaSet a/b 900m,0 200m,0\nw2 DaemonSet a/c 1,0\n")
    assert said == "node w1: its Pods ask for 1100m of CPU, and the other nodes have 1000m left\n", (
        "the drain would wait for a Pod that fits nowhere"
    )


def test_too_little_memory_is_named_whatever_unit_it_is_in() -> None:
    said = judge("w1 ReplicaSet a/b 0,2147483648\nw2 DaemonSet a/c 0,7168Mi\n")
    assert "node w1: its Pods ask for 2048 MiB of memory, and the other nodes have 1024 MiB left" in said


def test_pods_of_daemonsets_and_static_pods_count_as_used_and_do_not_move() -> None:
    assert judge("w1 DaemonSet a/b 2,0\nw2 DaemonSet a/c 2,0\nw1 Node a/d 0,7Gi\n") == ""
    assert "0m left" in judge("w1 ReplicaSet a/b 100m,0\nw2 DaemonSet a/c 2,0\n")


def test_a_node_whose_pods_have_no_other_node_is_named() -> None:
    said = judge("w1 ReplicaSet a/b 0,0\n", "cp flannel True no 2 8Gi\nw1 flannel True yes 2 8Gi\n")
    assert said == "node w1 has 1 Pods to drain, and there is no other node that takes Pods\n"
