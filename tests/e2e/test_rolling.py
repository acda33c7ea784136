"""The strategy `rolling` on the real cluster: node by node, there inside one stack and back by the other, with requests
under way all the time.

Every `up` here fails by itself where a new connection failed or nothing was answered for longer than the budget has it;
what the tests below read out of `interruption` is what the probers wrote down.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from e2e.network import KEPT, POLICY, assert_native, assert_vxlan, eventually, image_of, killed, leftovers, verdict
from e2e.real import NAME, ROOT, Real, run
from settings.strategy import ROLLING

pytestmark = pytest.mark.e2e
WORKER = f"{NAME}-worker"
# No failure, as in the benchmark's 20 migrations, but of DNS: nobody can tell a CoreDNS that has no CPU for three
# seconds from one that is not reached, and a node without its network loses hundreds. The gap is what a machine of two
# cores is allowed, so that no run is lost to it: it starves for a second while an agent starts. A node without its
# network would cost twelve.
BUDGET = {"failedConnections": 3, "longestGapSeconds": 3}
STUBBORN = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: stubborn, namespace: default}
spec:
  selector: {matchLabels: {app: stubborn}}
  template:
    metadata: {labels: {app: stubborn}}
    spec:
      nodeSelector: {kubernetes.io/hostname: %s}
      containers: [{name: sleep, image: "%s", command: [sleep, "9999"]}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: stubborn, namespace: default}
spec: {minAvailable: 1, selector: {matchLabels: {app: stubborn}}}
"""
BARE = """
apiVersion: v1
kind: Pod
metadata: {name: bare, namespace: default}
spec: {containers: [{name: sleep, image: "%s", command: [sleep, "9999"]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: strict, namespace: default}
spec: {podSelector: {matchLabels: {app: nobody}}}
"""


