"""What would stop a migration halfway, each kind by itself; and what would not, which is not named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from settings import SettingsError, parse
from settings.helm_values import has_empty_list
from steps import coredns_budget, direct_routes, preflight_admission, preflight_cnis, rolling_finish
from steps.doors import docker, helm
from steps.doors.kubectl import Kubectl, Object
from steps.doors.process import ToolError
from steps.findings.selector import matches
from steps.preflight_budgets import stopping_budgets
from steps.preflight_chart import api_of, label_sets
from steps.preflight_cnis import strange_cnis
from steps.preflight_pods import own_pods
from steps.preflight_webhooks import closed_webhooks
from steps.running import StepError

ROOT = Path(__file__).parents[2]


class World(Kubectl):
    """A cluster of lists; `refused` is what a dry run of a name says. `done` is what was changed."""

    def __init__(self, **lists: list[Object]) -> None:
        super().__init__(Path("/nowhere"))
        self.lists = lists
        self.refused: dict[str, str] = {}
        self.asked: list[tuple[list[str], tuple[str, ...]]] = []
        self.done: list[str] = []

    def run(self, *args: str, stdin: str = "", timeout: float = 120) -> str:
        item = json.loads(stdin)
        names = [one["metadata"]["name"] for one in item.get("items", [item])]
        if args[0] == "apply":
            self.done.append(f"apply {names[0]}")
            return ""
        self.asked.append((names, args[4:]))
        said = [self.refused[name] for name in names if name in self.refused]
        if said:
            raise ToolError("`kubectl create` failed", "\n".join(said).strip())
        return ""

    def objects(self, kind: str, *, namespace: str | None = None, selector: str = "", fields: str = "") -> list[Object]:
        items = self.lists[kind]
        return [item for item in items if namespace in (None, item["metadata"].get("namespace"))]

    def delete(self, *what: str, seconds: int = 120) -> None:
        self.done.append(f"delete {what[1]}")


def named(name: str, namespace: str = "", **rest: Any) -> Object:
    return {"kind": "K", "metadata": {"name": name, "namespace": namespace, **rest.pop("meta", {})}, **rest}


def pod(name: str, labels: dict[str, str], *, owner: str = "ReplicaSet", namespace: str = "kube-system") -> Object:
    meta = {
        "uid": name,
        "labels": labels,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "ownerReferences": [{"kind": owner, "controller": True}],
    }
    return named(name, namespace, meta=meta, spec={})


def budget(name: str, selector: Any, allowed: int = 1, expected: int = 1) -> Object:
    status = {"disruptionsAllowed": allowed, "expectedPods": expected}
    return named(name, "kube-system", spec={"selector": selector}, status=status)


DNS = {"matchLabels": {"k8s-app": "kube-dns"}}
COREDNS = pod("coredns", {"k8s-app": "kube-dns"})


@pytest.mark.parametrize(
    ("selector", "labels", "wanted"),
    [
        ({}, {}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "1", "b": "2"}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "2"}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1"]}]}, {}, False),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, {}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, {"a": "1"}, False),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, {"a": ""}, True),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, {"a": ""}, False),
    ],
)
def test_a_selector_matches_as_the_apis_does(selector: Any, labels: dict[str, str], wanted: bool) -> None:
    assert matches(selector, labels) is wanted


def test_a_pod_of_two_budgets_is_named_and_this_projects_own_makes_way() -> None:
    ours = budget("cni-migration-coredns", DNS)
    one = World(poddisruptionbudgets=[ours, budget("user", DNS)])
    assert stopping_budgets(one, [COREDNS]) == [], "a budget for which ours is left out would be refused for nothing"
    two = World(poddisruptionbudgets=[budget("user", DNS), budget("all", {}), budget("none", None)])
    assert stopping_budgets(two, [COREDNS]) == [
        "Pod kube-system/coredns is matched by more than one PodDisruptionBudget (kube-system/user, kube-system/all), "
        "and the API evicts no such Pod: let one of them match it"
    ], "the last node would never be drained"


def test_a_budget_over_pods_that_stay_where_they_are_is_refused_by_nobody() -> None:
    shut = World(poddisruptionbudgets=[budget("agents", DNS, allowed=0)])
    staying = {**COREDNS, "spec": {**COREDNS["spec"], "hostNetwork": True}}
    assert stopping_budgets(shut, [staying]) == [], "a drain leaves Pods on the host's network alone"
    assert len(stopping_budgets(shut, [staying, COREDNS])) == 1, "the node would never be drained"


def test_a_budget_that_cannot_count_a_daemonsets_pods_is_named_and_one_that_can_is_not() -> None:
    agent = pod("log", {"app": "log"}, owner="DaemonSet")
    selector = {"matchLabels": {"app": "log"}}
    counted = World(poddisruptionbudgets=[budget("log", selector)])
    assert stopping_budgets(counted, [agent]) == []
    uncounted = World(poddisruptionbudgets=[budget("log", selector, allowed=0, expected=0)])
    (said,) = stopping_budgets(uncounted, [agent])
    assert "kube-system/log is over Pods of a DaemonSet" in said, "a node would stand still when its agent has gone"


@pytest.mark.parametrize(
    ("users", "done"), [([], "apply cni-migration-coredns"), ([budget("user", DNS)], "delete cni-migration-coredns")]
)
def test_coredns_has_one_budget_while_nodes_are_drained(users: list[Object], done: str) -> None:
    world = World(pods=[COREDNS], poddisruptionbudgets=[*users, budget("cni-migration-coredns", DNS)])
    coredns_budget.protect(world)
    assert world.done == [done], "a Pod of two budgets is evicted by nobody, one of none takes DNS away"


def hook(**changed: Any) -> Object:
    rule = {"operations": ["CREATE"], "apiGroups": [""], "resources": ["pods"], "scope": "Namespaced"}
    exempt = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["hooks"]}
    return {
        "name": "h.example.com",
        "failurePolicy": "Fail",
        "rules": [rule],
        "namespaceSelector": {"matchExpressions": [exempt]},
        "clientConfig": {"service": {"namespace": "hooks", "name": "hook"}},
        **changed,
    }


def exempting(*names: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": list(names)}]}


def only(name: str) -> dict[str, Any]:
    return {"matchLabels": {"kubernetes.io/metadata.name": name}}


def rule(group: str, resource: str) -> dict[str, Any]:
    return {"operations": ["CREATE", "UPDATE"], "apiGroups": [group], "resources": [resource]}


def webhooks(webhook: Object, cni: str) -> list[str]:
    world = World(
        validatingwebhookconfigurations=[named("v", webhooks=[webhook])],
        mutatingwebhookconfigurations=[],
        namespaces=[
            named(name, meta={"labels": {"kubernetes.io/metadata.name": name}}) for name in ("kube-system", "hooks")
        ],
        pods=[pod("hook", {"app": "hook"}, namespace="hooks")],
    )
    return closed_webhooks(world, cni, label_sets(own_pods(cni, ("f", "c", "p", "k", "probe"))))


@pytest.mark.parametrize(
    ("changed", "cni", "what"),
    [
        ({}, "cilium", "pods in kube-system"),
        ({"namespaceSelector": exempting("hooks", "kube-system")}, "cilium", ""),
        ({"namespaceSelector": exempting("hooks", "kube-system")}, "flannel", "pods in kube-flannel"),
        ({"namespaceSelector": exempting("kube-system", "kube-flannel")}, "flannel", "pods in hooks"),
        ({"failurePolicy": "Ignore"}, "cilium", ""),
        ({"clientConfig": {"url": "https://elsewhere"}}, "cilium", ""),
        ({"objectSelector": {"matchLabels": {"inject": "yes"}}}, "cilium", ""),
        ({"objectSelector": {"matchLabels": {"app": "flannel"}}}, "flannel", "pods in kube-system"),
        ({"rules": [{"operations": ["*"], "apiGroups": ["cert.io"], "resources": ["*"]}]}, "cilium", ""),
        ({"rules": [{"operations": ["CREATE"], "apiGroups": [""], "resources": ["pods/eviction"]}]}, "cilium", ""),
        ({"rules": [{"operations": ["*"], "apiGroups": ["*"], "resources": ["*/*"]}]}, "cilium", "pods in kube-system"),
        ({"rules": [{"operations": ["UPDATE"], "apiGroups": [""], "resources": ["nodes"]}]}, "cilium", "nodes"),
        # Gatekeeper's own, as it comes.
        ({"rules": [rule("", "namespaces")]}, "cilium", "the namespace cilium-secrets"),
        ({"rules": [rule("", "namespaces")]}, "flannel", "the namespace kube-flannel"),
        ({"rules": [rule("", "namespaces")], "namespaceSelector": exempting("cilium-secrets")}, "cilium", ""),
        ({"rules": [rule("", "namespaces")], "objectSelector": {"matchLabels": {"a": "b"}}}, "cilium", ""),
        ({"rules": [rule("rbac.authorization.k8s.io", "roles")]}, "cilium", "roles in kube-system"),
        ({"rules": [rule("coordination.k8s.io", "leases")]}, "cilium", "leases in kube-system"),
        ({"rules": [rule("apps", "deployments")], "namespaceSelector": only("cni-migration")}, "cilium", ""),
        (
            {"rules": [{"operations": ["DELETE"], "apiGroups": [""], "resources": ["pods"]}], "namespaceSelector": {}},
            "cilium",
            "the deletion of pods in hooks",
        ),
    ],
)
def test_a_webhook_that_needs_the_network_which_is_taken_away_is_named(
    changed: dict[str, Any], cni: str, what: str
) -> None:
    said = webhooks(hook(**changed), cni)
    if not what:
        assert said == [], "a webhook that is not asked would be refused for nothing"
    else:
        assert len(said) == 1 and f"has to be asked for {what}, but its Service hooks/hook" in said[0], (
            f"the new CNI would be refused when the old one is gone: {said}"
        )


def test_each_object_is_asked_for_by_name_only_where_something_is_refused() -> None:
    world = World(namespaces=[named("kube-system"), named("ending", status={"phase": "Terminating"})])
    there = "Error from server (AlreadyExists): there already"
    world.refused = {"c3": "Error from server (Forbidden): no", "c4": there}
    objects = [named(f"c{number}", "kube-system") for number in range(41)] + [
        named("x", "not-there"),
        named("y", "ending"),
    ]
    assert preflight_admission.refusals(world, objects, []) == [
        "the API refuses K kube-system/c3: Error from server (Forbidden): no"
    ], "the user would not know what is refused, or what is there already would be"
    assert not {"x", "y"} & {name for names, _ in world.asked for name in names}, (
        "a namespace that is made anew refuses"
    )
    assert len(world.asked) == 3 + 20, "each object is a process of its own, refused or not"


def test_pods_of_templates_are_asked_for_as_the_controller_that_makes_them() -> None:
    template: dict[str, Any] = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{}], "serviceAccountName": "new"},
    }
    (made,) = preflight_admission.pods_of([named("ds", "kube-system", spec={"template": template}), named("cm")])
    assert "serviceAccountName" not in made["spec"], "an account that comes with it would refuse its Pod for nothing"
    assert made["metadata"]["labels"] == {"a": "b"}
    world = World(namespaces=[named("kube-system")])
    preflight_admission.refusals(world, [], [made])
    assert world.asked[0][1] == ("--as=system:serviceaccount:kube-system:daemon-set-controller",)


def test_a_dry_run_without_an_answer_is_no_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(namespaces=[named("kube-system")])

    def silent(*_: object, **__: object) -> str:
        raise ToolError("`kubectl create` gave no answer within 120 s")

    monkeypatch.setattr(world, "run", silent)
    with pytest.raises(StepError, match="was not heard"):
        preflight_admission.refusals(world, [named("c", "kube-system")], [])


def daemon(name: str, namespace: str, command: str, **meta: Any) -> Object:
    containers = [{"command": [f"/opt/bin/{command}"]}]
    return named(name, namespace, meta=meta, spec={"template": {"spec": {"containers": containers}}})


HELM = {"meta.helm.sh/release-name": "cilium", "meta.helm.sh/release-namespace": "kube-system"}


@pytest.mark.parametrize(
    ("item", "releases", "said"),
    [
        (daemon("kube-flannel-ds", "kube-flannel", "flanneld"), [], ""),
        (daemon("kube-flannel-ds", "kube-system", "flanneld"), [], "a Flannel that this project does not remove"),
        (daemon("cilium", "kube-system", "cilium-agent", annotations=HELM), ["cilium"], ""),
        (daemon("cilium", "kube-system", "cilium-agent", annotations=HELM), [], "not the Helm release"),
        (daemon("cilium", "kube-system", "cilium-agent"), ["cilium"], "not the Helm release"),
        (daemon("calico-node", "x", "calico"), [], "another CNI"),
        (daemon("web", "x", "web", labels={"argocd.argoproj.io/instance": "web"}), [], ""),
        (daemon("kube-proxy", "kube-system", "kube-proxy", labels={"argocd.argoproj.io/instance": "p"}), [], "Argo CD"),
        (
            daemon("kube-flannel-ds", "kube-flannel", "flanneld", labels={"kustomize.toolkit.fluxcd.io/name": "f"}),
            [],
            "kept by Flux",
        ),
    ],
)
def test_a_cni_that_cannot_be_taken_away_or_would_be_put_back_is_named(
    monkeypatch: pytest.MonkeyPatch, item: Object, releases: list[str], said: str
) -> None:
    def listed(*_: object) -> list[str]:
        return releases

    monkeypatch.setattr(preflight_cnis.helm, "releases", listed)
    found = strange_cnis(World(**{"daemonsets.apps": [item]}))
    assert bool(found) == bool(said) and said in "".join(found), "two CNIs would run on each node"


def test_helm_template_is_told_what_the_cluster_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []

    def noted(command: list[str], **_: object) -> str:
        called.append(command)
        return ""

    monkeypatch.setattr(helm, "run", noted)
    helm.template(Path("k"), "r", "n", "c", "", "", "v1", "{}", api_versions=["a/v1", "a/v1/Kind"])
    assert called[0][-2:] == ["--api-versions=a/v1", "--api-versions=a/v1/Kind"]


@pytest.mark.parametrize(
    ("values", "api"),
    [('{"k8sServiceHost": "h", "k8sServicePort": 1}', "h 1"), ('{"k8sServiceHost": "auto"}', ""), ("{}", "")],
)
def test_the_api_that_agents_will_ask_is_read_out_of_the_values(values: str, api: str) -> None:
    assert api_of(values) == api


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"operator": {"updateStrategy": {"rollingUpdate": None}}}, "cilium.values.operator.updateStrategy.rollingUpd"),
        ({"ipam": {"mode": "cluster-pool"}}, "cilium.values.ipam.mode: 'cluster-pool'"),
        ({"encryption": {"enabled": True}}, "cilium.values.encryption.enabled: IPsec and WireGuard"),
    ],
)
def test_values_that_this_project_cannot_have_are_refused_by_name(values: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse({"cni": "cilium", "cilium": {"values": values}})
    assert said in str(refused.value), "it would show when Flannel is gone"
    parse({"cni": "flannel", "cilium": {"values": values}})


def test_an_empty_list_is_seen_however_deep_it_lies() -> None:
    deep: dict[str, Any] = {"a": [{"b": []}]}
    assert has_empty_list(deep) and not has_empty_list({"a": [1], "b": {}, "c": None})


def test_docker_says_which_networks_the_nodes_are_on_in_one_question(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = {"kind": {"IPAddress": "172.18.0.2", "IPPrefixLen": 16}, "six": {"IPAddress": "", "IPPrefixLen": 0}}
    asked: list[list[str]] = []
    answer = json.dumps([{"NetworkSettings": {"Networks": ends}}])

    def told(command: list[str]) -> str:
        asked.append(command)
        return answer

    monkeypatch.setattr(docker, "run", told)
    (found,) = docker.attachments(["a", "b"])
    assert (found.network, str(found.subnet)) == ("kind", "172.18.0.0/16") and len(asked) == 1
    answer = "[{}]"
    with pytest.raises(StepError, match="cannot be read"):
        docker.attachments(["a"])


# As containerd answers: a list of all images whatever is asked for, and an error for one by name that is not there. A
# slow one has answered within 60 s, and not within crictl's own 2.
CRICTL = """if [ "$1" = --timeout ]; then waits=$2; shift 2; fi
case "$1 $3" in
  images*) echo sha256:another ;;
  "inspecti there:1") ;;
  "inspecti slow:1") [ "$waits" = 60s ] || { echo DeadlineExceeded >&2; exit 1; } ;;
  "inspecti silent:1") printf 'first\\nDeadlineExceeded\\n' >&2; exit 1 ;;
  inspecti*) echo "no such image \\"$3\\" present" >&2; exit 1 ;;
  "pull "*) [ "$2" = public:1 ] ;;
  *) exit 1 ;;
