"""The gate: the options by which the engine takes the old CNI down before the new one comes.

The engine tells a pack of dependencies, ignored changes and delete_before_replace. It does not tell of replace_with,
deleted_with and retain_on_delete: tests/unit/test_components.py of the project holds those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reading import CLUSTER, CNI, at
from rule import KUBERNETES_PROVIDER, Resource, Settings, stack_rule

_GATE, _FOLLOW = "migration-gate", (*CNI, "Probes")
_PREFLIGHT = "migration-preflight"
_FIRST = (_PREFLIGHT, "migration-claim")


def _follows(resource: Resource) -> bool:
    """Whether it goes and comes with the gate."""
    return resource.type.startswith("kubernetes:") and resource.within(_FOLLOW)


def _order(resources: Sequence[Resource], settings: Settings) -> Iterator[tuple[Resource | None, str]]:
    after = {each.name: set(each.after) for each in resources}
    if _GATE not in after:
        yield None, f"there is no {_GATE}: nothing takes the old CNI down; make it (components/migration)"
        return
    reached, ahead = set[str](), {_GATE}
    while ahead:
        reached |= ahead
        ahead = {name for each in ahead for name in after.get(each, ())} - reached
    gate = next(each for each in resources if each.name == _GATE)
    for first in _FIRST:
        if first not in reached:
            yield gate, f"it does not wait for {first}: the CNI would go before that; add it to depends_on"
    if not any(each.type == KUBERNETES_PROVIDER and each.name in after[_GATE] for each in resources):
        yield gate, "it does not wait for the Kubernetes provider, which deletes the old CNI: add it to depends_on"
    for each in resources:
        if _follows(each) and _GATE not in after[each.name]:
            yield each, f"it does not wait for {_GATE}: it would start beside the old CNI; make it with gated(…)"


def _replaced(resources: Sequence[Resource], settings: Settings) -> Iterator[tuple[Resource | None, str]]:
    # An analysis of a state is told of nobody's.
    if not any(each.delete_before_replace for each in resources):
        return
    for each in resources:
        if (each.name == _GATE or _follows(each)) and not each.delete_before_replace:
            yield (
                each,
                "delete_before_replace is not set: the new one would be made while the old one is there, under the "
                "same fixed name; use gate_options(…) or gated(…)",
            )


def _ignored(resources: Sequence[Resource], settings: Settings) -> Iterator[tuple[Resource | None, str]]:
    # A fact of the strategy: where the network stays up, the gate is shut by ignoring what would open it.
    facts = [at(each.props, "environment") for each in resources if each.name == _PREFLIGHT]
    shut = any(at(fact, "TAKES_NETWORK_DOWN") == "false" for fact in facts)
    for each in resources:
        fields = ", ".join(each.ignored)
        if fields and each.name == _GATE and not shut:
            yield each, f"it ignores changes of {fields}: no migration would open it; take ignore_changes out"
        if fields and (each.name == CLUSTER or _follows(each)):
            yield (
                each,
                f"it ignores changes of {fields}: a setting changes and nothing happens; take ignore_changes out",
            )


RULES = [
    stack_rule("gate-first", "The gate waits for preflight and claim, and the CNI for the gate.", _order),
    stack_rule("gate-deletes-before-it-replaces", "What the gate replaces goes before it comes.", _replaced),
    stack_rule("gate-ignores-nothing", "No change of the gate, the cluster or the CNI is ignored.", _ignored),
]
