"""The main job on a real Kind cluster, in the order a user would live through it. Each test goes on from the last.

What is asserted of the network is measured by the program on the wire, and looked at here from outside once more.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from e2e.conftest import NAME, ROOT, Real, run
from steps.residue import Owner, render, residue

pytestmark = pytest.mark.e2e
POD_SUBNET = "10.244.0.0/16"
PROBES = ("get", "-n", "cni-migration")
STATIC_FILE = "/etc/kubernetes/manifests/e2e-static.yaml"
STATIC_POD = f"static-{NAME}-worker"
STATIC = """
apiVersion: v1
kind: Pod
metadata: {name: static, namespace: default}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: main, image: "%s", imagePullPolicy: IfNotPresent, command: [python3, -m, http.server, "8000"]}]
"""
POLICY = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: mine, namespace: default}
spec: {endpointSelector: {matchLabels: {app: nobody}}, ingress: [{}]}
"""
CLEAN = (ROOT / "steps" / "on_node" / "clean.sh").read_text()


def leftovers(real: Real, node: str, owner: Literal["flannel", "cilium"]) -> list[str]:
    """What the clean-up's own table still finds on a node of what `owner` leaves there."""
    # Not the runtime's: the CNI that runs now has its results there as well.
    owners: tuple[Owner, ...] = ("flannel", "kube-proxy") if owner == "flannel" else ("cilium",)
    rows = residue(POD_SUBNET, (*owners, "rolling"))
    return real.on_node(node, "export MODE=list\n" + CLEAN, stdin=render(rows)).splitlines()


def verdict(real: Real, stack: str) -> dict[str, Any]:
    real.kubeconfig.write_text(run("kind", "get", "kubeconfig", "--name", NAME))
    return real.stacks[stack].outputs()["verification"]


def assert_vxlan(result: dict[str, Any]) -> None:
    assert (result["ok"], result["cni"], result["encapsulation"]) == (True, "flannel", "vxlan"), result
    assert (result["icmpWireBytes"], result["overheadBytes"]) == (134, 50), "VXLAN is 50 bytes a packet"
    assert result["services"] and result["dns"] and len(result["pairs"]) == 6
    assert result["kubeProxyReplacement"] is False


def assert_native(result: dict[str, Any]) -> None:
    assert (result["ok"], result["cni"], result["encapsulation"]) == (True, "cilium", "none"), result
    assert (result["icmpWireBytes"], result["overheadBytes"]) == (84, 0), "native routing adds nothing"
    assert result["routing"] == "native" and result["kubeProxyReplacement"] is True
    assert result["services"] and result["dns"] and len(result["pairs"]) == 6
    assert all(pair["packets"] >= 5 for pair in result["pairs"]), "a pair was not measured"


