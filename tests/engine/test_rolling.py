"""The strategy `rolling` on the real engine and command plugin: its order, its interruption, a change of strategy.

What is a stand-in here is said in test_migration.py.
"""

from __future__ import annotations

import pytest

from engine.conftest import World

NODES = ("c-worker", "c-worker2", "c-control-plane")
MOVES = [f"node-move {node}" for node in NODES]


def test_inside_one_stack_the_new_cni_comes_first_the_nodes_move_in_order_and_the_old_goes_last(rolling: World) -> None:
    flannel = rolling.stacks["flannel"]
    flannel.set_config("cni-migration:cni", "cilium")
    plan = [step.name for step in flannel.preview_steps() if step.op == "create" and step.name.startswith("moves-c-")]
    assert plan == [f"moves-{node}" for node in NODES], "the reviewer would not see in which order nodes move"
    flannel.up()
    assert rolling.calls() == [
        "preflight cilium",
        "traffic-record cilium",
        "direct-routes cilium",
        "cni-create cilium",
        *MOVES,
        "rolling-finish cilium",
        "pods-replace cilium",
        "verify cilium",
        "traffic-report cilium",
        "cni-delete flannel",
    ], "nodes would lose their network before another one serves them"
    flannel.preview("--expect-no-changes")
    assert (rolling.marker()["strategy"], rolling.marker()["phase"]) == ("rolling", "ready")
    assert flannel.outputs()["interruption"] == {"measured": True}


def test_by_the_other_stack_no_gate_opens_there_or_back(rolling: World) -> None:
    for name in ("cilium", "flannel", "cilium"):
        rolling.stacks[name].up()
        calls = rolling.calls()
        assert "takeover" not in {call.split()[0] for call in calls}, "the running CNI was taken down"
        assert [call for call in calls if call.startswith("node-move")] == MOVES
        rolling.stacks[name].preview("--expect-no-changes")


@pytest.mark.parametrize("fault", ["direct-routes", MOVES[0], MOVES[2], "rolling-finish"])
def test_a_rolling_migration_that_fails_at_any_step_goes_on_from_there(rolling: World, fault: str) -> None:
    cilium = rolling.stacks["cilium"]
    rolling.plant(fault)
    failed = cilium.up(check=False)
    assert failed.returncode != 0 and "fault planted" in failed.stdout + failed.stderr, (
        "a failure must not pass as done"
    )
    before = rolling.calls()
    cilium.up()
    after = rolling.calls()
    assert after[0].startswith(fault), f"the step that failed must be the first to run again: {after}"
    assert not set(before[:-1]) & set(after), f"what had succeeded ran twice: {before} and {after}"
    cilium.preview("--expect-no-changes")
    assert rolling.marker()["phase"] == "ready"


def test_a_node_that_was_started_again_halfway_gets_its_routes_back_and_preview_shows_it(rolling: World) -> None:
    cilium = rolling.stacks["cilium"]
    rolling.plant(MOVES[1])
    assert cilium.up(check=False).returncode != 0
    nodes = rolling.fake / "nodes"
    nodes.write_text(nodes.read_text().replace("t0", "t1", 1))
    rolling.calls()
    changed = {step.name for step in cilium.preview_steps() if step.op not in ("same", "refresh")}
    assert "migration-routes" in changed, "the reviewer would not see that routes are missing"
    cilium.up()
    assert rolling.calls()[:2] == ["direct-routes cilium", MOVES[1]], "a node moves while a peer has no route to it"
    nodes.write_text(nodes.read_text().replace("t0", "t2", 1))
    cilium.preview("--expect-no-changes")


def test_a_half_done_rolling_migration_is_finished_by_recreate(rolling: World) -> None:
    cilium = rolling.stacks["cilium"]
    rolling.plant(MOVES[1])
    assert cilium.up(check=False).returncode != 0
    rolling.calls()
    cilium.set_config("migration:strategy", "recreate")
    cilium.up()
    calls = [call.split()[0] for call in rolling.calls() if not call.startswith("traffic-")]
    assert calls[:4] == ["preflight", "pods-keep", "cni-delete", "takeover"], (
        "a node would be cleaned under the new CNI"
    )
    assert "node-move" not in calls and calls[-1] == "verify"
    cilium.preview("--expect-no-changes")


def test_a_half_done_rolling_migration_is_taken_back_by_the_other_stack(rolling: World) -> None:
    rolling.plant(MOVES[1])
    assert rolling.stacks["cilium"].up(check=False).returncode != 0
    rolling.calls()
    flannel = rolling.stacks["flannel"]
    flannel.up()
    assert [call for call in rolling.calls() if call.startswith("node-move")] == MOVES, "a node would stay on Cilium"
    assert (rolling.marker()["cni"], rolling.marker()["phase"]) == ("flannel", "ready")
    flannel.preview("--expect-no-changes")


def test_another_strategy_in_the_settings_alone_moves_nothing(rolling: World) -> None:
    flannel = rolling.stacks["flannel"]
    flannel.preview("--expect-no-changes")
    rolling.stacks["cilium"].up()
    cilium = rolling.stacks["cilium"]
    cilium.set_config("migration:strategy", "recreate")
    cilium.preview("--expect-no-changes")
    cilium.set_config("cni-migration:cni", "flannel")
    rolling.calls()
    cilium.up()
    calls = [call.split()[0] for call in rolling.calls() if not call.startswith("traffic-")]
    assert calls[:4] == ["preflight", "pods-keep", "cni-delete", "takeover"], (
        "recreate after rolling would find its gate gone"
    )
    cilium.preview("--expect-no-changes")


def test_a_cluster_that_is_made_with_rolling_in_the_settings_comes_up_at_once(world: World) -> None:
    flannel = world.stacks["flannel"]
    flannel.set_config("cni-migration:traffic", '{"enabled": true}')
    flannel.set_config("migration:strategy", "rolling")
    world.plant("cni-create")
    assert flannel.up(check=False).returncode != 0
    flannel.up()
    assert not [call for call in world.calls() if call.startswith("node-move")], "there is no old network to roll off"
    flannel.preview("--expect-no-changes")
