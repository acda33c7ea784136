"""What each node lacks, by a look at the node itself: one script a node, sixteen at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from steps.doors.node import on_node
from steps.doors.process import ToolError
from steps.nodes import Node
from steps.running import say
from steps.side_by_side import each

# Seconds for one node: it may have to pull every image.
_LOOK = 1800


@dataclass(frozen=True, kw_only=True)
class Look:
    """What is looked for. `api` is HOST PORT that has to answer, empty for none; `moves`: the node is to change its
    CNI, so nobody else's may be there."""

    cni: str
    images: Sequence[str]
    one_l2: bool
    api: str
    moves: bool


def on_nodes(names: Sequence[str], look: Look, peers: Sequence[Node]) -> list[str]:
    """NODE: what is missing there, in the order of the nodes."""
    env = {
        "CNI": look.cni,
        "NEEDS_ONE_L2": str(look.one_l2).lower(),
        "PEERS": " ".join(peer.address for peer in peers if peer.address),
        "API": look.api,
        "MOVES": str(look.moves).lower(),
    }
    found = each({name: (lambda name=name: _look(name, look.images, env)) for name in names}, "preflight")
    nowhere = [peer.name for peer in peers if look.one_l2 and not peer.address]
    return [
        *(f"{name}: {line}" for name in names for line in found[name]),
        *(f"{name}: it has no InternalIP, so nothing can be routed to it" for name in nowhere),
    ]


def _look(name: str, images: Sequence[str], env: Mapping[str, str]) -> list[str]:
    say(f"preflight: {name}, {len(images)} images")
    try:
        return on_node(name, "preflight", *images, env=env, timeout=_LOOK).splitlines()
    except ToolError as error:
        # A finding, so that what the other nodes miss is reported with it.
        return [f"it could not be looked at ({' '.join(str(error).split())})"]
