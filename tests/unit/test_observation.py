"""What is read of a cluster before anything is planned."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from plan import observation
from plan.observation import ObservationError, observe


def container(name: str, role: str, state: str = "running") -> dict[str, Any]:
    labels = {"io.x-k8s.kind.role": role}
    running = {"Status": state, "StartedAt": "t0"}
    config, ports = {"Image": "img:v1", "Labels": labels}, {"Ports": {"6443/tcp": None}}
    return {"Name": f"/{name}", "Config": config, "State": running, "NetworkSettings": ports}


NODES = [container("c-worker", "worker"), container("c-control-plane", "control-plane")]
KUBEADM = {
    "kind": "ConfigMap",
    "metadata": {"name": "kubeadm-config"},
    "data": {"ClusterConfiguration": "networking:\n  podSubnet: 10.1.0.0/16\n  serviceSubnet: 10.2.0.0/16\n"},
}
MARKER = {
    "kind": "ConfigMap",
    "metadata": {"name": "cni-migration"},
    "data": {"stack": "flannel", "cni": "flannel", "generation": "g", "epoch": "3", "phase": "ready"},
}


def docker(nodes: list[dict[str, Any]], config_maps: object = None) -> observation.Run:
    def run(command: Sequence[str]) -> str:
        if command[1] == "ps":
            return "".join(f"id{number}\n" for number, _ in enumerate(nodes))
        return json.dumps(nodes if command[1] == "inspect" else config_maps)

    return run


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_no_containers_is_no_cluster() -> None:
    assert observe("c", docker([])) is None, "a preview without a cluster would fail"


def test_nodes_subnets_and_the_marker_are_read() -> None:
    observed = observe("c", docker(NODES, {"kind": "List", "items": [KUBEADM, MARKER]}))
    assert observed is not None and observed.marker is not None
    assert [node.name for node in observed.nodes] == ["c-control-plane", "c-worker"]
    assert (observed.pod_subnet, observed.service_subnet) == ("10.1.0.0/16", "10.2.0.0/16")
    assert (observed.marker.stack, observed.marker.epoch) == ("flannel", 3), "the plan would not know the owner"


def test_a_cluster_without_a_marker_is_one_that_nobody_owns() -> None:
    observed = observe("c", docker(NODES, KUBEADM))
    assert observed is not None and observed.marker is None, "kubectl prints one object as such, not as a list"


def test_a_stopped_node_is_named_with_the_way_to_start_it() -> None:
    with pytest.raises(ObservationError, match=r"docker start c-worker"):
        observe("c", docker([container("c-worker", "worker", "exited"), NODES[1]]))


def test_a_paused_node_is_told_to_be_unpaused() -> None:
    with pytest.raises(ObservationError, match=r"with `docker unpause c-worker`, then"):
        observe("c", docker([container("c-worker", "worker", "paused"), NODES[1]]))  # docker refuses to start it


def test_an_odd_answer_of_the_engine_is_no_cluster_and_no_traceback() -> None:
    with pytest.raises(ObservationError, match="cannot be read"):
        observe("c", docker([{"Name": "/c-worker"}]))


def test_the_wreck_of_a_creation_that_was_cut_off_is_no_cluster() -> None:
    Path(".state").mkdir()
    Path(".state/c.creating").touch()
    assert observe("c", docker(NODES, KUBEADM)) is None, "the next up could not make the cluster again"


def test_a_whole_cluster_is_never_taken_for_a_wreck(tmp_path: Path) -> None:
    Path(".state").mkdir()
    Path(".state/c.creating").touch()
    observed = observe("c", docker(NODES, {"kind": "List", "items": [KUBEADM, MARKER]}))
    assert observed is not None, "somebody's cluster would be deleted for a file that was left behind"


def test_an_engine_that_is_not_there_is_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ObservationError, match="docker is not on PATH"):
        observe("c")


def test_a_command_that_fails_is_shown_with_its_words() -> None:
    with pytest.raises(ObservationError, match="no such thing"):
        observation.run(["bash", "-c", "echo no such thing >&2; exit 3"])
