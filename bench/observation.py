"""What Hubble costs: the benchmark's cluster with Cilium, with `enable-hubble` and without, in turn.

    eval "$(python3 airgap/kit env)"
    uv run --group bench python -m bench run --pairs 3 --keep      # makes the clusters
    uv run --group bench python -m bench.observation 10

Ten pairs take about ten minutes. Prints each pair, and the ratio with Hubble / without, by the same statistics as the
benchmark's. It changes the release's ConfigMap and restarts the agents, and ends with Hubble on again.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence

from bench.answers import NoSampleError
from bench.clusters import CLUSTERS
from bench.order import turns
from bench.ratios import interval
from bench.results import Measure
from bench.running import IMAGE, SECONDS
from bench.subject import Subject
from bench.verdict import shown
from bench.workloads import workloads
from steps.doors.kubectl import Kubectl, cluster
from steps.running import StepError, say

TESTS = ("other-node/connect", "other-node/round-trip", "other-node/tcp-1")
SYSTEM = "--namespace=kube-system"


def main(arguments: Sequence[str]) -> int:
    """0, or 1 with one sentence on stderr."""
    if len(arguments) != 1 or not arguments[0].isdigit():
        sys.stderr.write("usage: python -m bench.observation PAIRS\n")
        return 1
    side = CLUSTERS["cilium"]
    try:
        with cluster(side.name) as kubectl:
            subject = Subject(side, kubectl)
            subject.prepare(IMAGE, "")
            try:
                ratios = _measured(subject, kubectl, int(arguments[0]))
            finally:
                observe(kubectl, on=True)
    except (StepError, NoSampleError) as error:
        sys.stderr.write(f"observation: {error}\n")
        return 1
    print("| metric | with Hubble / without [95 %] |\n| --- | --- |")
    for metric, found in sorted(ratios.items()):
        print(f"| `{metric}` | {shown(interval(found))} |")
    return 0


def observe(kubectl: Kubectl, *, on: bool) -> None:
    """Every agent runs with Hubble on, or off."""
    data = {"data": {"enable-hubble": str(on).lower()}}
    kubectl.patch("configmap", "cilium-config", data, namespace="kube-system", form="merge")
    kubectl.run("rollout", "restart", "daemonset/cilium", SYSTEM)
    kubectl.run("rollout", "status", "daemonset/cilium", SYSTEM, "--timeout=180s", timeout=200)


def _measured(subject: Subject, kubectl: Kubectl, pairs: int) -> Mapping[str, Sequence[float]]:
    tests = [test for test in workloads(SECONDS["full"], training=False) if test.name in TESTS]
    ratios: dict[str, list[float]] = defaultdict(list)
    now: bool | None = None
    for turn in turns(pairs, seed=0):
        found: dict[bool, dict[str, Measure]] = {}
        # The order of the benchmark's sides, of which one stands for «with Hubble».
        for on in (side == "cilium" for side in turn.order):
            if on is not now:
                observe(kubectl, on=on)
                now = on
            found[on] = {test.name: subject.measure(test) for test in tests}
        for test in TESTS:
            over, under = found[True][test].values, found[False][test].values
            for name in over.keys() & under.keys():
                ratios[f"{test}/{name}"].append(over[name] / under[name])
        rate = f"{TESTS[0]}/connects"
        say(f"pair {turn.number + 1} of {pairs}: {rate} {ratios[rate][-1]:.2f}")
    return ratios


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
