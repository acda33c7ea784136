"""Whether the other nodes have room for a drained node's Pods, as the preflight of a rolling migration asks."""

from __future__ import annotations

from fractions import Fraction

import pytest

from steps.findings.capacity import NodeRoom, PodDemand, quantity, shortages

# NAME, whether a drained Pod may go there, CPU and memory; and NODE KIND NAME and CPU,MEMORY of each container.
NODES = "cp no 2 8Gi\nw1 yes 2 8Gi\nw2 yes 2 8Gi\n"
MOST_PODS = 3


def room(line: str) -> NodeRoom:
    name, usable, cpu, memory = line.split()
    return NodeRoom(
        name=name,
        usable=usable == "yes",
        cpu_millis=quantity(cpu) * 1000,
        memory_bytes=quantity(memory),
        pods=MOST_PODS,
    )


def demand(line: str) -> PodDemand:
    node, kind, _, *containers = line.split()
    requests = [request.split(",") for request in containers]
    return PodDemand(
        node=None if node == "none" else node,
        kind=kind,
        cpu_millis=sum(quantity(cpu) * 1000 for cpu, _ in requests),
        memory_bytes=sum(quantity(memory) for _, memory in requests),
    )


def judge(pods: str, nodes: str = NODES) -> str:
    said = shortages([room(line) for line in nodes.splitlines()], [demand(line) for line in pods.splitlines()])
    return "".join(sentence + "\n" for sentence in said)


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
    said = judge("w1 ReplicaSet a/b 0,0\n", "cp no 2 8Gi\nw1 yes 2 8Gi\n")
    assert said == "node w1 has 1 Pods to drain, and there is no other node that takes Pods\n"


def test_too_many_pods_for_what_kubelets_take_are_named() -> None:
    three = "w1 ReplicaSet a/b 0,0\n" * 3
    assert judge(f"{three}w2 DaemonSet a/c 0,0\n") == (
        "node w1 has 3 Pods to drain, and the other nodes take 2 more\n"
    ), "a drained Pod would stay Pending, and its budget would stop the next eviction"
    assert judge(three) == ""


def test_a_pod_without_a_node_takes_no_room() -> None:
    assert judge("none ReplicaSet a/b 9,0\nw1 ReplicaSet a/c 1,0\n") == ""


def test_micros_of_cpu_pebibytes_and_exponents_are_what_they_say() -> None:
    assert judge("w1 ReplicaSet a/b 500u,16e9\n", "w1 yes 1 1Gi\nw2 yes 1 1Pi\n") == "", "500u is no 500 cores"
    said = judge("w1 ReplicaSet a/b 500u,16e9\n", NODES)
    assert said == "node w1: its Pods ask for 15258 MiB of memory, and the other nodes have 8192 MiB left\n"
    assert "ask for 0m of CPU" in judge("w1 ReplicaSet a/b 500u,0\nw2 DaemonSet a/c 2,0\n")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("2", 2), ("0", 0), ("+1.5", Fraction(3, 2)), ("-1", -1), (".5", Fraction(1, 2)), ("5.", 5)],
        *[("1n", Fraction(1, 10**9)), ("500u", Fraction(1, 2000)), ("250m", Fraction(1, 4))],
        *[("1k", 10**3), ("1M", 10**6), ("1G", 10**9), ("1T", 10**12), ("1P", 10**15), ("1E", 10**18)],
        *[("1Ki", 2**10), ("1Mi", 2**20), ("1.5Gi", 3 * 2**29), ("1Ti", 2**40), ("1Pi", 2**50), ("1Ei", 2**60)],
        *[("16e9", 16 * 10**9), ("1E3", 1000), ("1e-3", Fraction(1, 1000)), ("1E+3", 1000)],
    ],
)
def test_a_quantity_is_read_as_kubernetes_reads_it(text: str, value: Fraction | int) -> None:
    assert quantity(text) == value


@pytest.mark.parametrize(
    "text", ["", "m", ".", "1K", "1ki", "1e", "1Ee", "1mi", "1 Gi", "1Gi\n", "1_0", "1e999", "\u0661", "x"]
)
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no Kubernetes quantity"):
        quantity(text)
