"""The order of a migration, its interruption and its ownership, on the real engine and command plugin.

kind, docker and kubectl are recording stand-ins, and so are the steps that need a real network; the program's
components, its marker and the steps that claim, settle, make and delete the cluster are the real ones.
"""

from __future__ import annotations

import json
import os

import pytest

from engine.conftest import World
from steps.holder import holder

CLEANED = [f"node-clean {node}" for node in ("c-control-plane", "c-worker", "c-worker2")]
MIGRATION = ["takeover", *CLEANED, "pods-evict", "cni-create"]


def steps(calls: list[str]) -> list[str]:
    """The calls in the order that counts: nodes are cleaned side by side, and everything else has one CNI."""
    cleaned = sorted(line for line in calls if line.startswith("node-clean"))
    rest = [line.split()[0] if line.startswith(("takeover", "pods", "cni-create")) else line for line in calls]
    first = next((i for i, line in enumerate(rest) if line.startswith("node-clean")), len(rest))
    rest = [line for line in rest if not line.startswith("node-clean")]
    return rest[:first] + cleaned + rest[first:]


def test_a_change_of_cni_deletes_the_old_cleans_the_nodes_and_then_creates_the_new(world: World) -> None:
    flannel = world.stacks["flannel"]
    flannel.up()
    assert steps(world.calls()) == [
        "kind create",
        "preflight flannel",
        "pods-keep",
        *MIGRATION,
        "pods-replace",
        "verify flannel",
    ]
    flannel.set_config("cni-migration:cni", "cilium")
    flannel.up()
    calls = world.calls()
    assert steps(calls) == [
        "preflight cilium",
        "pods-keep",
        "cni-delete flannel",
        *MIGRATION,
        "pods-replace",
        "verify cilium",
    ], "the nodes would be cleaned under a CNI that still runs, or the new one would start beside the old"
    flannel.preview("--expect-no-changes")
    assert world.marker()["phase"] == "ready" and world.marker()["epoch"] == "2"


def test_a_preview_without_a_cluster_lists_the_whole_plan_and_touches_nothing(world: World) -> None:
    plan = world.stacks["cilium"].preview_steps()
    assert {step.op for step in plan} == {"create"} and len(plan) > 12, "the reviewer would see half a plan"
    assert world.calls() == [] and not (world.fake / "nodes").exists(), "a preview must not make a cluster"


def test_the_other_stack_adopts_the_cluster_and_the_first_can_take_it_back(world: World) -> None:
    flannel, cilium = world.stacks["flannel"], world.stacks["cilium"]
    flannel.up()
    world.calls()
    assert "owned by stack flannel" in cilium.preview().stdout, "the hand-over would not be seen in review"
    cilium.up()
    assert steps(world.calls()) == ["preflight cilium", "pods-keep", *MIGRATION, "pods-replace", "verify cilium"]
    assert world.marker()["stack"] == "cilium"
    # The state of flannel still says that all is there; only the marker tells that it is not.
    stale = [step.name for step in flannel.preview_steps() if step.op not in ("same", "refresh")]
    assert "migration-gate" in stale, "a stack with an old state would do nothing and say that all is well"
    flannel.up()
    assert steps(world.calls())[:4] == ["preflight flannel", "pods-keep", "cni-delete flannel", "takeover"]
    for stack in (flannel,):
        stack.preview("--expect-no-changes")
    assert world.marker()["epoch"] == "3"


@pytest.mark.parametrize(
    "fault",
    [
        "kind-create",
        "preflight",
        "pods-keep",
        "takeover",
        "node-clean",
        "pods-evict",
        "cni-create",
        "pods-replace",
        "verify",
    ],
)
def test_a_first_up_that_fails_at_any_step_is_finished_by_the_next(world: World, fault: str) -> None:
    flannel = world.stacks["flannel"]
    world.plant(fault)
    failed = flannel.up(check=False)
    assert failed.returncode != 0 and "fault planted" in failed.stdout + failed.stderr, (
        "a failure must not pass as done"
    )
    world.calls()
    flannel.up()
    assert "verify flannel" in world.calls(), "the second up would end without a verdict"
    flannel.preview("--expect-no-changes")
    assert world.marker()["phase"] == "ready"


@pytest.mark.parametrize(
    "fault", ["preflight", "pods-keep", "cni-delete", "takeover", "node-clean", "pods-evict", "cni-create", "verify"]
)
def test_a_migration_that_fails_at_any_step_goes_on_from_there(world: World, fault: str) -> None:
    flannel = world.stacks["flannel"]
    flannel.up()
    flannel.set_config("cni-migration:cni", "cilium")
    world.calls()
    world.plant(fault)
    failed = flannel.up(check=False)
    assert failed.returncode != 0, "a failure must not pass as done"
    before = [line.split()[0] for line in world.calls()]
    if fault == "preflight":
        assert before == ["preflight"], "the old network was touched although the new one cannot start"
    if fault == "pods-keep":
        assert before == ["preflight", "pods-keep"], "the old network was touched before bare Pods were safe"
    flannel.up()
    after = [line.split()[0] for line in world.calls()]
    assert fault in after, "the step that failed must run again"
    done = [step for step in before if step not in (fault, "node-clean")]
    assert not set(done) & set(after), f"what had succeeded ran twice: {done} and {after}"
    assert after[-1] == "verify"
    flannel.preview("--expect-no-changes")
    assert (world.marker()["cni"], world.marker()["phase"]) == ("cilium", "ready")


