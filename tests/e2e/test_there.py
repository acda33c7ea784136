"""The way to Cilium as a commit's: a branch and its comment, the merge and the apply, and what is on the nodes and in
the API behind it. The stages are the scripts that the workflows call.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from e2e.forge import Forge
from e2e.network import (
    STATIC,
    STATIC_FILE,
    assert_native,
    assert_vxlan,
    eventually,
    filters,
    image_of,
    leftovers,
    owners,
    verdict,
)
from e2e.real import NAME, Real

pytestmark = pytest.mark.e2e
STATIC_POD = f"static-{NAME}-worker"


def test_flannel_comes_up_with_vxlan_on_the_wire(real: Real, forge: Forge) -> None:
    assert forge.marker()["stack"] == "flannel", "another stack than main's has the cluster"
    assert_vxlan(verdict(real, "flannel"))
    assert "flannel.1" in real.on_node(f"{NAME}-worker", "ip -brief link"), "the verdict is of something else"
    real.stacks["flannel"].preview("--expect-no-changes")


def test_a_branch_says_in_its_comment_what_it_will_do_and_does_nothing(forge: Forge) -> None:
    before = forge.marker()
    forge.git("switch", "--quiet", "--create", "cilium-s-turn")
    (forge.clone / "pipeline" / "stack.txt").write_text("cilium\n")
    forge.git("commit", "--quiet", "--all", "--message=The cluster is stack cilium's")
    forge.git("push", "--quiet", "origin", "cilium-s-turn")
    branch = forge.checkout("cilium-s-turn")
    forge.well(branch, "check")
    out = forge.home / "preview"
    # It gives a cluster seconds to answer, so that a reviewer does not wait for one that is gone.
    eventually(lambda: forge.well(branch, "preview", "cilium", "--out", str(out)))
    forge.well(branch, "policy", "cilium")
    comment = (out / "cilium.md").read_text()
    assert len(comment.encode()) <= 60_000, "the forge would refuse it"
    assert "<!--" in comment, "each push would add a comment"
    for said in (NAME, "flannel", "cilium", "recreate"):
        assert said in comment, f"the reviewer would not read whose cluster it takes, and how: {said}"
    assert forge.marker() == before, "a pull request has changed the cluster"


@pytest.fixture(scope="module")
def bare(forge: Forge) -> Iterator[str]:
    """The uid of a bare Pod, which is debugged. With it are there: a static one, and residue on a node."""
    real = forge.real
    image = image_of(real)
    real.kubectl("run", "bare", f"--image={image}", "--restart=Never", "--command", "--", "sleep", "9999")
    real.kubectl("wait", "pod/bare", "--for=condition=Ready", "--timeout=60s")
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
    yield real.kubectl("get", "pod", "bare", "-o", "jsonpath={.metadata.uid}")
    real.on_node(f"{NAME}-worker", f"rm -f {STATIC_FILE}")
    # A drain would be refused for it.
    real.kubectl("delete", "pod", "bare", "--ignore-not-found")


def test_the_merge_is_applied_and_verified_with_a_copy_of_the_state_from_before(forge: Forge, bare: str) -> None:
    forge.git("switch", "--quiet", "main")
    forge.git("merge", "--quiet", "--no-ff", "--message=Merge: cilium's turn", "cilium-s-turn")
    forge.git("push", "--quiet", "origin", "main")
    main = forge.checkout("main")
    stack = (main / "pipeline" / "stack.txt").read_text().strip()
    said = forge.well(main, "apply", stack, "--rollback")
    assert "verify: stack cilium is as it promises" in said, said[-3000:]
    marker = forge.marker()
    assert (marker["stack"], marker["phase"], marker["previous"]) == ("cilium", "ready", "flannel flannel")
    [note] = (forge.home / "copies").glob("cilium-*.before.json")
    assert json.loads(note.read_text())["owner"] == {"stack": "flannel", "cni": "flannel"}
    assert note.with_name(note.name.replace(".before", "")).stat().st_size > 0, "there is no state to go back to"


def test_the_cluster_has_native_routing_nothing_of_flannel_and_every_pod_anew(real: Real, bare: str) -> None:
    assert_native(verdict(real, "cilium"))
    assert "cil_" in filters(real), "the test of the way back would find nothing to remove"
    for node in real.nodes():
        assert leftovers(real, node, "flannel") == [], f"{node} still has Flannel's; the article's author lost a day"
    assert owners(real) == {"cilium"}
    assert real.kubectl("get", "daemonsets", "-A", "-l", "app=flannel", "-o", "name") == ""
    assert real.kubectl("get", "pod", "bare", "-o", "jsonpath={.metadata.uid}") != bare, "a Pod kept a dead network"
    real.kubectl("wait", "pod/bare", "--for=condition=Ready", "--timeout=60s")
    address = real.kubectl("get", "pod", STATIC_POD, "-o", "jsonpath={.status.podIP}")
    answer = real.on_node(f"{NAME}-worker2", f"timeout 5 bash -c 'exec 3<>/dev/tcp/{address}/8000' && echo it answers")
    assert answer.strip() == "it answers", "a static Pod is Running, Ready, and dead"
    real.stacks["cilium"].preview("--expect-no-changes")


@pytest.mark.parametrize("what", ["daemonset/cilium", "crd/ciliumnodes.cilium.io"])
def test_the_running_cni_cannot_be_deleted_while_no_migration_is_under_way(real: Real, what: str) -> None:
    command = ["kubectl", "--kubeconfig", str(real.kubeconfig), "delete", "-n", "kube-system", what, "--wait=false"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode != 0 and "no migration is under way" in refused.stderr, "the network would be gone"


def test_dockers_own_dns_chains_survive_the_clean_up(real: Real) -> None:
    chains = real.on_node(f"{NAME}-worker", "iptables-save -t nat; iptables-legacy-save -t nat")
    assert "DOCKER_OUTPUT" in chains, "a flush would have cut the node off from names"
