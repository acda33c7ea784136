"""One CNI a stack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rule import RELEASE, Resource, Settings, stack_rule

_CNIS = ("Flannel", "Cilium")
_WORKLOADS = ("DaemonSet", "Deployment")


def _one(resources: Sequence[Resource], settings: Settings) -> Iterator[tuple[Resource | None, str]]:
    found = [each for each in resources if each.type in {f"cni-migration:index:{cni}" for cni in _CNIS}]
    if len(found) != 1:
        names = ", ".join(sorted(each.name for each in found)) or "none"
        yield None, f"the stack has {names}: it has to have exactly one CNI; see what components/wiring.py makes"
    if any(each.name == "cilium" for each in found):
        for each in resources:
            if each.within(["KubeProxy"]) and each.type.endswith(_WORKLOADS):
                yield each, "kube-proxy beside Cilium, which replaces it: two would answer for a Service; take it out"
    for each in resources:
        if each.type == RELEASE and each.props.get("chart") and not each.within(_CNIS):
            # What a chart makes is not seen before Helm makes it.
            yield (
                each,
                "a Helm release that is not the CNI: no rule here sees what it makes; install it from a project of "
                "its own",
            )


RULES = [stack_rule("one-cni", "A stack has one CNI, and nothing that competes with it.", _one)]