def eventually(look: Callable[[], str], seconds: float = 180) -> str:
    """What `look` returns once it does not fail; its last failure when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return look()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        time.sleep(1)  # between two looks, not in place of a condition


def filters(real: Real) -> str:
    return real.on_node(f"{NAME}-worker", "tc filter show dev eth0 ingress; tc filter show dev eth0 egress")


def owners(real: Real) -> set[str]:
    template = r"jsonpath={range .items[*]}{.metadata.labels.cni-owner}{'\n'}{end}"
    return set(real.kubectl("get", "nodes", "-o", template).split())


def test_a_preview_without_a_cluster_lists_the_plan_and_makes_nothing(real: Real) -> None:
    plan = [step for step in real.stacks["flannel"].preview_steps() if step.op == "create"]
    assert len(plan) > 25, "the reviewer would not see what is going to be made"
    assert run("docker", "ps", "-aq", "--filter", f"label=io.x-k8s.kind.cluster={NAME}") == ""


def test_flannel_comes_up_with_vxlan_on_the_wire(real: Real) -> None:
    real.stacks["flannel"].up()
    assert_vxlan(verdict(real, "flannel"))
    assert "flannel.1" in real.on_node(f"{NAME}-worker", "ip -brief link"), "the verdict is of something else"
    real.stacks["flannel"].preview("--expect-no-changes")


def test_the_other_stack_moves_the_cluster_to_native_routing_and_replaces_every_pod(real: Real) -> None:
    image = real.kubectl(*PROBES, "daemonset", "probe", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
    real.kubectl("run", "bare", f"--image={image}", "--restart=Never", "--command", "--", "sleep", "9999")
    real.kubectl("wait", "pod/bare", "--for=condition=Ready", "--timeout=60s")
    before = real.kubectl("get", "pod", "bare", "-o", "jsonpath={.metadata.uid}")
    # A debugged Pod cannot be created as it is, and a static one is no object of the API's: its kubelet makes it.
    real.kubectl("debug", "bare", f"--image={image}", "--target=bare", "--", "sleep", "9999")
    real.on_node(f"{NAME}-worker", f"cat >{STATIC_FILE}", stdin=STATIC % image)
    eventually(lambda: real.kubectl("wait", f"pod/{STATIC_POD}", "--for=condition=Ready", "--timeout=5s"))
    # Residue of an earlier life on a node, that no object in the cluster knows of.
    real.on_node(
        f"{NAME}-worker",
        """
        iptables-legacy -t nat -N FLANNEL-POSTRTG; iptables-legacy -t nat -A POSTROUTING -j FLANNEL-POSTRTG
        iptables-nft -t nat -N CNI-deadbeef; iptables-nft -t nat -A POSTROUTING -s 10.244.9.9 -j CNI-deadbeef
        ip link add vethdead type veth peer name vethdeae; ip link set vethdead master cni0
        mkdir -p /var/lib/cni/networks/cbr0; touch /var/lib/cni/networks/cbr0/10.244.9.9
        touch /etc/cni/net.d/10-flannel.conflist.cilium_bak
        """,
    )
    # Filters instead of tcx links, as on kernels before 6.6: no pin holds them, so the way back must remove them.
    real.stacks["cilium"].set_config("cni-migration:cilium.values.bpf.enableTCX", "false", "--path")
    real.stacks["cilium"].up()
    assert_native(verdict(real, "cilium"))
    assert "cil_" in filters(real), "the test of the way back would find nothing to remove"
    for node in real.nodes():
        assert leftovers(real, node, "flannel") == [], f"{node} still has Flannel's; the article's author lost a day"
    assert owners(real) == {"cilium"}
    assert real.kubectl("get", "daemonsets", "-A", "-l", "app=flannel", "-o", "name") == ""
    assert real.kubectl("get", "pod", "bare", "-o", "jsonpath={.metadata.uid}") != before, "a Pod kept a dead network"
    real.kubectl("wait", "pod/bare", "--for=condition=Ready", "--timeout=60s")
    assert real.kubectl("get", "secrets", "-n", "kube-system", "-l", "cni-migration/kept", "-o", "name") == ""
    address = real.kubectl("get", "pod", STATIC_POD, "-o", "jsonpath={.status.podIP}")
    answer = real.on_node(f"{NAME}-worker2", f"timeout 5 bash -c 'exec 3<>/dev/tcp/{address}/8000' && echo it answers")
    assert answer.strip() == "it answers", "a static Pod is Running, Ready, and dead"
    real.on_node(f"{NAME}-worker", f"rm {STATIC_FILE}")
    real.stacks["cilium"].preview("--expect-no-changes")


@pytest.mark.parametrize("what", ["daemonset/cilium", "crd/ciliumnodes.cilium.io"])
def test_the_running_cni_cannot_be_deleted_while_no_migration_is_under_way(real: Real, what: str) -> None:
    command = ["kubectl", "--kubeconfig", str(real.kubeconfig), "delete", "-n", "kube-system", what, "--wait=false"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode != 0 and "no migration is under way" in refused.stderr, "the network would be gone"
    real.kubectl("apply", "-f", "-", stdin=POLICY)  # it goes with Cilium, and is back when Cilium is


def test_dockers_own_dns_chains_survive_the_clean_up(real: Real) -> None:
    chains = real.on_node(f"{NAME}-worker", "iptables-save -t nat; iptables-legacy-save -t nat")
    assert "DOCKER_OUTPUT" in chains, "a flush would have cut the node off from names"


def test_the_stack_that_lost_the_cluster_can_be_destroyed_without_touching_it(real: Real) -> None:
    flannel = real.stacks["flannel"]
    saved = flannel.export()
    done = flannel.destroy()
    assert "owned by stack cilium" in done.stdout + done.stderr
    assert real.kubectl("get", "daemonset", "cilium", "-n", "kube-system", "-o", "name").strip(), "Cilium is gone"
    real.stacks["cilium"].preview("--expect-no-changes")
    backup = Path(flannel.backend).parent / "flannel.json"
    backup.write_text(json.dumps(saved))
    flannel.run("stack", "import", "--stack", "flannel", "--file", str(backup))


def test_a_stack_with_a_stale_state_takes_the_cluster_back_to_flannel(real: Real) -> None:
    changed = {step.name for step in real.stacks["flannel"].preview_steps() if step.op not in ("same", "refresh")}
    assert {"migration-gate", "flannel-daemonset"} <= changed, "the preview hides what the up will do"
    real.stacks["flannel"].up()
    assert_vxlan(verdict(real, "flannel"))
    for node in real.nodes():
        assert leftovers(real, node, "cilium") == [], f"{node} still has Cilium's"
        assert "cilium" not in real.on_node(node, "ls /etc/sysctl.d /etc/cni/net.d /opt/cni/bin")
    assert "cil_" not in filters(real), "Cilium's programs still see every packet of eth0"
    assert "cilium.io" not in real.kubectl("get", "crd", "-o", "name"), "CiliumNodes would keep old podCIDRs"
    assert owners(real) == {"flannel"}
    real.stacks["flannel"].preview("--expect-no-changes")


def test_a_preflight_that_fails_leaves_the_old_cni_also_where_the_engine_is_told_to_go_on(real: Real) -> None:
    flannel = real.stacks["flannel"]
    flannel.set_config("cni-migration:cni", "cilium")
    flannel.set_config("cni-migration:images.probe", "nowhere.invalid/probe:1", "--path")
    failed = flannel.up("--continue-on-error", check=False)
    text = failed.stdout + failed.stderr
    assert failed.returncode != 0
    assert "the image nowhere.invalid/probe:1 is not there and cannot be pulled" in text, text[-3000:]
    assert "integrity" not in text and "panic" not in text, "the state could not be read any more"
    flannel.run("config", "rm", "--stack", "flannel", "--path", "cni-migration:images.probe")
    flannel.set_config("cni-migration:cni", "flannel")
    # What the engine had deleted would be to be made again. The component is there without anything in it.
    changed = {step.name for step in flannel.preview_steps() if step.op not in ("same", "refresh")}
    assert changed <= {"cilium"}, f"a part of the old CNI has gone: {changed}"
    ready = "jsonpath={.status.numberReady}"
    left = real.kubectl("get", "daemonset", "kube-flannel-ds", "-n", "kube-flannel", "-o", ready)
    assert left == "3", "the network would be gone behind a preflight that has failed"


def test_a_cluster_left_on_vxlan_while_native_is_asked_for_fails_the_up(real: Real) -> None:
    flannel = real.stacks["flannel"]
    flannel.set_config("cni-migration:cni", "cilium")
    tunnel = {"routingMode": "tunnel", "tunnelProtocol": "vxlan", "autoDirectNodeRoutes": False}
    for key, value in tunnel.items():
        flannel.set_config(f"cni-migration:cilium.values.{key}", json.dumps(value).strip('"'), "--path")
    failed = flannel.up(check=False)
    text = failed.stdout + failed.stderr
    assert failed.returncode != 0, "up said done on the network it was to replace"
    assert "encapsulation none expected, vxlan found" in text, text[-3000:]


def test_the_same_stack_ends_on_native_routing_once_the_override_is_gone(real: Real) -> None:
    flannel = real.stacks["flannel"]
    flannel.run("config", "rm", "--stack", "flannel", "cni-migration:cilium")
    flannel.up()
    assert_native(verdict(real, "flannel"))
    policy = real.kubectl("get", "ciliumnetworkpolicies.cilium.io", "-A", "-o", "name")
    assert policy.strip() == "ciliumnetworkpolicy.cilium.io/mine", "a user's policy went with the CNI that enforced it"
    flannel.preview("--expect-no-changes")


def test_a_restarted_node_serves_again_and_nothing_is_to_change(real: Real) -> None:
    node = f"{NAME}-worker2"
    run("docker", "restart", node)
    api = real.kubectl("get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIP}").strip()
    probe = real.kubectl(
        *PROBES, "pods", "-l", "app=probe-host", "-o", "name", f"--field-selector=spec.nodeName={node}"
    ).strip()

    def api_answers() -> str:
        answer = real.kubectl("exec", "-n", "cni-migration", probe, "--", "curl", "-sk", f"https://{api}/readyz")
        assert answer == "ok", f"the ClusterIP of the API is dead on the restarted node (cilium#27900): {answer!r}"
        return answer

    # The node counts as Ready until its lease runs out, so its kubelet's own answer is what to wait for.
    eventually(api_answers)
    # A DaemonSet with a Pod that is not ready yet is a change to Pulumi, and rightly so.
    for name in ("probe", "probe-host"):
        real.kubectl("rollout", "status", "-n", "cni-migration", f"daemonset/{name}", "--timeout=180s")
    real.stacks["flannel"].preview("--expect-no-changes")


def test_the_owner_s_destroy_deletes_the_cluster(real: Real) -> None:
    real.stacks["flannel"].destroy()
    assert NAME not in run("kind", "get", "clusters").split()


def test_a_stack_whose_cluster_is_gone_plans_a_new_one_and_can_be_destroyed(real: Real) -> None:
    cilium = real.stacks["cilium"]
    plan = {step.name: step.op for step in cilium.preview_steps()}
    assert plan["cilium-release"] == "create", f"the state of a cluster that is gone is in the way: {plan}"
    done = cilium.destroy()
    assert "is gone already" in done.stdout + done.stderr
    assert cilium.resources() == {}, "the state would have to be edited by hand"