esac"""


def on_node(folder: Path, kubectl: str, *images: str, **env: str) -> list[str]:
    """What preflight.sh prints with stand-ins for a node's tools; `kubectl` is the body of one."""
    tools = folder / "bin"
    tools.mkdir()
    for name, body in {"kubectl": kubectl, "mount": ":", "umount": ":", "ip": ":", "crictl": CRICTL}.items():
        (tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(0o755)
    told = {"CNI": "other", "NEEDS_ONE_L2": "false", "PEERS": "x", "MOVES": "true", "API": "", **env}
    told |= {"NET_D": str(folder / "net.d"), "PATH": f"{tools}:{os.environ['PATH']}"}
    script = (ROOT / "steps" / "on_node" / "preflight.sh").read_text()
    done = subprocess.run(
        ["bash", "-c", script, "preflight", *images], env=told, capture_output=True, text=True, check=True
    )
    return [line for line in done.stdout.splitlines() if "inotify" not in line]


def test_an_image_that_is_not_there_and_cannot_be_pulled_is_named(tmp_path: Path) -> None:
    said = on_node(tmp_path, ":", "there:1", "public:1", "nowhere:1")
    assert said == ["the image nowhere:1 is not there and cannot be pulled"], (
        "the old CNI would be gone when Pods wait for an image that nobody has"
    )


def test_a_runtime_that_does_not_answer_is_not_taken_for_one_without_the_image(tmp_path: Path) -> None:
    said = on_node(tmp_path, ":", "slow:1", "silent:1")
    assert said == ["the runtime does not say whether the image silent:1 is there (DeadlineExceeded)"], (
        "somebody would look for an image that is there"
    )


@pytest.mark.parametrize("moves", ["true", "false"])
def test_somebody_elses_configuration_on_a_node_is_named(tmp_path: Path, moves: str) -> None:
    net_d = tmp_path / "net.d"
    net_d.mkdir()
    for name in ("10-flannel.conflist", "10-flannel.conflist.cilium_bak", "99-loopback.conf", "00-multus.conf"):
        (net_d / name).write_text("{}")
    said = on_node(tmp_path, ":", MOVES=moves)
    wanted = [f"{net_d}/00-multus.conf is the configuration of another CNI; remove that CNI, or the file where it has "]
    assert [line[: len(wanted[0])] for line in said] == (wanted if moves == "true" else []), (
        "the runtime would go on calling a CNI that nobody took away"
    )


def test_an_api_of_another_cluster_is_named_with_its_answer(tmp_path: Path) -> None:
    (said,) = on_node(tmp_path, "echo x509: signed by unknown authority; exit 1", API="kind-control-plane 6443")
    assert said.startswith("k8sServiceHost kind-control-plane, k8sServicePort 6443 is not this cluster's API (x509"), (
        "the agents would never start, and Flannel is gone"
    )


def test_the_api_of_this_cluster_is_asked_at_its_address_and_passes(tmp_path: Path) -> None:
    told = 'case "$*" in *--server=https://h:1*) echo {};; *) exit 1;; esac'
    assert on_node(tmp_path, told, API="h 1") == []


def test_a_probers_question_is_in_the_clusters_own_domain(tmp_path: Path) -> None:
    conf = tmp_path / "resolv.conf"
    told = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1]); import traffic_requests as requests;"
        "path = pathlib.Path(sys.argv[2]); print(requests.cluster_domain(path));"
        "print(requests._question(requests.cluster_domain(path))[19:].hex())"
    )

    def asked(text: str) -> list[str]:
        conf.write_text(text)
        command = [sys.executable, "-c", told, str(ROOT / "steps" / "on_probe"), str(conf)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    domain, question = asked("search a.svc.corp.internal svc.corp.internal corp.internal\nnameserver 10.96.0.10\n")
    assert domain == "corp.internal" and bytes.fromhex(question) == (
        b"\x03svc\x04corp\x08internal\x00\x00\x01\x00\x01"
    ), "each question would fail, and be taken for an interruption"
    assert asked("nameserver 10.96.0.10\n")[0] == "cluster.local"


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> tuple[World, dict[str, str], list[str]]:
    """A node of Flannel's, what the steps before and behind its move are told, and what they run on every node."""
    row = named("a", meta={"labels": {"cni-owner": "flannel"}}, spec={})
    world, ran = World(nodes=[row], pods=[], poddisruptionbudgets=[]), list[str]()
    told = {"cluster": "c", "stack": "s", "epoch": "7", "control_plane": "a", "mark": "", "pod_subnet": "10.244.0.0/16"}

    def begin(_: object) -> nullcontext[World]:
        return nullcontext(world)

    def on_every_node(_: object, script: str, *, STEP: str = "", **__: str) -> None:
        world.done.append("nodes")
        ran.append(f"{script} {STEP}".strip())

    def noting(what: str) -> Callable[..., None]:
        def note(*_: object, **__: object) -> None:
            world.done.append(what)

        return note

    for module in (direct_routes, rolling_finish):
        monkeypatch.setattr(module, "begin", begin)
        monkeypatch.setattr(module, "on_every_node", on_every_node)
    monkeypatch.setattr(rolling_finish.bolt, "lift", noting("lift"))
    monkeypatch.setattr(rolling_finish, "remove_cilium", noting("remove"))
    monkeypatch.setattr(rolling_finish, "untaint", noting("untaint"))
    return world, told, ran


def test_what_a_way_back_left_for_open_connections_goes_before_cilium_comes_and_at_the_end(
    between: tuple[World, dict[str, str], list[str]],
) -> None:
    _, told, ran = between
    direct_routes.direct_routes(direct_routes.Needs(cni="cilium", **told))
    assert ran[0] == "router off", f"Cilium would give an address that is on lo to a Pod: {ran}"
    ran.clear()
    rolling_finish.finish(rolling_finish.Needs(cni="flannel", **told))
    assert ran[-2:] == ["unmasq off", "router off"], f"addresses would be on lo for ever: {ran}"


def test_the_budget_comes_before_the_first_drain_and_goes_at_the_end(
    between: tuple[World, dict[str, str], list[str]],
) -> None:
    world, told, _ = between
    direct_routes.direct_routes(direct_routes.Needs(cni="cilium", **told))
    assert world.done[:2] == ["apply cni-migration-coredns", "nodes"], "the first drain would take all of DNS away"
    world.done.clear()
    rolling_finish.finish(rolling_finish.Needs(cni="flannel", **told))
    assert world.done[0] == "delete cni-migration-coredns", "a budget of ours would meet one that the user makes later"
    assert world.done[1:3] == ["lift", "remove"], "behind a pause the old CNI's objects could not be deleted"
