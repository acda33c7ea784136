"""Migrates a cluster from Flannel to Cilium by hand and by `pulumi up`, round by round, and says what each way took and
what somebody outside noticed of it.

    eval "$(python3 airgap/kit env)"
    uv run --group bench python -m bench.compare ROUNDS [STRATEGY...]

`recreate` where no strategy is named; a round by hand and by all three strategies takes about twelve minutes. It uses
the cluster and the stacks of this folder, and leaves stack cilium up. By hand is bench/by-hand.sh. Results are in
.state/bench/migration.jsonl; an interrupted comparison goes on with the round that was cut off.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import facts, hand, migrations, outside, results, site
from bench.clusters import FOLDER
from bench.migrations import BY_HAND
from bench.order import SIDES
from bench.pulumi import pulumi
from bench.render import section
from bench.results import Migration, ResultsError
from steps.doors.kubectl import Kubectl, cluster
from steps.names import MEASUREMENT, PROBE
from steps.running import StepError, say

RESULTS = FOLDER / "migration.jsonl"
# What a migration costs is what is measured here; one that costs much is no failure.
NO_BUDGET = {"failedConnections": 10**9, "longestGapSeconds": 3600}


class Stacks:
    """Both stacks of this folder, brought up by a strategy of choice. `folder` is for files of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def up(self, stack: str, strategy: str = "recreate") -> Mapping[str, Any]:
        """The stack is up; its outputs. Raises StepError with what pulumi said where it is not."""
        # It is asked from outside by a node port, whose open connections `live` breaks.
        told = {"strategy": strategy, "budget": NO_BUDGET, "allowBrokenConnections": True}
        env = site.laid(self.folder, strategy, {"migration": told})
        pulumi("up", "--stack", stack, "--yes", "--skip-preview", env=env)
        outputs: Mapping[str, Any] = json.loads(pulumi("stack", "output", "--stack", stack, "--json", env=env))
        return outputs


def main(arguments: Sequence[str]) -> int:
    """0, or 1 with one sentence on stderr."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rounds", type=int)
    parser.add_argument("strategies", nargs="*", default=["recreate"])
    given = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder:
            compare(Stacks(Path(folder)), given.rounds, [BY_HAND, *given.strategies])
    except (StepError, ResultsError, ValueError, OSError) as error:
        sys.stderr.write(f"compare: {error}\n")
        return 1
    print(section(results.load(RESULTS)))
    return 0


def compare(stacks: Stacks, rounds: int, ways: Sequence[str]) -> None:
    """Every round that the file does not have yet."""
    for stack in SIDES:
        pulumi("stack", "select", "--create", stack)
    # Each CNI once: `rolling` needs an earlier migration, and by hand the values of the release.
    name = stacks.up("flannel")["cluster"]
    outputs = stacks.up("cilium")
    with cluster(name) as kubectl:
        about = migrations.about(ways, facts.network(kubectl, outputs))
        by_hand = hand.given(kubectl, name, stacks.folder)
        try:
            for number in range(migrations.begin(RESULTS, about), rounds):
                # Not one by one: a round that is cut off is measured again as a whole.
                for one in _round(stacks, kubectl, by_hand, ways, number):
                    results.append(RESULTS, one)
        finally:
            kubectl.delete("namespace", outside.NAMESPACE)
    stacks.up("cilium")


def _round(
    stacks: Stacks, kubectl: Kubectl, by_hand: Mapping[str, str], ways: Sequence[str], number: int
) -> Sequence[Migration]:
    places = enumerate(migrations.order(ways, number))
    return [_migrated(stacks, kubectl, by_hand, way, number, place) for place, way in places]


def _migrated(
    stacks: Stacks, kubectl: Kubectl, by_hand: Mapping[str, str], way: str, number: int, place: int
) -> Migration:
    """One migration to Cilium, from Flannel. One that failed has no duration: StepError."""
    name = by_hand["CLUSTER"]
    stacks.up("flannel")
    url = outside.serve(kubectl, _probes_image(kubectl), f"{name}-control-plane")
    began = datetime.now(UTC).isoformat(timespec="seconds")
    say(f"round {number + 1}: {way}")
    if way == BY_HAND:
        hand.announce(kubectl)
    with outside.watched(url) as answers:
        clock = time.monotonic()
        if way == BY_HAND:
            hand.migrate(by_hand)
        else:
            stacks.up("cilium", way)
        seconds = round(time.monotonic() - clock, 1)
    noticed = outside.seen(answers)
    say(f"{way}: {seconds} s, {noticed.failures} of {noticed.requests} failed, gap {noticed.longest_gap_seconds} s")
    return Migration(number=number, way=way, place=place, began=began, seconds=seconds, seen=noticed)


def _probes_image(kubectl: Kubectl) -> str:
    """The probes' image is on every node, and has python3."""
    probes = kubectl.object("daemonset", PROBE, namespace=MEASUREMENT)
    if probes is None:
        raise StepError(f"the probes are not there: daemonset {MEASUREMENT}/{PROBE}")
    return str(probes["spec"]["template"]["spec"]["containers"][0]["image"])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
