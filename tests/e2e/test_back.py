"""The way back as a pipeline does it: a drift is found, and one command brings back the stack that had the cluster
before, whose state is stale by now. Meanwhile that stack cannot harm what is not its own.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2e.forge import Forge
from e2e.network import KEPT, POLICY, assert_vxlan, eventually, filters, leftovers, owners, verdict
from e2e.real import Real, has_cilium

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def applied(forge: Forge) -> Forge:
    """Main says that it is stack cilium's turn, and it has been applied."""
    if not has_cilium(forge.real):
        (forge.clone / "pipeline" / "stack.txt").write_text("cilium\n")
        forge.git("commit", "--quiet", "--all", "--allow-empty", "--message=The cluster is stack cilium's")
        forge.git("push", "--quiet", "origin", "main")
        forge.well(forge.checkout("main"), "apply", "cilium")
    return forge


def test_the_stack_that_lost_the_cluster_can_be_destroyed_without_touching_it(applied: Forge) -> None:
    real = applied.real
    flannel = real.stacks["flannel"]
    saved = flannel.export()
    done = flannel.destroy()
    assert "owned by stack cilium" in done.stdout + done.stderr
    assert real.kubectl("get", "daemonset", "cilium", "-n", "kube-system", "-o", "name").strip(), "Cilium is gone"
    real.stacks["cilium"].preview("--expect-no-changes")
    backup = Path(flannel.backend).parent / "flannel.json"
    backup.write_text(json.dumps(saved))
    flannel.run("stack", "import", "--stack", "flannel", "--file", str(backup))


def test_a_drift_is_found_where_there_was_none(applied: Forge) -> None:
    main = applied.checkout("main")
    # A question may go unanswered on a busy machine.
    eventually(lambda: applied.well(main, "drift", "cilium"))
    applied.real.kubectl("delete", "validatingadmissionpolicybinding", "cni-migration-bolt")

    def found() -> None:
        told = applied.stage(main, "drift", "cilium")
        said = told.stdout + told.stderr
        assert told.returncode == 2, f"exit {told.returncode}: {said}"
        assert "cni-migration-bolt" in said, "nobody would know what to mend"

    eventually(found)


def test_the_preview_of_a_stale_state_shows_the_way_back(applied: Forge) -> None:
    stale = applied.real.stacks["flannel"]
    changed = {step.name for step in stale.preview_steps() if step.op not in ("same", "refresh")}
    assert {"migration-gate", "flannel-daemonset"} <= changed, "the preview hides what the up will do"


def test_one_command_brings_back_who_had_the_cluster_and_says_so(applied: Forge) -> None:
    applied.real.kubectl("apply", "-f", "-", stdin=POLICY)
    main = applied.checkout("main")
    said = applied.well(main, "rollback")
    assert "stack flannel has the cluster back, with flannel, and has verified it" in said, said[-3000:]
    marker = applied.marker()
    assert (marker["stack"], marker["cni"], marker["phase"]) == ("flannel", "flannel", "ready")
    assert "does not own the cluster" in applied.well(main, "rollback"), "a second one would move it there again"


def test_the_cluster_has_vxlan_again_and_nothing_of_cilium(real: Real, applied: Forge) -> None:
    assert applied.marker()["stack"] == "flannel", "the last test has failed"
    assert_vxlan(verdict(real, "flannel"))
    for node in real.nodes():
        assert leftovers(real, node, "cilium") == [], f"{node} still has Cilium's"
        assert "cilium" not in real.on_node(node, "ls /etc/sysctl.d /etc/cni/net.d /opt/cni/bin")
    assert "cil_" not in filters(real), "Cilium's programs still see every packet of eth0"
    assert "cilium.io" not in real.kubectl("get", "crd", "-o", "name"), "CiliumNodes would keep old podCIDRs"
    assert owners(real) == {"flannel"}
    kept = real.kubectl(*KEPT).split()
    assert len(kept) == 1, f"a user's policy went with the CNI, or what is Cilium's own would come back: {kept}"
    real.kubectl("delete", "-n", "kube-system", *kept)
    real.stacks["flannel"].preview("--expect-no-changes")
