"""What preflight refuses, all that is missing at once, and that a question without an answer never passes."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from steps import preflight, preflight_live
from steps.doors.docker import Attachment
from steps.doors.kubectl import Kubectl, Object
from steps.doors.process import ToolError
from steps.names import CORDONED
from steps.running import StepError, read, variables

NEEDS = preflight.Needs(
    cluster="c",
    cni="flannel",
    epoch="7",
    strategy="recreate",
    drains=False,
    takes_network_down=True,
    needs_one_l2=False,
    keeps_pods=False,
    unenforced_policies=False,
    broken_connections=False,
    nodes=("a", "b"),
    pod_subnet="10.244.0.0/16",
    service_subnet="10.96.0.0/16",
    images=("probe:1",),
    chart="",
    chart_repository="",
    chart_version="",
)
DRAINING = replace(NEEDS, cni="cilium", strategy="rolling", drains=True, takes_network_down=False, needs_one_l2=True)


def node(name: str, *, owner: str = "flannel", ready: str = "True", address: str = "10.0.0.1", **spec: Any) -> Object:
    return {
        "metadata": {"name": name, "labels": {"cni-owner": owner} if owner else {}},
        "spec": spec,
        "status": {
            "addresses": [{"type": "InternalIP", "address": address}] if address else [],
            "conditions": [{"type": "Ready", "status": ready}],
            "allocatable": {"cpu": "2", "memory": "8Gi", "pods": "110"},
        },
    }


def pod(
    name: str, where: str, *, owner: str = "ReplicaSet", controls: bool = True, cpu: str = "0", **spec: Any
) -> Object:
    return {
        "metadata": {
            "namespace": "a",
            "name": name,
            "uid": name,
            "creationTimestamp": "2025-01-01T00:00:00Z",
            "ownerReferences": [{"kind": owner, "controller": controls}] if owner else [],
        },
        "spec": {"nodeName": where, "containers": [{"resources": {"requests": {"cpu": cpu}}}], **spec},
        "status": {"phase": "Running"},
    }


def named(name: str, namespace: str = "", kind: str = "", **rest: Any) -> Object:
    return {"kind": kind, "metadata": {"name": name, **({"namespace": namespace} if namespace else {})}, **rest}


def crd(group: str, kind: str, plural: str) -> Object:
    versions = [{"name": "v1", "served": True}, {"name": "v0", "served": False}]
    return named(f"{plural}.{group}", spec={"group": group, "names": {"kind": kind}, "versions": versions})


MONITORS = crd("monitoring.coreos.com", "ServiceMonitor", "servicemonitors")
SERVED = ["monitoring.coreos.com/v1", "monitoring.coreos.com/v1/ServiceMonitor"]


class World(Kubectl):
    """A cluster of lists. `broken` is what gives no answer: a kind, or a node."""

    def __init__(self) -> None:
        super().__init__(Path("/nowhere"))
        self.lists: dict[str, list[Object]] = {
            "nodes": [node("a", address="10.0.0.1"), node("b", address="10.0.0.2")],
            "pods": [],
            "daemonsets.apps": [],
            "networkpolicies.networking.k8s.io": [],
            "customresourcedefinitions": [],
            "ciliumnetworkpolicies.cilium.io": [],
            "poddisruptionbudgets": [],
            "namespaces": [],
            "services": [],
            "apiservices.apiregistration.k8s.io": [],
            "validatingwebhookconfigurations": [],
            "mutatingwebhookconfigurations": [],
            "resourcequotas": [],
        }
        self.networks: list[Attachment] = [Attachment(network="kind", subnet=IPv4Network("172.18.0.0/16"))]
        self.refused: dict[str, str] = {}
        self.dry: list[str] = []
        self.calls: list[str] = []
        self.single: dict[str, Object] = {}
        self.budgets: list[str] = []
        self.tried: list[Object] = []
        self.tried_objects: list[Object] = []
        self.refused: dict[str, str] = {}
        self.broken = ""
        self.missing: dict[str, str] = {}
        self.looked: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {}

    def _ask(self, what: str) -> None:
        self.calls.append(what)
        if what == self.broken:
            raise ToolError(f"{what} gave no answer", "connection refused")

    def run(self, *args: str, stdin: str = "", timeout: float = 120) -> str:
        tried = "-cni-migration-try" in stdin
        if args[0] == "create" and not tried:
            return self._dry_run(json.loads(stdin), *args)
        if args[:2] == ("create", "--dry-run=server"):
            self._ask("tried creation")
            self.tried.append(json.loads(stdin))
            name = self.tried[-1]["metadata"]["name"].removesuffix("-cni-migration-try")
            if name in self.refused:
                raise ToolError("`kubectl create` failed", self.refused[name])
            return ""
        self._ask(args[-1])
        assert args == ("get", "--raw", "/version"), args
        return json.dumps({"major": "1", "gitVersion": "v1.33.1"})

    def _dry_run(self, item: Object, *args: str) -> str:
        assert "--dry-run=server" in args, "an object would be made while nothing is to be touched"
        self.calls.append("dry run")
        for one in item.get("items", [item]):
            name = one["metadata"]["name"]
            self.dry.append(name)
            self.tried_objects.append(one)
            if name in self.refused:
                raise ToolError("`kubectl create` failed", self.refused[name])
        return ""

    def attachments(self, nodes: tuple[str, ...]) -> list[Attachment]:
        self._ask("docker")
        assert nodes == NEEDS.nodes or len(nodes) > 2
        return self.networks

    def objects(self, kind: str, *, namespace: str | None = None, selector: str = "", fields: str = "") -> list[Object]:
        self._ask(kind)
        return self.lists[kind]

    def object(self, kind: str, name: str, *, namespace: str | None = None) -> Object | None:
        self._ask(name)
        return self.single.get(name)

    def blocking(self, _: Kubectl) -> list[str]:
        self._ask("budgets")
        return self.budgets

    def on_node(self, name: str, script: str, *images: str, env: dict[str, str], timeout: float) -> str:
        self._ask(name)
        self.looked[name] = (images, env)
        return self.missing.get(name, "")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()

    @contextmanager
    def cluster(name: str) -> Generator[Kubectl, None, None]:
        assert name == NEEDS.cluster
        yield made

    monkeypatch.setattr(preflight, "cluster", cluster)
    monkeypatch.setattr("steps.preflight_nodes.on_node", made.on_node)
    monkeypatch.setattr("steps.preflight_budgets.blocking_budgets", made.blocking)
    monkeypatch.setattr("steps.doors.docker.attachments", made.attachments)
    return made


def refusal(needs: preflight.Needs) -> list[str]:
    with pytest.raises(StepError) as refused:
        preflight.verb(needs)
    first, *lines = str(refused.value).splitlines()
    assert first == f"{needs.cni} cannot come to this cluster by {needs.strategy}, and nothing was touched:"
    return lines


def test_the_environment_is_read_into_what_preflight_needs() -> None:
    live = ("KEEPS_PODS", "BROKEN_CONNECTIONS")
    told = {
        name: "true"
        if name in ("DRAINS", "NEEDS_ONE_L2", "TAKES_NETWORK_DOWN", "UNENFORCED_POLICIES", *live)
        else "x y"
        for name in variables(preflight.Needs)
    }
    needs = read(preflight.Needs, told)
    assert needs.nodes == ("x", "y") and needs.drains, needs


@pytest.mark.parametrize("needs", [NEEDS, DRAINING], ids=["one that does not drain", "one that drains"])
def test_a_cluster_that_lacks_nothing_is_passed(world: World, needs: preflight.Needs) -> None:
    assert preflight.verb(needs) == ""
    assert world.looked["a"][0] == ("probe:1",), "an image would be missing in the middle of the migration"
    assert world.looked["b"][1]["PEERS"] == "10.0.0.1 10.0.0.2", "a peer behind a router would be found too late"


@pytest.mark.parametrize(
    ("cni", "strategy_needs_it", "told"),
    [("flannel", False, "false"), ("flannel", True, "true"), ("cilium", False, "true")],
)
def test_one_l2_is_asked_for_by_the_strategy_or_by_cilium(
    world: World, cni: str, strategy_needs_it: bool, told: str
) -> None:
    preflight.verb(replace(NEEDS, cni=cni, needs_one_l2=strategy_needs_it))
    assert world.looked["a"][1]["NEEDS_ONE_L2"] == told, "routes to podCIDRs would lead into a router"


def test_everything_that_is_missing_is_told_at_once_in_the_order_of_the_nodes(world: World) -> None:
    world.missing = {"b": "the kernel mounts no bpf\n", "a": "the image x is not there and cannot be pulled\nsecond\n"}
    world.lists["nodes"][1] = node("b", owner="")
    assert refusal(DRAINING) == [
        "  - a: the image x is not there and cannot be pulled",
        "  - a: second",
        "  - b: the kernel mounts no bpf",
        "  - node b has no label cni-owner: no migration of this project ended there; use recreate",
    ], "the user would mend one thing an `up`"


def test_a_node_that_could_not_be_looked_at_is_told_with_the_reason_beside_the_others(world: World) -> None:
    world.broken, world.missing = "a", {"b": "the kernel mounts no bpf\n"}
    assert refusal(NEEDS) == [
        "  - a: it could not be looked at (a gave no answer)",
        "  - b: the kernel mounts no bpf",
    ], "a stopped node would pass as one that lacks nothing"


def test_a_node_without_an_address_is_no_peer_that_was_looked_at(world: World) -> None:
    world.lists["nodes"][1] = node("b", address="")
    assert refusal(DRAINING) == ["  - b: it has no InternalIP, so nothing can be routed to it"]


def test_another_cni_is_refused_by_name(world: World) -> None:
    world.lists["daemonsets.apps"] = [named("kindnet", "kube-system"), named("kindnet-like", "a")]
    assert refusal(NEEDS) == [
        "  - daemonset kube-system/kindnet is another CNI, which this project does not know how to remove: remove it "
        "first, or use another cluster"
    ]


def chart(monkeypatch: pytest.MonkeyPatch, template: Callable[..., str]) -> preflight.Needs:
    monkeypatch.setattr("steps.doors.helm.template", template)
    monkeypatch.setattr("sys.stdin", StringIO('{"values": 1}'))
    return replace(NEEDS, cni="cilium", chart="cilium", chart_repository="https://r", chart_version="1.2")


def test_the_images_of_the_chart_are_looked_for_as_it_will_be_installed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def template(_: Path, *args: str, api_versions: list[str]) -> str:
        asked.extend([*args, *api_versions])
        return "spec:\n  containers:\n    - image: agent:1\n    - image: probe:1\n"

    world.lists["customresourcedefinitions"] = [MONITORS]

    preflight.verb(chart(monkeypatch, template))
    assert asked == ["cilium", "kube-system", "cilium", "https://r", "1.2", "v1.33.1", '{"values": 1}', *SERVED]
    assert world.looked["a"][0] == ("probe:1", "agent:1"), "the agent's image would be missing when the old CNI is gone"


HUBBLE_UI = """
kind: Service
metadata: {name: hubble-ui, namespace: kube-system}
spec: {type: NodePort, ports: [{port: 80, nodePort: 31235}, {port: 81, nodePort: 31236}, {port: 82}]}
"""


def service(name: str, namespace: str, *ports: int) -> Object:
    # As in the API's lists, whose items name no kind.
    spec = {"ports": [{"port": 80, "nodePort": port} for port in ports] or [{"port": 80}]}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def test_a_node_port_of_the_chart_that_is_another_services_is_named_before_anything_is_touched(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.lists["services"] = [service("web", "a", 31235), service("plain", "a")]
    assert refusal(chart(monkeypatch, lambda *_, **__: HUBBLE_UI)) == [
        "  - NodePort 31235 of Service kube-system/hubble-ui is Service a/web's: give that one another, or set the "
        "chart's to another in cilium.values"
    ], "Helm would fail when the old CNI has gone"
    world.broken = "services"
    with pytest.raises(StepError, match="gave no answer"):
        preflight.verb(chart(monkeypatch, lambda *_, **__: HUBBLE_UI))


def test_a_node_port_that_the_charts_own_service_has_already_is_no_obstacle(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.lists["services"] = [service("hubble-ui", "kube-system", 31235)]
    world.lists["namespaces"] = [named("kube-system")]
    assert preflight.verb(chart(monkeypatch, lambda *_, **__: HUBBLE_UI)) == ""
    (asked,) = [item for item in world.tried_objects if item["metadata"]["name"] == "hubble-ui"]
    assert asked["spec"]["ports"] == [{"port": 80}, {"port": 81, "nodePort": 31236}, {"port": 82}], (
        "the API refuses a number that is given before it says that the Service is there: a migration that was cut off "
        "behind Helm could never go on, and a number out of its range would pass"
    )


def test_a_chart_without_node_ports_costs_no_question(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    preflight.verb(chart(monkeypatch, lambda *_, **__: HUBBLE_UI.replace("nodePort", "targetPort")))
    assert "services" not in world.calls


def test_a_chart_that_cannot_be_rendered_is_a_failure(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def template(*_: object, **__: object) -> str:
        raise ToolError("no such chart")

    world.missing = {"b": "the kernel mounts no bpf\n"}
    assert refusal(chart(monkeypatch, template)) == [
        "  - the chart cilium cannot be rendered: no such chart",
        "  - b: the kernel mounts no bpf",
    ], "the user would mend one thing an `up`"
    with pytest.raises(StepError, match="cannot be rendered"):
        preflight.verb(chart(monkeypatch, lambda *_, **__: "a: [" + "\n"))


def test_without_a_version_of_the_api_no_chart_is_rendered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.broken = "/version"
    with pytest.raises(StepError, match="gave no answer"):
        preflight.verb(chart(monkeypatch, lambda *_, **__: ""))


@pytest.mark.parametrize(
    "question",
    [
        *["nodes", "pods", "daemonsets.apps", "budgets", "networkpolicies.networking.k8s.io", "namespaces", "docker"],
        *["poddisruptionbudgets", "customresourcedefinitions", "cni-migration"],
    ],
)
def test_a_question_that_failed_fails_the_preflight(world: World, question: str) -> None:
    world.broken = question
    with pytest.raises(StepError, match="gave no answer"):
        preflight.verb(DRAINING)


@pytest.mark.parametrize("question", ["ciliumnetworkpolicies.cilium.io", "cilium-config"])
def test_a_question_on_cilium_that_failed_fails_the_preflight(world: World, question: str) -> None:
    world.lists["nodes"] = [node("a", owner="cilium"), node("b", owner="cilium")]
    world.lists["customresourcedefinitions"] = [crd("cilium.io", "CiliumNetworkPolicy", "ciliumnetworkpolicies")]
    world.broken = question
    with pytest.raises(StepError, match="gave no answer"):
        preflight.verb(DRAINING)


def test_a_strategy_that_drains_not_asks_for_no_budgets(world: World) -> None:
    world.lists["pods"], world.budgets = [pod("bare", "a", owner="")], ["a/b"]
    assert preflight.verb(NEEDS) == ""


FORBIDDEN = 'Error from server (Forbidden): error when creating "STDIN": pods "x" is forbidden: '


@pytest.mark.parametrize(
    "answer",
    [
        f'{FORBIDDEN}error looking up service account a/gone: serviceaccount "gone" not found',
        f'{FORBIDDEN}violates PodSecurity "restricted:latest"',
        'Error from server: admission webhook "hook.example.com" denied the request: no bare Pods',
        'Error from server (InternalError): failed calling webhook "hook": no endpoints available',
        'The Pod "x" is invalid: spec.containers: Required value',
    ],
)
def test_a_bare_pod_that_the_api_would_not_let_be_made_anew_is_named_with_its_answer(world: World, answer: str) -> None:
    world.lists["pods"] = [
        pod("bare", "a", owner="", ephemeralContainers=[{"name": "debugger"}]),
        pod("owned", "a", owner="ConfigMap", controls=False),
        pod("web", "a"),
        pod("host", "a", owner="", hostNetwork=True),
    ]
    world.refused = {"bare": answer}
    said = "has no controller, and the API would not let it be made anew"
    assert refusal(NEEDS) == [f"  - Pod a/bare {said}: {answer}"], "it would be gone for good, and nobody was asked"
    assert len(world.tried) == 2 and not any("ephemeralContainers" in each["spec"] for each in world.tried)


def quota(used: str) -> Object:
    return named("small", "a", status={"hard": {"pods": "2"}, "used": {"pods": used}})


def test_a_full_quota_refuses_no_pod_whose_own_place_it_counts(world: World) -> None:
    world.lists["pods"] = [pod("bare", "a", owner="")]
    world.refused = {"bare": f"{FORBIDDEN}exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2"}
    world.lists["resourcequotas"] = [quota("2")]
    assert preflight.verb(NEEDS) == "", "a cluster that lacks nothing is refused"
    world.lists["resourcequotas"] = [quota("3")]
    assert "exceeded quota: small" in refusal(NEEDS)[0], "its place is not free when it has gone"


def test_a_migration_that_was_cut_off_goes_on_though_a_webhook_has_no_network(world: World) -> None:
    world.lists["pods"] = [pod("bare", "a", owner="")]
    world.refused = {"bare": 'Error from server (InternalError): failed calling webhook "hook": timeout'}
    marker: Object = {"metadata": {"resourceVersion": "7"}, "data": {"phase": "ready"}}
    world.single["cni-migration"] = marker
    assert "failed calling webhook" in refusal(NEEDS)[0]
    marker["data"] = {"phase": "migrating"}
    assert preflight.verb(NEEDS) == "", "the network could never be brought back"


def test_a_tried_creation_that_gave_no_answer_fails_the_preflight(world: World) -> None:
    world.lists["pods"] = [pod("bare", "a", owner="")]
    world.broken = "tried creation"
    with pytest.raises(StepError, match="gave no answer"):
        preflight.verb(NEEDS)


@pytest.mark.parametrize("needs", [NEEDS, DRAINING], ids=["one that does not drain", "one that drains"])
def test_a_static_pod_that_would_end_for_good_is_refused(world: World, needs: preflight.Needs) -> None:
    static = pod("mirror", "a", owner="Node", restartPolicy="Never")
    static["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    world.lists["pods"] = [static]
    assert "static Pod a/mirror has restartPolicy Never" in refusal(needs)[0]
    static["spec"]["restartPolicy"] = "Always"
    assert preflight.verb(needs) == ""


def test_nodes_that_are_nobodys_or_not_ready_are_refused(world: World) -> None:
    world.lists["nodes"] = [node("b", ready="Unknown"), node("a", owner="", ready="False")]
    assert refusal(DRAINING) == [
        "  - node a has no label cni-owner: no migration of this project ended there; use recreate",
        "  - node a is not Ready, and a node moves only while all of them are; make it so first",
        "  - node b is not Ready, and a node moves only while all of them are; make it so first",
    ]


def test_the_default_names_the_others_where_it_does_not_go(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def obstacles(*_: object, **__: object) -> list[str]:
        return ["a: the kernel is older than 6.2"]

    monkeypatch.setattr(preflight_live, "obstacles", obstacles)
    world.lists["nodes"] = [node("a", ready="False")]
    live = replace(NEEDS, strategy="live", keeps_pods=True, takes_network_down=False, needs_one_l2=True)
    last = refusal(live)[-1]
    assert "migration:strategy rolling" in last and "recreate" in last, "nobody would know that there is another way"
    assert not [line for line in refusal(DRAINING) if line.startswith("Other")], "who has chosen one knows the others"


def test_a_pod_without_a_controller_is_refused_but_for_the_hosts_network(world: World) -> None:
    world.lists["pods"] = [
        pod("bare", "a", owner=""),
        pod("collected", "a", owner="Backup", controls=False),
        pod("host", "a", owner="", hostNetwork=True),
    ]
    said = "has no controller, a drain would lose it: delete it, or use recreate"
    assert refusal(DRAINING) == [f"  - Pod a/bare {said}", f"  - Pod a/collected {said}"], (
        "a Pod would be gone for good, or one that no drain touches would stand in the way"
    )


PREFERRED = {"key": "k", "effect": "PreferNoSchedule"}
CORDON = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("spec", "usable"),
    [
        ({}, True),
        ({"taints": [PREFERRED]}, True),
        ({"taints": [PREFERRED, {"key": "k", "effect": "NoSchedule"}]}, False),
        ({"taints": [{"key": "k", "effect": "NoExecute"}]}, False),
        ({"unschedulable": True, "taints": [CORDON]}, False),
    ],
)
def test_drained_pods_may_go_where_no_taint_and_no_cordon_keeps_them_away(
    world: World, spec: dict[str, Any], usable: bool
) -> None:
    world.lists["nodes"][1] = node("b", **spec)
    world.lists["pods"] = [pod("web", "a")]
    if usable:
        assert preflight.verb(DRAINING) == ""
    else:
        assert refusal(DRAINING) == ["  - node a has 1 Pods to drain, and there is no other node that takes Pods"]


def test_of_a_half_done_migration_only_nodes_that_have_not_moved_are_drained(world: World) -> None:
    cut_off = node("b", owner="none", unschedulable=True, taints=[CORDON])
    cut_off["metadata"]["annotations"] = {CORDONED: "true"}
    data = {"set-cilium-node-taints": "false", "unmanaged-pod-watcher-interval": "0"}
    world.single["cilium-config"] = {"data": data}
    control_plane = node("cp", taints=[{"key": "k", "effect": "NoSchedule"}])
    world.lists["nodes"] = [node("a", owner="cilium"), cut_off, control_plane]
    world.lists["pods"] = [pod("web", "a"), pod("bare", "a", owner=""), pod("dns", "cp"), pod("other", "b")]
    assert preflight.verb(DRAINING) == "", "what another strategy has begun could not be ended by this one"
    world.lists["pods"].append(pod("left", "b", owner=""))
    assert "Pod a/left has no controller" in refusal(DRAINING)[0], "a drain would lose it"
    del cut_off["metadata"]["annotations"]
    world.lists["nodes"][0]["spec"]["unschedulable"] = True
    world.lists["pods"].pop()
    assert "node b has 1 Pods to drain" in refusal(DRAINING)[0], "a user's cordon is nothing that goes by itself"


def test_room_is_counted_in_millicores_and_without_what_stays(world: World) -> None:
    world.lists["pods"] = [
        pod("web", "a", cpu="500m"),
        pod("agent", "a", owner="DaemonSet", cpu="1"),
        pod("operator", "a", cpu="1", hostNetwork=True),
        pod("busy", "b", owner="DaemonSet", cpu="1600m"),
    ]
    assert refusal(DRAINING) == ["  - node a: its Pods ask for 500m of CPU, and the other nodes have 400m left"]


def test_requests_that_cannot_be_read_are_no_room(world: World) -> None:
    world.lists["pods"] = [pod("web", "a", cpu="much")]
    with pytest.raises(StepError, match="cannot be read"):
        preflight.verb(DRAINING)


def test_a_budget_that_permits_nothing_is_refused_but_for_the_probers_own(world: World) -> None:
    world.budgets = ["a/web", "cni-migration/traffic"]
    assert refusal(DRAINING) == [
        "  - PodDisruptionBudget a/web permits no eviction now, so a drain would wait for ever"
    ]


def test_policies_are_refused_by_name_of_each_kind_that_is_there_unless_accepted(world: World) -> None:
    world.lists["networkpolicies.networking.k8s.io"] = [named("deny", "a", "NetworkPolicy")]
    kind = "CiliumClusterwideNetworkPolicy"
    world.lists["customresourcedefinitions"] = [crd("cilium.io", kind, "ciliumclusterwidenetworkpolicies")]
    world.lists["ciliumclusterwidenetworkpolicies.cilium.io"] = [named("wide", "", "CiliumClusterwideNetworkPolicy")]
    said = (
        "would not be enforced everywhere while nodes are mixed (nor by Flannel after); if that is accepted: "
        "pulumi config set migration:allowUnenforcedPolicies true"
    )
    back = replace(DRAINING, cni="flannel")
    assert refusal(back) == [
        f"  - NetworkPolicy a/deny {said}",
        f"  - CiliumClusterwideNetworkPolicy wide {said}",
    ], "what a policy forbids would be open, and nobody was asked"
    assert preflight.verb(replace(back, unenforced_policies=True)) == ""


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({"unmanaged-pod-watcher-interval": "0"}, ""),
        ({"set-cilium-node-taints": "false", "unmanaged-pod-watcher-interval": "0"}, ""),
        ({"set-cilium-node-taints": "true", "unmanaged-pod-watcher-interval": "0"}, "true/0"),
        ({"set-cilium-node-taints": "false", "unmanaged-pod-watcher-interval": "15"}, "false/15"),
        (None, "/"),
    ],
)
def test_a_cilium_that_does_not_leave_nodes_alone_is_refused(
    world: World, data: dict[str, str] | None, found: str
) -> None:
    world.lists["nodes"] = [node("a", owner="cilium"), node("b")]
    if data is not None:
        world.single["cilium-config"] = named("cilium-config", data=data)
    if not found:
        assert preflight.verb(DRAINING) == ""
    else:
        assert refusal(DRAINING) == [
            "  - the Cilium that runs does not leave nodes alone that it has no agent on "
            f"(taints/restarts: {found}): set operator.setNodeTaints and operator.unmanagedPodWatcher.restart to false "
            "in its values, and bring its stack up first"
        ], "the operator would restart Pods on nodes that have moved"


def test_what_will_go_with_cilium_is_named_before_anything_is_touched(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = "ciliumnetworkpolicies.cilium.io"
    world.lists["customresourcedefinitions"] = [named(kind, "")]
    world.lists[kind] = [named("front", "shop", "CiliumNetworkPolicy")]
    preflight.verb(NEEDS)
    assert "1 objects of Cilium's kinds will be saved and go: CiliumNetworkPolicy shop/front" in capsys.readouterr().err


def test_findings_of_every_kind_are_told_at_once_and_a_part_without_an_answer_beside_them(world: World) -> None:
    world.lists["namespaces"] = [named("kube-flannel"), named("kube-system")]
    world.lists["apiservices.apiregistration.k8s.io"] = [
        named("v1.", spec={}),
        named(
            "v1.down",
            spec={"service": {"name": "s"}},
            status={"conditions": [{"type": "Available", "status": "False"}]},
        ),
    ]
    world.networks.append(Attachment(network="odd", subnet=IPv4Network("10.244.3.0/24")))
    world.refused["preflight-kube-proxy"] = "Error from server (Forbidden): no privileged Pods"
    world.broken = "validatingwebhookconfigurations"
    assert refusal(NEEDS_FLANNEL) == [
        "  - the aggregated API v1.down is not available (no reason given), so the namespace kube-flannel would never "
        "end: mend what serves it, or `kubectl delete apiservice v1.down`",
        "  - Docker's network odd (10.244.3.0/24), which the nodes are on, and cluster.podSubnet 10.244.0.0/16 "
        "overlap, so nodes would lose each other: make the cluster anew with another range, or the network "
        "(docker network create --subnet)",
        "  - the API refuses Pod kube-system/preflight-kube-proxy: Error from server (Forbidden): no privileged Pods",
        "  - validatingwebhookconfigurations gave no answer",
    ], "the user would mend one thing an `up`, or the old CNI would go before the new one is let in"
    assert "preflight-kube-flannel" in world.dry, "Flannel's own Pod would be refused when the old CNI is gone"
    assert "preflight-probe" not in world.dry, "a namespace that is not there yet would refuse a Pod for nothing"


def test_an_api_that_went_with_the_network_keeps_no_cut_off_migration_from_going_on(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    down = {"conditions": [{"type": "Available", "status": "False"}]}
    world.lists["namespaces"] = [named("kube-flannel")]
    world.lists["apiservices.apiregistration.k8s.io"] = [named("v1.down", spec={"service": {"name": "s"}}, status=down)]
    assert len(refusal(NEEDS_FLANNEL)) == 1
    world.single["cni-migration"] = named("m", data={"epoch": NEEDS_FLANNEL.epoch, "phase": "migrating"})
    world.single["cni-migration"]["metadata"]["resourceVersion"] = "1"
    assert preflight.verb(NEEDS_FLANNEL) == "", "a metrics-server without a network would shut its own way back"
    assert "warning: the aggregated API v1.down is not available" in capsys.readouterr().err


NEEDS_FLANNEL = replace(NEEDS, images=("flannel:1", "cni:1", "plugins:1", "proxy:1", "probe:1"))


def test_a_claim_that_is_done_is_asked_nothing_of_the_way(world: World) -> None:
    world.single["cni-migration"] = named("m", data={"epoch": "7", "phase": "ready"})
    world.single["cni-migration"]["metadata"]["resourceVersion"] = "1"
    world.lists["daemonsets.apps"], world.budgets = [named("kindnet", "kube-system")], ["a/b"]
    assert preflight.verb(DRAINING) == "", (
        "a value of the running CNI could not be changed for what no way is barred by"
    )
    assert world.looked["a"][1]["MOVES"] == "false" and not world.dry
    world.single["cni-migration"]["data"]["phase"] = "migrating"
    assert len(refusal(DRAINING)) == 2, "a migration that was cut off would go on unasked"


def test_policies_that_cilium_will_enforce_are_said_where_everything_stands_still_anyway(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.lists["networkpolicies.networking.k8s.io"] = [named("deny", "a", "NetworkPolicy")]
    needs = chart(monkeypatch, lambda *_, **__: "")
    assert preflight.verb(needs) == ""
    said = "warning: NetworkPolicy a/deny was never enforced by Flannel, and is from the moment that Cilium is there"
    assert said in capsys.readouterr().err, "connections would end, and nobody would know by what"
    assert "every node enforces it from its move" in refusal(replace(DRAINING, cni="cilium"))[0]


@pytest.mark.parametrize("needs", [NEEDS, DRAINING], ids=["one that does not drain", "one that drains"])
def test_the_questions_do_not_grow_with_the_nodes_but_for_one_script_each(world: World, needs: preflight.Needs) -> None:
    asked: dict[int, int] = {}
    for count in (3, 10, 50):
        names = tuple(f"n{number:02}" for number in range(count))
        world.lists["nodes"] = [node(name, address=f"10.0.0.{number}") for number, name in enumerate(names)]
        world.lists["pods"] = [pod(f"p{number}", name) for name in names for number in range(3)]
        world.calls.clear()
        assert preflight.verb(replace(needs, nodes=names)) == ""
        scripts = [call for call in world.calls if call in names]
        assert sorted(scripts) == sorted(names), "a node would not be looked at, or twice"
        asked[count] = len(world.calls) - len(scripts)
        assert world.calls.count("nodes") == 1, "each part would ask for all of the cluster again"
    assert len(set(asked.values())) == 1 and asked[50] <= 20, f"questions by nodes: {asked}"
