"""Makes the Kind cluster from the kind config on stdin, or adopts it where it exists; prints its kubeconfig.

A cluster made here gets a marker at once, so that a `destroy` knows it as this stack's even if nothing else was done.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import yaml

from settings.hubble import HostPort
from steps import creation, marker
from steps.doors import kind
from steps.doors.kubectl import ANSWER, Kubectl
from steps.doors.private import private_kubeconfig
from steps.doors.process import ToolError
from steps.host_port import in_the_way
from steps.running import StepError, main, say


@dataclass(frozen=True, kw_only=True)
class Needs:
    """`generation` names the life of a cluster that is made now."""

    cluster: str
    stack: str
    generation: str


def cluster_up(needs: Needs, config: str) -> str:
    """The kubeconfig of the cluster, which is there by then and answers."""
    if _is_to_be_made(needs):
        _make(needs.cluster, config)
    else:
        say(f"adopting the Kind cluster {needs.cluster}")
    kubeconfig = kind.kubeconfig(needs.cluster)
    with private_kubeconfig() as path:
        path.write_text(kubeconfig)
        kubectl = Kubectl(path)
        kubectl.run("get", "--raw", "/readyz", f"--request-timeout={ANSWER}s")
        # The note is there where the cluster was made here: now, or by one that was cut off before the marker was made.
        if creation.read(needs.cluster) is not None:
            _mark(kubectl, needs)
            creation.remove(needs.cluster)
    return kubeconfig


def _is_to_be_made(needs: Needs) -> bool:
    """Whether there is no cluster now; the note is written by then. What an earlier creation left is gone."""
    cluster = needs.cluster
    with creation.alone(cluster):
        note = creation.read(cluster)
        if note is not None:
            _clear(cluster, note)
        # Asked before the note is written: a note says that whatever is there came after it.
        if cluster in kind.clusters():
            return False
        try:
            creation.begin(cluster)
        except FileExistsError as error:
            raise StepError(f"another up is creating cluster {cluster} right now") from error
        return True


def _clear(cluster: str, note: creation.Note) -> None:
    """Removes what the creation left that was cut off, and its note; both stay where only the marker is missing."""
    if creation.under_way(note):
        raise StepError(f"another up is creating cluster {cluster} right now; wait for it to end")
    found = creation.look(cluster, note)
    if creation.is_wreck(note, found):
        say(f"the creation of {cluster} was cut off; removing what it left")
        kind.delete(cluster)
    elif found.ours and note.made and found.marker is None:
        return
    elif found.listed and not found.answers:
        raise StepError(
            f"the creation of cluster {cluster} was cut off, and whether it is whole cannot be seen, since its API "
            "does not answer: run the same again when it answers, or remove it: kind delete cluster --name "
            f"{cluster} ({found.why})"
        )
    creation.remove(cluster)


def _make(cluster: str, config: str) -> None:
    for wanted in _host_ports(config):
        if wrong := in_the_way(wanted, cluster):
            creation.remove(cluster)
            raise StepError(f"the cluster {cluster} cannot be made, and nothing was touched: {wrong}")
    say(f"creating the Kind cluster {cluster}")
    with private_kubeconfig() as path, creation.beating(cluster):
        try:
            kind.create(cluster, config, str(path))
        except ToolError as error:
            # Somebody else's, made since the look: this creation has made nothing.
            if error.says("already exist for a cluster with the name"):
                creation.remove(cluster)
            raise
        creation.finish(cluster)


def _host_ports(config: str) -> list[HostPort]:
    """Those that kind's config asks for."""
    nodes = yaml.safe_load(config)["nodes"]
    mappings = [mapping for node in nodes for mapping in node.get("extraPortMappings", [])]
    return [HostPort(address=mapping["listenAddress"], port=mapping["hostPort"]) for mapping in mappings]


def _mark(kubectl: Kubectl, needs: Needs) -> None:
    if marker.find(kubectl) is not None:
        return
    data = {
        "stack": needs.stack,
        "cni": "none",
        "generation": needs.generation,
        "epoch": "0",
        "phase": "created",
        "holder": "",
        "strategy": "recreate",
    }
    kubectl.create(marker.manifest(data))


if __name__ == "__main__":
    main(Needs, lambda needs: cluster_up(needs, sys.stdin.read()))
