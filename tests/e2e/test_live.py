"""The strategy `live` on the real cluster: Pods of every kind keep their process, their address and their connections
while their nodes go to Cilium by the other stack, also where a move is killed halfway and where an agent dies before it
is told of them, and back to Flannel inside one stack."""

from __future__ import annotations

import json

import pytest

from e2e.live_pods import DATAGRAMS, SERVER, WALL, WORKER, WORKER2, pod
from e2e.live_world import (
    CLASSES,
    assert_all_the_same,
    assert_heard,
    assert_same_lives,
    assert_seen_from_outside,
    counted,
    emptied,
    gone_on,
    held,
    lives,
    outside,
    progress,
    put,
    rounds,
)
from e2e.network import assert_native, assert_vxlan, eventually, image_of, killed, leftovers, owned, verdict
from e2e.real import Real
from e2e.test_rolling import apply, assert_moved, assert_none_failed, interruption
from engine.pulumi_cli import ended

pytestmark = pytest.mark.e2e
# Fixtures of another module.
__all__ = ["emptied", "held", "outside"]


def test_a_host_port_is_named_before_anything_moves(held: Real) -> None:
    port = pod("port", WORKER, image_of(held), SERVER)
    port["spec"]["containers"][0]["ports"] = [{"containerPort": 9000, "hostPort": 9000}]
    put(held, port)
    failed = held.stacks["cilium"].up(check=False)
    text = failed.stdout + failed.stderr
    assert failed.returncode != 0 and "default/port has the host port 9000" in text, text[-3000:]
    assert held.marker()["stack"] == "flannel", "the cluster changed hands though nothing could move"
    held.kubectl("delete", "pod", "port")


def test_every_pod_runs_on_while_its_node_goes_to_cilium_though_a_move_is_killed(held: Real) -> None:
    cilium = held.stacks["cilium"]
    cilium.set_config("cni-migration:traffic.outside", "true", "--path")
    before, since, job = lives(held), rounds(held), counted(held)
    killed(held, "cilium", WORKER2, "none")
    going = cilium.start("up", "--stack", "cilium", "--yes", "--skip-preview")
    try:
        eventually(lambda: owned(held, WORKER2, "cilium"), 300)
        # Whatever it had reserved goes with it.
        agent = ("-n", "kube-system", "-l", "k8s-app=cilium", f"--field-selector=spec.nodeName={WORKER2}")
        eventually(lambda: held.kubectl("wait", "pods", *agent, "--for=create", "--timeout=1s"))
        held.kubectl("delete", "pods", *agent, "--grace-period=0", "--force")
        going.communicate(timeout=900)
    finally:
        ended(going)
    if going.returncode:
        cilium.up()
    assert_native(verdict(held, "cilium"))
    assert_moved(held, "cilium")
    assert_all_the_same(held, before, since, job)
    report = interruption(held, "cilium")
    assert report["measured"] and report["withinBudget"], report["why"]
    assert_none_failed(report)
    lost = {name: way for name, way in report["held"].items() if way["connectionsBroken"]}
    assert not lost and len(report["held"]) == CLASSES, f"held connections that broke, of all classes: {report['held']}"
    assert assert_seen_from_outside(held, report)["connectionsBroken"], "what preflight says that it breaks is not seen"
    for node in held.nodes():
        assert leftovers(held, node, "flannel") == [], f"{node} still has Flannel's"
    cilium.preview("--expect-no-changes")


def test_other_values_start_every_agent_again_and_keep_the_adopted_pods(held: Real) -> None:
    cilium = held.stacks["cilium"]
    before, since = lives(held), rounds(held)
    agents = ("get", "pods", "-n", "kube-system", "-l", "k8s-app=cilium", "-o", "jsonpath={.items[*].metadata.uid}")
    old = set(held.kubectl(*agents).split())
    cilium.set_config("cni-migration:cilium.values.bpf.monitorInterval", "7s", "--path")
    cilium.up()
    assert_native(verdict(held, "cilium"))
    assert len(old) == 3 and not old & set(held.kubectl(*agents).split()), "an agent goes by the old values"
    eventually(lambda: gone_on(held, since, 20))
    assert_heard(held, since)
    assert_same_lives(held, before)
    cilium.preview("--expect-no-changes")


def test_the_runtime_and_the_kubelet_start_again_beside_adopted_pods(held: Real) -> None:
    before, since = lives(held), rounds(held)
    held.on_node(WORKER, "systemctl restart containerd kubelet")
    # By what they print, which is the kubelet's to give.
    eventually(lambda: gone_on(held, since, 20))
    assert_heard(held, since)
    # A kubelet that has just begun may show a Pod without its address or its containers.
    eventually(lambda: assert_same_lives(held, before))


