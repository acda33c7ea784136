"""The strategy `recreate` inside one stack: it stops before anything is gone, finishes what `rolling` has begun, and is
not done while packets are encapsulated. Then what becomes of a node that is started again, and the end of the cluster.
"""

from __future__ import annotations

import json

import pytest

from e2e.network import KEPT, POLICY, PROBES, assert_native, eventually, killed, leftovers, verdict
from e2e.real import NAME, Real, run
from e2e.test_rolling import assert_moved

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def flannel(real: Real) -> Real:
    """Stack flannel has the cluster, with Flannel, and a CiliumNetworkPolicy of a user's is kept, since Cilium went."""
    stack, other = real.stacks["flannel"], real.stacks["cilium"]
    for each in (stack, other):
        each.set_config("migration:strategy", "recreate")
        each.set_config("cni-migration:cni", each.name)
        for key in ("migration:budget", "migration:allowUnenforcedPolicies", "cni-migration:cilium"):
            each.run("config", "rm", "--stack", each.name, key)
    stack.up()
    real.connect()
    if not real.kubectl(*KEPT):
        other.up()
        real.kubectl("apply", "-f", "-", stdin=POLICY)
        stack.up()
    return real


def test_a_preflight_that_fails_leaves_the_old_cni_also_where_the_engine_is_told_to_go_on(flannel: Real) -> None:
    stack = flannel.stacks["flannel"]
    stack.set_config("cni-migration:cni", "cilium")
    stack.set_config("cni-migration:images.probe", "nowhere.invalid/probe:1", "--path")
    failed = stack.up("--continue-on-error", check=False)
    text = failed.stdout + failed.stderr
    assert failed.returncode != 0
    assert "the image nowhere.invalid/probe:1 is not there and cannot be pulled" in text, text[-3000:]
    assert "integrity" not in text and "panic" not in text, "the state could not be read any more"
    stack.run("config", "rm", "--stack", "flannel", "--path", "cni-migration:images.probe")
    stack.set_config("cni-migration:cni", "flannel")
    # What the engine had deleted would be to be made again. The components are there without anything in them.
    changed = {step.name for step in stack.preview_steps() if step.op not in ("same", "refresh")}
    assert changed <= {"cilium", "migration-cleanup"}, f"a part of the old CNI has gone: {changed}"
    ready = "jsonpath={.status.numberReady}"
    left = flannel.kubectl("get", "daemonset", "kube-flannel-ds", "-n", "kube-flannel", "-o", ready)
    assert left == "3", "the network would be gone behind a preflight that has failed"


def test_a_half_done_rolling_migration_is_finished_by_recreate(flannel: Real) -> None:
    stack = flannel.stacks["flannel"]
    stack.set_config("migration:strategy", "rolling")
    stack.set_config("cni-migration:cni", "cilium")
    killed(flannel, "flannel", f"{NAME}-worker", "cilium")
    stack.set_config("migration:strategy", "recreate")
    stack.up()
    assert_native(verdict(flannel, "flannel"))
    assert_moved(flannel, "cilium")
    for node in flannel.nodes():
        assert leftovers(flannel, node, "flannel") == [], f"{node} still has Flannel's"
    policy = flannel.kubectl("get", "ciliumnetworkpolicies.cilium.io", "-A", "-o", "name")
    assert policy.strip() == "ciliumnetworkpolicy.cilium.io/mine", "a user's policy went with the CNI that enforced it"
    assert flannel.kubectl(*KEPT) == "", "the next way back would find one that has been made again"
    stack.preview("--expect-no-changes")


def test_a_cluster_put_on_vxlan_while_native_is_asked_for_fails_the_up(flannel: Real) -> None:
    stack = flannel.stacks["flannel"]
    tunnel = {"routingMode": "tunnel", "tunnelProtocol": "vxlan", "autoDirectNodeRoutes": False}
    for key, value in tunnel.items():
        stack.set_config(f"cni-migration:cilium.values.{key}", json.dumps(value).strip('"'), "--path")
    failed = stack.up(check=False)
    text = failed.stdout + failed.stderr
    assert failed.returncode != 0, "up said done on the network it was to replace"
    assert "encapsulation none expected, vxlan found" in text, text[-3000:]


def test_the_same_stack_ends_on_native_routing_once_the_override_is_gone(flannel: Real) -> None:
    stack = flannel.stacks["flannel"]
    stack.run("config", "rm", "--stack", "flannel", "cni-migration:cilium")
    stack.up()
    assert_native(verdict(flannel, "flannel"))
    stack.preview("--expect-no-changes")


def test_a_restarted_node_serves_again_and_nothing_is_to_change(flannel: Real) -> None:
    node = f"{NAME}-worker2"
    run("docker", "restart", node)
    api = flannel.kubectl("get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIP}").strip()
    probe = flannel.kubectl(
        *PROBES, "pods", "-l", "app=probe-host", "-o", "name", f"--field-selector=spec.nodeName={node}"
    ).strip()

    def api_answers() -> str:
        answer = flannel.kubectl(
            "exec", "-n", "cni-migration", probe, "--", "curl", "-sk", "--max-time", "5", f"https://{api}/readyz"
        )
        assert answer == "ok", f"the ClusterIP of the API is dead on the restarted node (cilium#27900): {answer!r}"
        return answer

    # The node counts as Ready until its lease runs out, so its kubelet's own answer is what to wait for.
    eventually(api_answers)
    # A DaemonSet with a Pod that is not ready yet is a change to Pulumi, and rightly so.
    for name in ("probe", "probe-host"):
        flannel.kubectl("rollout", "status", "-n", "cni-migration", f"daemonset/{name}", "--timeout=180s")
    flannel.stacks["flannel"].preview("--expect-no-changes")


def test_the_owner_s_destroy_deletes_the_cluster(flannel: Real) -> None:
    flannel.stacks["flannel"].destroy()
    assert NAME not in run("kind", "get", "clusters").split()


def test_a_stack_whose_cluster_is_gone_plans_a_new_one_and_can_be_destroyed(flannel: Real) -> None:
    cilium = flannel.stacks["cilium"]
    plan = {step.name: step.op for step in cilium.preview_steps()}
    assert plan["cilium-release"] == "create", f"the state of a cluster that is gone is in the way: {plan}"
    done = cilium.destroy()
    assert "is gone already" in done.stdout + done.stderr
    assert cilium.resources() == {}, "the state would have to be edited by hand"
