"""What the pipeline decides: whom a rollback brings back, what a verdict says, what is wrong with the settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.apply_before import Before
from pipeline.check import mistakes
from pipeline.rollback import NoteError, last
from pipeline.rollback_choice import choose
from pipeline.rollback_ended import ended
from pipeline.stack_files import settings_of
from pipeline.verify_outputs import verdict
from plan.ownership import Marker, Owner, Progress
from settings.errors import SettingsError

FLANNEL, CILIUM = Owner(stack="flannel", cni="flannel"), Owner(stack="cilium", cni="cilium")
NOW = Marker(stack="cilium", cni="cilium", generation="g", epoch=2, phase="ready", previous=FLANNEL)
HALFWAY = replace(NOW, phase="migrating")
BEFORE = Before(stack="cilium", cluster="c", generation="g", owner=FLANNEL, finished=True, previous=CILIUM)


@pytest.mark.parametrize("now", [NOW, HALFWAY], ids=["ready", "migrating"])
def test_a_rollback_goes_to_the_owner_of_the_note_whatever_the_marker_s_phase(now: Marker) -> None:
    back = choose("cilium", BEFORE, now)
    assert back.to == FLANNEL and "says the note" in back.why, "one command would not bring it back"


@pytest.mark.parametrize("now", [NOW, HALFWAY], ids=["ready", "migrating"])
def test_without_a_note_the_marker_says_who_had_the_cluster(now: Marker) -> None:
    assert choose("cilium", None, now).to == FLANNEL


def test_what_nobody_wrote_down_is_not_guessed() -> None:
    for before in (None, replace(BEFORE, owner=None, generation="")):
        back = choose("cilium", before, replace(NOW, previous=None))
        assert back.to is None and back.failed, "a cluster would move to where it never was"


def test_a_leg_behind_a_pause_goes_back_to_where_the_migration_began() -> None:
    went_on = replace(BEFORE, owner=CILIUM, finished=False)
    for now in (HALFWAY, NOW):
        assert choose("cilium", went_on, now).to == FLANNEL, "it would be brought back to where it is stuck"


def test_a_change_of_settings_alone_has_no_owner_to_go_back_to() -> None:
    back = choose("cilium", replace(BEFORE, owner=CILIUM), NOW)
    assert back.to is None and back.failed and "revert the commit" in back.why, "users would pay for a migration"


def test_inside_one_stack_it_is_the_cni_that_goes_back() -> None:
    before = replace(BEFORE, stack="a", owner=Owner(stack="a", cni="flannel"))
    assert choose("a", before, replace(NOW, stack="a")).to == Owner(stack="a", cni="flannel")


def test_a_stack_that_does_not_own_the_cluster_has_nothing_to_undo() -> None:
    back = choose("cilium", BEFORE, replace(NOW, stack="flannel", cni="flannel"))
    assert (back.to, back.failed) == (None, False) and "does not own" in back.why, "it would move a cluster twice"


def test_a_rollback_that_was_cut_off_goes_on() -> None:
    back = choose("cilium", BEFORE, replace(HALFWAY, stack="flannel", cni="flannel"))
    assert back.to == FLANNEL and "goes on" in back.why, "the second command would leave it half moved"


def test_another_cluster_and_one_that_nobody_owns_are_left_alone() -> None:
    for now in (replace(NOW, generation="h"), None, replace(NOW, cni="none")):
        back = choose("cilium", BEFORE, now)
        assert back.to is None and back.failed, "somebody else's cluster would be migrated"


def test_a_rollback_says_in_what_state_it_ended() -> None:
    assert ended(FLANNEL, replace(NOW, stack="flannel", cni="flannel")) == (
        "stack flannel has the cluster back, with flannel, and has verified it",
        True,
    )
    for now, said in (
        (replace(HALFWAY, stack="flannel", cni="flannel"), "is not done with the way to flannel"),
        (HALFWAY, "stack cilium still owns the cluster, with cilium (migrating)"),
        (None, "nobody owns the cluster"),
    ):
        sentence, well = ended(FLANNEL, now)
        assert said in sentence and not well, "a rollback that failed would pass as done"


def test_the_newest_note_of_a_stack_counts_and_one_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    assert last(tmp_path) is None
    notes = {
        "cilium-20260101T000000Z": "cilium",
        "cilium-2nd-20260103T000000Z": "cilium-2nd",
        "flannel-20260102T000000Z": "flannel",
    }
    for name, stack in notes.items():
        (tmp_path / f"{name}.before.json").write_text(replace(BEFORE, stack=stack).as_json())
    assert last(tmp_path, "cilium") == replace(BEFORE, stack="cilium"), "another stack's note would be gone by"
    assert last(tmp_path) == replace(BEFORE, stack="cilium-2nd")
    (tmp_path / "cilium-20260104T000000Z.before.json").write_text("[]")
    with pytest.raises(NoteError, match="cannot be read"):
        last(tmp_path, "cilium")


# The verdict.

BASIS = {"pairs": {"asked": 6, "answered": 6}, "agents": {"asked": 3, "answered": 3}}
GOOD: dict[str, Any] = {
    "cni": "cilium",
    "epoch": 2,
    "verification": {"ok": True, "cni": "cilium", "encapsulation": "none", "icmpWireBytes": 84, "basis": BASIS},
    "interruption": {"measured": False, "why": "nothing was recorded"},
}


def wrong(outputs: dict[str, Any], marker: Marker | None = NOW) -> str:
    return "; ".join(verdict("cilium", outputs, marker).wrong)


def test_a_good_verdict_says_what_was_measured_and_what_was_not() -> None:
    said = verdict("cilium", GOOD, NOW)
    assert said.wrong == () and said.lines[0].startswith("verification: cilium, none, 84 bytes a ping")
    assert "interruption: not measured: nothing was recorded" in said.lines, "unmeasured would pass for free of cost"


@pytest.mark.parametrize(
    ("verification", "said"),
    [
        (None, "nothing was measured"),
        ({"ok": False, "basis": BASIS}, "not what its CNI promises"),
        ({"ok": True}, "does not say how much it rests on"),
        ({"ok": True, "basis": {"pairs": {"asked": 6, "answered": 5}}}, "pairs: 5 of 6 answered"),
        ({"ok": True, "basis": {"pairs": {"asked": 0, "answered": 0}}}, "pairs: 0 of 0 answered"),
    ],
)
def test_what_is_not_good_or_not_measured_fails_the_stage(verification: Any, said: str) -> None:
    assert said in wrong({**GOOD, "verification": verification}), "the gate would be open"


def test_outputs_of_another_time_fail_the_stage() -> None:
    assert "epoch 2, and the cluster is stack flannel" in wrong(GOOD, replace(NOW, stack="flannel"))
    assert "epoch 3" in wrong(GOOD, replace(NOW, epoch=3)), "an up that failed leaves the outputs of the one before"
    assert "nobody owns the cluster" in wrong(GOOD, None)
    assert "has not ended" in wrong(GOOD, HALFWAY)


def test_a_paused_migration_passes_where_outputs_and_marker_agree() -> None:
    paused = replace(HALFWAY, progress=Progress(moved=("w",), leg=1, paused=True))
    said = verdict("cilium", {**GOOD, "paused": "1 of 3 nodes"}, paused)
    assert said.wrong == () and "paused: 1 of 3 nodes" in said.lines
    assert "do not agree" in wrong(GOOD, paused) and "do not agree" in wrong({**GOOD, "paused": "1 of 3 nodes"})


def test_a_budget_that_is_enforced_is_part_of_the_verdict_and_what_interrupts_by_design_is_told() -> None:
    cost = {"measured": True, "withinBudget": False, "why": "9 failed", "failures": 9, "requests": 10}
    assert "more than migration.budget allows: 9 failed" in wrong(
        {**GOOD, "interruption": {**cost, "strategy": "rolling"}}
    )
    assert wrong({**GOOD, "interruption": {**cost, "strategy": "recreate"}}) == ""


def test_what_was_seen_from_outside_is_told_and_fails_nothing() -> None:
    cost: dict[str, Any] = {"measured": True, "withinBudget": True, "failures": 0, "requests": 10, "strategy": "live"}

    def told(outside: dict[str, Any]) -> str:
        said = verdict("cilium", {**GOOD, "interruption": {**cost, "outside": outside}}, NOW)
        assert said.wrong == (), "what live breaks by what it is would shut the gate"
        return "\n".join(said.lines)

    seen = told({"failures": 4, "requests": 9, "connectionsBroken": 3})
    assert "from outside 4 of 9 new connections failed, 3 held ones broke" in seen
    assert "from outside not known: it went" in told({"why": "it went"}), "nothing seen would pass for nothing broken"


# The settings.


def test_a_stack_s_file_is_read_as_the_program_reads_it_and_without_its_secrets(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.a.yaml").write_text(
        "config:\n  cni-migration:cni: cilium\n  cni-migration:cluster: {workers: 3, name: {secure: v1:xy}}\n"
        "  migration:strategy: rolling\n  migration:pauseAfter: 2\n  migration:budget: {failedConnections: 3}\n"
        "  cni-migration:cilium: {secure: v1:zz}\n"
    )
    read = settings_of("a", tmp_path)
    assert (read.cluster.workers, read.cluster.name) == (3, "cni-migration")
    assert (read.migration.pause_after, read.migration.max_failures) == (2, 3)
    with pytest.raises(SettingsError, match=r"there is no stack 'b': no file Pulumi\.b\.yaml; the stacks are a"):
        settings_of("b", tmp_path)


def test_two_stacks_that_want_another_cluster_of_one_name_are_found(tmp_path: Path) -> None:
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline" / "stack.txt").write_text("a\n")
    for stack, workers in (("a", 2), ("b", 3)):
        (tmp_path / f"Pulumi.{stack}.yaml").write_text(
            f"config: {{cni-migration:cni: cilium, cni-migration:cluster: {{workers: {workers}}}}}\n"
        )
    [said] = mistakes(tmp_path)
    assert "stacks a, b are of cluster cni-migration and differ" in said, "the second one's up would be refused"
    (tmp_path / "Pulumi.b.yaml").unlink()
    assert mistakes(tmp_path) == []


def test_the_stacks_of_this_project_are_right() -> None:
    assert mistakes(Path(__file__).parents[2]) == []
