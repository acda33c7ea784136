"""What a takeover removes and clears, and what it leaves."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from steps import old_cni, takeover
from steps.doors.kubectl import Kubectl
from steps.doors.process import ToolError
from steps.names import CORDONED
from steps.nodes import node_from


class Quiet:
    """A kubectl with the objects that it is made with, which notes what is deleted."""

    kubeconfig = Path("nowhere")

    def __init__(self, found: list[dict[str, Any]] | None = None) -> None:
        self.found, self.deleted = found or [], list[tuple[str, ...]]()

    def objects(self, kind: str) -> list[dict[str, Any]]:
        return self.found

    def delete(self, *what: str) -> None:
        self.deleted.append(what)

    def act(self, *_: str) -> None: ...

    def run(self, *_: str) -> str:
        return ""

    def wait(self, *_: str, until: str, seconds: int) -> None: ...


@pytest.mark.parametrize("unschedulable", [True, False])
def test_a_takeover_clears_what_a_move_that_was_cut_off_has_noted(
    unschedulable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = node_from(
        {"metadata": {"name": "n", "annotations": {CORDONED: "true"}}, "spec": {"unschedulable": unschedulable}}
    )
    by_user = node_from({"metadata": {"name": "u"}, "spec": {"unschedulable": True}})
    lifted: list[str] = []

    @contextmanager
    def begin(_: object) -> Generator[Quiet]:
        yield Quiet()

    def nothing(*_: object, **__: object) -> None: ...

    monkeypatch.setattr(takeover, "begin", begin)
    for name in ("remove_cilium", "remove_flannel_by_name", "remove_kube_proxy", "forget_flannel", "untaint"):
        monkeypatch.setattr(takeover, name, nothing)
    monkeypatch.setattr(takeover, "nodes", lambda _: [noted, by_user])
    monkeypatch.setattr(takeover, "lift_cordon", lambda _, name: lifted.append(name))
    claim = {"cluster": "c", "stack": "s", "cni": "flannel", "epoch": "2", "control_plane": "cp", "mark": ""}
    takeover.takeover(takeover.Needs(**claim))
    assert lifted == ["n"], "a user's own cordon would be lifted: now, or the next one, which such a note would disown"


def test_another_project_s_kinds_in_cilium_s_group_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    present = ("ciliumnodes.cilium.io", "tracingpolicies.cilium.io", "gateways.gateway.networking.k8s.io")
    quiet = Quiet([{"metadata": {"name": name}} for name in present])
    monkeypatch.setattr(old_cni.helm, "releases", lambda *_: [])
    monkeypatch.setattr(old_cni.kept_objects, "keep", lambda _: None)
    monkeypatch.setattr(old_cni, "remove_namespace", lambda *_, wait: None)
    old_cni.remove_cilium(cast("Kubectl", quiet))
    kinds = [what[1:] for what in quiet.deleted if what[0] == "customresourcedefinitions"]
    assert kinds == [("ciliumnodes.cilium.io",)], "every TracingPolicy of Tetragon's would go with its kind"


def test_a_helm_that_does_not_answer_is_no_cluster_without_a_release(monkeypatch: pytest.MonkeyPatch) -> None:
    def releases(*_: object) -> list[str]:
        raise ToolError("helm does not answer")

    quiet = Quiet()
    monkeypatch.setattr(old_cni.helm, "releases", releases)
    monkeypatch.setattr(old_cni.kept_objects, "keep", lambda _: None)
    with pytest.raises(ToolError):
        old_cni.remove_cilium(cast("Kubectl", quiet))
    assert quiet.deleted == [], "the release's agents would run on with their CustomResourceDefinitions gone"
