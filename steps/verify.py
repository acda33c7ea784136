"""Measures what the network of a cluster does, and prints it as one JSON object.

Fails with one sentence where that is not what the CNI promises: the encapsulation and bytes of a ping between every
ordered pair of nodes, captured on the receiving node's device of the default route; the replies; ClusterIP, DNS and
every probe Pod's address from every node and every probe Pod; what the CNI says of itself; a new Pod on every node. It
says how much it rests on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from steps.capture import pings
from steps.cni_settled import await_settled
from steps.cni_status import status_on
from steps.complete import NETWORKS, Failed, attempt, basis, incomplete, sentence, told
from steps.doors import probe
from steps.doors.kubectl import Kubectl, cluster
from steps.doors.probe import Probe
from steps.findings.mixed import judge_mixed
from steps.findings.verdict import Measured, Reach, Status, judge
from steps.fresh_pods import await_fresh_pods
from steps.names import AGENTS, MEASUREMENT, PROBE, PROBE_HOST, SYSTEM
from steps.nodes import Node, nodes
from steps.objects import part
from steps.reach import Targets, reach_of, targets
from steps.running import StepError, main, say
from steps.side_by_side import each

# Pings of each pair.
COUNT = 5
_PATIENCE = 180
# On a slow link the first start of the agents waits for half a gigabyte of images.
_FIRST_START = 600
# The label of all that Cilium's chart makes.
CHART = "app.kubernetes.io/part-of=cilium"


@dataclass(frozen=True, kw_only=True)
class Needs:
    """`service_port` is the one of the probes' Service. `pending` are the nodes that still have the other CNI, while a
    migration is paused; none otherwise."""

    cluster: str
    cni: str
    service_port: int
    pending: tuple[str, ...]


def verify(needs: Needs) -> str:
    """The verdict in JSON, in one line. Raises StepError with what is wrong, and with what nobody could measure."""
    with cluster(needs.cluster) as kubectl:
        say("verify: waiting for the nodes, the probes and CoreDNS")
        _await_ready(kubectl)
        await_settled(kubectl)
        found = nodes(kubectl)
        names = [node.name for node in found]
        strays = astray(found, needs)
        probes = {app: probe.find(kubectl, app) for app in NETWORKS}
        pods, hosts = probes[PROBE], probes[PROBE_HOST]
        if len(pods) < 2:
            raise StepError(f"the verification needs probes on two nodes, and found {len(pods)}")
        at = targets(kubectl, needs.service_port, pods)

        say(f"verify: pings between {len(pods)} nodes, captured on the device of each one's default route")
        sent = pings(kubectl, pods, hosts, COUNT)
        say("verify: Services, DNS and the CNI's own word on every node")
        reaches, statuses, reasons = asked(kubectl, names, probes, at)
        say("verify: a new Pod on every node")
        refused = await_fresh_pods(kubectl, names)

    measured = Measured(pairs=sent.pairs, reaches=reaches, statuses=statuses)
    also = incomplete(names, measured, answered=sent.answered, pings=COUNT, reasons=reasons)
    owners = {name: _cni(needs, name) for name in names}
    verdict = judge_mixed(needs.cni, owners, measured, COUNT) if needs.pending else judge(needs.cni, measured, COUNT)
    rests_on = basis(names, measured, answered=sent.answered, pings=COUNT)
    wrong = sentence(verdict, [*sent.failed, *also, *refused, *strays])
    if wrong:
        raise StepError(f"{wrong}; {told(rests_on)}")
    stands = {"pending": list(needs.pending)} if needs.pending else {}
    return json.dumps({**verdict.as_json(), **stands, "basis": rests_on}, separators=(",", ":")) + "\n"


def astray(found: Sequence[Node], needs: Needs) -> list[str]:
    """A sentence for each node that has not the CNI by its label that it is to have while the migration is paused."""
    if not needs.pending:
        return []
    return [
        f"{node.name} has {node.owner or 'no CNI'} by its label, and {_cni(needs, node.name)} was expected"
        for node in found
        if node.owner != _cni(needs, node.name)
    ]


def _cni(needs: Needs, name: str) -> str:
    other = next(cni for cni in AGENTS if cni != needs.cni)
    return other if name in needs.pending else needs.cni


def asked(
    kubectl: Kubectl, names: Sequence[str], probes: Mapping[str, Mapping[str, Probe]], at: Targets
) -> tuple[list[Reach], list[Status], dict[str, str]]:
    """What every probe and the CNI on every node answer, and why those that do not gave no answer."""
    work: dict[str, Callable[[], Reach | Status | Failed]] = {}
    for name in names:
        for app in NETWORKS:
            work[f"{name} {app}"] = attempt(lambda name=name, app=app: _reach(kubectl, name, app, probes[app], at))
        work[name] = attempt(lambda name=name: status_on(kubectl, name))
    answers = each(work, "the measurement")
    return (
        [answer for answer in answers.values() if isinstance(answer, Reach)],
        [answer for answer in answers.values() if isinstance(answer, Status)],
        {where: answer.why for where, answer in answers.items() if isinstance(answer, Failed)},
    )


def _reach(kubectl: Kubectl, node: str, app: str, probes: Mapping[str, Probe], at: Targets) -> Reach:
    if node not in probes:
        raise StepError("no such Pod runs there")
    return reach_of(kubectl, probes[node], at)


def _await_ready(kubectl: Kubectl) -> None:
    kubectl.wait("nodes", "--all", until="condition=Ready", seconds=_PATIENCE)
    rollouts = [(MEASUREMENT, f"daemonset/{app}", _PATIENCE) for app in NETWORKS]
    charts = [(SYSTEM, workload, _FIRST_START) for workload in of_the_chart(kubectl)]
    for namespace, workload, seconds in [*charts, *rollouts, (SYSTEM, "deployment/coredns", _PATIENCE)]:
        wait = ("--namespace", namespace, f"--timeout={seconds}s")
        kubectl.act("rollout", "status", workload, *wait, timeout=seconds + 30)


def of_the_chart(kubectl: Kubectl) -> list[str]:
    """KIND/NAME of each workload of Cilium's chart, none under Flannel. Helm does not wait for them, since it would
    also wait for what nobody needs here: the address of a LoadBalancer Service that nobody gives. One that its owner
    rolls out by hand (OnDelete) is not waited for, which kubectl refuses too."""
    found = kubectl.objects("daemonsets,deployments", namespace=SYSTEM, selector=CHART)
    return sorted(
        f"{item['kind'].lower()}/{item['metadata']['name']}"
        for item in found
        if part(item, "spec", "updateStrategy").get("type") != "OnDelete"
    )


if __name__ == "__main__":
    main(Needs, verify)
