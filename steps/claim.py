"""Claims the cluster: writes this stack, its CNI, generation, epoch and strategy into the marker, phase `migrating`, by
compare-and-swap, and lifts the bolt. Fails, naming the other stack, where the marker has moved on since the plan, or a
migration of another stack still runs."""

from __future__ import annotations

from dataclasses import dataclass

from steps import bolt, marker
from steps.doors.kubectl import Kubectl, cluster
from steps.doors.process import ToolError
from steps.holder import alive, holder, seen_from_here
from steps.running import StepError, main, say


@dataclass(frozen=True, kw_only=True)
class Needs:
    """`strategy` and `previous`, the stack and CNI that own the cluster so far, are only written down. `abandon_epoch`
    is the epoch whose migration the user has declared dead."""

    cluster: str
    stack: str
    cni: str
    generation: str
    epoch: int
    strategy: str
    abandon_epoch: int
    previous: tuple[str, ...]


def claim(needs: Needs) -> None:
    """The marker is this stack's. Raises StepError where it is not to be had; nothing was touched then."""
    with cluster(needs.cluster) as kubectl:
        # One read, so that the version belongs to the data.
        found = marker.find(kubectl)
        if found is not None:
            _refuse_while_another_migrates(needs, found)
            _refuse_after_another_claim(needs, found)
        _swap(kubectl, needs, found)
        bolt.lift(kubectl)


def _refuse_while_another_migrates(needs: Needs, found: marker.Found) -> None:
    stack, cni, epoch = found.field("stack"), found.field("cni"), found.field("epoch")
    migrating = found.field("phase") == "migrating"
    if stack == needs.stack or not migrating or epoch == str(needs.abandon_epoch):
        return
    other = found.field("holder")
    if not other and found.field("moved"):
        say(f"the migration of stack {stack} to {cni} (epoch {epoch}) is paused; stack {needs.stack} takes the cluster")
        return
    there = other.split(" ")[0]
    if not seen_from_here(other):
        raise StepError(
            f"stack {stack} began to migrate cluster {needs.cluster} to {cni} (epoch {epoch}) on host {there}, and "
            "whether it still runs cannot be seen from here. If it does not: pulumi config set migration:abandonEpoch "
            f"{epoch}"
        )
    if alive(other):
        raise StepError(
            f"stack {stack} is migrating cluster {needs.cluster} to {cni} right now (epoch {epoch}); wait for it to end"
        )
    say(f"the migration of stack {stack} to {cni} (epoch {epoch}) was cut off; stack {needs.stack} takes over")


def _refuse_after_another_claim(needs: Needs, found: marker.Found) -> None:
    stack, cni, epoch = found.field("stack"), found.field("cni"), found.field("epoch")
    goes_on = (stack, cni, epoch) == (needs.stack, needs.cni, str(needs.epoch))
    # A marker without an epoch is from before the first claim, as plan/ownership.py reads it.
    if not goes_on and (int(epoch) if epoch.isdecimal() else 0) != needs.epoch - 1:
        raise StepError(
            f"cluster {needs.cluster} was claimed by stack {stack} with {cni} (epoch {epoch}) since this up was "
            f"planned for epoch {needs.epoch}; nothing was touched: look at `pulumi preview`, run up again"
        )


def _swap(kubectl: Kubectl, needs: Needs, found: marker.Found | None) -> None:
    data = {
        "stack": needs.stack,
        "cni": needs.cni,
        "generation": needs.generation,
        "epoch": str(needs.epoch),
        "phase": "migrating",
        "holder": holder(),
        "strategy": needs.strategy,
        "previous": " ".join(needs.previous),
    }
    if found is not None and (found.field("stack"), found.field("epoch")) == (needs.stack, str(needs.epoch)):
        # The same claim once more, by a state that was lost: where it was paused is still so.
        data |= {key: found.field(key) for key in ("moved", "leg") if found.field(key)}
    try:
        if found is None:
            kubectl.create(marker.manifest(data))
        else:
            kubectl.replace(marker.manifest(data, found.version))
    except ToolError as error:
        if not error.says("AlreadyExists", "Conflict"):
            raise
        raise StepError(
            f"another up claimed cluster {needs.cluster} at the same moment; nothing was touched: look at "
            "`pulumi preview`, run up again"
        ) from error


if __name__ == "__main__":
    main(Needs, claim)
