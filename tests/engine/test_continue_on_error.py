"""`up --continue-on-error` inside one stack: the engine goes on behind a step that failed, to the deletions at the end.
The bolt is of no use there (steps/bolt.py): once the cluster is claimed, it is open.
"""

from __future__ import annotations

import pytest

from engine.conftest import World

CASES = (
    ("recreate", "preflight", "cilium"),
    ("recreate", "preflight", "flannel"),
    ("recreate", "takeover", "cilium"),
    ("recreate", "cni-create", "cilium"),
    ("rolling", "preflight", "cilium"),
    ("rolling", "direct-routes", "cilium"),
    ("rolling", "node-move c-worker2", "cilium"),
    ("rolling", "node-move c-worker2", "flannel"),
    ("rolling", "verify", "cilium"),
    ("rolling", "traffic-report", "cilium"),
)


@pytest.mark.parametrize(("strategy", "fault", "there"), CASES)
def test_nothing_is_deleted_behind_a_step_that_failed(world: World, strategy: str, fault: str, there: str) -> None:
    before = {"cilium": "flannel", "flannel": "cilium"}[there]
    stack = world.stacks[before]
    stack.set_config("cni-migration:traffic", '{"enabled": true}')
    stack.up()
    stack.set_config("migration:strategy", strategy)
    stack.set_config("cni-migration:cni", there)
    world.calls()
    world.plant(fault)
    failed = stack.up("--continue-on-error", check=False)
    text = failed.stdout + failed.stderr
    assert failed.returncode != 0 and "fault planted" in text, "a failure must not pass as done"
    assert "integrity" not in text and "panic" not in text, "the user would have to edit the state"
    assert "Traceback" not in text and "nothing that this program names no more is deleted" in text, text[-3000:]
    calls = world.calls()
    if "takeover" not in {call.split()[0] for call in calls}:
        # Behind the gate it is the strategy that the old CNI has gone.
        assert f"cni-delete {before}" not in calls, "nodes would be left without a network"
    stack.up()
    assert (world.marker()["cni"], world.marker()["phase"]) == (there, "ready"), "an up that goes on must end"
    stack.preview("--expect-no-changes")
