"""What preflight looks for, part by part: whether a CNI can start on every node, and what would stop the way there.
Asked by `steps.preflight`, which looks at the nodes too, and by who may touch nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from steps import (
    kept_objects,
    marker,
    preflight_bare,
    preflight_drain,
    preflight_live,
    preflight_policies,
    preflight_ports,
)
from steps.doors.kubectl import Kubectl, Object
from steps.findings.images import images_of
from steps.nodes import nodes
from steps.preflight_admission import pods_of, refusals
from steps.preflight_apis import silent_apis
from steps.preflight_chart import api_of, label_sets, objects_of, rendered
from steps.preflight_cnis import strange_cnis
from steps.preflight_networks import overlaps
from steps.preflight_nodes import Look, on_nodes
from steps.preflight_owners import owners
from steps.preflight_pods import own_pods
from steps.preflight_webhooks import closed_webhooks
from steps.running import StepError, say


@dataclass(frozen=True, kw_only=True)
class Needs:
    """`strategy` is for the message only; `drains`, `takes_network_down`, `keeps_pods` and `needs_one_l2` are facts of
    it. `broken_connections`: those that come in by a node may break. `epoch` is the claim's. `images` are those that no
    chart names, kube-proxy's before the probe's, which is the last; `chart` is empty where there is none, and its
    values come on stdin."""

    cluster: str
    cni: str
    epoch: str
    strategy: str
    drains: bool
    takes_network_down: bool
    needs_one_l2: bool
    keeps_pods: bool
    unenforced_policies: bool
    broken_connections: bool
    nodes: tuple[str, ...]
    pod_subnet: str
    service_subnet: str
    images: tuple[str, ...]
    chart: str
    chart_repository: str
    chart_version: str


@dataclass(frozen=True, kw_only=True)
class Heard:
    """`lines` are what is in the way; those that are `unheard` are questions without an answer. `said` bars no way."""

    lines: tuple[str, ...]
    unheard: tuple[str, ...]
    said: tuple[str, ...]


class Looking:
    """One look at one cluster; what an earlier part found out is there for the later ones. `values` are the chart's."""

    def __init__(self, needs: Needs, kubectl: Kubectl, values: str) -> None:
        self._needs, self._kubectl, self._values = needs, kubectl, values
        self._moves = not _settled(kubectl, needs.epoch)
        self._images: list[str] = list(needs.images)
        self._objects: list[Object] = []
        self._api = ""
        self._said: list[str] = []

    def everything(self, *, on_nodes: bool = True) -> Heard:
        """A part that has no answer ends no other. Without `on_nodes` nothing is touched: a look at a node pulls images
        and makes devices to try."""
        parts: list[Callable[[], list[str]]] = [self._chart, *([self._nodes] if on_nodes else [])]
        if self._moves:
            parts += [
                lambda: strange_cnis(self._kubectl),
                lambda: [owner.sentence for owner in owners(self._kubectl) if owner.acts],
                self._apis,
                self._networks,
                self._admission,
                self._policies,
                self._kept,
            ]
            # Where Pods run on, none has to be made again.
            parts += [self._live] if self._needs.keeps_pods else [self._bare]
            parts += [self._webhooks] if self._needs.takes_network_down else []
            parts += [self._drain] if self._needs.drains else []
        lines: list[str] = []
        unheard: list[str] = []
        for part in parts:
            try:
                lines += part()
            except StepError as error:
                unheard.append(" ".join(str(error).split()))
                lines.append(unheard[-1])
        return Heard(lines=tuple(dict.fromkeys(lines)), unheard=tuple(unheard), said=tuple(self._said))

    def _drain(self) -> list[str]:
        return preflight_drain.obstacles(self._kubectl, self._needs.cni, self._values)

    def _chart(self) -> list[str]:
        needs = self._needs
        if needs.chart:
            self._api = api_of(self._values)
            manifests = rendered(self._kubectl, needs.chart, needs.chart_repository, needs.chart_version, self._values)
            self._images = list(dict.fromkeys([*needs.images, *images_of(manifests)]))
            self._objects = objects_of(manifests)
        return preflight_ports.obstacles(self._objects, preflight_ports.held(self._kubectl, self._objects))

    def _nodes(self) -> list[str]:
        needs = self._needs
        look = Look(
            cni=needs.cni,
            images=self._images,
            # Cilium's native routing sends to podCIDRs by way of the nodes themselves, whichever the strategy.
            one_l2=needs.needs_one_l2 or needs.cni == "cilium",
            api=self._api,
            moves=self._moves,
        )
        return on_nodes(needs.nodes, look, nodes(self._kubectl))

    def _apis(self) -> list[str]:
        """One that has gone with the network must not keep a migration that was cut off from going on."""
        found = silent_apis(self._kubectl)
        if found and marker.cut_off(self._kubectl):
            for line in found:
                self._say(f"warning: {line}, unless the network that this migration brings does")
            return []
        return found

    def _networks(self) -> list[str]:
        needs = self._needs
        return overlaps(needs.nodes, pod_subnet=needs.pod_subnet, service_subnet=needs.service_subnet)

    def _admission(self) -> list[str]:
        pods = [*pods_of(self._objects), *own_pods(self._needs.cni, self._needs.images)]
        objects = preflight_ports.without(self._objects, preflight_ports.held(self._kubectl, self._objects))
        return refusals(self._kubectl, objects, pods)

    def _bare(self) -> list[str]:
        return preflight_bare.obstacles(self._kubectl, drains=self._needs.drains)

    def _live(self) -> list[str]:
        return preflight_live.obstacles(self._kubectl, self._values, accepted=self._needs.broken_connections)

    def _webhooks(self) -> list[str]:
        own = own_pods(self._needs.cni, self._needs.images)
        return closed_webhooks(self._kubectl, self._needs.cni, label_sets([*self._objects, *own]))

    def _kept(self) -> list[str]:
        """What will go with Cilium and be kept is said, and bars no way."""
        users = [] if self._needs.cni == "cilium" else kept_objects.users_objects(self._kubectl)
        if sentence := kept_objects.sentence(users):
            self._say(sentence)
        return []

    def _policies(self) -> list[str]:
        needs = self._needs
        names = preflight_policies.policies(self._kubectl)
        if not needs.takes_network_down:
            return [] if needs.unenforced_policies else preflight_policies.mixed(names, needs.cni)
        if needs.cni == "cilium" and any(node.owner != "cilium" for node in nodes(self._kubectl)):
            # Said and not refused: with this strategy everything stands still anyway, and whoever wrote a policy wants
            # it enforced.
            for line in preflight_policies.biting(names):
                self._say(f"warning: {line}")
        return []

    def _say(self, line: str) -> None:
        self._said.append(line)
        say(line)


def _settled(kubectl: Kubectl, epoch: str) -> bool:
    """Whether the claim is done already, so that only the CNI's own settings change and nothing moves."""
    found = marker.find(kubectl)
    return found is not None and (found.field("epoch"), found.field("phase")) == (epoch, "ready")