def test_a_destroy_of_a_stack_that_no_longer_owns_the_cluster_leaves_it_and_says_why(world: World) -> None:
    flannel, cilium = world.stacks["flannel"], world.stacks["cilium"]
    flannel.up()
    cilium.up()
    world.calls()
    before = world.marker()
    done = flannel.destroy()
    assert "owned by stack cilium, not by stack flannel" in done.stdout + done.stderr, "the user would wonder"
    assert world.calls() == [] and world.marker() == before, "somebody's cluster was taken away"
    cilium.preview("--expect-no-changes")
    cilium.destroy()
    assert world.calls() == ["kind delete"], "the owner's destroy must delete the cluster, and nothing one by one"


def test_a_stack_whose_cluster_was_destroyed_by_the_other_makes_a_new_one(world: World) -> None:
    flannel, cilium = world.stacks["flannel"], world.stacks["cilium"]
    flannel.up()
    cilium.up()
    cilium.destroy()
    world.calls()
    flannel.up()
    calls = steps(world.calls())
    assert calls[0] == "kind create" and calls[-1] == "verify flannel", (
        "a state from an earlier cluster would make the up do nothing"
    )
    flannel.preview("--expect-no-changes")


def test_of_two_ups_at_once_one_loses_before_it_touches_a_node_and_names_the_other(world: World) -> None:
    flannel, cilium = world.stacks["flannel"], world.stacks["cilium"]
    flannel.up()
    world.calls()
    # The other stack claims the cluster after this one has planned: preflight is the last step before the claim.
    thief = json.loads((world.fake / "marker.json").read_text())
    thief["data"].update(stack="thief", epoch="2", phase="ready")
    stolen = world.fake / "stolen.json"
    stolen.write_text(json.dumps(thief))
    preflight = cilium.program / "steps" / "preflight.py"
    preflight.write_text(f'{preflight.read_text()}    (fake / "{stolen.name}").replace(fake / "marker.json")\n')
    lost = cilium.up(check=False)
    assert lost.returncode != 0 and "claimed by stack thief" in lost.stdout + lost.stderr, (
        "the loser must name the other"
    )
    assert world.calls() == ["preflight cilium"], "the loser touched the cluster"


def test_a_migration_of_another_stack_that_still_runs_is_not_taken_over(world: World) -> None:
    flannel, cilium = world.stacks["flannel"], world.stacks["cilium"]
    flannel.up()
    marker = json.loads((world.fake / "marker.json").read_text())
    marker["data"].update(phase="migrating", holder=holder(os.getpid()))
    (world.fake / "marker.json").write_text(json.dumps(marker))
    world.calls()
    refused = cilium.up(check=False)
    assert "stack flannel is migrating" in refused.stdout + refused.stderr, "two migrations would run at once"
    assert world.calls() == ["preflight cilium"]
    # The same with a process that has ended: the migration was cut off, and the other stack may go on.
    marker["data"]["holder"] = f"{os.uname().nodename} {os.getpid()} some_other_time"
    (world.fake / "marker.json").write_text(json.dumps(marker))
    cilium.up()
    assert world.marker()["stack"] == "cilium" and world.marker()["phase"] == "ready"


def test_settings_that_a_running_cluster_cannot_follow_are_an_error_that_names_the_difference(world: World) -> None:
    flannel = world.stacks["flannel"]
    flannel.up()
    world.calls()
    flannel.set_config("cni-migration:cluster.workers", "3", "--path")
    refused = flannel.up(check=False)
    assert refused.returncode != 0 and "c-worker3" in refused.stdout + refused.stderr, "a silent no-op"
    assert world.calls() == [] and world.marker()["phase"] == "ready", "the cluster was touched"


@pytest.mark.parametrize("port", ["0", "12433"], ids=["without a port", "with a port"])
def test_a_cluster_keeps_the_port_for_hubble_that_it_was_made_with(world: World, port: str) -> None:
    flannel = world.stacks["flannel"]
    flannel.set_config("cni-migration:hubble.port", port, "--path")
    flannel.up()
    flannel.preview("--expect-no-changes")
    flannel.set_config("cni-migration:hubble.port", "12434", "--path")
    flannel.preview("--expect-no-changes")  # kind adds no port later: the cluster would be a change in every preview
    config = flannel.resources()["cluster-kind"]["inputs"]["stdin"]
    assert ("hostPort: 12433" in config) == (port == "12433"), "Hubble's page would be at no port of this machine"
