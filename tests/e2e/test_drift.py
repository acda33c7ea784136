"""Drift on the real cluster: nothing is found where nothing was done, and what a hand has done is found, all at once,
each with its place and a remedy; undone, nothing is found again. The state is the same bytes throughout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.network import assert_native, eventually, verdict
from e2e.real import NAME, ROOT, Real, run, with_cilium

pytestmark = pytest.mark.e2e
WORKER, WORKER2 = f"{NAME}-worker", f"{NAME}-worker2"
SYSTEM = "--namespace=kube-system"
BOLT = "validatingadmissionpolicybinding/cni-migration-bolt"
CRD = "customresourcedefinition/ciliuml2announcementpolicies.cilium.io"
PROXY = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: kube-proxy, namespace: kube-system}
spec:
  selector: {matchLabels: {app: back}}
  template:
    metadata: {labels: {app: back}}
    spec: {nodeSelector: {nowhere: "true"}, containers: [{name: kube-proxy, image: "x:1"}]}
"""
STRANGER = """
apiVersion: v1
kind: Node
metadata: {name: stranger}
spec: {unschedulable: true}
"""
# What a hand does on a node, and how it is undone.
ON_WORKER = {
    'echo \'{"cniVersion":"0.3.1","name":"cbr0","plugins":[]}\' >/etc/cni/net.d/10-flannel.conflist': (
        "rm -f /etc/cni/net.d/10-flannel.conflist*"
    ),
    "ip link add cni0 type bridge": "ip link delete dev cni0",
    "ip route add 10.244.77.0/24 via $(ip -4 route show default | cut -d' ' -f3)": "ip route delete 10.244.77.0/24",
    "ip rule add priority 30000 to 10.244.0.0/16 lookup 244": "ip rule delete priority 30000",
    "iptables-nft -t nat -N FLANNEL-POSTRTG": "iptables-nft -t nat -X FLANNEL-POSTRTG",
    "mkdir /run/flannel": "rmdir /run/flannel",
    "sysctl -qw net.ipv4.conf.all.rp_filter=1": "sysctl -qw net.ipv4.conf.all.rp_filter=0",
    "mv /opt/cni/bin/cilium-cni /opt/cni/bin/away": "mv /opt/cni/bin/away /opt/cni/bin/cilium-cni",
}
# KIND, place, words of the sentence, words of the remedy.
PLANTED = [
    ("conflist", WORKER, "10-flannel.conflist", WORKER),
    ("link", WORKER, "cni0", "steps/on_node/clean.sh"),
    ("route", WORKER, "10.244.77.0/24", "ip route delete 10.244.77.0/24"),
    ("rule", WORKER, "lookup 244", "steps/on_node/clean.sh"),
    ("chains", WORKER, "FLANNEL-POSTRTG", "steps/on_node/clean.sh"),
    ("file", WORKER, "/run/flannel", "steps/on_node/clean.sh"),
    ("sysctl", WORKER, "all.rp_filter is 1", "sysctl --write"),
    ("missing", WORKER, "/opt/cni/bin/cilium-cni", f"spec.nodeName={WORKER}"),
    ("pod", WORKER, "not reached from its own node", "delete pod"),
    ("label", WORKER2, "cni-services is somebody", f"label node {WORKER2} cni-services=cilium"),
    ("cordon", WORKER2, "cordoned by a move", f"kubectl uncordon {WORKER2}"),
    ("node", "stranger", "the settings name no such node", "kubectl delete node stranger"),
    ("marker", "configmap kube-system/cni-migration", "its epoch is 99", "patch configmap cni-migration"),
    ("image", "daemonset kube-system/cilium", "cilium-agent has the image planted:1", "get manifest cilium"),
    ("helm-value", "release kube-system/cilium", "planted is by-hand", "rollback cilium"),
    ("config", "configmap kube-system/cilium-config", "routing-mode is tunnel", "get manifest cilium"),
    ("hubble", "configmap kube-system/cilium-config", "enable-hubble is not true", "get manifest cilium"),
    ("agent-config", WORKER, "routing-mode", "rollout restart daemonset/cilium"),
    ("kube-proxy", "daemonset kube-system/kube-proxy", "kube-proxy is back", "delete daemonset kube-proxy"),
    ("crd", "ciliuml2announcementpolicies.cilium.io", "it is gone", "restart deployment/cilium-operator"),
    ("bolt", "validatingadmissionpolicybinding", "it is gone", "python -m steps.settle"),
    ("keeper", "daemonset kube-system/cilium", "kept by Argo CD", "end the synchronisation"),
    ("resource", "probes-pod", "another than the stack made it", "pulumi up"),
]


