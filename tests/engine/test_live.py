"""The strategy `live` on the real engine and command plugin: its order, where it pauses, what goes on.

What is a stand-in here is said in test_migration.py.
"""

from __future__ import annotations

import pytest

from engine.conftest import World
from engine.test_rolling import NODES

MOVES = [f"live-to-cilium {node}" for node in NODES]
BACK = [f"live-to-flannel {node}" for node in NODES]


@pytest.fixture
def live(flannels: World) -> World:
    """Flannel on a cluster, by the first stack; the second moves it under running Pods."""
    flannels.stacks["cilium"].set_config("migration:strategy", "live")
    return flannels


def test_the_nodes_move_under_their_pods_in_order_and_no_gate_opens(live: World) -> None:
    cilium = live.stacks["cilium"]
    plan = [step.name for step in cilium.preview_steps() if step.op == "create" and step.name.startswith("moves-c-")]
    assert plan == [f"moves-{node}" for node in NODES], "the reviewer would not see in which order nodes move"
    cilium.up()
    assert live.calls() == [
        "preflight cilium",
        "traffic-record cilium",
        "direct-routes cilium",
        "cni-create cilium",
        *MOVES,
        "rolling-finish cilium",
        "pods-replace cilium",
        "verify cilium",
        "traffic-report cilium",
    ], "a Pod would be drained, or lose its network"
    cilium.preview("--expect-no-changes")
    assert (live.marker()["strategy"], live.marker()["phase"]) == ("live", "ready")


@pytest.mark.parametrize("fault", ["direct-routes", MOVES[0], MOVES[2], "rolling-finish"])
def test_one_that_fails_at_any_step_goes_on_from_there(live: World, fault: str) -> None:
    cilium = live.stacks["cilium"]
    live.plant(fault)
    failed = cilium.up(check=False)
    assert failed.returncode != 0 and "fault planted" in failed.stdout + failed.stderr, "a failure passed as done"
    before = live.calls()
    cilium.up()
    after = live.calls()
    assert after[0].startswith(fault), f"the step that failed must be the first to run again: {after}"
    assert not set(before[:-1]) & set(after), f"what had succeeded ran twice: {before} and {after}"
    cilium.preview("--expect-no-changes")


def test_it_pauses_behind_a_node_and_goes_on_from_there(live: World) -> None:
    cilium = live.stacks["cilium"]
    cilium.set_config("migration:pauseAfter", "1")
    cilium.up()
    calls = live.calls()
    assert [call for call in calls if call.startswith("live-")] == MOVES[:1] and "rolling-finish cilium" not in calls
    assert cilium.outputs()["paused"] == "1 of 3 nodes"
    cilium.preview("--expect-no-changes")
    cilium.run("config", "rm", "--stack", "cilium", "migration:pauseAfter")
    cilium.up()
    assert [call for call in live.calls() if call.startswith("live-")] == MOVES[1:], "a node would move twice"
    assert live.marker()["phase"] == "ready"


@pytest.mark.parametrize("strategy", ["rolling", "recreate"])
def test_a_half_done_one_is_finished_by_another_strategy(live: World, strategy: str) -> None:
    cilium = live.stacks["cilium"]
    live.plant(MOVES[1])
    assert cilium.up(check=False).returncode != 0
    live.calls()
    cilium.set_config("migration:strategy", strategy)
    cilium.up()
    calls = live.calls()
    assert not [call for call in calls if call.startswith("live-")], "the user has chosen another strategy"
    assert (live.marker()["strategy"], live.marker()["phase"]) == (strategy, "ready")
    cilium.preview("--expect-no-changes")


@pytest.mark.parametrize("strategy", ["live", "rolling", "recreate"])
def test_a_half_done_one_is_taken_back_by_the_other_stack(live: World, strategy: str) -> None:
    live.plant(MOVES[1])
    assert live.stacks["cilium"].up(check=False).returncode != 0
    flannel = live.stacks["flannel"]
    flannel.set_config("migration:strategy", strategy)
    flannel.up()
    assert (live.marker()["cni"], live.marker()["phase"]) == ("flannel", "ready"), "a node would stay on Cilium"
    flannel.preview("--expect-no-changes")


def test_the_way_back_is_by_nodes_too_and_takes_cilium_away_last(live: World) -> None:
    live.stacks["cilium"].up()
    live.calls()
    flannel = live.stacks["flannel"]
    flannel.set_config("migration:strategy", "live")
    flannel.up()
    calls = live.calls()
    assert [call for call in calls if call.startswith("live-")] == BACK, "a node would stay on Cilium, or drain"
    assert calls.index(BACK[-1]) < calls.index("rolling-finish flannel"), "Cilium would go from under a node"
    assert (live.marker()["cni"], live.marker()["phase"]) == ("flannel", "ready")
    flannel.preview("--expect-no-changes")
