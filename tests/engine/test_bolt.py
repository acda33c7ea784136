"""What the engine leaves in the state when the old CNI's deletion is refused, as steps/bolt.py refuses it."""

from __future__ import annotations

from engine.conftest import World


def test_a_refused_deletion_leaves_a_state_that_goes_on(world: World) -> None:
    flannel = world.stacks["flannel"]
    flannel.up()
    world.calls()
    assert (world.fake / "ValidatingAdmissionPolicyBinding").exists(), "a settled cluster is not bolted"
    flannel.set_config("cni-migration:cni", "cilium")
    world.plant("cni-delete")
    failed = flannel.up(check=False)
    assert failed.returncode != 0
    binding = world.fake / "ValidatingAdmissionPolicyBinding"
    assert not binding.exists(), "the claim lifts nothing: no migration inside one stack would ever pass"
    assert "integrity" not in failed.stdout + failed.stderr, "the user would have to edit the state"
    calls = world.calls()
    assert "takeover cilium" not in calls and "cni-create cilium" not in calls, "two CNIs, or none, would be left"
    flannel.up()
    assert world.marker()["cni"] == "cilium", "an up that goes on must end"
    flannel.preview("--expect-no-changes")
    assert binding.exists(), "the new CNI could be deleted at any time"
