"""What the end-to-end tests ask of the cluster's network: the verdict of the program, which measures on the wire, and a
look from outside at the nodes themselves."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from e2e.real import NAME, ROOT, Real
from engine.pulumi_cli import ended
from steps.residue import Owner, render, residue

POD_SUBNET = "10.244.0.0/16"
PROBES = ("get", "-n", "cni-migration")
# What a CNI that went took with it, and what is made again when it is back.
KEPT = ("get", "secrets", "-n", "kube-system", "-l", "cni-migration/kept", "-o", "name")
POLICY = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: mine, namespace: default}
spec: {endpointSelector: {matchLabels: {app: nobody}}, ingress: [{}]}
"""
# A static Pod: its kubelet makes it of this file, and to the API it is no object.
STATIC_FILE = "/etc/kubernetes/manifests/e2e-static.yaml"
STATIC = """
apiVersion: v1
kind: Pod
metadata: {name: static, namespace: default}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: main, image: "%s", imagePullPolicy: IfNotPresent, command: [python3, -m, http.server, "8000"]}]
"""
Answer = TypeVar("Answer")
CLEAN = (ROOT / "steps" / "on_node" / "clean.sh").read_text()


def leftovers(real: Real, node: str, owner: Literal["flannel", "cilium"]) -> list[str]:
    """What the clean-up's own table still finds on a node of what `owner` leaves there."""
    # Not the runtime's: the CNI that runs now has its results there as well.
    owners: tuple[Owner, ...] = ("flannel", "kube-proxy") if owner == "flannel" else ("cilium",)
    rows = residue(POD_SUBNET, (*owners, "rolling"))
    return real.on_node(node, "export MODE=list\n" + CLEAN, stdin=render(rows)).splitlines()


def verdict(real: Real, stack: str) -> dict[str, Any]:
    real.connect()
    return real.stacks[stack].outputs()["verification"]


def assert_vxlan(result: dict[str, Any]) -> None:
    assert (result["ok"], result["cni"], result["encapsulation"]) == (True, "flannel", "vxlan"), result
    assert (result["icmpWireBytes"], result["overheadBytes"]) == (134, 50), "VXLAN is 50 bytes a packet"
    assert result["services"] and result["dns"] and len(result["pairs"]) == 6, result
    assert result["kubeProxyReplacement"] is False, result


def assert_native(result: dict[str, Any]) -> None:
    assert (result["ok"], result["cni"], result["encapsulation"]) == (True, "cilium", "none"), result
    assert (result["icmpWireBytes"], result["overheadBytes"]) == (84, 0), "native routing adds nothing"
    assert result["routing"] == "native" and result["kubeProxyReplacement"] is True, result
    assert result["services"] and result["dns"] and len(result["pairs"]) == 6, result
    assert all(pair["packets"] >= 5 for pair in result["pairs"]), "a pair was not measured"


def eventually(look: Callable[[], Answer], seconds: float = 180) -> Answer:
    """What `look` returns once it does not fail; its last failure when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return look()
        except (AssertionError, subprocess.TimeoutExpired):
            if time.monotonic() > deadline:
                raise
        time.sleep(1)  # between two looks, not in place of a condition


def owned(real: Real, node: str, owner: str) -> str:
    """Whose the node is by its label, where it is `owner`'s."""
    label = real.kubectl("get", "node", node, "-o", "jsonpath={.metadata.labels.cni-owner}")
    assert label == owner, f"it is {label}"
    return label


def killed(real: Real, stack: str, node: str, owner: str) -> None:
    """An `up` of the stack is killed as soon as the node is `owner`'s."""
    going = real.stacks[stack].start("up", "--stack", stack, "--yes", "--skip-preview")

    def came_so_far() -> bool:
        """False where it has ended before."""
        if going.poll() is not None:
            return False
        owned(real, node, owner)
        return True

    try:
        # All of what comes before: preflight, recording, routes, and a drain where there is one.
        so_far = eventually(came_so_far, 600)
    finally:
        said = ended(going)
    assert so_far, f"it has ended before {node} was {owner}'s: {said[-3000:]}"
    assert going.returncode != 0, said[-3000:]
    assert real.marker()["phase"] == "migrating", "it was through before it was killed"


def owners(real: Real) -> set[str]:
    template = r"jsonpath={range .items[*]}{.metadata.labels.cni-owner}{'\n'}{end}"
    return set(real.kubectl("get", "nodes", "-o", template).split())


def filters(real: Real) -> str:
    """The tc programs of a worker's own device."""
    return real.on_node(f"{NAME}-worker", "tc filter show dev eth0 ingress; tc filter show dev eth0 egress")


def image_of(real: Real) -> str:
    """The image of the probes, which is on every node."""
    path = "jsonpath={.spec.template.spec.containers[0].image}"
    return real.kubectl(*PROBES, "daemonset", "probe", "-o", path)
