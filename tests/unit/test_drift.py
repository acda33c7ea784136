"""Each kind of drift, planted one at a time in a cluster that is as promised, and the same cluster without it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pipeline import drift_ask_cluster, drift_ask_nodes, drift_look
from pipeline.drift_engine import engine_findings
from pipeline.drift_facts import World as Around
from pipeline.drift_promise import Kept
from pipeline.drift_report import KINDS, Finding, Unasked
from pipeline.drift_residue import NEEDED
from settings.strategy import STRATEGIES, Strategy
from steps.doors.helm import Release
from steps.residue import residue
from unit.drift_world import KEPT, NODES, World, named, pod, workload, world

CONTROL, WORKER, WORKER2 = NODES
Plant = Callable[[World], None]


@pytest.fixture(autouse=True)
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """The world of the moment in the place of every tool."""

    def world_of(*_: object) -> Around:
        return Here.world.around

    @contextmanager
    def look_at(_: str) -> Generator[World]:
        yield Here.world

    def on_node(*args: Any, **more: Any) -> str:
        return Here.world.on_node(*args, **more)

    def release(*_: object) -> Release | None:
        return Here.world.release()

    monkeypatch.setattr(drift_look, "world_of", world_of)
    monkeypatch.setattr(drift_look, "look_at", look_at)
    monkeypatch.setattr(drift_ask_nodes, "on_node", on_node)
    monkeypatch.setattr(drift_ask_cluster.helm, "release", release)


class Here:
    world: World


def look(at: World, kept: Kept | None = None) -> tuple[list[Finding], list[Unasked]]:
    Here.world = at
    return drift_look.looked("s", at.settings, kept or at.promise.kept)


@dataclass(frozen=True, kw_only=True)
class Case:
    """`plant` makes one thing another; the report has to name `kind`, `where`, words of `says` and of `remedy`."""

    cni: str
    kind: str
    where: str
    says: str
    remedy: str
    plant: Plant


def case(cni: str, kind: str, where: str, says: str, remedy: str, plant: Plant) -> Any:
    return pytest.param(
        Case(cni=cni, kind=kind, where=where, says=says, remedy=remedy, plant=plant), id=f"{cni} {kind}: {says}"
    )


def marker(**over: Any) -> Plant:
    def plant(at: World) -> None:
        assert at.around.marker is not None
        at.around = replace(at.around, marker=replace(at.around.marker, **over))

    return plant


def no_marker(at: World) -> None:
    at.around = replace(at.around, marker=None)


def left(node: str, line: str) -> Plant:
    return lambda at: at.left[node].append(line)


def lost(node: str, start: str) -> Plant:
    def plant(at: World) -> None:
        at.left[node] = [line for line in at.left[node] if not line.startswith(start)]

    return plant


def said(node: str, old: str, new: str) -> Plant:
    def plant(at: World) -> None:
        assert any(old in line for line in at.said[node]), f"nothing to plant {new} in"
        at.said[node] = [line.replace(old, new) for line in at.said[node]]

    return plant


def more(node: str, line: str) -> Plant:
    return lambda at: at.said[node].append(line)


def field(kind: str, name: str, *path: str | int, to: Any) -> Plant:
    def plant(at: World) -> None:
        item: Any = at.find(kind, name)
        for key in path[:-1]:
            item = item[key]
        item[path[-1]] = to

    return plant


def gone(kind: str, name: str) -> Plant:
    return lambda at: at.without(kind, name)


def both(*plants: Plant) -> Plant:
    def plant(at: World) -> None:
        for one in plants:
            one(at)

    return plant


def released(**over: Any) -> Plant:
    def plant(at: World) -> None:
        assert at.helm is not None
        at.helm = replace(at.helm, **over)

    return plant


def value(**over: Any) -> Plant:
    def plant(at: World) -> None:
        assert at.helm is not None
        at.helm = replace(at.helm, values={**at.helm.values, **over})

    return plant


def started(node: str, when: str) -> Plant:
    def plant(at: World) -> None:
        containers = tuple(replace(it, started=when) if it.name == node else it for it in at.around.containers)
        at.around = replace(at.around, containers=containers)

    return plant


def conflist(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def keeper(kind: str, plural: str, **rest: Any) -> Plant:
    def plant(at: World) -> None:
        at.kinds.append(plural)
        at.others[plural] = [named(kind, "network", "gitops", **rest)]

    return plant


def unreached(address: str, node: str) -> Plant:
    """Every address that the node asks for answers, but for this one."""

    def plant(at: World) -> None:
        index = NODES.index(node)
        near = [f"10.244.{index}.9:8080", f"10.244.{(index + 1) % 3}.9:8080"]
        at.said[node] += [f"reach {it} {'false' if it == address else 'true'}" for it in near]

    return plant


TEMPLATE = ("spec", "template", "spec", "containers", 0, "image")
AGENT_FILE = f"agent uid-cilium-1 debug {'f' * 64}"
ARGO = {"resources": [{"kind": "DaemonSet", "namespace": "kube-system", "name": "cilium"}]}
INVENTORY = {"inventory": {"entries": [{"id": "kube-flannel_kube-flannel-ds_apps_DaemonSet", "v": "v1"}]}}
BRIDGE = '{"plugins":[{"type":"bridge"}]}'
BACKUP = "/etc/cni/net.d/10-flannel.conflist.cilium_bak"
NOT_READY = {"status": "False", "type": "Ready"}

CASES = [
    case("cilium", "marker", "configmap kube-system/cni-migration", "it is gone", "create configmap", no_marker),
    case("cilium", "marker", "configmap kube-system/cni-migration", "its epoch is 9", '"epoch":"3"', marker(epoch=9)),
    case("cilium", "marker", "configmap", "its generation is x", "20261126T040000", marker(generation="x")),
    case("cilium", "marker", "configmap", "its cni is flannel", '"cni":"cilium"', marker(cni="flannel")),
    case(
        "cilium",
        "marker",
        "configmap",
        "owned by stack other with flannel",
        "pipeline/drift.sh other",
        marker(stack="other", cni="flannel"),
    ),
    case("cilium", "marker", "configmap", "owned by stack other with cilium", "up --stack s", marker(stack="other")),
    case(
        "cilium",
        "node",
        "stranger",
        "the settings name no such node",
        "kubectl delete node stranger",
        lambda at: at.nodes.append({**at.nodes[0], **named("Node", "stranger"), "spec": {}}),
    ),
    case("flannel", "node", WORKER2, "the API has no such node", "docker restart c-worker2", gone("Node", WORKER2)),
    case(
        "flannel",
        "node",
        WORKER,
        "not Ready",
        "describe",
        field("Node", WORKER, "status", "conditions", to=[NOT_READY]),
    ),
    case(
        "cilium",
        "node",
        "cluster c",
        "cluster.workers",
        "destroy",
        lambda at: setattr(at, "around", replace(at.around, differs=("the nodes (…, cluster.workers): …",))),
    ),
    case("cilium", "restarted", WORKER, "was started at", "--replace 'urn:m'", started(WORKER, "2026-11-26T05:00:01Z")),
    case(
        "cilium",
        "label",
        WORKER,
        "cni-owner is flannel, not cilium",
        "kubectl label node c-worker cni-owner=cilium --overwrite",
        field("Node", WORKER, "metadata", "labels", "cni-owner", to="flannel"),
    ),
    case(
        "flannel",
        "label",
        WORKER,
        "cni-services is missing",
        "cni-services=kube-proxy",
        field("Node", WORKER, "metadata", "labels", to={"cni-owner": "flannel"}),
    ),
    case(
        "flannel",
        "cordon",
        WORKER,
        "cordoned by a move",
        "kubectl uncordon c-worker",
        both(
            field("Node", WORKER, "spec", "unschedulable", to=True),
            field("Node", WORKER, "metadata", "annotations", to={"cni-migration/cordoned": "true"}),
        ),
    ),
    case(
        "flannel",
        "cordon",
        WORKER,
        "agent-not-ready",
        "kubectl taint node",
        field("Node", WORKER, "spec", "taints", to=[{"key": "node.cilium.io/agent-not-ready"}]),
    ),
    case(
        "cilium",
        "agent",
        WORKER,
        "is not Ready there",
        "describe pod cilium-1",
        field("Pod", "cilium-1", "status", "conditions", to=[NOT_READY]),
    ),
    case("flannel", "agent", WORKER, "kube-proxy does not run", "k8s-app=kube-proxy", gone("Pod", "proxy-1")),
    case(
        "cilium",
        "conflist",
        WORKER,
        "/etc/cni/net.d/10-flannel.conflist is the configuration of another CNI",
        "docker exec c-worker rm /etc/cni/net.d/10-flannel.conflist",
        both(
            more(WORKER, f"conflist 10-flannel.conflist {conflist('{}')}"),
            left(WORKER, "path /etc/cni/net.d/10-flannel.conflist: /etc/cni/net.d/10-flannel.conflist"),
        ),
    ),
    case(
        "flannel",
        "conflist",
        WORKER,
        "01-x.conf is",
        "rm /etc/cni",
        more(WORKER, f"conflist 01-x.conf {conflist('x')}"),
    ),
    case(
        "flannel",
        "conflist",
        WORKER,
        "10-flannel.conflist is not the one that the settings make",
        "restart the CNI's agent",
        lambda at: at.said[WORKER].__setitem__(0, f"conflist 10-flannel.conflist {conflist('{}')}"),
    ),
    case(
        "cilium",
        "conflist",
        WORKER,
        "calls bridge, not cilium-cni",
        "rm /etc/cni",
        lambda at: at.said[WORKER].__setitem__(0, f"conflist 05-cilium.conflist {conflist(BRIDGE)}"),
    ),
    case(
        "cilium",
        "conflist",
        WORKER,
        "10-flannel.conflist.cilium_bak of another network",
        "steps/on_node/clean.sh",
        left(WORKER, f"path {BACKUP}: {BACKUP}"),
    ),
    case("cilium", "link", WORKER, "link cni0", "'link cni0' | docker exec", left(WORKER, "link cni0: cni0")),
    case(
        "flannel",
        "link",
        WORKER2,
        "cilium_host",
        "exec --interactive c-worker2",
        left(WORKER2, "link cilium_*: cilium_host"),
    ),
    case(
        "cilium",
        "rule",
        WORKER,
        "30000",
        "'rule 244'",
        left(WORKER, "rule 244: -4 30000:\tfrom all to 10.0.0.0/8 lookup 244"),
    ),
    case(
        "flannel",
        "rule",
        WORKER,
        "route 10.1.0.0/24",
        "'table 2004'",
        left(WORKER, "table 2004: route 10.1.0.0/24 dev lo"),
    ),
    case(
        "cilium",
        "chains",
        WORKER,
        "FLANNEL-POSTRTG",
        "'chains FLANNEL-'",
        left(WORKER, "chains FLANNEL-: iptables-legacy nat FLANNEL-POSTRTG"),
    ),
    case(
        "flannel",
        "chains",
        WORKER,
        "CILIUM_FORWARD",
        "'chains CILIUM_'",
        left(WORKER, "chains CILIUM_: x filter CILIUM_FORWARD"),
    ),
    case(
        "cilium",
        "chains",
        WORKER,
        "kube-proxy",
        "'nft-table ip kube-proxy'",
        left(WORKER, "nft-table ip kube-proxy: ip kube-proxy"),
    ),
    case("flannel", "program", WORKER, "eth0 ingress", "'tc cil_'", left(WORKER, "tc cil_: eth0 ingress")),
    case(
        "cilium", "file", WORKER, "/run/flannel", "'path /run/flannel'", left(WORKER, "path /run/flannel: /run/flannel")
    ),
    case(
        "flannel",
        "sysctl",
        WORKER,
        "rp_filter = 1",
        "'sysctls rp_filter'",
        left(WORKER, "sysctls rp_filter: net.ipv4.conf.all.rp_filter = 1"),
    ),
    case(
        "cilium",
        "sysctl",
        WORKER,
        "all.rp_filter is 1",
        "--write net.ipv4.conf.all.rp_filter=0",
        said(WORKER, "rp_filter 0", "rp_filter 1"),
    ),
    case(
        "flannel",
        "sysctl",
        WORKER,
        "ip_forward is 0",
        "--write net.ipv4.ip_forward=1",
        said(WORKER, "ip_forward 1", "ip_forward 0"),
    ),
    case(
        "cilium",
        "route",
        WORKER,
        "10.244.77.0/24 via 172.18.0.4 dev eth0 is none of cilium's",
        "ip route delete 10.244.77.0/24 via 172.18.0.4 dev eth0",
        more(WORKER, "route 10.244.77.0/24 via 172.18.0.4 dev eth0"),
    ),
    case(
        "flannel",
        "route",
        WORKER,
        "via 172.18.0.4 dev eth0 is none of flannel's",
        "docker exec c-worker ip route delete",
        said(WORKER, "via 10.244.2.0 dev flannel.1 onlink", "via 172.18.0.4 dev eth0 proto kernel"),
    ),
    case(
        "cilium",
        "route",
        WORKER,
        "no route to 10.244.2.0/24 of c-worker2 (via 172.18.0.4)",
        "restart the agent on c-worker",
        lambda at: at.said.update({WORKER: [it for it in at.said[WORKER] if "10.244.2.0/24" not in it]}),
    ),
    case("cilium", "missing", WORKER, "cilium-cni is not there", "spec.nodeName=c-worker", lost(WORKER, "path /opt")),
    case("flannel", "missing", WORKER, "KUBE- is not there", "k8s-app=kube-proxy", lost(WORKER, "chains KUBE-")),
    case(
        "cilium",
        "pod",
        WORKER2,
        "not reached from its own node",
        "delete pod probe-2",
        unreached("10.244.2.9:8080", WORKER2),
    ),
    case(
        "flannel",
        "pod",
        WORKER2,
        "not reached from c-worker",
        "route get 10.244.2.9",
        unreached("10.244.2.9:8080", WORKER),
    ),
    case(
        "flannel",
        "image",
        "daemonset kube-flannel/kube-flannel-ds",
        "evil:1",
        "pulumi up --stack s",
        field("DaemonSet", "kube-flannel-ds", *TEMPLATE, to="evil:1"),
    ),
    case(
        "cilium",
        "image",
        "daemonset kube-system/cilium",
        "cilium-agent has the image evil:1; the release has cilium:1",
        "helm --namespace=kube-system get manifest cilium",
        field("DaemonSet", "cilium", *TEMPLATE, to="evil:1"),
    ),
    case(
        "cilium",
        "helm-value",
        "release kube-system/cilium",
        "routingMode is tunnel, a tunnel",
        "rollback",
        value(routingMode="tunnel"),
    ),
    case(
        "cilium",
        "helm-value",
        "release kube-system/cilium",
        "debug.enabled is true",
        "history",
        value(debug={"enabled": True}),
    ),
    case(
        "cilium",
        "release",
        "release kube-system/cilium",
        "no such release",
        "up --stack s",
        lambda at: setattr(at, "helm", None),
    ),
    case(
        "cilium", "release", "release kube-system/cilium", "failed, not deployed", "rollback", released(status="failed")
    ),
    case(
        "cilium", "release", "release kube-system/cilium", "cilium-1.18.0", "rollback", released(chart="cilium-1.18.0")
    ),
    case(
        "cilium",
        "config",
        "configmap kube-system/cilium-config",
        "routing-mode is tunnel, and the release has native",
        "kubectl apply --server-side",
        both(
            field("ConfigMap", "cilium-config", "data", "routing-mode", to="tunnel"),
        ),
    ),
    case(
        "flannel",
        "config",
        "configmap kube-flannel/kube-flannel-cfg",
        "its net-conf.json",
        "pulumi up",
        field("ConfigMap", "kube-flannel-cfg", "data", "net-conf.json", to="{}"),
    ),
    case(
        "cilium",
        "agent-config",
        WORKER,
        "(debug)",
        "rollout restart daemonset/cilium",
        lambda at: at.said.update(
            {WORKER: [AGENT_FILE if it.startswith("agent uid-cilium-1 debug") else it for it in at.said[WORKER]]}
        ),
    ),
    case(
        "flannel",
        "agent-config",
        WORKER,
        "before configmap kube-flannel/kube-flannel-cfg was changed",
        "delete pod flannel-1",
        field("ConfigMap", "kube-flannel-cfg", "metadata", "managedFields", 0, "time", to="2026-11-26T04:55:00Z"),
    ),
    case(
        "cilium",
        "kube-proxy",
        "daemonset kube-system/kube-proxy",
        "kube-proxy is back (on c-worker)",
        "delete daemonset kube-proxy && CLUSTER=c STACK=s EPOCH=3 .venv/bin/python -m steps.settle",
        both(
            lambda at: at.workloads.append(workload("DaemonSet", "kube-system", "kube-proxy", {"kube-proxy": "x"})),
            lambda at: at.pods.append(pod("kube-proxy-x", WORKER, "kube-system", {"k8s-app": "kube-proxy"})),
        ),
    ),
    case(
        "flannel",
        "kube-proxy",
        "daemonset kube-system/kube-proxy",
        "it is gone",
        "pulumi up",
        gone("DaemonSet", "kube-proxy"),
    ),
    case(
        "cilium",
        "other-cni",
        "daemonset kube-flannel/kube-flannel-ds",
        "another CNI beside cilium",
        "delete daemonset kube-flannel-ds",
        lambda at: at.workloads.append(workload("DaemonSet", "kube-flannel", "kube-flannel-ds", {"a": "x"})),
    ),
    case(
        "flannel",
        "other-cni",
        "daemonset kube-system/kindnet",
        "another CNI beside flannel",
        "the way it came",
        lambda at: at.workloads.append(workload("DaemonSet", "kube-system", "kindnet", {"a": "x"})),
    ),
    case("cilium", "workload", "daemonset kube-system/cilium", "gone", "get manifest", gone("DaemonSet", "cilium")),
    case(
        "cilium",
        "workload",
        "daemonset kube-system/cilium",
        "its nodes or its arguments",
        "get manifest",
        field("DaemonSet", "cilium", "spec", "template", "spec", "nodeSelector", to={"nobody": "x"}),
    ),
    case(
        "cilium",
        "crd",
        "customresourcedefinition ciliumnodes.cilium.io",
        "it is gone",
        "restart deployment/cilium-operator",
        lambda at: at.kinds.remove("ciliumnodes.cilium.io"),
    ),
    case(
        "flannel",
        "crd",
        "customresourcedefinition ciliumnodes.cilium.io",
        "Flannel has the cluster",
        "kubectl delete",
        lambda at: at.kinds.append("ciliumnodes.cilium.io"),
    ),
    case(
        "cilium",
        "hubble",
        "configmap kube-system/cilium-config",
        "enable-hubble is not true",
        "get manifest",
        field("ConfigMap", "cilium-config", "data", "enable-hubble", to="false"),
    ),
    case(
        "cilium",
        "hubble",
        "deployment kube-system/hubble-relay",
        "no Pod of it",
        "describe",
        field("Deployment", "hubble-relay", "status", to={}),
    ),
    case(
        "cilium",
        "hubble",
        "deployment kube-system/hubble-ui",
        "nobody sees its page",
        "describe",
        field("Deployment", "hubble-ui", "status", to={}),
    ),
    case(
        "cilium",
        "hubble",
        "service kube-system/hubble-ui",
        "it is not at NodePort 31235",
        "get manifest",
        field("Service", "hubble-ui", "spec", to={"type": "ClusterIP", "ports": [{"port": 80}]}),
    ),
    case(
        "cilium",
        "hubble",
        "service kube-system/hubble-ui",
        "it is gone",
        "get manifest",
        gone("Service", "hubble-ui"),
    ),
    case(
        "cilium",
        "bolt",
        "validatingadmissionpolicybinding cni-migration-bolt",
        "it is gone",
        "CLUSTER=c STACK=s EPOCH=3",
        gone("ValidatingAdmissionPolicyBinding", "cni-migration-bolt"),
    ),
    case(
        "flannel",
        "bolt",
        "validatingadmissionpolicybinding cni-migration-bolt",
        "it was edited",
        "steps.settle",
        field("ValidatingAdmissionPolicyBinding", "cni-migration-bolt", "spec", "validationActions", to=["Audit"]),
    ),
    case(
        "cilium",
        "keeper",
        "daemonset kube-system/cilium",
        "kept by Argo CD (Application gitops/network)",
        "take it out",
        keeper("Application", "applications.argoproj.io", status=ARGO),
    ),
    case(
        "flannel",
        "keeper",
        "daemonset kube-flannel/kube-flannel-ds",
        "kept by Flux (Kustomization",
        "take it out",
        keeper("Kustomization", "kustomizations.kustomize.toolkit.fluxcd.io", status=INVENTORY),
    ),
    case(
        "cilium",
        "keeper",
        "daemonset kube-system/cilium",
        "Flux (HelmRelease",
        "take it out",
        keeper(
            "HelmRelease",
            "helmreleases.helm.toolkit.fluxcd.io",
            spec={"targetNamespace": "kube-system", "chart": {"spec": {"chart": "cilium"}}},
        ),
    ),
    case(
        "flannel",
        "keeper",
        "daemonset kube-system/kube-proxy",
        "kept by Argo CD",
        "end the synchronisation",
        field("DaemonSet", "kube-proxy", "metadata", "labels", to={"argocd.argoproj.io/instance": "x"}),
    ),
]


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=lambda it: it.name)
@pytest.mark.parametrize("cni", ["flannel", "cilium"])
def test_a_cluster_as_promised_gives_no_alarm(cni: str, strategy: Strategy) -> None:
    found, unasked = look(world(cni, strategy))
    assert (found, unasked) == ([], []), "who is called at night for nothing stops to read the report"


@pytest.mark.parametrize("planted", CASES)
def test_what_is_planted_is_reported_with_its_place_and_a_remedy(planted: Case) -> None:
    at = world(planted.cni)
    planted.plant(at)
    found, unasked = look(at)
    assert unasked == [], f"the look itself broke: {unasked}"
    told = [it for it in found if it.kind == planted.kind and planted.says in it.says]
    assert told, f"the drift would stay unseen; found: {found}"
    assert any(planted.where in it.where for it in told), f"nobody would know where to look: {told}"
    assert any(planted.remedy in it.remedy for it in told), f"nobody would know what to do: {told}"


def test_one_plant_is_not_told_as_many() -> None:
    """What a plant brings along is another finding only where it is another thing to mend."""
    for planted in (it.values[0] for it in CASES):
        at = world(planted.cni)
        planted.plant(at)
        found, _ = look(at)
        assert len(found) <= 2 + len(NODES), f"{planted.kind} {planted.says}: the cause would drown in {found}"


def test_every_kind_that_a_report_may_have_is_planted_here() -> None:
    engine = {it.kind for it in engine_findings("s", '{"steps":[{"op":"delete","urn":"a::b"}]}')[0]}
    planted = {it.values[0].kind for it in CASES} | engine | {"cluster"}  # the last has a test of its own
    assert planted == set(KINDS), f"nobody has seen these found: {set(KINDS) ^ planted}"


def test_a_cluster_that_is_gone_is_drift_and_not_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    at = world("cilium")
    Here.world = at

    def gone(*_: object) -> None: ...

    monkeypatch.setattr(drift_look, "world_of", gone)
    found, unasked = look(at)
    assert [it.kind for it in found] == ["cluster"] and "pulumi up --stack s" in found[0].remedy, found
    assert unasked == []


def test_a_stack_that_was_never_up_promises_nothing_and_says_so() -> None:
    at = world("cilium")
    Here.world = at
    assert drift_look.looked("s", at.settings, None)[1][0].why == "no up of it has ended, so nothing is promised yet"


def test_a_migration_under_way_is_no_drift_and_no_clean_bill() -> None:
    at = world("cilium")
    marker(phase="migrating")(at)
    found, unasked = look(at)
    assert found == [] and "under way, paused or cut off (phase migrating)" in unasked[0].why, "half a move is no drift"
    assert at.asked == [], "nodes that change would be asked what they have"


def test_settings_that_no_up_has_brought_are_one_finding_and_not_fifty() -> None:
    at = world("cilium")
    marker(cni="flannel")(at)
    found, unasked = look(at, replace(KEPT, cni="flannel"))
    assert [it.says for it in found] == ["its settings ask for cilium, and its last up brought flannel"], found
    assert unasked == []


@pytest.mark.parametrize(
    ("cni", "silent", "what"),
    [
        ("cilium", "customresourcedefinitions", "the kinds and their owners"),
        ("cilium", "validatingadmissionpolicies,validatingadmissionpolicybindings", "the bolt"),
        ("cilium", "helm", "the Helm release"),
        ("flannel", WORKER, WORKER),
        ("flannel", "nodes,pods,services,daemonsets.apps,deployments.apps", "the API of cluster c"),
        ("cilium", "configmaps", "the API of cluster c"),
    ],
)
def test_a_question_without_an_answer_is_named_and_takes_nothing_for_clean_or_gone(
    cni: str, silent: str, what: str
) -> None:
    at = world(cni)
    at.silent.add(silent)
    found, unasked = look(at)
    assert found == [], f"no answer was taken for the answer that nothing is there: {found}"
    assert [it.what for it in unasked] == [what] and "failed" in unasked[0].why, unasked


def test_an_old_kubernetes_without_admission_policies_promised_no_bolt(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask_bolt(_: object) -> None: ...

    monkeypatch.setattr(drift_ask_cluster, "ask_bolt", ask_bolt)
    at = world("cilium")
    at.admission = []
    monkeypatch.setattr("pipeline.drift_compare.ask_bolt", ask_bolt)
    assert look(at) == ([], []), "every report of such a cluster would be red"


def test_a_node_without_a_probe_is_not_said_to_have_a_network() -> None:
    at = world("flannel")
    at.without("Pod", "probe-1")
    found, unasked = look(at)
    assert found == [] and [it.what for it in unasked] == [f"a Pod's network on {WORKER}"], unasked


def test_an_agent_whose_configuration_is_not_found_is_not_said_to_be_up_to_date() -> None:
    at = world("cilium")
    at.said[WORKER] = [line for line in at.said[WORKER] if not line.startswith("agent ")]
    found, unasked = look(at)
    assert found == [] and unasked[0].what == f"the configuration of Cilium's agent on {WORKER}", unasked
    mounted = world("cilium", cilium={"values": {"daemon": {"configSources": "config-map:cilium-config"}}})
    mounted.said = {name: [it for it in lines if not it.startswith("agent ")] for name, lines in mounted.said.items()}
    assert look(mounted) == ([], []), "a chart that mounts the ConfigMap could never be clean"


def test_keys_of_a_cilium_node_config_are_not_an_older_configuration() -> None:
    at = world("cilium")
    at.said[WORKER] = [AGENT_FILE if "uid-cilium-1 debug" in it else it for it in at.said[WORKER]]
    at.others["ciliumnodeconfigs.cilium.io"] = [
        named("CiliumNodeConfig", "mine", "kube-system", spec={"defaults": {"debug": "true"}})
    ]
    assert look(at) == ([], []), "a user's own setting for some nodes would be an alarm for ever"


def test_routes_of_a_users_own_tunnel_are_not_held_against_native_routing() -> None:
    at = world("cilium", cilium={"values": {"routingMode": "tunnel", "autoDirectNodeRoutes": False}})
    at.said = {name: [it for it in lines if "via 172" not in it or "default" in it] for name, lines in at.said.items()}
    assert look(at) == ([], []), "who asked for a tunnel would be told that it is drift"


def test_a_secret_value_is_never_shown() -> None:
    at = world("cilium", cilium={"values": {"tls": {"caBundle": {"password": "hunter2"}}}})
    assert at.helm is not None
    at.helm = replace(at.helm, values={**at.helm.values, "tls": {"caBundle": {"password": "planted"}}})
    found, _ = look(at)
    assert "tls.caBundle.password is another value" in found[0].says, found
    guarded = world("cilium", cilium={"values": {"cluster": {"name": "hunter2"}}})
    guarded.settings = replace(guarded.settings, cilium_is_secret=True)
    assert guarded.helm is not None
    guarded.helm = replace(guarded.helm, values={**guarded.helm.values, "cluster": {"name": "planted"}})
    told = str(look(guarded)[0])
    assert "cluster.name" in told and "hunter2" not in told and "planted" not in told, "a secret is in the CI's log"


def test_what_each_cni_needs_on_a_node_is_in_the_clean_up_s_table() -> None:
    rows = {f"{row.kind} {row.what}" for row in residue("10.244.0.0/16")}
    for cni, needed in NEEDED.items():
        assert set(needed) <= rows, f"{cni}: {set(needed) - rows} is looked for, and no clean-up knows it"


def test_every_kind_is_in_the_table_of_the_docs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    missing = [kind for kind in KINDS if f"| `{kind}` |" not in page]
    assert not missing, f"who reads a report does not find what these mean: {missing}"