def script(name: str, kubeconfig: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """One of the program's own steps, as its Command would run it."""
    common = {
        "CLUSTER": NAME,
        "POD_SUBNET": "10.244.0.0/16",
        "KUBECONFIG": kubeconfig,
        "CONTROL_PLANE": f"{NAME}-control-plane",
        "MARK": "",
        **ROLLING.facts(),
    }
    return subprocess.run(
        [sys.executable, "-m", f"steps.{name}"],
        cwd=ROOT,
        env={**os.environ, **common, **env},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def schedulable(real: Real) -> bool:
    return "true" not in real.kubectl("get", "nodes", "-o", "jsonpath={.items[*].spec.unschedulable}")


def interruption(real: Real, stack: str) -> dict[str, Any]:
    return real.stacks[stack].outputs()["interruption"]


def assert_none_failed(report: dict[str, Any]) -> None:
    """Of every kind but DNS, which the budget is for."""
    failed = {name: kind["failures"] for name, kind in report["kinds"].items() if name != "dns" and kind["failures"]}
    assert not failed, f"requests were lost: {failed}"


def assert_nobody_noticed(report: dict[str, Any], nodes: list[str], requests: int = 500) -> None:
    assert report["measured"] and report["strategy"] == "rolling", report
    assert report["withinBudget"] and report["failures"] <= BUDGET["failedConnections"], report["why"]
    assert_none_failed(report)
    assert report["requests"] > requests, "too little was asked to say that nothing failed"
    moves = {step["step"] for step in report["steps"] if step["step"].startswith("move ")}
    assert moves == {f"move {node}" for node in nodes}, "a node's move is not in the report"


@pytest.fixture(scope="module")
def flannel(real: Real) -> Real:
    """Stack cilium has the cluster, with Flannel, and both stacks are set to `rolling`."""
    for stack in real.stacks.values():
        stack.set_config("migration:strategy", "rolling")
        stack.set_config("migration:budget", json.dumps(BUDGET))
        stack.run("config", "rm", "--stack", stack.name, "cni-migration:cilium")
        stack.set_config("cni-migration:cni", "flannel")
        stack.set_config("cni-migration:traffic.outside", "false", "--path")
    real.stacks["cilium"].up()
    assert_vxlan(verdict(real, "cilium"))
    return real


def test_the_probers_notice_a_route_that_is_cut(flannel: Real) -> None:
    nodes = {"NODES": " ".join(flannel.nodes()), "STACK": "cilium", "EPOCH": "99", "STRATEGY": "rolling"}
    nodes |= {"GENERATION": "probers", "DUE": "true", "LEG": "0", "OUTSIDE": "false", "IMAGE": "", "HERTZ": "5"}
    kubeconfig = str(flannel.kubeconfig)
    recording = script("traffic_record", kubeconfig, **nodes)
    assert recording.returncode == 0, recording.stderr
    where = "jsonpath={.items[0].status.podIP} {.items[0].spec.nodeName}"
    pod, home = flannel.kubectl("get", "-n", "cni-migration", "pods", "-l", "app=traffic", "-o", where).split()
    # Six seconds without a way from another node to one of the Pods that answer.
    other = next(node for node in flannel.nodes() if node != home)
    flannel.on_node(other, f"ip rule add priority 1 to {pod} blackhole; sleep 6; ip rule delete priority 1")
    told = script("traffic_report", kubeconfig, **nodes, MAX_FAILURES="0", MAX_GAP_MS="1000")
    assert told.returncode == 1, f"an outage of six seconds passed as none: {told.stdout}"
    report = json.loads(told.stdout)
    assert report["failures"] > 0 and 2 < report["longestGapSeconds"] < 20, report
    assert report["kinds"]["pod"]["failures"] > 0 and "budget" in told.stderr
    again = script("traffic_report", kubeconfig, **nodes, MAX_FAILURES="0", MAX_GAP_MS="1000")
    assert again.returncode == 0 and json.loads(again.stdout) == report, "the next up could never end well"


def apply(real: Real, manifest: str) -> None:
    command = ["kubectl", "--kubeconfig", str(real.kubeconfig), "apply", "-f", "-"]
    subprocess.run(command, input=manifest, text=True, check=True)


def test_whatever_would_stop_a_drain_is_named_at_once_before_anything_moves(flannel: Real) -> None:
    image = image_of(flannel)
    apply(flannel, STUBBORN % (WORKER, image))
    apply(flannel, BARE % image)
    flannel.kubectl("rollout", "status", "deployment/stubborn", "--timeout=180s")
    eventually(lambda: assert_blocked(flannel))
    other = flannel.stacks["flannel"]
    other.set_config("cni-migration:cni", "cilium")
    failed = other.up(check=False)
    other.set_config("cni-migration:cni", "flannel")
    text = failed.stdout + failed.stderr
    assert failed.returncode != 0, text[-3000:]
    assert "PodDisruptionBudget default/stubborn permits no eviction" in text, text[-3000:]
    assert "Pod default/bare has no controller" in text, "the drain would lose a Pod for good"
    assert "NetworkPolicy default/strict would not be enforced" in text, "a wall would be open for minutes"
    assert flannel.marker()["stack"] == "cilium", "the cluster changed hands though nothing could move"
    flannel.kubectl("delete", "--grace-period=1", "pod/bare", "networkpolicy/strict")


def assert_blocked(real: Real) -> str:
    allowed = real.kubectl("get", "poddisruptionbudget", "stubborn", "-o", "jsonpath={.status.disruptionsAllowed}")
    assert allowed == "0", f"the budget still allows {allowed}"
    return allowed


def test_a_drain_that_a_budget_stops_names_it_and_leaves_the_node_as_it_was(flannel: Real) -> None:
    now = flannel.marker()
    env = {"STACK": now["stack"], "EPOCH": now["epoch"], "CNI": "cilium", "NODE": WORKER, "DRAIN_SECONDS": "8"}
    failed = script("node_move", str(flannel.kubeconfig), **env, SERVICES_RESIDUE="chains KUBE-")
    assert failed.returncode == 1 and "default/stubborn" in failed.stderr, failed.stderr
    assert schedulable(flannel), "the node takes no Pods any more though it did not move"
    assert flannel.kubectl("get", "node", WORKER, "-o", "jsonpath={.metadata.labels.cni-owner}") == "flannel"
    flannel.kubectl("delete", "deployment,poddisruptionbudget", "stubborn")


def assert_moved(real: Real, cni: str) -> None:
    labels = real.kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.labels.cni-owner}")
    assert set(labels.split()) == {cni}
    assert schedulable(real), "a node takes no Pods any more"
    for node in real.nodes():
        assert "244" not in real.on_node(node, "ip rule show"), f"{node} still goes round its CNI"


def test_inside_one_stack_it_pauses_behind_a_node_though_its_move_is_killed(flannel: Real) -> None:
    stack = flannel.stacks["cilium"]
    stack.set_config("cni-migration:cni", "cilium")
    stack.set_config("migration:pauseAfter", "1")
    killed(flannel, "cilium", WORKER, "none")
    stack.up()
    assert_paused(flannel)
    assert_nobody_noticed(interruption(flannel, "cilium"), [WORKER], requests=200)
    stack.preview("--expect-no-changes")
    delete = ("delete", "daemonset", "kube-flannel-ds", "--namespace=kube-flannel", "--wait=false")
    refused = subprocess.run(
        ["kubectl", "--kubeconfig", str(flannel.kubeconfig), *delete],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode != 0 and "no migration is under way" in refused.stderr, "the nodes that wait have no CNI"


def assert_paused(real: Real) -> None:
    """One of three nodes has moved, and the network between all of them is measured and right."""
    result = verdict(real, "cilium")
    assert (result["ok"], result["encapsulation"], result["icmpWireBytes"]) == (True, "none", 84), result
    assert result["pending"] == [f"{WORKER}2", f"{NAME}-control-plane"] and len(result["pairs"]) == 6
    assert real.stacks["cilium"].outputs()["paused"] == "1 of 3 nodes"
    assert (real.marker()["phase"], real.marker()["moved"], real.marker()["holder"]) == ("migrating", WORKER, "")
    for node, owner in ((WORKER, "cilium"), (f"{WORKER}2", "flannel"), (f"{NAME}-control-plane", "flannel")):
        assert real.kubectl("get", "node", node, "-o", "jsonpath={.metadata.labels.cni-owner}") == owner
    assert real.kubectl("get", "-n", "kube-flannel", "daemonset", "kube-flannel-ds", "-o", "name").strip(), (
        "the engine has deleted the CNI of the nodes that wait"
    )


def assert_kubelet_answers(real: Real, node: str) -> None:
    """By what only it can do: the API says for 40 s of a node that it is as it was."""
    where = ("-n", "cni-migration", "-l", "app=probe-host", f"--field-selector=spec.nodeName={node}", "-o", "name")
    real.kubectl("exec", "-n", "cni-migration", real.kubectl("get", "pods", *where).strip(), "--", "true")


def test_nodes_that_are_started_again_in_a_pause_get_their_routes_back_and_none_moves(flannel: Real) -> None:
    stack = flannel.stacks["cilium"]
    # One that has moved, and one that waits.
    run("docker", "restart", WORKER, f"{WORKER}2")
    for node in (WORKER, f"{WORKER}2"):
        eventually(lambda node=node: assert_kubelet_answers(flannel, node))
    eventually(lambda: flannel.kubectl("wait", "nodes", "--all", "--for=condition=Ready", "--timeout=5s"))
    for name in ("probe", "probe-host"):
        flannel.kubectl("rollout", "status", "-n", "cni-migration", f"daemonset/{name}", "--timeout=180s")
    changed = {step.name for step in stack.preview_steps() if step.op not in ("same", "refresh")}
    assert "migration-routes" in changed, "the reviewer would not see that a node lost its routes"
    assert not [name for name in changed if name.startswith("moves-")], "a restart moved a node"
    stack.up()
    assert_paused(flannel)
    for node in (WORKER, f"{WORKER}2"):
        assert "244" in flannel.on_node(node, "ip rule show"), f"{node} does not reach the other CNI's nodes"
    stack.preview("--expect-no-changes")


def test_inside_one_stack_it_goes_on_behind_the_pause_and_nobody_notices(flannel: Real) -> None:
    stack = flannel.stacks["cilium"]
    stack.run("config", "rm", "--stack", "cilium", "migration:pauseAfter")
    stack.up()
    assert_native(verdict(flannel, "cilium"))
    assert_nobody_noticed(interruption(flannel, "cilium"), [f"{WORKER}2", f"{NAME}-control-plane"])
    assert_moved(flannel, "cilium")
    assert flannel.kubectl("get", "daemonsets", "-A", "-l", "app=flannel", "-o", "name") == ""
    for node in flannel.nodes():
        assert leftovers(flannel, node, "flannel") == [], f"{node} still has Flannel's"
    stack.preview("--expect-no-changes")


def waits_for_an_agent(real: Real, since: str) -> list[str]:
    """What the nodes' runtimes log of CNI calls that wait for an agent: for 40 s, and all other calls with them."""
    look = f"journalctl --unit containerd --since '{since}' --output cat --no-pager"
    lines = [line for node in real.nodes() for line in real.on_node(node, look).splitlines()]
    assert lines, "the runtime's log is not where this test looks for it"
    return [line for line in lines if "will retry to connect to the agent socket" in line]


def test_the_other_stack_rolls_back_and_nobody_notices(flannel: Real) -> None:
    flannel.kubectl("apply", "-f", "-", stdin=POLICY)
    # Accepted here: it is of nobody, and has to be kept.
    flannel.stacks["flannel"].set_config("migration:allowUnenforcedPolicies", "true")
    begun = flannel.on_node(WORKER, "date '+%F %T'").strip()
    flannel.stacks["flannel"].up()
    assert waits_for_an_agent(flannel, begun) == [], "now and then a node would take 66 s instead of 24"
    assert_vxlan(verdict(flannel, "flannel"))
    assert_nobody_noticed(interruption(flannel, "flannel"), flannel.nodes())
    assert_moved(flannel, "flannel")
    for node in flannel.nodes():
        assert leftovers(flannel, node, "cilium") == [], f"{node} still has Cilium's"
    assert "cilium.io" not in flannel.kubectl("get", "crd", "-o", "name")
    assert len(flannel.kubectl(*KEPT).split()) == 1, "a user's policy went with the CNI that enforced it"
    flannel.stacks["flannel"].preview("--expect-no-changes")
