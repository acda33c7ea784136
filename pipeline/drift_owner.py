"""Who owns the cluster and which nodes it has, held against the stack's state. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pipeline.drift_facts import Objects, World
from pipeline.drift_promise import Promise
from pipeline.drift_report import Finding
from steps.names import MARKER, SYSTEM

_WHERE = f"configmap {SYSTEM}/{MARKER}"


def owner_findings(promise: Promise, world: World) -> Iterator[Finding]:
    """The marker: missing, another stack's, or with other fields than this stack's `up` wrote."""
    marker, kept = world.marker, promise.kept
    promised = {
        "stack": promise.stack,
        "cni": promise.cni,
        "generation": kept.generation,
        "epoch": kept.epoch,
    }
    if marker is None:
        literals = " ".join(f"--from-literal={name}={value}" for name, value in {**promised, "phase": "ready"}.items())
        yield Finding(
            kind="marker",
            where=_WHERE,
            says="it is gone: nobody owns the cluster, and the next up of any stack would migrate it anew",
            remedy=f"kubectl --namespace={SYSTEM} create configmap {MARKER} {literals}",
        )
        return
    if promise.cni != kept.cni:
        yield Finding(
            kind="marker",
            where=f"stack {promise.stack}",
            says=f"its settings ask for {promise.cni}, and its last up brought {kept.cni}",
            remedy=f"pulumi up --stack {promise.stack}, or set cni back",
        )
    if marker.stack != promise.stack:
        yield Finding(
            kind="marker",
            where=_WHERE,
            says=f"the cluster is owned by stack {marker.stack} with {marker.cni}, not by stack {promise.stack}",
            remedy=f"look with `pipeline/drift.sh {marker.stack}`, or take the cluster back: "
            f"pulumi up --stack {promise.stack}",
        )
        return
    found = {"cni": marker.cni, "generation": marker.generation, "epoch": str(marker.epoch)}
    wrong = {name: value for name, value in found.items() if value != (promised | {"cni": kept.cni})[name]}
    for name, value in wrong.items():
        wanted = (promised | {"cni": kept.cni})[name]
        patch = f'{{"data":{{"{name}":"{wanted}"}}}}'
        yield Finding(
            kind="marker",
            where=_WHERE,
            says=f"its {name} is {value or 'empty'}, and stack {promise.stack} wrote {wanted}: an up would migrate",
            remedy=f"kubectl --namespace={SYSTEM} patch configmap {MARKER} --type=merge --patch='{patch}'",
        )


def container_findings(promise: Promise, world: World) -> Iterator[Finding]:
    """Nodes and subnets that the settings do not ask for, and nodes that were started since the last verification:
    rules and routes of a node do not survive that (docs/decisions/0014)."""
    for sentence in world.differs:
        yield Finding(
            kind="node",
            where=f"cluster {promise.cluster}",
            says=sentence,
            remedy="set it back, or destroy and bring the stack up: a running cluster cannot follow",
        )
    if not promise.kept.measured:
        return
    measured = datetime.fromisoformat(promise.kept.measured)
    for node in world.containers:
        if datetime.fromisoformat(node.started) > measured:
            yield Finding(
                kind="restarted",
                where=node.name,
                says=f"it was started at {node.started}, after its network was verified ({promise.kept.measured})",
                remedy=f"verify again: pulumi up --stack {promise.stack} --replace '{promise.kept.measure_urn}'",
            )


def registered_findings(promise: Promise, objects: Objects) -> Iterator[Finding]:
    """The nodes of the API against those of the settings: a container that runs may have lost its node, and a node may
    have joined that no container of kind's is."""
    found = {node.name for node in objects.nodes}
    for name in sorted(found - set(promise.nodes)):
        yield Finding(
            kind="node",
            where=name,
            says="it is a node of the cluster, and the settings name no such node: no migration takes it along",
            remedy=f"kubectl delete node {name}, or make the cluster anew with more cluster.workers",
        )
    for name in promise.nodes:
        if name not in found:
            yield Finding(
                kind="node",
                where=name,
                says="the API has no such node, and the settings ask for it",
                remedy=f"docker restart {name} (its kubelet registers it when it starts)",
            )