def test_a_policy_holds_for_an_adopted_pod(held: Real) -> None:
    address = held.kubectl("get", "pod", "goes", "-o", "jsonpath={.status.podIP}")
    ask = f"timeout 2 bash -c '</dev/tcp/{address}/9000' && echo reached || echo shut"

    def answers(wanted: str, otherwise: str) -> None:
        assert held.on_node(WORKER2, ask).strip() == wanted, otherwise

    eventually(lambda: answers("reached", "it is shut without a policy, so nothing is shown below"))
    apply(held, WALL)
    eventually(lambda: answers("shut", "an adopted Pod would be open to everybody"))
    held.kubectl("delete", "networkpolicy", "wall")


def test_an_adopted_pod_that_goes_leaves_nothing(held: Real) -> None:
    address = held.kubectl("get", "pod", "goes", "-o", "jsonpath={.status.podIP}")
    device = held.on_node(WORKER, f"ip -4 route show table main exact {address}/32").split()[2]
    assert device in held.on_node(WORKER, "ls /sys/class/net").split(), "there is nothing that could be left"
    held.kubectl("delete", "pod", "goes", "--wait=true")
    name = held.kubectl(
        "get",
        "pod",
        "-n",
        "kube-system",
        "-l",
        "k8s-app=cilium",
        f"--field-selector=spec.nodeName={WORKER}",
        "-o",
        "name",
    ).strip()
    agent = ("-n", "kube-system", "exec", name, "-c", "cilium-agent", "--")

    def freed() -> str:
        assert address not in held.on_node(WORKER, "ip -4 route show table main; ip -4 neigh"), "its route stays"
        assert f"{address} " not in held.kubectl(*agent, "cilium-dbg", "endpoint", "list"), "its endpoint stays"
        taken = held.kubectl(*agent, "cilium-dbg", "status", "--all-addresses")
        assert f"{address} " not in taken, "its address is lost for ever"
        assert device not in held.on_node(WORKER, "ls /sys/class/net").split(), "its device stays"
        return "freed"

    eventually(freed)


def test_every_pod_runs_on_while_its_node_goes_back_to_flannel_inside_one_stack(held: Real, outside: str) -> None:
    stack = held.stacks["cilium"]
    stack.set_config("cni-migration:cni", "flannel")
    # What the others hold was masqueraded by netfilter from its first packet on.
    put(held, pod("datagrams-of-cilium", WORKER, image_of(held), DATAGRAMS, outside))
    eventually(lambda: progress(held, "datagrams-of-cilium"))
    before, since, job = lives(held), rounds(held), counted(held)
    stack.up()
    assert_vxlan(verdict(held, "cilium"))
    assert_moved(held, "flannel")
    assert_all_the_same(held, before, since, job)
    # What Cilium masqueraded.
    assert_heard(held, {"datagrams-of-cilium": 0})
    report = interruption(held, "cilium")
    assert report["measured"] and report["withinBudget"] and report["connectionsBroken"] == 0, report["why"]
    assert_none_failed(report)
    assert_seen_from_outside(held, report)
    for node in held.nodes():
        assert leftovers(held, node, "cilium") == [], f"{node} still has Cilium's"
    stack.preview("--expect-no-changes")


def test_a_pod_that_came_back_to_flannel_looks_like_one_that_was_born_there(held: Real) -> None:
    put(held, pod("born", WORKER, image_of(held), SERVER))

    def seen(name: str) -> list[str]:
        """Its addresses, routes and MTU, with what is its own blotted out."""
        address = held.kubectl("get", "pod", name, "-o", "jsonpath={.status.podIP}")
        sandbox = held.on_node(WORKER, f"crictl --timeout 60s pods --state Ready --name '^{name}$' -q").strip()
        pid = json.loads(held.on_node(WORKER, f"crictl --timeout 60s inspectp --output json {sandbox}"))["info"]["pid"]
        look = "ip -4 -oneline addr show dev eth0; ip -4 route; cat /sys/class/net/eth0/mtu"
        said = held.on_node(WORKER, f"nsenter --target {pid} --net bash -c '{look}'")
        assert address in said, said
        lines = [" ".join(line.split()[1:] if "inet" in line else line.split()) for line in said.splitlines()]
        return sorted(line.replace(address, "OWN").replace("\\", "") for line in lines)

    assert seen("here") == seen("born"), "the next migration would meet a Pod that is neither's"
    held.kubectl("delete", "pod", "here", "born", "--wait=true")

    def freed() -> str:
        files = held.on_node(WORKER, "ls /var/lib/cni/networks/cbr0 /var/lib/cni/flannel")
        running = held.on_node(WORKER, "crictl --timeout 60s pods --state Ready -q").split()
        kept = [line for line in files.splitlines() if len(line) == 64 and line not in running]
        assert not kept, f"addresses of Pods that have gone are never given again: {kept}"
        return files

    eventually(freed)