def drift(real: Real, folder: Path) -> tuple[int, dict[str, Any], str]:
    """The exit code, the JSON and the text of pipeline/drift.sh."""
    stack, report = real.stacks["cilium"], folder / "report.json"
    command = [str(stack.program / "pipeline" / "drift.sh"), "cilium", "--json", str(report)]
    report.unlink(missing_ok=True)
    try:
        done = subprocess.run(command, env=stack.environ(), capture_output=True, text=True, check=False, timeout=120)
    except subprocess.TimeoutExpired as error:
        raise AssertionError(f"a look for drift does not end: {error}") from error
    text = done.stdout + done.stderr
    assert report.exists(), f"exit {done.returncode}, and no report: {text}"
    return done.returncode, json.loads(report.read_text()), text


def assert_clean(real: Real, folder: Path) -> str:
    code, report, text = drift(real, folder)
    assert (code, report["findings"], report["unasked"]) == (0, [], []), f"an alarm for nothing: {text}"
    return text


def helm(real: Real, *args: str) -> None:
    run("helm", "--kubeconfig", str(real.kubeconfig), SYSTEM, *args)


def chart() -> list[str]:
    """The chart as the settings name it."""
    file = os.environ.get("CNI_MIGRATION_SITE")
    site: dict[str, Any] = yaml.safe_load(Path(file).read_text()) if file else {}
    given = site.get("cilium", {}).get("chart")
    return [given] if given else ["cilium", "--repo=https://helm.cilium.io", "--version=1.19.4"]


def bare(item: dict[str, Any]) -> str:
    """An object as it can be created again."""
    metadata = {key: item["metadata"][key] for key in ("name", "labels", "annotations") if key in item["metadata"]}
    return json.dumps({**{key: item[key] for key in ("apiVersion", "kind", "spec")}, "metadata": metadata})


def patch(real: Real, what: str, change: dict[str, Any], *where: str) -> None:
    real.kubectl("patch", what, *(where or (SYSTEM,)), "--type=strategic", f"--patch={json.dumps(change)}")


def agent(image: str, strategy: dict[str, Any]) -> dict[str, Any]:
    """A patch of the agents' image. With OnDelete none of them is started again for it."""
    containers = [{"name": "cilium-agent", "image": image}]
    return {"spec": {"updateStrategy": strategy, "template": {"spec": {"containers": containers}}}}


def config(routing: str, hubble: str) -> dict[str, Any]:
    return {"data": {"routing-mode": routing, "enable-hubble": hubble}}


@pytest.fixture(scope="module")
def cluster(real: Real) -> Iterator[Real]:
    """The cluster with Cilium as stack cilium has brought it; where these tests run alone, they make it and end it."""
    made = with_cilium(real)
    assert_native(verdict(real, "cilium"))
    yield real
    if made:
        real.stacks["cilium"].destroy()


@pytest.fixture
def hand(cluster: Real) -> Iterator[Real]:
    """Everything is planted at once, and undone at the end, whatever the test finds."""
    undo: list[Callable[[], object]] = []
    try:
        _plant_objects(cluster, undo)
        _plant_on_nodes(cluster, undo)
        yield cluster
    finally:
        failed: list[str] = []
        for back in reversed(undo):
            try:
                back()
            except AssertionError as error:
                failed.append(str(error))
        assert not failed, f"not undone: {failed}"


def _plant_objects(real: Real, undo: list[Callable[[], object]]) -> None:
    kubectl = real.kubectl
    now = json.loads(kubectl("get", "configmap", "cni-migration", SYSTEM, "-o", "json"))["data"]
    image = json.loads(kubectl("get", "daemonset", "cilium", SYSTEM, "-o", "json"))["spec"]
    crd = json.loads(kubectl("get", CRD, "-o", "json"))
    rolling, first = image["updateStrategy"], image["template"]["spec"]["containers"][0]["image"]

    undo.append(lambda: settle(real, now))
    kubectl("delete", BOLT)
    undo.append(lambda: patch(real, "configmap/cni-migration", {"data": {"epoch": now["epoch"]}}))
    patch(real, "configmap/cni-migration", {"data": {"epoch": "99"}})
    # The API goes by a policy for a moment after its binding has gone.
    eventually(lambda: kubectl("delete", CRD))
    undo.append(lambda: kubectl("create", "-f", "-", stdin=bare(crd)))
    kubectl("create", "-f", "-", stdin=PROXY)
    undo.append(lambda: kubectl("delete", "daemonset", "kube-proxy", SYSTEM))
    helm(real, "upgrade", "cilium", *chart(), "--reuse-values", "--set", "planted=by-hand")
    undo.append(lambda: helm(real, "rollback", "cilium", "1"))
    undo.append(lambda: patch(real, "daemonset/cilium", agent(first, rolling)))
    patch(real, "daemonset/cilium", agent("planted:1", {"type": "OnDelete", "rollingUpdate": None}))
    undo.append(lambda: patch(real, "configmap/cilium-config", config("native", "true")))
    patch(real, "configmap/cilium-config", config("tunnel", "false"))
    undo.append(lambda: kubectl("annotate", "daemonset", "cilium", SYSTEM, "argocd.argoproj.io/tracking-id-"))
    kubectl("annotate", "daemonset", "cilium", SYSTEM, "argocd.argoproj.io/tracking-id=cilium:apps/DaemonSet")
    part_of = "app.kubernetes.io/part-of="
    label = ("label", "daemonset", "probe", "--namespace=cni-migration", "--overwrite")
    undo.append(lambda: kubectl(*label, f"{part_of}cni-migration"))
    kubectl(*label, f"{part_of}somebody")


