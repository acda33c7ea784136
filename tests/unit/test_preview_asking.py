"""What a preview asks of the cluster: nothing that touches it, in bounded time, and no silence is an answer."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline import questions, world
from pipeline.events import Planned, planned
from pipeline.questions import ask
from plan.observation import ObservationError, Observed
from plan.ownership import Marker
from steps.doors import patience, process
from steps.doors.docker import Attachment
from steps.doors.kubectl import Kubectl, Object
from steps.doors.process import ToolError
from steps.preflight_owners import marked, owners
from unit.test_preview import FLANNEL, NONE, OWNED, recorded


class Api(Kubectl):
    """A cluster of lists, which notes what it is asked. `broken` are kinds that give no answer."""

    def __init__(self) -> None:
        super().__init__(Path("/nowhere"))
        self.lists: dict[str, list[Object]] = {}
        self.broken: set[str] = set()
        self.marker = {"epoch": "1", "phase": "ready"}
        self.asked: list[tuple[str, ...]] = []

    def run(self, *args: str, stdin: str = "", timeout: float = 120) -> str:
        self.asked.append(args)
        if args[:2] == ("create", "--dry-run=server"):
            return ""
        assert args[0] == "get", f"a preview has no business with kubectl {' '.join(args)}"
        return json.dumps({"gitVersion": "v1.34.11"})

    def objects(self, kind: str, *, namespace: str | None = None, selector: str = "", fields: str = "") -> list[Object]:
        self.asked.append(("get", kind))
        if kind in self.broken:
            raise ToolError(f"no word on {kind}", f"no word on {kind}")
        return self.lists.get(kind, [])

    def object(self, kind: str, name: str, *, namespace: str | None = None) -> Object | None:
        self.asked.append(("get", kind, name))
        return {"metadata": {"resourceVersion": "1"}, "data": self.marker} if name == "cni-migration" else None


def named(name: str, namespace: str = "", **rest: Any) -> Object:
    return {"metadata": {"name": name, **({"namespace": namespace} if namespace else {})}, **rest}


def crd(name: str) -> Object:
    plural, _, group = name.partition(".")
    versions = [{"name": "v1", "served": True}]
    return named(name, spec={"group": group, "names": {"kind": plural}, "versions": versions})


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()

    @contextmanager
    def cluster(name: str) -> Generator[Kubectl]:
        assert name == "c"
        yield made

    def template(*_: Any, **__: Any) -> str:
        return ""

    def attachments(_: Sequence[str]) -> list[Attachment]:
        return []

    def untouched(*_: Any, **__: Any) -> str:
        raise AssertionError("a preview ran a script on a node")

    monkeypatch.setattr(questions, "cluster", cluster)
    monkeypatch.setattr("steps.doors.helm.template", template)
    monkeypatch.setattr("steps.doors.docker.attachments", attachments)
    monkeypatch.setattr("steps.preflight_nodes.on_node", untouched)
    return made


ROLLING = planned(recorded("other-rolling"))


def test_what_preflight_would_find_is_asked_and_no_node_is_touched(api: Api) -> None:
    api.lists["networkpolicies.networking.k8s.io"] = [named("deny", "a", kind="NetworkPolicy")]
    api.lists["namespaces"] = [named("kube-system"), named("cni-migration")]
    answers = ask(ROLLING, OWNED)
    assert any("a/deny would not be enforced everywhere" in line for line in answers.in_the_way), (
        "the reviewer would merge what preflight then refuses"
    )
    assert any("each node itself" in line for line in answers.not_asked), "what was not looked at would pass for fine"
    assert any(args[:2] == ("create", "--dry-run=server") for args in api.asked), "admission would not be asked"


def test_a_question_without_an_answer_is_named_and_is_no_finding(api: Api) -> None:
    api.broken.add("networkpolicies.networking.k8s.io")
    answers = ask(ROLLING, OWNED)
    assert any("no word on networkpolicies" in line for line in answers.not_asked), "silence would pass for consent"
    assert not any("no word on" in line for line in answers.in_the_way)


def test_with_secret_values_no_chart_is_rendered_and_that_is_said(api: Api) -> None:
    plan = replace(ROLLING, preflight={**ROLLING.preflight, "stdin": "[secret]"})
    answers = ask(plan, OWNED)
    assert any("its values are secret" in line for line in answers.not_asked), "admission would pass for asked"


def test_where_nothing_changes_only_owners_outside_are_asked_for(api: Api) -> None:
    answers = ask(planned(recorded("settled")), OWNED)
    assert answers == questions.Answers(), "a settled stack would have a comment that says something"
    kinds = {args[1] for args in api.asked}
    assert kinds == {"customresourcedefinitions", "daemonsets.apps"}, "a settled stack asks what nobody needs"


def test_a_paused_or_cut_off_migration_says_where_it_stands(api: Api) -> None:
    labels = {"a": "cilium", "b": "flannel"}
    api.lists["nodes"] = [{"metadata": {"name": name, "labels": {"cni-owner": cni}}} for name, cni in labels.items()]
    moving = replace(OWNED, marker={**FLANNEL, "stack": "cilium", "cni": "cilium", "phase": "migrating"})
    said = "cluster c: owned by stack cilium; its migration is paused: 1 of 2 nodes have moved"
    answers = ask(Planned(ended="succeeded", program=[said, "the kit says hello"]), moving)
    assert answers.to_know == (said, "the migration to cilium is under way: 1 of 2 nodes have it by now (a)"), (
        "who reviews the next leg would not know how far the last one came"
    )


@pytest.mark.parametrize("state", ["silent", "unknown"])
def test_a_cluster_that_was_not_heard_has_no_findings_and_says_why(api: Api, state: Any) -> None:
    answers = ask(Planned(), replace(NONE, state=state, said="no answer within 4 s"))
    assert answers.in_the_way == () and any("no answer within 4 s" in line for line in answers.not_asked)
    assert api.asked == [] and ask(Planned(), NONE) == questions.Answers()


APPLICATION = named(
    "net",
    "argocd",
    spec={"syncPolicy": {"automated": {"prune": True}}},
    status={"resources": [{"kind": "DaemonSet", "namespace": "kube-flannel", "name": "kube-flannel-ds"}]},
)
KUSTOMIZATION = named(
    "net", "flux-system", status={"inventory": {"entries": [{"id": "kube-system_kube-proxy_apps_DaemonSet"}]}}
)
RELEASE = named("cni", "flux-system", spec={"chart": {"spec": {"chart": "./charts/cilium"}}})


@pytest.mark.parametrize(
    ("kind", "item", "by", "what"),
    [
        ("applications.argoproj.io", APPLICATION, "Argo CD's Application argocd/net", "kube-flannel/kube-flannel-ds"),
        ("kustomizations.kustomize.toolkit.fluxcd.io", KUSTOMIZATION, "Flux's Kustomization", "kube-system/kube-proxy"),
        ("helmreleases.helm.toolkit.fluxcd.io", RELEASE, "Flux's HelmRelease flux-system/cni", "the chart"),
    ],
)
def test_an_owner_outside_is_named_and_one_that_is_stopped_is_in_nobodys_way(
    api: Api, kind: str, item: Object, by: str, what: str
) -> None:
    api.lists.update({"customresourcedefinitions": [crd(kind)], kind: [item]})
    answers = ask(ROLLING, OWNED)
    assert any(by in line and what in line and "put it back" in line for line in answers.outside), (
        "what the migration removes would come back beside the new CNI"
    )
    stopped: Object = {**item, "spec": {**item.get("spec", {}), "suspend": True, "syncPolicy": {}}}
    api.lists[kind] = [stopped]
    (owner,) = owners(api)
    assert not owner.acts and "suspended" in owner.sentence, "preflight would refuse what nobody puts back"
    api.lists[kind] = [named("web", "argocd", status={"resources": [{"namespace": "kube-system", "name": "coredns"}]})]
    assert owners(api) == [], "an Argo CD that keeps something else would bar the way"


def test_a_daemonset_that_carries_a_mark_has_an_owner_though_no_argo_cd_is_in_this_cluster(api: Api) -> None:
    item = named("cilium", "kube-system")
    item["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": "x"}
    api.lists["daemonsets.apps"] = [item, named("web", "a")]
    assert [owner.what for owner in marked(api)] == ["daemonset kube-system/cilium"]
    assert any("Argo CD" in line for line in ask(planned(recorded("settled")), OWNED).outside)


CONFIG = {"cni-migration:cni": {"value": "cilium", "secret": False}}


@contextmanager
def answering(_: str) -> Generator[Kubectl]:
    yield Api()


def test_a_look_tells_the_owner_none_and_a_silent_cluster_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    marker = Marker(stack="flannel", cni="flannel", generation="g", epoch=1, phase="ready")
    observed: Observed | None = Observed(nodes=(), pod_subnet="", service_subnet="", marker=marker)

    def observe(*_: Any) -> Observed | None:
        return observed

    monkeypatch.setattr(world, "cluster", answering)
    monkeypatch.setattr(world.observation, "observe", observe)
    named_c = {**CONFIG, "cni-migration:cluster": {"value": '{"name": "c"}', "secret": False}}
    assert world.look(named_c) == OWNED
    observed = None
    assert world.look(named_c).state == "none"

    def silent(*_: Any) -> Observed:
        raise ObservationError("no answer")

    monkeypatch.setattr(world.observation, "observe", silent)
    found = world.look(named_c)
    assert (found.state, found.said) == ("silent", "no answer"), "a cluster that hangs would pass for none"


def test_a_cluster_whose_name_cannot_be_read_is_not_looked_for_under_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("another cluster was looked at")

    monkeypatch.setattr(world.observation, "observe", never)
    assert world.look({**CONFIG, "cni-migration:cluster": {"secret": True}}).state == "unknown"
    assert world.look({"cni-migration:cni": {"value": "nonsense", "secret": False}}).state == "unknown"


def test_all_questions_together_end_in_time_whatever_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_Patience", type("Mine", (), {"until": float("inf")}))
    hangs: Sequence[str] = ("bash", "-c", "exec tail -f /dev/null")
    patience.give_up_after(0.3)
    begun = time.monotonic()
    for _ in range(3):
        with pytest.raises(ToolError, match="gave no answer"):
            process.run(hangs, timeout=100)
    assert time.monotonic() - begun < 5, "a reviewer would wait for the sum of all waits"
