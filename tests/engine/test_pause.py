"""A migration that pauses between two nodes, on the real engine and command plugin.

What is a stand-in here is said in test_migration.py; `pause`, `claim` and `settle` are the real ones.
"""

from __future__ import annotations

import pytest

from engine.conftest import World
from engine.test_rolling import MOVES, NODES


def changed(world: World, stack: str) -> dict[str, str]:
    steps = world.stacks[stack].preview_steps()
    return {step.name: step.op for step in steps if step.op not in ("same", "refresh")}


def pause_after(world: World, stack: str, nodes: int) -> None:
    world.stacks[stack].set_config("migration:pauseAfter", str(nodes))


def go_to_the_end(world: World, stack: str) -> None:
    world.stacks[stack].run("config", "rm", "--stack", stack, "migration:pauseAfter")


def moves(world: World) -> list[str]:
    return [call for call in world.calls() if call.startswith("node-move")]


@pytest.fixture
def paused(rolling: World) -> World:
    """Flannel's cluster, of which one node has moved to stack cilium's."""
    pause_after(rolling, "cilium", 1)
    rolling.stacks["cilium"].up()
    return rolling


def test_it_stops_behind_one_node_goes_on_behind_a_second_and_ends_without_the_setting(paused: World) -> None:
    cilium = paused.stacks["cilium"]
    assert paused.calls() == [
        "preflight cilium",
        "traffic-record cilium",
        "direct-routes cilium",
        "cni-create cilium",
        MOVES[0],
        "pods-replace cilium",
        "verify cilium",
        "traffic-report cilium",
    ], "more was done than the user has allowed, or it was not verified"
    assert cilium.outputs()["paused"] == "1 of 3 nodes"
    marker = paused.marker()
    assert (marker["phase"], marker["holder"], marker["moved"]) == ("migrating", "", NODES[0])
    told = cilium.preview("--expect-no-changes")
    assert "1 of 3 nodes have moved; this up leaves it there" in told.stdout + told.stderr
    cilium.up()
    assert paused.calls() == [], "an up that has nothing to do moved on"

    pause_after(paused, "cilium", 2)
    plan = changed(paused, "cilium")
    assert plan[f"moves-{NODES[1]}"] == "create" and not plan.keys() & {f"moves-{NODES[0]}", "moves-finish"}, plan
    cilium.up()
    calls = paused.calls()
    assert calls[0] == "traffic-record cilium" and calls[-1] == "traffic-report cilium", "the leg is not measured"
    assert MOVES[1] in calls and not {MOVES[0], MOVES[2], "preflight cilium", "rolling-finish cilium"} & set(calls)
    assert cilium.outputs()["paused"] == "2 of 3 nodes" and paused.marker()["leg"] == "2"
    cilium.preview("--expect-no-changes")

    go_to_the_end(paused, "cilium")
    cilium.up()
    calls = paused.calls()
    assert [call for call in calls if call.startswith(("node-move", "rolling"))] == [MOVES[2], "rolling-finish cilium"]
    assert calls.index("rolling-finish cilium") < calls.index("verify cilium") < calls.index("traffic-report cilium")
    assert paused.marker()["phase"] == "ready" and "paused" not in cilium.outputs()
    cilium.preview("--expect-no-changes")


def test_a_pause_that_stays_in_the_settings_behind_the_end_takes_nothing_back(paused: World) -> None:
    go_to_the_end(paused, "cilium")
    cilium = paused.stacks["cilium"]
    cilium.up()
    paused.calls()
    pause_after(paused, "cilium", 1)
    cilium.preview("--expect-no-changes")


def test_a_node_that_is_started_again_in_a_pause_gets_its_routes_and_the_pause_is_verified_anew(paused: World) -> None:
    cilium = paused.stacks["cilium"]
    nodes = paused.fake / "nodes"
    nodes.write_text(nodes.read_text().replace("t0", "t1", 1))
    paused.calls()
    plan = changed(paused, "cilium")
    assert "migration-routes" in plan and not [name for name in plan if name.startswith("moves-")], plan
    cilium.up()
    assert paused.calls() == ["direct-routes cilium", "verify cilium"], "a node would stay without its routes"
    assert paused.marker()["holder"] == "" and paused.marker()["leg"] == "1", "nobody could take it back"
    cilium.preview("--expect-no-changes")