def _plant_on_nodes(real: Real, undo: list[Callable[[], object]]) -> None:
    kubectl = real.kubectl
    undo.append(lambda: kubectl("label", "node", WORKER2, "cni-services=cilium", "--overwrite"))
    kubectl("label", "node", WORKER2, "cni-services=somebody", "--overwrite")
    undo.append(lambda: kubectl("uncordon", WORKER2))
    undo.append(lambda: kubectl("annotate", "node", WORKER2, "cni-migration/cordoned-"))
    kubectl("cordon", WORKER2)
    kubectl("annotate", "node", WORKER2, "cni-migration/cordoned=true")
    # Its Pods have no kubelet that would end them.
    force = ("--field-selector=spec.nodeName=stranger", "--force", "--grace-period=0")
    kubectl("create", "-f", "-", stdin=STRANGER)
    undo.append(lambda: kubectl("delete", "pods", "--all-namespaces", *force))
    undo.append(lambda: kubectl("delete", "node", "stranger"))
    for planted, back in ON_WORKER.items():
        real.on_node(WORKER, planted)
        undo.append(lambda back=back: real.on_node(WORKER, back))
    probe = ("get", "pods", "--namespace=cni-migration", "-l", "app=probe", f"--field-selector=spec.nodeName={WORKER}")
    address = kubectl(*probe, "-o", "jsonpath={.items[0].status.podIP}")
    real.on_node(WORKER, f"ip rule add priority 1 to {address} blackhole")
    undo.append(lambda: real.on_node(WORKER, "ip rule delete priority 1"))


def settle(real: Real, now: dict[str, str]) -> None:
    """The remedy of a bolt that is gone, as the report has it."""
    env = {**os.environ, "CLUSTER": NAME, "STACK": now["stack"], "EPOCH": now["epoch"]}
    done = subprocess.run(
        [sys.executable, "-m", "steps.settle"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def state(real: Real) -> dict[str, bytes]:
    """Every file of the stack's state, as bytes."""
    stacks = Path(real.stacks["cilium"].backend) / ".pulumi" / "stacks"
    files = {str(path.relative_to(stacks)): path.read_bytes() for path in stacks.rglob("*") if path.is_file()}
    assert files, "the state is not where this test looks for it"
    return files


def test_nothing_is_found_where_nothing_was_done_and_the_state_stays(cluster: Real, tmp_path: Path) -> None:
    before = state(cluster)
    # A question may go unanswered on a busy machine.
    eventually(lambda: assert_clean(cluster, tmp_path))
    assert state(cluster) == before, "who looks for drift has changed the state"


def test_what_a_hand_has_done_is_found_with_its_place_and_a_remedy(hand: Real, tmp_path: Path) -> None:
    before = state(hand)

    def asked() -> tuple[int, dict[str, Any], str]:
        told = drift(hand, tmp_path)
        assert told[1]["unasked"] == [], f"what is not asked is not found: {told[2]}"
        return told

    code, report, text = eventually(asked)
    assert (code, report["verdict"]) == (2, "drift"), text
    for kind, where, says, remedy in PLANTED:
        told = [it for it in report["findings"] if it["kind"] == kind and where in it["where"] and says in it["says"]]
        assert told, f"{kind} on {where} is not in the report: {text}"
        assert any(remedy in it["remedy"] for it in told), f"nobody would know what to do: {told}"
    assert state(hand) == before, "who looks for drift has changed the state"


def test_once_all_of_it_is_undone_nothing_is_found_again(cluster: Real, tmp_path: Path) -> None:
    # The DaemonSets need a moment to see that the strange node has gone.
    eventually(lambda: assert_clean(cluster, tmp_path))
