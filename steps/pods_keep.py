"""Saves in the cluster, before the network goes, the manifest of every Pod on the Pod network that nobody would make
anew: pods_replace.py makes it by that copy, in this `up` or in one that comes after a failure."""

from __future__ import annotations

from dataclasses import dataclass

from steps import bolt, marker
from steps.held import Base, begin
from steps.pods import items_on_pod_network, pod_from
from steps.pods_kept import keep
from steps.running import main, say
from steps.side_by_side import each


@dataclass(frozen=True, kw_only=True)
class Needs(Base):
    """The claim alone."""


def pods_keep(needs: Needs) -> None:
    """Every one of them has a copy. One that is being deleted already is its user's, and has none, but where
    its node's taint does it."""
    with begin(needs) as kubectl:
        found = marker.find(kubectl)
        if found is not None and found.field("phase") == "ready":
            # The state is of a version without this step: nothing is to be taken away, so nobody would clear up after.
            return
        items = {
            pod.full_name: item
            for item in items_on_pod_network(kubectl)
            for pod in [pod_from(item)]
            if pod.bare and (pod.state != "leaving" or pod.tainted)
        }
        # The gate comes next, and the engine deletes the old CNI for it; a pause before this has shot it again.
        bolt.lift(kubectl)
        each({name: (lambda item=item: keep(kubectl, item, deleted=False)) for name, item in items.items()}, "a copy")
        say(f"{len(items)} Pods that no controller would make anew are kept as Secrets in kube-system")


if __name__ == "__main__":
    main(Needs, pods_keep)