def test_the_other_stack_takes_a_paused_cluster_back(paused: World) -> None:
    flannel = paused.stacks["flannel"]
    paused.calls()
    flannel.up()
    assert moves(paused) == MOVES, "a node would stay on Cilium"
    marker = paused.marker()
    assert (marker["stack"], marker["phase"], marker.get("moved", "")) == ("flannel", "ready", "")
    assert marker["previous"] == "cilium cilium"
    flannel.preview("--expect-no-changes")


def test_a_later_migration_pauses_though_the_state_has_the_moves_of_an_earlier_one(paused: World) -> None:
    go_to_the_end(paused, "cilium")
    paused.stacks["cilium"].up()
    paused.stacks["flannel"].up()
    pause_after(paused, "cilium", 1)
    paused.calls()
    paused.stacks["cilium"].up()
    assert moves(paused) == MOVES[:1], "what was left of an earlier migration ran"
    paused.stacks["cilium"].preview("--expect-no-changes")


def test_a_leg_that_fails_goes_on_from_there(paused: World) -> None:
    cilium = paused.stacks["cilium"]
    pause_after(paused, "cilium", 2)
    paused.calls()
    paused.plant(MOVES[1])
    assert cilium.up(check=False).returncode != 0, "a failure must not pass as done"
    assert paused.calls() == ["traffic-record cilium", MOVES[1]]
    cilium.up()
    assert paused.calls()[0] == MOVES[1], "the step that failed must be the first to run again"
    assert cilium.outputs()["paused"] == "2 of 3 nodes"
    cilium.preview("--expect-no-changes")


def test_a_pause_whose_verification_fails_is_none(rolling: World) -> None:
    pause_after(rolling, "cilium", 1)
    rolling.plant("verify")
    cilium = rolling.stacks["cilium"]
    assert cilium.up(check=False).returncode != 0, "a failure must not pass as done"
    assert rolling.marker().get("moved", "") == "", "a cluster would wait for days that nobody has verified"
    rolling.calls()
    cilium.up()
    assert rolling.calls() == ["verify cilium", "traffic-report cilium"]
    assert rolling.marker()["moved"] == NODES[0]


def test_inside_one_stack_the_old_cni_stays_until_the_last_node_has_moved(rolling: World) -> None:
    flannel = rolling.stacks["flannel"]
    flannel.set_config("cni-migration:cni", "cilium")
    pause_after(rolling, "flannel", 2)
    flannel.up()
    assert "cni-delete flannel" not in rolling.calls(), "the nodes that wait have lost their network"
    flannel.preview("--expect-no-changes")
    go_to_the_end(rolling, "flannel")
    flannel.up()
    assert rolling.calls()[-1] == "cni-delete flannel", "the old CNI would stay for ever"
    assert (rolling.marker()["cni"], rolling.marker()["phase"]) == ("cilium", "ready")
    flannel.preview("--expect-no-changes")


def test_inside_one_stack_a_pause_is_taken_back_by_the_setting_alone(rolling: World) -> None:
    flannel = rolling.stacks["flannel"]
    flannel.set_config("cni-migration:cni", "cilium")
    pause_after(rolling, "flannel", 1)
    flannel.up()
    rolling.calls()
    flannel.set_config("cni-migration:cni", "flannel")
    go_to_the_end(rolling, "flannel")
    flannel.up()
    calls = rolling.calls()
    assert [call for call in calls if call.startswith("node-move")] == MOVES and calls[-1] == "cni-delete cilium"
    assert "cni-create flannel" not in calls, "the CNI of the nodes that had waited was taken from under them"
    flannel.preview("--expect-no-changes")
